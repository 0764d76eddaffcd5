"""The shared world as resources: organizations, locations, people and services."""

from collections.abc import Iterator
from datetime import date

from continuum.samples import calendars, waves
from continuum.samples.data.bases import Afloat, Base
from continuum.samples.data.services import BRANCH_NAMES
from continuum.samples.elements import LOCAL, LOCAL_EXTENSION, SNOMED, Element, Resource, concept, reference, table
from continuum.samples.places import Practitioner, Site, World
from continuum.samples.streams import identity
from continuum.samples.teams import teams

TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
NPI = "http://hl7.org/fhir/sid/us-npi"
AGENCY = identity("organization", "health-agency")
VETERANS_AGENCY = identity("organization", "veterans-agency")
_KINDS = {
    "hospital": ("Military hospital", "HOSP", "Hospital"),
    "clinic": ("Military clinic", "OF", "Outpatient facility"),
    "dental": ("Dental clinic", "DX", "Diagnostics or therapeutics unit"),
    "ship": ("Ship's medical department", "MOBL", "Mobile Unit"),
    "surgical_team": ("Forward surgical team", "MOBL", "Mobile Unit"),
    "aid_station": ("Battalion aid station", "MOBL", "Mobile Unit"),
}
_ROLE_OF_CARE = {"hospital": 4, "clinic": 1, "dental": 1}
_WARDS = (("ED", "Emergency Department"), ("WARD", "Medical-Surgical Ward"), ("OB", "Labor and Delivery"))


def resources(world: World, today: date) -> Iterator[Resource]:
    """Everything shared, owners before what they own."""
    for agency, name in ((AGENCY, "Military Health Service"), (VETERANS_AGENCY, "Veterans Health Service")):
        yield {
            "resourceType": "Organization",
            "id": agency,
            "active": True,
            "type": [table("organization-type", "govt", "Government")],
            "name": f"{name} (synthetic)",
            "telecom": [{"system": "email", "value": "office@health-service.example"}],
        }
    for branch, name in BRANCH_NAMES.items():
        yield {
            "resourceType": "Organization",
            "id": identity("organization", branch),
            "active": True,
            "identifier": [{"system": f"{LOCAL}service-branch", "value": branch}],
            "type": [table("organization-type", "govt", "Government")],
            "name": name,
        }
    yield from waves.plans(today)
    for site in world.sites.values():
        yield from _site(site, today)


def _site(site: Site, today: date) -> Iterator[Resource]:
    place = site.place
    label, code, display = _KINDS[site.kind]
    owner = reference("Organization", site.organization)
    zone = {"url": TIMEZONE, "valueCode": place.zone}
    role = place.role if isinstance(place, Afloat) else _ROLE_OF_CARE[site.kind]
    capability = {"url": f"{LOCAL_EXTENSION}role-of-care", "valueInteger": role}
    phone = {"system": "phone", "value": f"555-0{100 + len(site.key) % 90}", "use": "work"}
    mail = {"system": "email", "value": f"{site.key}@example.mil"}
    organization: Resource = {
        "resourceType": "Organization",
        "id": site.organization,
        "extension": [zone, *waves.status(site, today)],
        "identifier": [{"system": f"{LOCAL}facility", "value": site.key}],
        "active": True,
        "type": [{**table("organization-type", "prov", "Healthcare Provider"), "text": label}],
        "name": site.name,
        "telecom": [phone, mail],
        "partOf": reference("Organization", AGENCY),
    }
    location: Resource = {
        "resourceType": "Location",
        "id": site.location,
        "extension": [zone, capability],
        "identifier": [{"system": f"{LOCAL}location", "value": site.key}],
        "status": "active",
        "name": site.name,
        "mode": "instance",
        "type": [table("v3-RoleCode", code, display)],
        "telecom": [phone],
        "managingOrganization": owner,
    }
    if isinstance(place, Base):
        organization["address"] = [_address(place)]
        location["address"] = _address(place)
        location["position"] = {"longitude": place.longitude, "latitude": place.latitude}
        location["physicalType"] = _physical("bu", "Building")
    else:
        location["physicalType"] = _physical("ve", "Vehicle") if site.kind == "ship" else _physical("si", "Site")
    yield organization
    yield location
    if site.kind == "hospital":
        yield from _wards(site, zone)
    yield from _people(site, owner)


def _wards(site: Site, zone: Element) -> Iterator[Resource]:
    for code, name in _WARDS:
        yield {
            "resourceType": "Location",
            "id": identity("ward", site.key, code),
            "extension": [zone],
            "identifier": [{"system": f"{LOCAL}location", "value": f"{site.key}-{code.lower()}"}],
            "status": "active",
            "name": f"{site.name}, {name}",
            "mode": "instance",
            "physicalType": _physical("wa", "Ward"),
            "managingOrganization": reference("Organization", site.organization),
            "partOf": reference("Location", site.location),
        }


def _people(site: Site, owner: Element) -> Iterator[Resource]:
    for person in site.people:
        yield _practitioner(person)
        yield _role(person, site, owner)
    for specialty, people in site.by_specialty.items():
        yield _service(site, specialty, people[0], owner)
    yield from teams(site, owner)


def _practitioner(person: Practitioner) -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": person.id,
        "meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner"]},
        "identifier": [{"system": NPI, "value": person.npi}],
        "active": True,
        "name": [{"family": person.family_name, "given": [person.given], "suffix": [person.specialty.title]}],
        **({"communication": languages} if (languages := calendars.spoken(person)) else {}),
    }


def _role(person: Practitioner, site: Site, owner: Element) -> Resource:
    code, display = person.specialty.role
    return {
        "resourceType": "PractitionerRole",
        "id": person.role_id,
        "active": True,
        "practitioner": {"reference": person.reference},
        "organization": owner,
        "code": [table("practitioner-role", code, display)],
        "specialty": [concept(SNOMED, person.specialty.code, person.specialty.display)],
        "location": [reference("Location", site.location)],
        "telecom": [{"system": "email", "value": f"desk@{site.key}.example.mil", "use": "work"}],
    }


def _service(site: Site, specialty: str, first: Practitioner, owner: Element) -> Resource:
    return {
        "resourceType": "HealthcareService",
        "id": identity("service", site.key, specialty),
        **calendars.kind_of_visit(specialty),
        "identifier": [{"system": f"{LOCAL}service", "value": f"{site.key}-{specialty}"}],
        "active": True,
        "providedBy": owner,
        "specialty": [concept(SNOMED, first.specialty.code, first.specialty.display)],
        "location": [reference("Location", site.location)],
        "name": f"{first.specialty.display}, {site.name}",
        "appointmentRequired": calendars.takes_appointments(specialty),
    }


def _physical(code: str, display: str) -> Element:
    return table("location-physical-type", code, display)


def _address(place: Base) -> Element:
    return {
        "use": "work",
        "line": [f"1 {place.name} Road"],
        "city": place.city,
        **({"state": place.state} if place.state else {}),
        "postalCode": place.postal_code,
        "country": place.country,
    }

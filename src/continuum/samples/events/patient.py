"""The person: Patient (US Core), the family's links, and the coverage."""

from collections.abc import Iterator
from datetime import date

from continuum.samples.elements import US_CORE, Element, Resource, coding, table
from continuum.samples.life import Life
from continuum.samples.persons import Family, Person
from continuum.samples.streams import Draw

DOD_ID = "urn:oid:2.16.840.1.113883.3.42.10001.100001.12"
"""The OID of DoD ID numbers (EDIPI)."""
MRN = "https://continuum.example/fhir/identifier/record-number"
OMB = "urn:oid:2.16.840.1.113883.6.238"


def events(life: Life, draw: Draw) -> Iterator[Resource]:  # noqa: ARG001  every contributor gets its stream
    """One Patient."""
    person, family = life.person, life.family
    base = family.base(person.died or life.today)
    patient: Resource = {
        "resourceType": "Patient",
        "id": person.id,
        "meta": {"profile": [f"{US_CORE}us-core-patient"]},
        "extension": [
            _omb("race", *person.race),
            _omb("ethnicity", *(_HISPANIC if person.hispanic else _NOT_HISPANIC)),
            {"url": f"{US_CORE}us-core-birthsex", "valueCode": "M" if person.sex == "male" else "F"},
        ],
        "identifier": [
            {
                "use": "official",
                "type": table("v2-0203", "NI", "National unique individual identifier"),
                "system": DOD_ID,
                "value": person.dod_id,
            },
            {
                "use": "usual",
                "type": table("v2-0203", "MR", "Medical record number"),
                "system": MRN,
                "value": f"S{person.dod_id[2:]}",
            },
        ],
        "active": person.died is None,
        "name": _names(family, person),
        "telecom": _telecom(family, person, life.today),
        "gender": person.sex,
        "birthDate": person.born.isoformat(),
        "address": [
            {
                "use": "home",
                "line": [family.street],
                "city": base.city,
                **({"state": base.state} if base.state else {}),
                "postalCode": base.postal_code,
                "country": base.country,
            }
        ],
        "communication": [{"language": _ENGLISH, "preferred": True}],
        "managingOrganization": {"reference": f"Organization/{life.world.care(base).organization}"},
    }
    if person.died is not None:
        patient["deceasedDateTime"] = person.died.isoformat()
    married = _marital(family, person, life.today)
    if married is not None:
        patient["maritalStatus"] = married
    yield patient


_HISPANIC = ("2135-2", "Hispanic or Latino")
_NOT_HISPANIC = ("2186-5", "Not Hispanic or Latino")
_ENGLISH = {"coding": [coding("urn:ietf:bcp:47", "en-US", "English (United States)")], "text": "English"}


def _omb(kind: str, code: str, display: str) -> Element:
    return {
        "url": f"{US_CORE}us-core-{kind}",
        "extension": [
            {"url": "ombCategory", "valueCoding": coding(OMB, code, display)},
            {"url": "text", "valueString": display},
        ],
    }


def _names(family: Family, person: Person) -> list[Element]:
    """The name; someone who took another at marriage keeps the old one beside it."""
    names: list[Element] = [{"use": "official", "family": person.family_name, "given": list(person.given)}]
    if person is family.spouse and family.married is not None and person.sex == "female":
        names[0]["period"] = {"start": family.married.isoformat()}
    return names


def _telecom(family: Family, person: Person, today: date) -> list[Element]:
    telecom: list[Element] = [{"system": "phone", "value": family.phone, "use": "home"}]
    if person.age(today) >= 16:
        telecom.append({"system": "email", "value": f"person{person.dod_id[2:]}@mail.example", "use": "home"})
    return telecom


def _marital(family: Family, person: Person, today: date) -> Element | None:
    if person.part == "child":
        return table("v3-MaritalStatus", "S", "Never Married") if person.age(today) >= 18 else None
    other = family.spouse if person is family.sponsor else family.sponsor
    if other is None:
        return table("v3-MaritalStatus", "S", "Never Married")
    if other.died is not None and (person.died is None or other.died < person.died):
        return table("v3-MaritalStatus", "W", "Widowed")
    return table("v3-MaritalStatus", "M", "Married")

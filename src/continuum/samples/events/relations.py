"""The family around a patient: related persons, the sponsor among them, and the coverage that follows from it."""

from collections.abc import Iterator

from continuum.samples.elements import LOCAL, US_CORE, Element, Resource, coding, table
from continuum.samples.events.patient import DOD_ID
from continuum.samples.facilities import AGENCY, VETERANS_AGENCY
from continuum.samples.life import Life
from continuum.samples.persons import Person
from continuum.samples.streams import Draw

_RELATED_PROFILE = {"profile": [f"{US_CORE}us-core-relatedperson"]}
_PAYMENT = "https://nahdo.org/sopt"
_SPONSOR = {"coding": [coding(f"{LOCAL}military", "sponsor", "Sponsor")], "text": "Sponsor"}
_PLANS = {
    "prime": ("3111", "TRICARE Prime"),
    "reserve": ("3115", "TRICARE Reserve Select"),
    "life": ("3114", "TRICARE For Life"),
    "select": ("311", "TRICARE Select"),
    "veteran": ("321", "Veteran care"),
}
_MEDICARE_AGE = 65


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """RelatedPersons of the patient, then the Coverage."""
    for relative, code, display in _relatives(life):
        yield _related(life, draw, relative, code, display)
    yield _coverage(life, draw)


def _relatives(life: Life) -> Iterator[tuple[Person, str, str]]:
    family, person = life.family, life.person
    if person.part == "child":
        for parent in (family.sponsor, family.spouse):
            if parent is not None:
                yield parent, *(("MTH", "mother") if parent.sex == "female" else ("FTH", "father"))
        return
    other = family.spouse if person is family.sponsor else family.sponsor
    if other is not None:
        yield other, "SPS", "spouse"


def _related(life: Life, draw: Draw, relative: Person, code: str, display: str) -> Resource:
    relationship: list[Element] = [table("v3-RoleCode", code, display)]
    if relative.part == "sponsor":
        relationship.append(_SPONSOR)
    return {
        "resourceType": "RelatedPerson",
        "id": draw.id(),
        "meta": _RELATED_PROFILE,
        "identifier": [
            {
                "type": table("v2-0203", "NI", "National unique individual identifier"),
                "system": DOD_ID,
                "value": relative.dod_id,
            }
        ],
        "active": relative.died is None,
        "patient": life.subject,
        "relationship": relationship,
        "name": [{"family": relative.family_name, "given": list(relative.given)}],
        "telecom": [{"system": "phone", "value": life.family.phone, "use": "home"}],
        "gender": relative.sex,
        "birthDate": relative.born.isoformat(),
    }


def _plan(life: Life) -> str:
    status = life.family.service.status
    if status == "veteran":
        return "veteran" if life.person.part == "sponsor" else "select"
    if status == "retired" and life.person.age(life.until) >= _MEDICARE_AGE:
        return "life"
    return {"active": "prime", "reserve": "reserve", "guard": "reserve", "retired": "select"}[status]


def _coverage(life: Life, draw: Draw) -> Resource:
    family, person = life.family, life.person
    plan = _plan(life)
    code, name = _PLANS[plan]
    relation = {"sponsor": ("self", "Self"), "spouse": ("spouse", "Spouse"), "child": ("child", "Child")}[person.part]
    payor = VETERANS_AGENCY if plan == "veteran" else AGENCY
    start = max(family.service.entered, person.born)
    if person.part == "spouse" and family.married is not None:
        start = max(start, family.married)
    return {
        "resourceType": "Coverage",
        "id": draw.id(),
        "status": "active" if person.died is None else "cancelled",
        "type": {"coding": [coding(_PAYMENT, code, name)], "text": name},
        "subscriber": {"reference": f"Patient/{family.sponsor.id}"},
        # Eleven digits like a DoD Benefits Number; 99 at the front marks ours as invented.
        "subscriberId": f"{family.sponsor.dod_id}{person.key[1] % 10}",
        "beneficiary": life.subject,
        "dependent": f"{person.key[1]:02d}",
        "relationship": table("subscriber-relationship", *relation),
        "period": {"start": start.isoformat(), **({"end": person.died.isoformat()} if person.died else {})},
        "payor": [{"reference": f"Organization/{payor}"}],
        "class": [{"type": table("coverage-class", "plan", "Plan"), "value": plan, "name": name}],
    }

"""What is agreed for the time to come: care plans, appointments, and the illnesses of the parents."""

from collections.abc import Iterator
from datetime import timedelta

from continuum.samples.data.illnesses import BY_KEY, Chronic
from continuum.samples.elements import SNOMED, US_CORE, Element, Resource, coding, concept, reference, table
from continuum.samples.events.conditions import code as illness_code
from continuum.samples.life import Illness, Life
from continuum.samples.streams import Draw, curve

_PLAN_PROFILE = {"profile": [f"{US_CORE}us-core-careplan"]}
_ASSESS = [
    {
        "coding": [
            {
                "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
                "code": "assess-plan",
                "display": "Assessment and Plan of Treatment",
            }
        ]
    }
]
_PLANS: dict[str, tuple[str, ...]] = {
    "diabetes2": (
        "Check blood sugar as agreed",
        "Walk 30 minutes on most days",
        "Have eyes and feet checked yearly",
    ),
    "hypertension": ("Measure blood pressure at home twice a week", "Eat less salt"),
    "asthma": ("Use the inhaler with a spacer", "Keep the written action plan at hand"),
    "ptsd": ("Attend therapy every two weeks", "Know whom to call in a crisis"),
    "low_back_pain": ("Exercises for the back every day", "Return to duty in steps"),
}
_BOOKED_WITHIN_DAYS = 90
_PARENTS = (("FTH", "father"), ("MTH", "mother"))
_GENDER = "http://hl7.org/fhir/administrative-gender"
_MALE = {"coding": [coding(_GENDER, "male", "Male")]}
_FEMALE = {"coding": [coding(_GENDER, "female", "Female")]}
_INHERITED = ("hypertension", "diabetes2", "coronary_disease")
_PARENT_AGE = 62.0


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """Care plans of the living for lasting illnesses, appointments ahead, and family history of adults."""
    if life.person.died is None:
        for illness in life.illnesses:
            if illness.kind.key in _PLANS and illness.abated is None:
                yield _plan(life, illness, draw)
        yield from _appointments(life, draw)
    if life.person.age(life.until) >= 18 and any(visit.kind == "checkup" for visit in life.visits):
        yield from _history(life, draw)


def _plan(life: Life, illness: Illness, draw: Draw) -> Resource:
    steps = _PLANS[illness.kind.key]
    start = max(illness.onset, life.since)
    listed = "".join(f"<li>{step}</li>" for step in steps)
    title = f"Plan for {illness.kind.display.lower()}"
    return {
        "resourceType": "CarePlan",
        "id": draw.id(),
        "meta": _PLAN_PROFILE,
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{title}</p><ul>{listed}</ul></div>',
        },
        "status": "active",
        "intent": "plan",
        "category": _ASSESS,
        "title": title,
        "subject": life.subject,
        "period": {"start": start.isoformat()},
        "created": start.isoformat(),
        "careTeam": [reference("CareTeam", life.world.care_team(life.family.base(life.today)))],
        "addresses": [reference("Condition", illness.id)],
        "activity": [{"detail": {"status": "in-progress", "description": step}} for step in steps],
    }


def _appointments(life: Life, draw: Draw) -> Iterator[Resource]:
    """One appointment ahead for those with something to follow, and for some of the others."""
    followed = [
        one
        for one in life.illnesses
        if isinstance(one.kind, Chronic) and one.kind.visits_a_year >= 1 and one.abated is None
    ]
    if not followed and draw.rng.random() > 0.35:
        return
    day = life.today + timedelta(days=draw.rng.randint(1, _BOOKED_WITHIN_DAYS))
    if day.weekday() >= 5:
        day += timedelta(days=7 - day.weekday())
    minute = 480 + 30 * draw.rng.randrange(14)
    site = life.world.care(life.family.base(life.today))
    reason = followed[0] if followed else None
    specialty = reason.kind.clinic if reason is not None and isinstance(reason.kind, Chronic) else "family"
    person = site.one_of("pediatrics" if life.person.age(life.today) < 18 else specialty, life.person.key[1])
    appointment: Resource = {
        "resourceType": "Appointment",
        "id": draw.id(),
        "status": "booked",
        "serviceType": [concept(SNOMED, person.specialty.code, person.specialty.display)],
        "appointmentType": table("v2-0276", "FOLLOWUP", "A follow up visit from a previous appointment")
        if reason is not None
        else table("v2-0276", "CHECKUP", "A routine check-up, such as an annual physical"),
        "description": f"Review of {reason.kind.display.lower()}" if reason is not None else "Check-up",
        "start": site.instant(day, minute),
        "end": site.instant(day, minute + 30),
        "minutesDuration": 30,
        "created": life.today.isoformat(),
        "participant": [
            {"actor": life.subject, "status": "accepted"},
            {"actor": {"reference": person.reference}, "status": "accepted"},
            {"actor": reference("Location", site.location), "status": "accepted"},
        ],
    }
    if reason is not None:
        appointment["reasonReference"] = [reference("Condition", reason.id)]
    yield appointment


def _history(life: Life, draw: Draw) -> Iterator[Resource]:
    for relation, display in _PARENTS:
        found: list[Element] = []
        for key in _INHERITED:
            kind = BY_KEY[key]
            knots = kind.male if relation == "FTH" else kind.female
            own = 1.8 if life.illness(key) is not None else 0.8
            if draw.rng.random() < curve(knots, _PARENT_AGE) * own:
                found.append({"code": illness_code(kind)})
        if not found:
            continue
        yield {
            "resourceType": "FamilyMemberHistory",
            "id": draw.id(),
            "status": "completed",
            "patient": life.subject,
            "date": next(visit.day for visit in life.visits if visit.kind == "checkup").isoformat(),
            "relationship": table("v3-RoleCode", relation, display),
            "sex": _MALE if relation == "FTH" else _FEMALE,
            "condition": found,
        }

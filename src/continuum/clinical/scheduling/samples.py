"""When the sample clinics have time, and what they ask before a visit.

The running system opens times from the templates; no Slot is made here.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from continuum.samples.calendars import CHILD_QUESTIONS, HOURS, QUESTIONS
from continuum.samples.elements import LOCAL_EXTENSION, SNOMED, Element, Resource, concept, reference
from continuum.samples.places import Site, World
from continuum.samples.streams import identity

HORIZON_DAYS = 14
_GROUP = 8
_BOTH = frozenset({"family"})
"""Specialties of which two clinicians have calendars; of the others one."""


def shared(world: World, today: date) -> Iterator[Resource]:
    """The questions, and the calendars of all sites."""
    yield from _questionnaires()
    for site in world.sites.values():
        yield from _schedules(site, today)


def _schedules(site: Site, today: date) -> Iterator[Resource]:
    """The calendars of a site."""
    for specialty, people in site.by_specialty.items():
        for person in people[: 2 if specialty in _BOTH else 1] if specialty in HOURS else ():
            yield {
                "resourceType": "Schedule",
                "id": identity("schedule", site.key, person.id),
                "extension": [
                    *(_rule(one, today) for one in HOURS[specialty]),
                    {"url": f"{LOCAL_EXTENSION}schedule-horizon", "valueInteger": HORIZON_DAYS},
                ],
                "active": True,
                "specialty": [concept(SNOMED, person.specialty.code, person.specialty.display)],
                "actor": [
                    {"reference": person.reference},
                    reference("Location", site.location),
                    reference("HealthcareService", identity("service", site.key, specialty)),
                ],
            }


def _rule(said: tuple[str, str, str, int, int], today: date) -> Element:
    days, starts, ends, minutes, number = said
    group = number == _GROUP
    monday = today - timedelta(days=today.weekday())
    values: list[Element] = [
        {"url": "recurrence", "valueString": days},
        {"url": "starts", "valueTime": starts},
        {"url": "ends", "valueTime": ends},
        {"url": "minutes", "valueInteger": minutes},
        {"url": "first", "valueDate": monday.isoformat()},
        {"url": "seats", "valueInteger": number if group else 1},
        {"url": "overbooked", "valueInteger": 0 if group else number},
    ]
    return {"url": f"{LOCAL_EXTENSION}schedule-template", "extension": values}


def _yes(question: str) -> list[Element]:
    return [{"question": question, "operator": "=", "answerBoolean": True}]


_COMMON: list[Element] = [
    {"linkId": "better", "type": "choice", "text": "Since it began, is it", "required": True,
     "answerOption": [{"valueCoding": {"code": code, "display": words}} for code, words in (
         ("better", "getting better"), ("same", "about the same"), ("worse", "getting worse"))]},
    {"linkId": "pain", "type": "boolean", "text": "Is there any pain?", "required": True},
    {"linkId": "pain-score", "type": "integer", "text": "How strong is the pain, from 0 (none) to 10 (the worst)?",
     "required": True, "enableWhen": _yes("pain")},
    {"linkId": "pain-where", "type": "string", "text": "Where does it hurt?", "maxLength": 200,
     "enableWhen": [{"question": "pain-score", "operator": ">=", "answerInteger": 4}]},
    {"linkId": "medicines", "type": "boolean", "text": "Any new medicine, vitamin or herb since the last visit?",
     "required": True},
    {"linkId": "medicines-which", "type": "text", "text": "Which ones, and how much?", "required": True,
     "enableWhen": _yes("medicines")},
    {"linkId": "changed", "type": "choice", "repeats": True, "text": "Has any of this changed?",
     "answerOption": [{"valueCoding": {"code": code, "display": words}} for code, words in (
         ("address", "address or phone"), ("insurance", "other insurance"), ("allergy", "allergies"),
         ("work", "work or duty station"))]},
    {"linkId": "changed-how", "type": "text", "text": "What is new?",
     "enableWhen": [{"question": "changed", "operator": "exists", "answerBoolean": True}]},
    {"linkId": "wish", "type": "text", "text": "What should not be forgotten at the visit?", "maxLength": 500},
]  # fmt: skip
_CHILD: list[Element] = [
    {"linkId": "fever", "type": "boolean", "text": "Has the child had a fever in the last three days?",
     "required": True},
    {"linkId": "fever-degrees", "type": "decimal", "text": "The highest temperature, in °F", "required": True,
     "enableWhen": _yes("fever")},
    {"linkId": "drinks", "type": "choice", "text": "Does the child drink", "required": True,
     "answerOption": [{"valueCoding": {"code": code, "display": words}} for code, words in (
         ("usual", "as usual"), ("less", "less than usual"), ("hardly", "hardly anything"))]},
    {"linkId": "drinks-warning", "type": "display",
     "text": "A child who hardly drinks may need help today: call the clinic now, do not wait for the appointment.",
     "enableWhen": [{"question": "drinks", "operator": "=", "answerCoding": {"code": "hardly"}}]},
]  # fmt: skip


def _questionnaires() -> Iterator[Resource]:
    """What is asked before a visit."""
    for name, title, first in (
        (QUESTIONS, "Before your visit", []),
        (CHILD_QUESTIONS, "Before your child's visit", _CHILD),
    ):
        yield {
            "resourceType": "Questionnaire",
            "id": name,
            "url": f"https://continuum.example/fhir/Questionnaire/{name}",
            "status": "active",
            "title": title,
            "subjectType": ["Patient"],
            "item": [*first, *_COMMON],
        }

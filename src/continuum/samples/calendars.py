"""When the clinics have time: schedules with the template of a week, kinds of visit, and questions before a visit.

The running system opens times from the templates (`continuum.clinical.scheduling`); no Slot is made here.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from continuum.samples.elements import LOCAL_EXTENSION, SNOMED, Element, Resource, concept, reference
from continuum.samples.places import Practitioner, Site
from continuum.samples.streams import identity

HORIZON_DAYS = 14
_EVERY_DAY = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
_THREE_DAYS = "FREQ=WEEKLY;BYDAY=MO,WE,FR"
_HOURS: dict[str, tuple[tuple[str, str, str, int, int], ...]] = {
    "family": ((_EVERY_DAY, "08:00:00", "11:30:00", 30, 1), (_EVERY_DAY, "13:00:00", "15:30:00", 30, 1)),
    "pediatrics": ((_EVERY_DAY, "08:30:00", "11:30:00", 30, 1),),
    "obstetrics": ((_THREE_DAYS, "08:30:00", "11:30:00", 30, 0),),
    "medicine": ((_THREE_DAYS, "09:00:00", "12:00:00", 30, 0),),
    "behavioral": (("FREQ=WEEKLY;BYDAY=TU,TH", "09:00:00", "15:00:00", 60, 0),),
    "therapy": ((_THREE_DAYS, "13:00:00", "15:00:00", 30, 0), ("FREQ=WEEKLY;BYDAY=TH", "14:00:00", "15:00:00", 60, 8)),
    "audiology": ((_THREE_DAYS, "09:00:00", "11:00:00", 30, 0),),
    "dentist": ((_EVERY_DAY, "08:00:00", "12:00:00", 40, 0),),
}
"""By specialty: rule of the days, from, to, minutes of a visit, how many more staff may add (8: seats of a group)."""
_GROUP = 8
_BOTH = frozenset({"family"})
"""Specialties of which two clinicians have calendars; of the others one."""
_BY_VIDEO = frozenset({"behavioral"})
_PREPARE = {
    "family": "Bring all medicines that you take, and your identification card.",
    "pediatrics": "Bring the child's immunization card and a favorite toy.",
    "obstetrics": "Please come with a full bladder, and bring your pregnancy record.",
    "medicine": "Eat and drink nothing but water for eight hours before if blood is to be taken.",
    "behavioral": "Find a quiet place where nobody overhears you.",
    "therapy": "Wear clothes that you can move in.",
    "audiology": "Avoid loud noise for fourteen hours before.",
    "dentist": "Brush your teeth before you come, and bring any appliance that you wear.",
}
QUESTIONS = identity("questionnaire", "before-a-visit")
CHILD_QUESTIONS = identity("questionnaire", "before-a-childs-visit")
_SPOKEN = (("es", "Spanish"), ("tl", "Tagalog"), ("ko", "Korean"), ("de", "German"))


def spoken(person: Practitioner) -> list[Element]:
    """What a clinician speaks beside English: of each seven, two Spanish and one something else."""
    number = int(person.npi[1:]) % 21
    code, display = _SPOKEN[0] if number % 7 < 2 else _SPOKEN[1 + number % 3]
    if number % 7 > 2:
        return []
    return [{"coding": [{"system": "urn:ietf:bcp:47", "code": code, "display": display}], "text": display}]


def kind_of_visit(specialty: str) -> Element:
    """What a HealthcareService says of its visits: how long, by video or not, what to bring, what is asked before."""
    if specialty not in _HOURS:
        return {}
    asked = CHILD_QUESTIONS if specialty == "pediatrics" else QUESTIONS
    extensions: list[Element] = [
        {"url": f"{LOCAL_EXTENSION}visit-minutes", "valueInteger": _HOURS[specialty][0][3]},
        {"url": f"{LOCAL_EXTENSION}visit-questionnaire", "valueReference": reference("Questionnaire", asked)},
    ]
    if specialty in _BY_VIDEO:
        extensions.append({"url": f"{LOCAL_EXTENSION}visit-by-video", "valueBoolean": True})
    return {"extension": extensions, "extraDetails": _PREPARE[specialty]}


def takes_appointments(specialty: str) -> bool:
    """Whether people book its visits."""
    return specialty in _HOURS


def schedules(site: Site, today: date) -> Iterator[Resource]:
    """The calendars of a site."""
    for specialty, people in site.by_specialty.items():
        for person in people[: 2 if specialty in _BOTH else 1] if specialty in _HOURS else ():
            yield {
                "resourceType": "Schedule",
                "id": identity("schedule", site.key, person.id),
                "extension": [
                    *(_rule(one, today) for one in _HOURS[specialty]),
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


def questionnaires() -> Iterator[Resource]:
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

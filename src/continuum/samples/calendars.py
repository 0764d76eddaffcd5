"""What the clinics say of their visits: when they are, how long they take, and what is to be brought and answered.

The calendars and the questions themselves are made by the domain that keeps them (`continuum.clinical.scheduling`).
"""

from continuum.samples.elements import LOCAL_EXTENSION, Element, reference
from continuum.samples.places import Practitioner
from continuum.samples.streams import identity

_EVERY_DAY = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
_THREE_DAYS = "FREQ=WEEKLY;BYDAY=MO,WE,FR"
HOURS: dict[str, tuple[tuple[str, str, str, int, int], ...]] = {
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
    if specialty not in HOURS:
        return {}
    asked = CHILD_QUESTIONS if specialty == "pediatrics" else QUESTIONS
    extensions: list[Element] = [
        {"url": f"{LOCAL_EXTENSION}visit-minutes", "valueInteger": HOURS[specialty][0][3]},
        {"url": f"{LOCAL_EXTENSION}visit-questionnaire", "valueReference": reference("Questionnaire", asked)},
    ]
    if specialty in _BY_VIDEO:
        extensions.append({"url": f"{LOCAL_EXTENSION}visit-by-video", "valueBoolean": True})
    return {"extension": extensions, "extraDetails": _PREPARE[specialty]}


def takes_appointments(specialty: str) -> bool:
    """Whether people book its visits."""
    return specialty in HOURS

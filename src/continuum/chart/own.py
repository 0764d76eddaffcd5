"""What the person puts into their own record: readings, notes, and requests for correction. Pure."""

from collections.abc import Mapping
from typing import Any

from continuum.access.authored import REPORTED
from continuum.chart.entry import N_, Entry
from continuum.chart.limits import OWN_NOTE_MAX_CHARS
from continuum.chart.measuring import vitals
from continuum.chart.reading import LOCAL
from continuum.chart.sections.amendments import CATEGORY
from continuum.chart.sections.own import NOTE_CODE
from continuum.chart.sheet import Author, Checked
from continuum.ui.people import Problem

Json = dict[str, Any]
Fields = Mapping[str, str]
NOTE_TITLE = N_("Own note")


def readings(fields: Fields, patient_id: str, author: Author) -> Checked:
    """Observations that the person made: the checks of vital signs, under a category of their own."""
    checked = vitals(fields, patient_id, author)
    return Checked(tuple(_own(one, patient_id) for one in checked.resources), checked.problems, checked.doubts)


def note(fields: Fields, patient_id: str, author: Author) -> Checked:
    """A note in the person's own words."""
    text = fields.get("text", "").replace("\r\n", "\n").strip()
    problems = []
    if not text:
        problems.append(Problem("text", N_("The note is empty.")))
    if len(text) > OWN_NOTE_MAX_CHARS:
        problems.append(Problem("text", N_("This is too long.")))
    resource: Json = {
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": f"{LOCAL}observation", "code": NOTE_CODE, "display": NOTE_TITLE}],
                 "text": NOTE_TITLE},
        "subject": {"reference": f"Patient/{patient_id}"}, "effectiveDateTime": author.now, "issued": author.now,
        "valueString": text,
    }  # fmt: skip
    return Checked((_own(resource, patient_id),), tuple(problems))


def _own(resource: Json, patient_id: str) -> Json:
    system, _, code = REPORTED.partition("|")
    return resource | {
        "category": [{"coding": [{"system": system, "code": code}], "text": "Reported by the patient"}],
        "performer": [{"reference": f"Patient/{patient_id}"}],
    }


def correction(fields: Fields, patient_id: str, author: Author, entry: Entry) -> Checked:
    """A Communication to staff that asks to correct an entry."""
    text = fields.get("text", "").replace("\r\n", "\n").strip()
    problems = []
    if not text:
        problems.append(Problem("text", N_("Say what is wrong, and what would be right.")))
    if len(text) > OWN_NOTE_MAX_CHARS:
        problems.append(Problem("text", N_("This is too long.")))
    system, _, code = CATEGORY.partition("|")
    resource: Json = {
        "resourceType": "Communication", "status": "in-progress",
        "category": [{"coding": [{"system": system, "code": code}], "text": "Request for correction"}],
        "subject": {"reference": f"Patient/{patient_id}"},
        "sender": {"reference": f"Patient/{patient_id}"},
        "about": [{"reference": entry.reference, "display": entry.title}],
        "sent": author.now,
        "payload": [{"contentString": text}],
    }  # fmt: skip
    return Checked((resource,), tuple(problems))

"""Notes: a short text for each visit, as a DocumentReference (US Core) whose attachment is plain text."""

from base64 import b64encode
from collections.abc import Iterator

from continuum.samples.data.acute import Acute
from continuum.samples.elements import LOINC, US_CORE, Resource, concept
from continuum.samples.life import Life, Visit, VisitKind
from continuum.samples.streams import Draw

_PROFILE = {"profile": [f"{US_CORE}us-core-documentreference"]}
_CATEGORY = [
    concept(
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note", "Clinical Note"
    )
]
_FORMAT = {
    "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
    "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient",
    "display": "mimeType Sufficient",
}
_PROGRESS = concept(LOINC, "11506-3", "Progress note")
_EMERGENCY = concept(LOINC, "34111-5", "Emergency department Note")
_DISCHARGE = concept(LOINC, "18842-5", "Discharge summary")
_KINDS: dict[VisitKind, object] = {
    "emergency": _EMERGENCY,
    "inpatient": _DISCHARGE,
    "delivery": _DISCHARGE,
    "newborn": _DISCHARGE,
}
_OPENINGS: dict[VisitKind, str] = {
    "checkup": "Periodic health assessment. No acute complaint.",
    "well_child": "Well child visit with parent. Growing along the usual channel.",
    "prenatal": "Prenatal visit. Fetal movement as expected for dates.",
    "postpartum": "Six weeks after delivery. Recovering well, feeding established.",
    "delivery": "Admitted in labor.",
    "newborn": "Term newborn, vigorous at birth, rooming in with mother.",
    "hearing": "Annual hearing conservation visit.",
    "telehealth": "Seen by video from home.",
}
_PLANS = (
    "Return if worse or not better in a week.",
    "Patient understands the plan and agrees.",
    "Questions answered; written instructions given.",
    "Follow-up as scheduled.",
)


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """One note for each visit but dental ones, which write their own."""
    for visit in life.visits:
        if visit.kind in {"dental", "hearing"}:
            continue
        text = note_text(life, visit, draw.rng.choice(_PLANS))
        yield {
            "resourceType": "DocumentReference",
            "id": draw.id(),
            "meta": _PROFILE,
            "status": "current",
            "docStatus": "final",
            "type": _KINDS.get(visit.kind, _PROGRESS),
            "category": _CATEGORY,
            "subject": life.subject,
            "date": visit.end,
            "author": [{"reference": visit.practitioner}],
            "custodian": {"reference": f"Organization/{visit.site.organization}"},
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain; charset=utf-8",
                        "data": b64encode(text.encode()).decode(),
                        "title": "Note",
                        "creation": visit.end,
                    },
                    "format": _FORMAT,
                }
            ],
            "context": {"encounter": [visit.reference], "period": {"start": visit.start, "end": visit.end}},
        }


def note_text(life: Life, visit: Visit, closing: str) -> str:
    """The note: who, why, what is known, what is to be done."""
    person = life.person
    age = person.age(visit.day)
    years = f"{int(age * 12)}-month-old" if age < 2 else f"{int(age)}-year-old"
    who = {"male": "boy" if age < 18 else "man", "female": "girl" if age < 18 else "woman"}[person.sex]
    lines = [f"{years} {who}, seen at {visit.site.name}."]
    if visit.reason is not None:
        lines.append(_reason(visit))
    else:
        lines.append(_OPENINGS.get(visit.kind, "Routine visit."))
    known = [
        one.kind.display.lower()
        for one in life.illnesses
        if one.chronic and one.onset < visit.day and one.active(visit.day)
    ]
    if known and visit.kind != "newborn":
        lines.append(f"Problem list: {', '.join(known[:5])}.")
    if life.allergies:
        lines.append("Allergies: " + ", ".join(one.allergen.display.lower() for one in life.allergies) + ".")
    lines.append(closing)
    return "\n".join(lines)


def _reason(visit: Visit) -> str:
    assert visit.reason is not None
    kind = visit.reason.kind
    days = (visit.day - visit.reason.onset).days
    name = kind.display.lower()
    if not isinstance(kind, Acute):
        return (
            f"New diagnosis of {name}." if days <= 3 else f"Here to review {name}. Stable, taking medicine as agreed."
        )
    if visit.kind == "follow_up":
        return f"Back after {name}; improving as expected."
    return f"Complaint for {max(1, days)} day(s), findings fit {name}. Advised on treatment."

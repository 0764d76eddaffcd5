"""Observations: the frame that all of them share."""

from continuum.samples.elements import LOINC, UCUM, Element, Resource, coding, table
from continuum.samples.life import Life, Visit

CATEGORIES = {
    key: [table("observation-category", key, display)]
    for key, display in (
        ("vital-signs", "Vital Signs"),
        ("laboratory", "Laboratory"),
        ("social-history", "Social History"),
        ("survey", "Survey"),
        ("exam", "Exam"),
    )
}
INTERPRETATIONS = {
    code: [table("v3-ObservationInterpretation", code, display)]
    for code, display in (("N", "Normal"), ("H", "High"), ("L", "Low"))
}


def loinc(code: str, display: str) -> Element:
    """A LOINC concept."""
    return {"coding": [coding(LOINC, code, display)], "text": display}


def observation(
    life: Life, identity: str, *, category: str, code: Element, visit: Visit, at: str | None = None
) -> Resource:
    """A final Observation of a visit, without a value."""
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "category": CATEGORIES[category],
        "code": code,
        "subject": life.subject,
        "encounter": visit.reference,
        "effectiveDateTime": at or visit.start,
        "performer": [{"reference": visit.practitioner}],
    }


def measured(value: float, unit: str) -> Element:
    """A quantity whose unit is shown as its UCUM code."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}

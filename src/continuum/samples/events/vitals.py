"""Vital signs, taken at visits where a nurse would take them."""

from collections.abc import Iterator
from random import Random

from continuum.samples.data.acute import Acute
from continuum.samples.elements import LOINC, Element, Resource, coding, quantity, table
from continuum.samples.life import Life, Visit, VisitKind
from continuum.samples.streams import Draw

_CATEGORY = [table("observation-category", "vital-signs", "Vital Signs")]
_PROFILES = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_FULL: frozenset[VisitKind] = frozenset(
    ("checkup", "well_child", "follow_up", "acute", "emergency", "inpatient", "prenatal", "postpartum", "deployed")
)
_MEASURED: frozenset[VisitKind] = frozenset(("checkup", "well_child", "prenatal"))


def _code(code: str, display: str) -> Element:
    return {"coding": [coding(LOINC, code, display)], "text": display}


def _meta(profile: str) -> Element:
    return {"profile": [_PROFILES + profile]}


_PRESSURE = _code("85354-9", "Blood pressure panel with all children optional")
_SYSTOLIC = _code("8480-6", "Systolic blood pressure")
_DIASTOLIC = _code("8462-4", "Diastolic blood pressure")
_PULSE = _code("8867-4", "Heart rate")
_BREATHS = _code("9279-1", "Respiratory rate")
_TEMPERATURE = _code("8310-5", "Body temperature")
_HEIGHT = _code("8302-2", "Body height")
_WEIGHT = _code("29463-7", "Body weight")
_BMI = _code("39156-5", "Body mass index (BMI) [Ratio]")
_HEAD = _code("9843-4", "Head Occipital-frontal circumference")
_OXYGEN = {
    "coding": [
        coding(LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
        coding(LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
    ],
    "text": "Oxygen saturation",
}
_PRESSURE_META = _meta("blood-pressure")
_PULSE_META = _meta("heart-rate")
_BREATHS_META = _meta("respiratory-rate")
_TEMPERATURE_META = _meta("body-temperature")
_HEIGHT_META = _meta("body-height")
_WEIGHT_META = _meta("body-weight")
_BMI_META = _meta("bmi")
_OXYGEN_META = _meta("pulse-oximetry")


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """Pressure, pulse, breathing, temperature and oxygen at most visits; height, weight and BMI at check-ups."""
    for visit in life.visits:
        if visit.kind in _FULL:
            yield from _signs(life, visit, draw)
        if visit.kind in _MEASURED or (visit.kind in {"follow_up", "newborn"} and draw.rng.random() < 0.6):
            yield from _size(life, visit, draw)


def _observation(life: Life, visit: Visit, draw: Draw, meta: Element, code: Element) -> Resource:
    return {
        "resourceType": "Observation",
        "id": draw.id(),
        "meta": meta,
        "status": "final",
        "category": _CATEGORY,
        "code": code,
        "subject": life.subject,
        "encounter": visit.reference,
        "effectiveDateTime": visit.start,
        "performer": [{"reference": visit.practitioner}],
    }


def _signs(life: Life, visit: Visit, draw: Draw) -> Iterator[Resource]:
    body, day, gauss = life.physiology, visit.day, draw.rng.gauss
    fever = _fever(visit, draw.rng)
    if body.age(day) >= 3:
        systolic = round(max(70, body.systolic_mmhg(day) + gauss(0, 5)))
        diastolic = round(min(systolic - 18, max(38, body.diastolic_mmhg(day) + gauss(0, 4))))
        pressure = _observation(life, visit, draw, _PRESSURE_META, _PRESSURE)
        pressure["component"] = [
            {"code": _SYSTOLIC, "valueQuantity": quantity(systolic, "mmHg", "mm[Hg]")},
            {"code": _DIASTOLIC, "valueQuantity": quantity(diastolic, "mmHg", "mm[Hg]")},
        ]
        yield pressure
    pulse = _observation(life, visit, draw, _PULSE_META, _PULSE)
    pulse["valueQuantity"] = quantity(round(body.pulse_bpm(day) + 9 * fever + gauss(0, 4)), "beats/minute", "/min")
    yield pulse
    breaths = _observation(life, visit, draw, _BREATHS_META, _BREATHS)
    breaths["valueQuantity"] = quantity(
        round(max(10, body.breaths_per_minute(day) + 1.5 * fever + gauss(0, 1))), "breaths/minute", "/min"
    )
    yield breaths
    temperature = _observation(life, visit, draw, _TEMPERATURE_META, _TEMPERATURE)
    temperature["valueQuantity"] = quantity(round(36.7 + fever + gauss(0, 0.2), 1), "Cel", "Cel")
    yield temperature
    oxygen = _observation(life, visit, draw, _OXYGEN_META, _OXYGEN)
    percent = body.oxygen_percent(day) - (3.5 if _lungs(visit) else 0) + gauss(0, 0.8)
    oxygen["valueQuantity"] = quantity(round(max(86, min(100, percent))), "%", "%")
    yield oxygen


def _size(life: Life, visit: Visit, draw: Draw) -> Iterator[Resource]:
    body, day = life.physiology, visit.day
    centimetres = round(body.height_cm(day), 1)
    kilograms = round(body.weight_kg(day) * (1 + max(-2.0, min(2.0, draw.rng.gauss(0, 1))) * 0.008), 1)
    height = _observation(life, visit, draw, _HEIGHT_META, _HEIGHT)
    height["valueQuantity"] = quantity(centimetres, "cm", "cm")
    yield height
    weight = _observation(life, visit, draw, _WEIGHT_META, _WEIGHT)
    weight["valueQuantity"] = quantity(kilograms, "kg", "kg")
    yield weight
    if body.age(day) >= 2:
        bmi = _observation(life, visit, draw, _BMI_META, _BMI)
        bmi["valueQuantity"] = quantity(round(kilograms / (centimetres / 100) ** 2, 1), "kg/m2", "kg/m2")
        yield bmi


def _fever(visit: Visit, rng: Random) -> float:
    if visit.reason is None or not isinstance(visit.reason.kind, Acute) or visit.kind == "follow_up":
        return 0.0
    return max(0.0, visit.reason.kind.fever_c * rng.uniform(0.5, 1.3))


def _lungs(visit: Visit) -> bool:
    return visit.reason is not None and visit.reason.kind.key == "pneumonia" and visit.kind != "follow_up"

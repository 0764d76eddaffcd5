"""Laboratory: panels at the visits that call for them, results that follow the body, a report for each panel."""

import math
from collections.abc import Iterator
from functools import lru_cache

from continuum.samples.data.growth import HDL_VARIES
from continuum.samples.data.illnesses import Chronic
from continuum.samples.data.laboratory import PANELS, TESTS, Range, Test
from continuum.samples.elements import LOINC, US_CORE, Element, Resource, coding, reference, table
from continuum.samples.life import Life, Visit
from continuum.samples.observations import INTERPRETATIONS, loinc, measured, observation
from continuum.samples.streams import Draw

_PROFILE = {"profile": [f"{US_CORE}us-core-observation-lab"]}
_REPORT_PROFILE = {"profile": [f"{US_CORE}us-core-diagnosticreport-lab"]}
_LAB = [table("v2-0074", "LAB", "Laboratory")]
_FEMALE_FACTOR = 1.012
_LAST_MINUTE = 1_435


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """The panels of each visit."""
    for visit in life.visits:
        for panel in _ordered(life, visit, draw):
            yield from _panel(life, visit, panel, draw)


def _ordered(life: Life, visit: Visit, draw: Draw) -> list[str]:
    """The panels that a visit calls for: by its reason, by age, by the state of the person."""
    chance = draw.rng.random()
    reason = visit.reason.kind if visit.reason is not None else None
    if visit.kind == "follow_up" and isinstance(reason, Chronic):
        return list(reason.panels)
    if visit.kind == "checkup":
        age = life.person.age(visit.day)
        panels = ["bmp", "lipids"] if chance < (0.25 if age < 40 else 0.75) else []
        if age >= 35 and chance < 0.45:
            panels.append("a1c")
        return panels + (["cbc"] if chance < 0.3 else [])
    if visit.kind in {"inpatient", "delivery"}:
        return ["cbc", "bmp"] if visit.kind == "inpatient" else ["cbc"]
    if visit.kind == "emergency":
        return ["cbc", "bmp"] if chance < 0.4 else []
    if visit.kind == "prenatal":
        return ["cbc"] if chance < 0.35 else []
    return []


def _panel(life: Life, visit: Visit, panel: str, draw: Draw) -> Iterator[Resource]:
    code, display, keys = PANELS[panel]
    # The report's id first, so that a test added to a panel does not change the others' ids.
    report_id = draw.id()
    issued = _issued(visit, report_id)
    results: list[Element] = []
    drawn = _Blood(life, visit, draw)
    for key in keys:
        result = _result(life, visit, TESTS[key], drawn.value(key), draw)
        result["issued"] = issued
        results.append(reference("Observation", result["id"]))
        yield result
    yield {
        "resourceType": "DiagnosticReport",
        "id": report_id,
        "meta": _REPORT_PROFILE,
        "status": "final",
        "category": _LAB,
        "code": {"coding": [coding(LOINC, code, display)], "text": display},
        "subject": life.subject,
        "encounter": visit.reference,
        "effectiveDateTime": visit.start,
        "issued": issued,
        "performer": [reference("Organization", visit.site.organization)],
        "result": results,
    }


def _issued(visit: Visit, report_id: str) -> str:
    """When the laboratory told the results: hours after the sample, within the hour or so in a hospital; that day."""
    later = int(report_id[:2], 16)  # 0 to 255 minutes that belong to this report and move no other draw
    wait = 30 + later // 4 if visit.kind in {"emergency", "inpatient", "delivery"} else 75 + later
    sampled = int(visit.start[11:13]) * 60 + int(visit.start[14:16])
    return visit.site.instant(visit.day, min(sampled + wait, _LAST_MINUTE))


def _result(life: Life, visit: Visit, test: Test, value: float, draw: Draw) -> Resource:
    bounds = test.male if life.person.sex == "male" else test.female
    rounded = round(value, test.digits) if test.digits else round(value)
    resource = observation(life, draw.id(), category="laboratory", code=_code(test.key), visit=visit)
    resource["meta"] = _PROFILE
    resource["valueQuantity"] = measured(rounded, test.unit)
    resource["interpretation"] = INTERPRETATIONS[flag(rounded, bounds)]
    resource["referenceRange"] = [_range(bounds, test.unit, test.digits)]
    return resource


def flag(value: float, bounds: Range) -> str:
    """N, H or L."""
    low, high = bounds
    if high is not None and value > high:
        return "H"
    return "L" if low is not None and value < low else "N"


@lru_cache(maxsize=128)
def _code(key: str) -> Element:
    return loinc(TESTS[key].loinc, TESTS[key].display)


@lru_cache(maxsize=256)
def _range(bounds: Range, unit: str, digits: int) -> Element:
    low, high = (round(bound) if bound is not None and not digits else bound for bound in bounds)
    found: Element = {}
    if low is not None:
        found["low"] = measured(low, unit)
    if high is not None:
        found["high"] = measured(high, unit)
    return found


def creatinine_mg_dl(*, egfr: float, age: float, female: bool) -> float:
    """The creatinine that gives this filtration rate (CKD-EPI 2021, NEJM 385:1737, solved for creatinine)."""
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    share: float = egfr / (142 * math.pow(0.9938, age) * (_FEMALE_FACTOR if female else 1.0))
    exponent = 1 / alpha if share > 1 else -1 / 1.2
    return kappa * math.pow(share, exponent)


class _Blood:
    """One sample: values that depend on each other are drawn once."""

    def __init__(self, life: Life, visit: Visit, draw: Draw) -> None:
        self._life, self._visit, self._gauss = life, visit, draw.rng.gauss
        self._known: dict[str, float] = {}

    def value(self, key: str) -> float:
        """The value of a test in its own unit."""
        if key not in self._known:
            self._known[key] = float(getattr(self, f"_{key}")())
        return self._known[key]

    def _a1c(self) -> float:
        return max(4.3, self._life.physiology.a1c_percent(self._visit.day) + self._gauss(0, 0.12))

    def _glucose(self) -> float:
        # Average glucose of an A1c (ADAG study, Diabetes Care 31:1473), a little lower when fasting.
        average = 28.7 * self._life.physiology.a1c_percent(self._visit.day) - 46.7
        return max(62.0, average * 0.9 + self._gauss(0, 6))

    def _egfr(self) -> float:
        return max(15.0, self._life.physiology.egfr(self._visit.day) + self._gauss(0, 2))

    def _creatinine(self) -> float:
        person = self._life.person
        age = max(18.0, person.age(self._visit.day))
        return creatinine_mg_dl(egfr=self.value("egfr"), age=age, female=person.sex == "female")

    def _urea(self) -> float:
        return max(6.0, 12 * math.pow(100 / max(30.0, self.value("egfr")), 0.6) + self._gauss(0, 2))

    def _sodium(self) -> float:
        return 140.5 + self._gauss(0, 1.8)

    def _potassium(self) -> float:
        return 4.2 + self._gauss(0, 0.28)

    def _chloride(self) -> float:
        return 101.5 + self._gauss(0, 1.6)

    def _bicarbonate(self) -> float:
        return 25.2 + self._gauss(0, 1.3)

    def _calcium(self) -> float:
        return 9.5 + self._gauss(0, 0.3)

    def _ldl(self) -> float:
        return max(35.0, self._life.physiology.ldl_mg_dl(self._visit.day) + self._gauss(0, 7))

    def _hdl(self) -> float:
        return max(20.0, self._life.physiology.hdl_mg_dl() + self._gauss(0, HDL_VARIES))

    def _triglycerides(self) -> float:
        person = self._life.person
        return max(40.0, 118 + 22 * person.body.weight_z + 12 * person.body.lipids_z + self._gauss(0, 18))

    def _cholesterol(self) -> float:
        # Friedewald: total = LDL + HDL + triglycerides / 5, all in mg/dL.
        return round(self.value("ldl")) + round(self.value("hdl")) + round(self.value("triglycerides")) / 5

    def _hgb(self) -> float:
        life, day = self._life, self._visit.day
        adult = 15.1 if life.person.sex == "male" else 13.6
        base = min(adult, 11.8 + 0.16 * life.person.age(day))
        if life.pregnancy(day) is not None or self._visit.kind == "delivery":
            base -= 1.6
        if life.has("kidney_disease3", day):
            base -= 0.9
        return base + self._gauss(0, 0.6)

    def _hct(self) -> float:
        return self.value("hgb") * 2.95 + self._gauss(0, 0.4)

    def _mcv(self) -> float:
        return 89 + self._gauss(0, 3.2)

    def _rbc(self) -> float:
        return self.value("hct") / self.value("mcv") * 10

    def _wbc(self) -> float:
        reason = self._visit.reason
        infected = reason is not None and not reason.chronic and self._visit.kind in {"emergency", "inpatient"}
        return max(2.8, 6.8 + (4.2 if infected else 0.0) + self._gauss(0, 1.3))

    def _plt(self) -> float:
        return max(110.0, 252 + self._gauss(0, 42))

    def _tsh(self) -> float:
        life, day = self._life, self._visit.day
        onset = life.physiology.onset.get("hypothyroidism")
        if onset is not None and onset <= day and (day - onset).days < 60:
            return 9.5 + abs(self._gauss(0, 3))
        return max(0.45, 2.0 + self._gauss(0, 0.7))

    def _urate(self) -> float:
        life, day = self._life, self._visit.day
        base = 5.4 if life.person.sex == "male" else 4.5
        onset = life.physiology.onset.get("gout")
        if onset is None or onset > day:
            return base + self._gauss(0, 0.5)
        return (8.6 if (day - onset).days < 90 else 5.8) + self._gauss(0, 0.5)

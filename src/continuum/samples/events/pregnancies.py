"""Pregnancies: the condition, its measures at prenatal visits, and the delivery."""

from collections.abc import Iterator
from datetime import timedelta

from continuum.samples.elements import ICD10, SNOMED, US_CORE, Resource, coding, concept, quantity, reference, table
from continuum.samples.life import Life, Visit
from continuum.samples.observations import loinc, measured, observation
from continuum.samples.persons import Birth
from continuum.samples.streams import Draw

_PREGNANCY = {
    "coding": [coding(SNOMED, "72892002", "Normal pregnancy"), coding(ICD10, "Z34.90", "Normal pregnancy supervision")],
    "text": "Pregnancy",
}  # fmt: skip
_PROBLEM = [table("condition-category", "problem-list-item", "Problem List Item")]
_CONFIRMED = table("condition-ver-status", "confirmed", "Confirmed")
_CONDITION_PROFILE = {"profile": [f"{US_CORE}us-core-condition-problems-health-concerns"]}
_STATUS_PROFILE = {"profile": [f"{US_CORE}us-core-observation-pregnancystatus"]}
_PROCEDURE_PROFILE = {"profile": [f"{US_CORE}us-core-procedure"]}
_STATUS = loinc("82810-3", "Pregnancy status")
_PREGNANT = concept(SNOMED, "77386006", "Pregnant")
_DUE = loinc("11778-8", "Delivery date Estimated")
_AGE = loinc("18185-9", "Gestational age")
_HEART = loinc("55283-6", "Fetal Heart rate")
_FUNDUS = loinc("11881-0", "Uterus Fundal height Tape measure")
_BIRTH_WEIGHT = loinc("8339-4", "Birth weight Measured")
_CAESAREAN = concept(SNOMED, "11466000", "Cesarean section")
_VAGINAL = concept(SNOMED, "66348005", "Childbirth")
_FUNDAL_WEEKS = (20, 40)


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """Everything about the pregnancies of a woman, and the birth weight of a newborn."""
    for birth in life.births:
        if birth.born > life.since:
            yield _condition(life, birth, draw)
            yield from _prenatal(life, birth, draw)
    for visit in life.visits:
        if visit.kind == "newborn":
            weight = observation(life, draw.id(), category="exam", code=_BIRTH_WEIGHT, visit=visit)
            weight["valueQuantity"] = quantity(round(life.physiology.weight_kg(visit.day) * 1000), "g", "g")
            yield weight


def _condition(life: Life, birth: Birth, draw: Draw) -> Resource:
    over = birth.born <= life.today
    status = ("resolved", "Resolved") if over else ("active", "Active")
    known = max(life.since, birth.conceived + timedelta(days=35))
    resource: Resource = {
        "resourceType": "Condition",
        "id": draw.id(),
        "meta": _CONDITION_PROFILE,
        "clinicalStatus": table("condition-clinical", *status),
        "verificationStatus": _CONFIRMED,
        "category": _PROBLEM,
        "code": _PREGNANCY,
        "subject": life.subject,
        "onsetDateTime": birth.conceived.isoformat(),
        "recordedDate": known.isoformat(),
    }
    if over:
        resource["abatementDateTime"] = birth.born.isoformat()
    return resource


def _prenatal(life: Life, birth: Birth, draw: Draw) -> Iterator[Resource]:
    first = True
    for visit in life.visits:
        if visit.birth is not birth:
            continue
        if visit.kind == "prenatal":
            if first:
                yield from _booking(life, birth, visit, draw)
                first = False
            yield from _measures(life, birth, visit, draw)
        elif visit.kind == "delivery":
            yield _delivery(life, birth, visit, draw)


def _booking(life: Life, birth: Birth, visit: Visit, draw: Draw) -> Iterator[Resource]:
    status = observation(life, draw.id(), category="social-history", code=_STATUS, visit=visit)
    status["meta"] = _STATUS_PROFILE
    status["valueCodeableConcept"] = _PREGNANT
    yield status
    due = observation(life, draw.id(), category="exam", code=_DUE, visit=visit)
    due["valueDateTime"] = (birth.conceived + timedelta(days=266)).isoformat()
    yield due


def _measures(life: Life, birth: Birth, visit: Visit, draw: Draw) -> Iterator[Resource]:
    # Gestational age counts from the last period, two weeks before conception.
    days = (visit.day - birth.conceived).days + 14
    age = observation(life, draw.id(), category="exam", code=_AGE, visit=visit)
    age["valueQuantity"] = quantity(days // 7, "wk", "wk")
    yield age
    heart = observation(life, draw.id(), category="exam", code=_HEART, visit=visit)
    heart["valueQuantity"] = measured(round(146 - days / 28 + draw.rng.gauss(0, 5)), "/min")
    yield heart
    if _FUNDAL_WEEKS[0] <= days // 7 <= _FUNDAL_WEEKS[1]:
        height = observation(life, draw.id(), category="exam", code=_FUNDUS, visit=visit)
        height["valueQuantity"] = quantity(round(days / 7 + draw.rng.gauss(0, 0.8)), "cm", "cm")
        yield height


def _delivery(life: Life, birth: Birth, visit: Visit, draw: Draw) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": draw.id(),
        "meta": _PROCEDURE_PROFILE,
        "status": "completed",
        "code": _CAESAREAN if birth.caesarean else _VAGINAL,
        "subject": life.subject,
        "encounter": visit.reference,
        "performedDateTime": birth.born.isoformat(),
        "performer": [{"actor": {"reference": visit.practitioner}}],
        "location": reference("Location", visit.site.location),
    }

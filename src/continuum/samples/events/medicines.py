"""Medicines: what an illness is treated with, ordered at its visits; and allergies that steer the choice."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from continuum.samples.data.acute import Acute
from continuum.samples.data.illnesses import Chronic, Regimen
from continuum.samples.data.medicines import MEDICINES, PENICILLIN_INSTEAD, PENICILLINS, Medicine
from continuum.samples.elements import RXNORM, US_CORE, Element, Resource, concept, reference
from continuum.samples.life import Illness, Life, Visit
from continuum.samples.streams import Draw

_PROFILE = {"profile": [f"{US_CORE}us-core-medicationrequest"]}
_RENEWED_AFTER_DAYS = 365


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """MedicationRequests: one for a short course, one a year for what is taken for good."""
    penicillin = any(allergy.allergen.key == "penicillin" for allergy in life.allergies)
    for illness in life.illnesses:
        kind = illness.kind
        if isinstance(kind, Acute):
            if kind.medicine and illness.found is not None and draw.rng.random() < 0.8:
                yield _course(life, illness, illness.found, kind.medicine, draw, penicillin=penicillin)
        else:
            for regimen in _fitting(life, kind, illness):
                yield from _long_term(life, illness, regimen, draw)


def _fitting(life: Life, kind: Chronic, illness: Illness) -> Iterator[Regimen]:
    """The regimens of an illness that the person reaches; a second step comes to those with more of it."""
    for number, regimen in enumerate(kind.treatment):
        second = number > 0 and kind.key in {"hypertension", "diabetes2", "ptsd"}
        if second and life.person.body.weight_z < 0.4:
            continue
        if illness.onset + timedelta(days=regimen.after_days) < life.until:
            yield regimen


def _course(life: Life, illness: Illness, visit: Visit, key: str, draw: Draw, *, penicillin: bool) -> Resource:
    if penicillin and key in PENICILLINS:
        key = PENICILLIN_INSTEAD
    medicine = MEDICINES[key]
    over = visit.day + timedelta(days=medicine.supply_days) < life.today
    return _request(life, draw, medicine, illness, visit.start, visit, active=not over)


def _long_term(life: Life, illness: Illness, regimen: Regimen, draw: Draw) -> Iterator[Resource]:
    medicine = MEDICINES[regimen.medicine]
    start = illness.onset + timedelta(days=regimen.after_days)
    end = start + timedelta(days=regimen.days) if regimen.days is not None else illness.abated
    if end is not None and illness.abated is not None:
        end = min(end, illness.abated)
    visits = [visit for visit in life.visits if visit.reason is illness and visit.day >= start]
    last = min(end, life.until) if end is not None else life.until
    orders: list[tuple[str, Visit | None, date]] = []
    if end is None or end > life.since:
        orders.append((start.isoformat(), None, start))
    for visit in visits:
        if visit.day <= last and (not orders or (visit.day - orders[-1][2]).days >= _RENEWED_AFTER_DAYS):
            orders.append((visit.start, visit, visit.day))
    for number, (at, ordered_at, _) in enumerate(orders):
        newest = number == len(orders) - 1
        active = newest and life.person.died is None and (end is None or end >= life.today)
        yield _request(life, draw, medicine, illness, at, ordered_at, active=active)


def _request(
    life: Life, draw: Draw, medicine: Medicine, illness: Illness, at: str, visit: Visit | None, *, active: bool
) -> Resource:
    request: Resource = {
        "resourceType": "MedicationRequest",
        "id": draw.id(),
        "meta": _PROFILE,
        "status": "active" if active else "completed",
        "intent": "order",
        "medicationCodeableConcept": concept(RXNORM, medicine.rxnorm, medicine.display),
        "subject": life.subject,
        "authoredOn": at,
        "requester": {"reference": visit.practitioner if visit is not None else _prescriber(life, at)},
        "reasonReference": [reference("Condition", illness.id)],
        "dosageInstruction": [_dosage(medicine.key)],
        "dispenseRequest": {
            "numberOfRepeatsAllowed": 3 if medicine.supply_days == 90 else 0,
            "expectedSupplyDuration": {
                "value": medicine.supply_days,
                "unit": "days",
                "system": "http://unitsofmeasure.org",
                "code": "d",
            },
        },
    }
    if visit is not None:
        request["encounter"] = visit.reference
    return request


@lru_cache(maxsize=64)
def _dosage(key: str) -> Element:
    medicine = MEDICINES[key]
    return {
        "text": medicine.instruction,
        "timing": {"repeat": {"frequency": medicine.times, "period": 1, "periodUnit": "d"}},
        "asNeededBoolean": medicine.as_needed,
    }


def _prescriber(life: Life, at: str) -> str:
    """A physician of the place where the person lived on that day."""
    site = life.world.care(life.family.base(date.fromisoformat(at[:10])))
    return site.one_of("family", life.person.key[1]).reference

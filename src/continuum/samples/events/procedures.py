"""Procedures and the requests behind them: imaging, surgery, referrals to physical therapy."""

from collections.abc import Iterator

from continuum.samples.data.acute import Acute
from continuum.samples.elements import SNOMED, US_CORE, Element, Resource, concept, reference, years_after
from continuum.samples.life import Illness, Life, Visit
from continuum.samples.streams import Draw

_PROFILE = {"profile": [f"{US_CORE}us-core-procedure"]}
_REQUEST_PROFILE = {"profile": [f"{US_CORE}us-core-servicerequest"]}
_IMAGING = [concept(SNOMED, "363679005", "Imaging")]
_SURGERY = [concept(SNOMED, "387713003", "Surgical procedure")]
_REFERRAL = [concept(SNOMED, "3457005", "Patient referral")]
_THERAPY = concept(SNOMED, "91251008", "Physical therapy procedure")
_COLONOSCOPY = concept(SNOMED, "73761001", "Colonoscopy")
_COLONOSCOPY_AGES = (46, 56, 66)


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """What was done for each passing illness, referrals of strains, and screening colonoscopies."""
    for illness in life.illnesses:
        if isinstance(illness.kind, Acute) and illness.found is not None:
            yield from _of_episode(life, illness, illness.kind, illness.found, draw)
    yield from _screening(life, draw)


def _of_episode(life: Life, illness: Illness, kind: Acute, found: Visit, draw: Draw) -> Iterator[Resource]:
    if kind.procedure is not None:
        where = next((visit for visit in life.visits if visit.reason is illness and visit.kind == "inpatient"), found)
        code = concept(SNOMED, *kind.procedure)
        imaging = "X-ray" in kind.procedure[1]
        request = _request(life, found, code, _IMAGING if imaging else _SURGERY, illness, draw)
        yield request
        yield _procedure(life, where, code, illness, request, draw)
    elif kind.strain and kind.follow_up_days and draw.rng.random() < 0.5:
        request = _request(life, found, _THERAPY, _REFERRAL, illness, draw)
        yield request
        later = next((visit for visit in life.visits if visit.reason is illness and visit.day > found.day), None)
        if later is not None:
            yield _procedure(life, later, _THERAPY, illness, request, draw)


def _request(
    life: Life, visit: Visit, code: Element, category: list[Element], illness: Illness, draw: Draw
) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": draw.id(),
        "meta": _REQUEST_PROFILE,
        "status": "completed",
        "intent": "order",
        "category": category,
        "priority": "stat" if visit.kind == "emergency" else "routine",
        "code": code,
        "subject": life.subject,
        "encounter": visit.reference,
        "authoredOn": visit.start,
        "requester": {"reference": visit.practitioner},
        "reasonReference": [reference("Condition", illness.id)],
    }


def _procedure(
    life: Life, visit: Visit, code: Element, illness: Illness | None, request: Resource | None, draw: Draw
) -> Resource:
    resource: Resource = {
        "resourceType": "Procedure",
        "id": draw.id(),
        "meta": _PROFILE,
        "status": "completed",
        "code": code,
        "subject": life.subject,
        "encounter": visit.reference,
        "performedDateTime": visit.start,
        "performer": [{"actor": {"reference": visit.practitioner}}],
    }
    if illness is not None:
        resource["reasonReference"] = [reference("Condition", illness.id)]
    if request is not None:
        resource["basedOn"] = [reference("ServiceRequest", request["id"])]
    return resource


def _screening(life: Life, draw: Draw) -> Iterator[Resource]:
    for age in _COLONOSCOPY_AGES:
        due = years_after(life.person.born, age)
        chance = draw.rng.random()
        visit = next((visit for visit in life.visits if visit.kind == "checkup" and visit.day >= due), None)
        if visit is not None and (visit.day - due).days < 700 and chance < 0.7:
            yield _procedure(life, visit, _COLONOSCOPY, None, None, draw)

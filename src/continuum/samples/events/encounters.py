"""Every visit of the plan as an Encounter (US Core)."""

from collections.abc import Iterator

from continuum.samples.elements import (
    LOCAL,
    SNOMED,
    TERMINOLOGY,
    US_CORE,
    Element,
    Resource,
    coding,
    concept,
    reference,
    table,
)
from continuum.samples.life import Life, Visit, VisitKind
from continuum.samples.streams import Draw, identity

_ACT = TERMINOLOGY + "v3-ActCode"
_AMBULATORY = coding(_ACT, "AMB", "ambulatory")
_EMERGENCY = coding(_ACT, "EMER", "emergency")
_INPATIENT = coding(_ACT, "IMP", "inpatient encounter")
_VIRTUAL = coding(_ACT, "VR", "virtual")
_FIELD = coding(_ACT, "FLD", "field")
_PROFILE = {"profile": [f"{US_CORE}us-core-encounter"]}

_KINDS: dict[VisitKind, tuple[Element, Element]] = {
    "checkup": (_AMBULATORY, concept(SNOMED, "185349003", "Encounter for check up", "Periodic health assessment")),
    "well_child": (_AMBULATORY, concept(SNOMED, "185349003", "Encounter for check up", "Well child visit")),
    "follow_up": (_AMBULATORY, concept(SNOMED, "390906007", "Follow-up encounter")),
    "acute": (_AMBULATORY, concept(SNOMED, "185345009", "Encounter for symptom", "Sick call")),
    "emergency": (_EMERGENCY, concept(SNOMED, "50849002", "Emergency room admission")),
    "inpatient": (_INPATIENT, concept(SNOMED, "32485007", "Hospital admission")),
    "prenatal": (_AMBULATORY, concept(SNOMED, "424619006", "Prenatal visit")),
    "delivery": (_INPATIENT, concept(LOCAL + "visit", "delivery", "Stay for delivery")),
    "newborn": (_INPATIENT, concept(LOCAL + "visit", "newborn", "Newborn stay")),
    "postpartum": (_AMBULATORY, concept(SNOMED, "169762003", "Postnatal visit")),
    "dental": (_AMBULATORY, concept(LOCAL + "visit", "dental", "Dental visit")),
    "hearing": (_AMBULATORY, concept(LOCAL + "visit", "hearing", "Hearing conservation visit")),
    "deployed": (_FIELD, concept(LOCAL + "visit", "deployed", "Care while deployed")),
    "telehealth": (_VIRTUAL, concept(LOCAL + "visit", "telehealth", "Telehealth visit")),
}
_PRIMARY = [table("v3-ParticipationType", "PPRF", "primary performer")]
_WARDS: dict[VisitKind, str] = {
    "emergency": "ED",
    "inpatient": "WARD",
    "delivery": "OB",
    "newborn": "OB",
}


def events(life: Life, draw: Draw) -> Iterator[Resource]:  # noqa: ARG001  ids are the plan's
    """One Encounter for each visit."""
    for visit in life.visits:
        yield _encounter(life, visit)


def _encounter(life: Life, visit: Visit) -> Resource:
    kind, what = _KINDS[visit.kind]
    period = {"start": visit.start, "end": visit.end}
    ward = _WARDS.get(visit.kind)
    where = identity("ward", visit.site.key, ward) if ward and visit.site.kind == "hospital" else visit.site.location
    resource: Resource = {
        "resourceType": "Encounter",
        "id": visit.id,
        "meta": _PROFILE,
        "status": "finished",
        "class": kind,
        "type": [what],
        "subject": life.subject,
        "participant": [{"type": _PRIMARY, "period": period, "individual": {"reference": visit.practitioner}}],
        "period": period,
        "location": [{"location": reference("Location", where)}],
        "serviceProvider": reference("Organization", visit.site.organization),
    }
    if visit.reason is not None:
        sort = visit.reason.kind
        resource["reasonCode"] = [concept(SNOMED, sort.snomed, sort.display)]
        if visit.reason.onset <= visit.day:
            resource["diagnosis"] = [{"condition": reference("Condition", visit.reason.id)}]
    if visit.kind in {"inpatient", "delivery"}:
        resource["hospitalization"] = _hospitalization(life, visit)
    return resource


def _hospitalization(life: Life, visit: Visit) -> Element:
    died = life.person.died is not None and life.person.died == visit.last_day
    source = (
        ("emd", "From accident/emergency department")
        if visit.before is not None
        else ("outp", "From outpatient department")
    )
    out = ("exp", "Expired") if died else ("home", "Home")
    return {
        "admitSource": table("admit-source", *source),
        "dischargeDisposition": table("discharge-disposition", *out),
    }

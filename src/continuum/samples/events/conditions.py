"""Every illness of the plan as a Condition (US Core), coded in SNOMED CT and ICD-10-CM."""

from collections.abc import Iterator
from functools import lru_cache

from continuum.samples.data.acute import Acute
from continuum.samples.data.illnesses import Chronic
from continuum.samples.elements import ICD10, SNOMED, US_CORE, Element, Resource, coding, table
from continuum.samples.life import Life
from continuum.samples.streams import Draw

_PROBLEM = [table("condition-category", "problem-list-item", "Problem List Item")]
_DIAGNOSIS = [table("condition-category", "encounter-diagnosis", "Encounter Diagnosis")]
_ACTIVE = table("condition-clinical", "active", "Active")
_RESOLVED = table("condition-clinical", "resolved", "Resolved")
_CONFIRMED = table("condition-ver-status", "confirmed", "Confirmed")
_PROBLEM_PROFILE = {"profile": [f"{US_CORE}us-core-condition-problems-health-concerns"]}
_DIAGNOSIS_PROFILE = {"profile": [f"{US_CORE}us-core-condition-encounter-diagnosis"]}


@lru_cache(maxsize=256)
def code(kind: Chronic | Acute) -> Element:
    """The illness in both code systems."""
    return {
        "coding": [coding(SNOMED, kind.snomed, kind.display), coding(ICD10, kind.icd10, kind.display)],
        "text": kind.display,
    }


def events(life: Life, draw: Draw) -> Iterator[Resource]:  # noqa: ARG001  ids are the plan's
    """One Condition for each illness; lasting ones are on the problem list."""
    for illness in life.illnesses:
        found = illness.found
        seen = found is not None and found.day >= illness.onset
        resource: Resource = {
            "resourceType": "Condition",
            "id": illness.id,
            "meta": _PROBLEM_PROFILE if illness.chronic else _DIAGNOSIS_PROFILE,
            "clinicalStatus": _ACTIVE if illness.abated is None else _RESOLVED,
            "verificationStatus": _CONFIRMED,
            "category": _PROBLEM if illness.chronic else _DIAGNOSIS,
            "code": code(illness.kind),
            "subject": life.subject,
            "onsetDateTime": illness.onset.isoformat(),
        }
        if seen and found is not None:
            resource["encounter"] = found.reference
            resource["recordedDate"] = found.start
            resource["asserter"] = {"reference": found.practitioner}
        else:
            resource["recordedDate"] = max(illness.onset, life.since).isoformat()
        if illness.abated is not None:
            resource["abatementDateTime"] = illness.abated.isoformat()
        yield resource

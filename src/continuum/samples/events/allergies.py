"""Allergies, each with its reaction; and the statement that there are none."""

from collections.abc import Iterator

from continuum.samples.elements import SNOMED, US_CORE, Resource, concept, table
from continuum.samples.life import Life
from continuum.samples.streams import Draw

_PROFILE = {"profile": [f"{US_CORE}us-core-allergyintolerance"]}
_ACTIVE = table("allergyintolerance-clinical", "active", "Active")
_CONFIRMED = table("allergyintolerance-verification", "confirmed", "Confirmed")
_NONE = concept(SNOMED, "716186003", "No known allergy")


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """AllergyIntolerances; one that says "no known allergy" for those seen at least once who have none."""
    found = life.allergies
    seen = next((visit for visit in life.visits if visit.kind not in {"newborn", "dental"}), None)
    for allergy in found:
        code, display = draw.rng.choice(allergy.allergen.reactions)
        yield {
            "resourceType": "AllergyIntolerance",
            "id": draw.id(),
            "meta": _PROFILE,
            "clinicalStatus": _ACTIVE,
            "verificationStatus": _CONFIRMED,
            "type": "allergy",
            "category": [allergy.allergen.category],
            "criticality": "high" if allergy.severe else "low",
            "code": concept(SNOMED, allergy.allergen.code, allergy.allergen.display),
            "patient": life.subject,
            "onsetDateTime": allergy.since.isoformat(),
            "recordedDate": max(allergy.since, life.since).isoformat(),
            "reaction": [
                {
                    "manifestation": [concept(SNOMED, code, display)],
                    "severity": "severe" if allergy.severe else "mild",
                }
            ],
        }
    if not found and seen is not None:
        yield {
            "resourceType": "AllergyIntolerance",
            "id": draw.id(),
            "meta": _PROFILE,
            "clinicalStatus": _ACTIVE,
            "verificationStatus": _CONFIRMED,
            "code": _NONE,
            "patient": life.subject,
            "recordedDate": seen.start,
        }

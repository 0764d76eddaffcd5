"""Allergies, each with its reaction; and the statement that there are none."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from continuum.samples.data.allergies import ALLERGENS, Allergen
from continuum.samples.elements import SNOMED, US_CORE, Resource, concept, table, years_after
from continuum.samples.life import Life
from continuum.samples.streams import Draw, stream

_PROFILE = {"profile": [f"{US_CORE}us-core-allergyintolerance"]}
_ACTIVE = table("allergyintolerance-clinical", "active", "Active")
_CONFIRMED = table("allergyintolerance-verification", "confirmed", "Confirmed")
_NONE = concept(SNOMED, "716186003", "No known allergy")


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy of a person, since a day."""

    allergen: Allergen
    since: date
    severe: bool


def allergies(life: Life) -> list[Allergy]:
    """The allergies of a person: always the same, whoever asks."""
    rng = stream("allergies", *life.person.key)
    found: list[Allergy] = []
    for allergen in ALLERGENS:
        place, when, severe = rng.random(), rng.random(), rng.random() < allergen.high
        share = allergen.share * (allergen.service if life.service is not None else 1.0)
        since = years_after(life.person.born, allergen.from_years + when * 12)
        if place < share and since < life.until:
            found.append(Allergy(allergen, since, severe))
    return found


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """AllergyIntolerances; one that says "no known allergy" for those seen at least once who have none."""
    found = allergies(life)
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

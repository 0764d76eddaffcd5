"""Which allergies someone has, and since when."""

from continuum.samples.data.allergies import ALLERGENS
from continuum.samples.elements import years_after
from continuum.samples.life import Allergy, Life
from continuum.samples.streams import stream


def allergies(life: Life) -> list[Allergy]:
    """The allergies of a person until the end of the record."""
    rng = stream("allergies", *life.person.key)
    found: list[Allergy] = []
    for allergen in ALLERGENS:
        place, when, severe = rng.random(), rng.random(), rng.random() < allergen.high
        share = allergen.share * (allergen.service if life.service is not None else 1.0)
        since = years_after(life.person.born, allergen.from_years + when * allergen.span)
        if place < share and since < life.until:
            found.append(Allergy(allergen, since, severe))
    return found

"""The way in: a shared world of facilities, families by number, and people with a story."""

from collections.abc import Iterator
from datetime import date

from continuum.samples import facilities, families
from continuum.samples.contributors import Contributor, discover
from continuum.samples.elements import Resource
from continuum.samples.personas import FIRST_TODAY, Persona, personas
from continuum.samples.persons import Family
from continuum.samples.places import world
from continuum.samples.timeline.plan import plan

__all__ = [
    "FIRST_TODAY",
    "PEOPLE_YEARS",
    "TODAY",
    "YEARS",
    "Persona",
    "family",
    "generate",
    "lives",
    "people",
    "personas",
    "shared",
]

TODAY = date(2026, 11, 1)
"""The last day of the record unless another is given; fixed, so that two runs agree."""
YEARS = 12.0
"""How far back records go, unless another span is given."""

PEOPLE_YEARS = 25.0
"""How far back the records of the people with a story go."""


def generate(
    *, families: int, seed: int, today: date = TODAY, years: float = YEARS, keep: float = 1.0
) -> Iterator[Resource]:
    """Yields the shared world, then family by family, as FHIR R4 resources.

    Resources share parts with each other: read or copy them, do not change them.

    Args:
        families: how many families; number 0 to this, excluded.
        seed: what everything is drawn from; the same seed and `today` give the same resources, in the same order.
        today: the last day of the record. Appointments lie after it.
        years: how far back records go, at most.
        keep: the share of visits that is recorded, above 0 and at most 1.
    """
    yield from shared(today=today)
    for number in range(families):
        yield from family(number, seed=seed, today=today, years=years, keep=keep)


def shared(*, today: date = TODAY, contributors: tuple[Contributor, ...] | None = None) -> Iterator[Resource]:
    """The facilities, their people and services, and what each part adds to them. The same for every seed."""
    places = world()
    yield from facilities.resources(places, today)
    for part in discover() if contributors is None else contributors:
        yield from part.common(places, today)


def family(
    number: int, *, seed: int, today: date = TODAY, years: float = YEARS, keep: float = 1.0
) -> Iterator[Resource]:
    """The resources of one family; they refer to each other and to the shared world, never to other families."""
    return lives(families.compose(seed, number, today), seed=seed, today=today, years=years, keep=keep)


def people(*, today: date = TODAY, years: float = PEOPLE_YEARS) -> Iterator[Resource]:
    """The families of those with a story (`personas()` says who they are), with longer records than others.

    Raises:
        ValueError: `today` is before the day to which their stories reach.
    """
    if today < FIRST_TODAY:
        raise ValueError(f"The people with a story need a record that reaches {FIRST_TODAY}; {today} is earlier.")
    for persona in personas():
        yield from lives(persona.family, seed=0, today=today, years=years, keep=1.0)


def lives(
    household: Family,
    *,
    seed: int,
    today: date,
    years: float,
    keep: float,
    contributors: tuple[Contributor, ...] | None = None,
) -> Iterator[Resource]:
    """The resources of a family that is already composed."""
    parts = discover() if contributors is None else contributors
    for person in household.members:
        life = plan(household, person, seed=seed, today=today, years=years, keep=keep)
        for part in parts:
            yield from part.resources(life)

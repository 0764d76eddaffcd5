"""Plans one life from its family: the only place where the parts of a plan are put together."""

from datetime import date, timedelta

from continuum.samples.body import Physiology
from continuum.samples.data import families as table
from continuum.samples.elements import reference, years_after
from continuum.samples.families import service_of
from continuum.samples.life import Life
from continuum.samples.persons import Family, Person
from continuum.samples.places import world
from continuum.samples.streams import curve, stream
from continuum.samples.timeline import allergies, illnesses, visits

LAST_DAYS = 8
"""Ordinary visits end this many days before a death; then comes the last admission."""


def plan(family: Family, person: Person, *, seed: int, today: date, years: float, keep: float) -> Life:
    """The plan of one member of a family.

    Args:
        family: the family, whole.
        person: one of its members.
        seed: the seed of the run.
        today: the last day of the record.
        years: how far back the record goes, at most.
        keep: the share of visits that is recorded, above 0 and at most 1.
    """
    rng = stream("plan", *person.key)
    service = service_of(family, person)
    since = _first_day(family, person, today, years)
    ends = person.died or today
    until = max(since, ends - timedelta(days=LAST_DAYS)) if person.died else today
    births = family.births if person is family.mother else []
    physiology = Physiology(
        person.sex,
        person.born,
        person.body,
        smoker=person.body.habit < curve(table.SMOKES, person.age(ends)),
        in_service=(service.entered, service.left or today) if service is not None else None,
        births=births,
    )
    life = Life(
        person, family, service, world(), seed, today, since, until, physiology,
        reference("Patient", person.id), births=births,
        deployments=service.deployments if service is not None else (),
    )  # fmt: skip
    life.allergies = allergies.allergies(life)
    life.illnesses = illnesses.chronic(life, rng)
    _visits(life, visits.Planner(life, rng, keep), keep)
    return life


def _visits(life: Life, planner: visits.Planner, keep: float) -> None:
    person = life.person
    if person.part == "child" and person.born >= life.since:
        planner.add("newborn", person.born, specialty="pediatrics", nights=2, optional=False)
    visits.routine(planner)
    for illness in list(life.illnesses):
        visits.chronic_care(planner, illness)
    for illness in illnesses.acute(life, planner.rng, keep=keep):
        visits.episode(planner, illness)
    for birth in life.births:
        visits.motherhood(planner, birth)
    if person.died is not None:
        visits.last_days(planner, person.died)
    life.visits.sort(key=lambda visit: (visit.day, visit.start))


def _first_day(family: Family, person: Person, today: date, years: float) -> date:
    """The day from which the person's care is in the record: entry, marriage or birth, not before `years` ago."""
    since = max(family.service.entered, person.born)
    if person is family.spouse and family.married is not None:
        since = max(since, family.married)
    return min(max(since, years_after(today, -years)), person.died or today)

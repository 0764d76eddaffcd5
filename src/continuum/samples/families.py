"""A family from a seed: sponsor, spouse, children, and the years they share."""

import math
from datetime import date, timedelta
from random import Random

from continuum.samples import careers
from continuum.samples.data import families as table
from continuum.samples.data import names, services
from continuum.samples.elements import years_after, years_between
from continuum.samples.persons import Birth, Body, Family, Part, Person, Service, Sex, Status
from continuum.samples.streams import Weighted, curve, identity, stream

_STATUS: Weighted[Status] = Weighted(services.STATUSES)  # type: ignore[arg-type]  # the table's words are statuses
_RACE = Weighted(table.RACES)
_CHILDREN = Weighted(table.CHILDREN)
DOD_ID_SYNTHETIC = 9_900_000_000
"""DoD ID numbers that we hand out begin with 99, which none that is in use does."""
_DOD_IDS = 100_000_000
_DOD_ID_STEP = 48_271  # prime to _DOD_IDS, so that no number is given twice within a seed
_MEMBERS_MAX = 16


def compose(seed: int, number: int, today: date) -> Family:
    """Family `number` of a seed; the same whatever else is made."""
    key = f"{seed}:{number}"
    rng = stream("family", key)
    status = _STATUS.pick(rng)
    service, entry_age = careers.begin(rng, status=status, today=today)
    sex: Sex = "female" if rng.random() < services.WOMEN else "male"
    born = years_after(service.entered, -entry_age)
    family_name = rng.choice(names.FAMILY_NAMES)
    race, hispanic = _RACE.pick(rng), rng.random() < table.HISPANIC
    base_id = first_place(number, seed)
    sponsor = _person(rng, (key, 0), "sponsor", sex, born, family_name, race, hispanic, base_id)
    family = Family(
        key,
        sponsor,
        service,
        f"{rng.randint(100, 9899)} {rng.choice(names.STREETS)}",
        f"555-01{rng.randint(0, 99):02d}",
    )
    _marry(rng, family, today, base_id)
    _have_children(rng, family, today, base_id)
    _settle(rng, family, today)
    return family


def _settle(rng: Random, family: Family, today: date) -> None:
    """Gives a family of known members its homes, deployments and deaths."""
    family.postings = careers.postings(rng, family.service, today)
    births = family.births if family.mother is family.sponsor else []
    family.service.deployments = careers.deployments(rng, family.sponsor, family.service, births, today)
    for person in (family.sponsor, family.spouse):
        if person is not None and not (person is family.sponsor and family.service.left is None):
            died = _death(rng, person, today)
            person.died = died if died is None or all(birth.born < died for birth in family.births) else None


def first_place(number: int, seed: int) -> int:
    """The place of a family's sponsor among all DoD ID numbers that we hand out; the others follow."""
    return number * _MEMBERS_MAX + seed * 7_919


def dod_id(place: int) -> str:
    """Ten digits, scattered so that neighbours do not look alike."""
    return str(DOD_ID_SYNTHETIC + place * _DOD_ID_STEP % _DOD_IDS)


def _person(
    rng: Random,
    key: tuple[str, int],
    part: Part,
    sex: Sex,
    born: date,
    family_name: str,
    race: tuple[str, str],
    hispanic: bool,  # noqa: FBT001  a fact about the person, as in the resource
    base_id: int,
) -> Person:
    pool = names.GIVEN_MALE if sex == "male" else names.GIVEN_FEMALE
    given = tuple(rng.sample(pool, 2)) if rng.random() < 0.7 else (rng.choice(pool),)
    body = Body(
        height_z=max(-2.4, min(2.4, rng.gauss(0, 1))),
        weight_z=max(-1.9, min(3.0, rng.gauss(0, 1))),
        pressure_z=rng.gauss(0, 1),
        pulse_z=rng.gauss(0, 1),
        lipids_z=rng.gauss(0, 1),
        habit=rng.random(),
    )
    dod = dod_id(base_id + key[1])
    return Person(key, identity("patient", *key), part, sex, born, given, family_name, race, hispanic, dod, body)


def _marry(rng: Random, family: Family, today: date, base_id: int) -> None:
    sponsor = family.sponsor
    age = sponsor.age(today)
    if rng.random() >= curve(table.MARRIED, age):
        return
    at_age = max(18.4, min(rng.gauss(25.0, 3.6), age - 0.2))
    same = rng.random() < table.SAME_SEX
    opposite: Sex = "female" if sponsor.sex == "male" else "male"
    sex = sponsor.sex if same else opposite
    younger = rng.gauss(1.4 if sex == "female" else -1.4, 2.4)
    married = years_after(sponsor.born, at_age)
    born = min(years_after(sponsor.born, younger), years_after(married, -18.3))
    name = family.sponsor.family_name if rng.random() < 0.75 else rng.choice(names.FAMILY_NAMES)
    race = sponsor.race if rng.random() < 0.8 else _RACE.pick(rng)
    family.married = married
    hispanic = rng.random() < table.HISPANIC
    family.spouse = _person(rng, (family.key, 1), "spouse", sex, born, name, race, hispanic, base_id)


def _have_children(rng: Random, family: Family, today: date, base_id: int) -> None:
    if family.married is None and rng.random() >= table.SINGLE_PARENT:
        return
    wanted = _CHILDREN.pick(rng) if family.married else 1
    mother = family.mother
    bearer = mother or family.sponsor
    since = family.married or years_after(family.sponsor.born, 20.5)
    day = years_after(since, rng.uniform(-0.2, 2.1))
    while len(family.births) < wanted and day < today and bearer.age(day) < 43:
        if bearer.age(day) >= 18.6 and years_between(day, today) < table.DEPENDENT_UNTIL_YEARS:
            _add_child(rng, family, day, base_id)
        else:
            wanted -= 1
        day = years_after(day, rng.uniform(1.4, 3.6))


def _add_child(rng: Random, family: Family, born: date, base_id: int) -> None:
    sex: Sex = "male" if rng.random() < 0.512 else "female"
    sponsor = family.sponsor
    number = 2 + len(family.children)
    hispanic = sponsor.hispanic or (family.spouse is not None and family.spouse.hispanic)
    child = _person(rng, (family.key, number), "child", sex, born, sponsor.family_name, sponsor.race, hispanic, base_id)
    weeks = max(35, min(41, round(rng.gauss(39.1, 1.3))))
    family.children.append(child)
    family.births.append(
        Birth(child, born - timedelta(days=(weeks - 2) * 7), born, weeks, caesarean=rng.random() < 0.3)
    )


def _death(rng: Random, person: Person, today: date) -> date | None:
    level, slope = table.DEATHS_A_YEAR[person.sex]
    age = person.age(today)
    if age < table.DEATHS_FROM_YEARS:
        return None
    years = table.DECEASED_WITHIN_YEARS
    chance = 1 - math.exp(-level * math.exp(slope * (age - years / 2 - table.DEATHS_FROM_YEARS)) * years)
    back = rng.uniform(0.05, table.DECEASED_WITHIN_YEARS)
    return years_after(today, -back) if rng.random() < chance else None


def service_of(family: Family, person: Person) -> Service | None:
    """The person's own military service."""
    return family.service if person is family.sponsor else None

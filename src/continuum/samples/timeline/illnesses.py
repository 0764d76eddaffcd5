"""Which illnesses come, and when."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from random import Random

from continuum.samples.data.acute import ACUTE, Acute
from continuum.samples.data.illnesses import CHRONIC, Chronic, Knots
from continuum.samples.elements import years_after
from continuum.samples.life import Illness, Life
from continuum.samples.persons import Sex
from continuum.samples.streams import Weighted, curve, identity, poisson, stream

OBESITY = Chronic(
    "obesity", "162864005", "Body mass index 30+ - obesity", "E66.9", ((0, 0.0),), ((0, 0.0),), visits_a_year=0.3
)
OBESITY_BMI = 30.0
OCCUPATION_NOISE = (0.55, 0.8, 1.4, 2.1)
STRAIN_MAX = 2.0
"""The strongest strain in the table of occupations; episodes are drawn at this rate and then thinned."""
_AGE_MAX = 100


def chronic(life: Life, rng: Random) -> list[Illness]:
    """The lasting illnesses of a life, by their onset; also notes onset and treatment in the physiology."""
    found: list[Illness] = []
    person = life.person
    for kind in CHRONIC:
        # One draw for each illness, in the order of the table: a new one at its end moves nothing before it.
        place = rng.random()
        if person.illnesses is not None:
            told = person.illnesses.get(kind.key)
            onset = years_after(person.born, told) if told is not None else None
        else:
            onset = _onset(life, kind, kind.male if person.sex == "male" else kind.female, place)
        if onset is None or onset >= life.until:
            continue
        abated = None if person.illnesses is not None else _abated(life, kind, onset)
        if abated is not None and abated <= life.since:
            continue  # over before the record begins
        found.append(Illness(identity("illness", *person.key, kind.key), kind, onset, abated))
        life.physiology.onset[kind.key] = onset
        if kind.treatment:
            life.physiology.treated[kind.key] = onset + timedelta(days=kind.treatment[0].after_days)
    obese = _obese_since(life)
    if obese is not None and obese < life.until:
        found.append(Illness(identity("illness", *person.key, OBESITY.key), OBESITY, obese, None))
    return sorted(found, key=lambda illness: illness.onset)


def _onset(life: Life, kind: Chronic, knots: Knots, place: float) -> date | None:
    """The day on which the curve of prevalence passes the person's place; None if it never does."""
    chance = place / _risk(life, kind)
    if chance >= knots[-1][1]:
        return None
    for (age0, share0), (age1, share1) in pairwise(knots):
        if chance < share1 and share1 > share0:
            share = max(0.0, (chance - share0) / (share1 - share0))
            onset = years_after(life.person.born, max(age0 + share * (age1 - age0), 0.1))
            return _after_its_cause(life, kind, onset)
    return None


def _abated(life: Life, kind: Chronic, onset: date) -> date | None:
    """The day on which an illness that some outgrow is over; None if it lasts beyond the record."""
    if life.person.age(onset) >= kind.ends_before:
        return None
    place = stream("abated", *life.person.key, kind.key).random()
    for (years0, share0), (years1, share1) in pairwise(kind.stays):
        if place > share1:
            years = years0 + (share0 - place) / (share0 - share1) * (years1 - years0)
            abated = years_after(onset, max(years, 0.3))
            return abated if abated < life.until else None
    return None


def _after_its_cause(life: Life, kind: Chronic, onset: date) -> date | None:
    """An illness of service comes after what causes it; one that would have barred from service does not come."""
    service = life.service
    if kind.drives == "deployed" and life.deployments:
        return max(onset, life.deployments[0].end + timedelta(days=75))
    if service is None or onset >= service.entered:
        return onset
    if kind.service < 0.5:
        return None
    return onset if kind.clinic == "family" else service.entered + (onset - life.person.born) / 12


def _risk(life: Life, kind: Chronic) -> float:
    body = life.person.body
    service = life.service
    risk = kind.service if service is not None else 1.0
    if kind.drives == "weight":
        return risk * max(0.4, 1 + 0.38 * body.weight_z)
    if kind.drives == "lipids":
        return risk * max(0.3, 1 + 0.5 * body.lipids_z)
    if kind.drives == "smoking":
        return risk * (2.1 if life.physiology.smoker else 0.8)
    if kind.drives == "noise":
        return risk * (OCCUPATION_NOISE[service.occupation.noise] if service is not None else 1.0)
    if kind.drives == "strain":
        return risk * (service.occupation.strain if service is not None else 0.9)
    if kind.drives == "deployed":
        return risk * (2.4 if life.deployments else 0.45)
    return risk


def _obese_since(life: Life) -> date | None:
    physiology = life.physiology
    day = years_after(life.person.born, 20)
    while day < life.until:
        if physiology.bmi(day) >= OBESITY_BMI:
            return day
        day = years_after(day, 1)
    return None


@cache
def _rates(sex: Sex) -> tuple[tuple[float, Weighted[Acute] | None], ...]:
    """For each year of age, how many episodes a year and of what, at the strongest strain."""
    table: list[tuple[float, Weighted[Acute] | None]] = []
    for age in range(_AGE_MAX):
        pairs = [
            (kind, curve(kind.rate, age + 0.5) * (STRAIN_MAX if kind.strain else 1.0))
            for kind in ACUTE
            if kind.sex in {"", sex}
        ]
        pairs = [(kind, rate) for kind, rate in pairs if rate > 0]
        table.append((sum(rate for _, rate in pairs), Weighted(pairs) if pairs else None))
    return tuple(table)


def acute(life: Life, rng: Random, *, keep: float) -> Iterator[Illness]:
    """The passing illnesses of the recorded years, in order of the years; `keep` scales how many."""
    rates = _rates(life.person.sex)
    had: set[str] = set()
    year = life.since
    while year < life.until:
        span = min(365, (life.until - year).days)
        total, kinds = rates[min(_AGE_MAX - 1, int(life.person.age(year)))]
        for _ in range(poisson(rng, total * keep * span / 365)):
            if kinds is None:
                continue
            kind = kinds.pick(rng)
            onset = year + timedelta(days=rng.randrange(max(1, span)))
            lasts = rng.randint(*kind.days)
            strain = life.service.occupation.strain if life.service is not None else kind.at_home
            if kind.strain and rng.random() * STRAIN_MAX >= strain:
                continue
            if kind.winter and onset.month in {6, 7, 8}:
                onset = min(life.until, onset + timedelta(days=150))
            if (kind.once and kind.key in had) or not kind.since <= onset < life.until:
                continue
            had.add(kind.key)
            over = onset + timedelta(days=lasts)
            number = len(had) * 1000 + len(life.illnesses) + rng.randrange(1_000_000) * 1_000_000
            yield Illness(
                identity("episode", *life.person.key, number), kind, onset, over if over <= life.until else None
            )
        year += timedelta(days=365)

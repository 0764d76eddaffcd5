"""Careers: when someone entered and left, the grade that follows, where they lived and where they were sent."""

from datetime import date, timedelta
from random import Random

from continuum.samples.data import bases, services
from continuum.samples.data.bases import AFLOAT, BASES, Base, Branch
from continuum.samples.elements import years_after, years_between
from continuum.samples.persons import Birth, Deployment, Person, Posting, Service, Status
from continuum.samples.streams import Weighted, identity

_BRANCH = Weighted(services.ACTIVE_DUTY)
_HOMES: dict[Branch, tuple[Base, ...]] = {
    branch: tuple(base for base in BASES if branch in base.branches) for branch, _ in services.ACTIVE_DUTY
}
_SHIPS: dict[Branch, float] = {"navy": 0.9, "marines": 0.4, "coast_guard": 1.0}
_LAND_EXPOSURES = ("blast", "airborne particulates", "burn pit smoke", "jet fuel", "heat", "noise")
_SEA_EXPOSURES = ("noise", "jet fuel", "solvents", "heat")


def begin(rng: Random, *, status: Status, today: date, age_min: float = 0.0) -> tuple[Service, float]:
    """A career of this status and the age at its beginning.

    Returns:
        The service (without deployments) and the age at entry in years.
    """
    branch = _BRANCH.pick(rng)
    officer = rng.random() < services.OFFICERS
    warrant = False
    entry_age = rng.uniform(21.5, 26.0) if officer else 18.1 + min(rng.expovariate(1 / 2.3), 9.0)
    if status in {"active", "reserve", "guard"}:
        served = min(rng.expovariate(1 / (11.5 if officer else 7.6)), rng.uniform(19, 27)) + 0.3
        served = max(served, age_min - entry_age)
        since_leaving = 0.0
    elif status == "retired":
        served = 20 + min(rng.expovariate(1 / 2.5), 9.5)
        since_leaving = rng.triangular(0.2, 46.0, 12.0)
    else:
        served = rng.uniform(2.8, 11.5)
        since_leaving = rng.triangular(0.3, 60.0, 14.0)
    if not officer and branch in services.WITH_WARRANTS and served > 9:
        warrant = rng.random() < 0.08
    left = years_after(today, -since_leaving) if since_leaving else None
    entered = years_after(left or today, -served)
    if status == "guard":
        branch = "air_force" if rng.random() < 0.25 else "army"
    if status == "reserve" and branch == "space_force":
        branch = "air_force"
    occupation = rng.choice(services.OCCUPATIONS[branch])
    return Service(branch, status, officer, warrant, entered, left, occupation), entry_age


def grade(service: Service, day: date) -> tuple[str, str]:
    """Pay grade and rank title on a day (the last ones, after leaving)."""
    served = years_between(service.entered, min(day, service.left or day))
    if service.officer:
        step = _step(services.OFFICER_AFTER, served)
        return f"O-{step}", services.OFFICER[service.branch][step - 1]
    if service.warrant and served >= services.WARRANT_AFTER[0][0]:
        step = _step(services.WARRANT_AFTER, served)
        return f"W-{step}", services.WARRANT[step - 1]
    step = _step(services.ENLISTED_AFTER, served)
    return f"E-{step}", services.ENLISTED[service.branch][step - 1]


def _step(table: tuple[tuple[float, int], ...], served: float) -> int:
    return [step for years, step in table if served >= years or step == 1][-1]


def postings(rng: Random, service: Service, today: date) -> list[Posting]:
    """Homes in order: a new one every two to four and a half years of active service, then one to stay."""
    homes = _HOMES[service.branch]
    moves = service.status not in {"reserve", "guard"}
    found: list[Posting] = []
    start = service.entered
    last = service.left or today
    base = rng.choice(homes)
    while moves and (end := years_after(start, rng.uniform(2.2, 4.5))) < last:
        found.append(Posting(start, end - timedelta(days=1), base))
        start = end
        base = rng.choice([home for home in homes if home is not base] or homes)
    if service.left is not None:
        found.append(Posting(start, service.left - timedelta(days=1), base))
        start = service.left
        stateside = [home for home in BASES if home.country == "US"]
        base = rng.choice(stateside) if rng.random() < 0.5 or base.country != "US" else base
    found.append(Posting(start, None, base))
    return found


def deployments(
    rng: Random, member: Person, service: Service, births: list[Birth], today: date
) -> tuple[Deployment, ...]:
    """Stretches away. None in the first year and a half, and none while pregnant or in the half year after."""
    if service.branch not in services.DEPLOYED_EVERY_YEARS:
        return ()
    every = services.DEPLOYED_EVERY_YEARS[service.branch]
    if service.status in {"reserve", "guard"}:
        every *= services.RESERVES_EVERY
    last = service.left or today
    found: list[Deployment] = []
    start = years_after(service.entered, 1.5 + rng.expovariate(1 / (every * 0.6)))
    while (end := start + timedelta(days=rng.randint(*_days_away(service.branch, start)))) < last:
        if not _bearing(member, births, start, end):
            found.append(_deployment(rng, member, service.branch, start, end, len(found)))
        start = years_after(end, 0.9 + rng.expovariate(1 / max(0.3, every - 1.4)))
    return tuple(found)


def _days_away(branch: Branch, start: date) -> tuple[int, int]:
    until, longer = services.ARMY_DAYS_BEFORE
    return longer if branch == "army" and start < until else services.DEPLOYED_DAYS[branch]


def _bearing(member: Person, births: list[Birth], start: date, end: date) -> bool:
    if member.sex != "female":
        return False
    return any(birth.conceived <= end and start <= birth.born + timedelta(days=183) for birth in births)


def _deployment(rng: Random, member: Person, branch: Branch, start: date, end: date, number: int) -> Deployment:
    at_sea = rng.random() < _SHIPS.get(branch, 0.0)
    kind: bases.Kind = "ship" if at_sea else "aid_station"
    place = next((place for place in AFLOAT if place.kind == kind and branch in place.branches), AFLOAT[-1])
    exposures = _SEA_EXPOSURES if at_sea else _LAND_EXPOSURES
    some = tuple(sorted(rng.sample(exposures, rng.randint(1, 3))))
    return Deployment(identity("deployment", *member.key, number), start, end, place.key, place.country, some)

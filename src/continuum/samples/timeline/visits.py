"""When someone is seen, where, by whom, and why."""

from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from continuum.samples.data.acute import Acute
from continuum.samples.data.illnesses import Chronic
from continuum.samples.elements import reference, years_after
from continuum.samples.life import Illness, Life, Visit, VisitKind
from continuum.samples.persons import Birth
from continuum.samples.places import Site
from continuum.samples.streams import identity

WELL_CHILD_MONTHS = (1, 2, 4, 6, 9, 12, 15, 18, 24, 30)
PRENATAL_WEEKS = (10, 16, 20, 24, 28, 32, 36, 38)


class Times(NamedTuple):
    """Minutes of the day between which visits of a kind begin, and how long they take."""

    first: int
    last: int
    minutes: tuple[int, int]
    weekdays: bool


_ROUTINE = Times(480, 930, (15, 40), weekdays=True)
_TIMES: dict[VisitKind, Times] = {
    "emergency": Times(0, 1200, (70, 230), weekdays=False),
    "inpatient": Times(300, 1100, (0, 0), weekdays=False),
    "delivery": Times(5, 300, (0, 0), weekdays=False),
    "newborn": Times(600, 1000, (0, 0), weekdays=False),
    "deployed": Times(360, 1200, (10, 45), weekdays=False),
}


class Planner:
    """Adds visits to a life. `keep` is the share of the optional ones that is recorded."""

    def __init__(self, life: Life, rng: Random, keep: float) -> None:
        self.life = life
        self.rng = rng
        self.keep = keep
        self._panel = rng.randrange(1_000)
        self._count = 0

    def add(
        self,
        kind: VisitKind,
        day: date,
        *,
        specialty: str = "",
        reason: Illness | None = None,
        nights: int = 0,
        optional: bool = True,
        birth: Birth | None = None,
    ) -> Visit | None:
        """A visit on this day or, for appointments, the next weekday; None if it falls outside the record."""
        life = self.life
        # Drawn whether used or not, so that the rest of the plan does not depend on `keep`.
        chance, spread, length = self.rng.random(), self.rng.random(), self.rng.random()
        self._count += 1
        times = _TIMES.get(kind, _ROUTINE)
        if times.weekdays and day.weekday() >= 5:
            day += timedelta(days=7 - day.weekday())
        last_day = day + timedelta(days=nights)
        if not (life.since <= day and last_day <= life.until) or (optional and chance >= self.keep):
            return None
        site = self._site(kind, day)
        if site is None:
            return None
        kind = "deployed" if site.kind in {"ship", "aid_station", "surgical_team"} else kind
        minute = times.first + int(spread * (times.last - times.first) / 5) * 5
        first, last = times.minutes
        end = minute + first + int(length * (last - first)) if not nights else 660 + int(length * 240)
        by = site.one_of(specialty or self._primary(day), self._panel)
        key = identity("visit", *life.person.key, self._count)
        visit = Visit(
            key, kind, day, last_day, site.instant(day, minute), site.instant(last_day, end), site,
            by.reference, reason, reference("Encounter", key), birth,
        )  # fmt: skip
        life.visits.append(visit)
        return visit

    def _primary(self, day: date) -> str:
        return "pediatrics" if self.life.person.age(day) < 18 else "family"

    def _site(self, kind: VisitKind, day: date) -> Site | None:
        """Where one is seen that day; None when deployed and the visit is one that waits."""
        life = self.life
        for deployment in life.deployments:
            if deployment.covers(day):
                return life.world.sites[deployment.afloat] if kind in {"acute", "emergency", "deployed"} else None
        base = life.family.base(day)
        if kind == "dental":
            return life.world.dental(base)
        if kind in {"emergency", "inpatient", "delivery", "newborn", "prenatal", "postpartum"}:
            return life.world.hospital(base)
        return life.world.care(base)


def routine(planner: Planner) -> None:
    """Check-ups, teeth, hearing: once a year each, more or less faithfully."""
    life, rng = planner.life, planner.rng
    person, service = life.person, life.service
    year = years_after(life.since, rng.uniform(0.02, 0.5))
    while year < life.until:
        age = person.age(year)
        serving = service is not None and service.serving(year)
        part_time = serving and service is not None and service.status in {"reserve", "guard"}
        faithful = 0.95 if serving else 0.85 if age < 18 else 0.55 if age < 50 else 0.8
        day = year + timedelta(days=rng.randrange(60))
        if age >= 3 and rng.random() < faithful:
            planner.add("well_child" if age < 18 else "checkup", day)
        if age >= 2 and rng.random() < (0.96 if serving else 0.7 if age < 18 else 0.5):
            planner.add("dental", day + timedelta(days=rng.randrange(20, 150)), specialty="dentist")
        if serving and not part_time and service is not None and service.occupation.noise >= 2:
            planner.add("hearing", day + timedelta(days=rng.randrange(5, 90)), specialty="audiology")
        year += timedelta(days=365)
    for months in WELL_CHILD_MONTHS:
        day = years_after(person.born, months / 12) + timedelta(days=rng.randrange(9))
        planner.add("well_child", day)


def chronic_care(planner: Planner, illness: Illness) -> None:
    """The visit at which a lasting illness was found, then follow-ups: soon after, then at its own pace."""
    kind, rng, life = illness.kind, planner.rng, planner.life
    assert isinstance(kind, Chronic)
    specialty = "" if kind.clinic == "family" else kind.clinic
    illness.found = planner.add("follow_up", illness.onset, specialty=specialty, reason=illness)
    if kind.visits_a_year <= 0:
        return
    gap = 365 / kind.visits_a_year
    day = illness.onset + timedelta(days=int(min(45, gap)))
    if day < life.since:
        day = life.since + timedelta(days=rng.randrange(max(1, int(gap))))
    while day < (illness.abated or life.until):
        planner.add("telehealth" if rng.random() < 0.12 else "follow_up", day, specialty=specialty, reason=illness)
        day += timedelta(days=max(14, int(gap * rng.uniform(0.7, 1.4))))


def episode(planner: Planner, illness: Illness) -> None:
    """The visits of a passing illness; the illness is recorded only if it was seen."""
    kind, rng, life = illness.kind, planner.rng, planner.life
    assert isinstance(kind, Acute)
    emergency = rng.random() < kind.emergency
    day = illness.onset + timedelta(days=0 if emergency else rng.randrange(3))
    admitted = rng.random() < kind.admitted
    nights = rng.randint(*kind.stay_days)
    first = planner.add(
        "emergency" if emergency else "acute",
        day,
        specialty="emergency" if emergency else "",
        reason=illness,
        optional=False,
    )
    if first is None:
        return
    illness.found = first
    life.illnesses.append(illness)
    if admitted and first.kind == "emergency":
        stay_from = day + timedelta(days=1)
        stay = planner.add(
            "inpatient",
            stay_from,
            specialty="surgery" if kind.procedure else "medicine",
            reason=illness,
            nights=nights,
            optional=False,
        )
        if stay is not None:
            stay.before = first
    if kind.follow_up_days:
        planner.add("follow_up", day + timedelta(days=kind.follow_up_days + nights), reason=illness)


def motherhood(planner: Planner, birth: Birth) -> None:
    """Prenatal visits, the delivery and the visit six weeks after."""
    for weeks in PRENATAL_WEEKS:
        day = birth.conceived + timedelta(days=(weeks - 2) * 7)
        if day < birth.born - timedelta(days=4):
            planner.add("prenatal", day, specialty="obstetrics", birth=birth)
    nights = 3 if birth.caesarean else 2
    planner.add("delivery", birth.born, specialty="obstetrics", nights=nights, optional=False, birth=birth)
    planner.add("postpartum", birth.born + timedelta(days=42), specialty="obstetrics", birth=birth)


def last_days(planner: Planner, died: date) -> None:
    """The admission in which someone died."""
    life = planner.life
    grave = next((illness for illness in reversed(life.illnesses) if illness.chronic and illness.active(died)), None)
    nights = planner.rng.randint(1, 6)
    life.until = died
    planner.add("inpatient", died - timedelta(days=nights), specialty="medicine", reason=grave, nights=nights,
                optional=False)  # fmt: skip

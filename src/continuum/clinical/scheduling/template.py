"""From the rules of a template to times on days: by the wall clock of the facility. Pure."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
from dateutil.rrule import rrulestr

from continuum.chart.entry import N_
from continuum.clinical.scheduling.limits import TIMES_IN_DAY_MAX, VISIT_MINUTES_MAX, VISIT_MINUTES_MIN
from continuum.clinical.scheduling.model import Calendar, Resource, Rule
from continuum.kernel.errors import Invalid

_NAMESPACE = uuid.UUID("6a0d0f0e-5b3c-5d7e-9f55-6f1d1c1a2b3c")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""Days of the week as RFC 5545 writes them."""


@dataclass(frozen=True, slots=True)
class Time:
    """One seat. starts, ends: with the offset of the facility on that day."""

    id: str
    schedule_id: str
    starts: datetime
    ends: datetime
    seat: int
    overbooked: bool = False

    def resource(self) -> Resource:
        """As a free Slot."""
        return {
            "resourceType": "Slot", "id": self.id, "schedule": {"reference": f"Schedule/{self.schedule_id}"},
            "status": "free", "start": self.starts.isoformat(), "end": self.ends.isoformat(),
            **({"overbooked": True} if self.overbooked else {}),
        }  # fmt: skip


def time_id(schedule_id: str, starts: datetime, seat: int) -> str:
    """The id of the Slot of one seat: the same whoever opens it, however often."""
    return str(uuid.uuid5(_NAMESPACE, f"{schedule_id}/{starts.astimezone(UTC).isoformat()}/{seat}"))


def holiday(day: date) -> str:
    """The federal holiday on a day (5 U.S.C. 6103), or ""."""
    return str(_holidays(day.year).get(day, ""))


_known: dict[int, holidays.HolidayBase] = {}


def _holidays(year: int) -> holidays.HolidayBase:
    if year not in _known:
        _known[year] = holidays.country_holidays("US", years=year, categories=holidays.PUBLIC)
    return _known[year]


def check(rule: Rule) -> None:
    """Raises Invalid for a rule that opens nothing or too much."""
    if rule.ends <= rule.starts:
        raise Invalid(N_("The end must come after the start."))
    if not VISIT_MINUTES_MIN <= rule.minutes <= VISIT_MINUTES_MAX:
        raise Invalid(N_("A visit takes between 5 minutes and 8 hours."))
    if not 1 <= rule.seats <= 30 or not 0 <= rule.overbooked_max <= 5:
        raise Invalid(N_("An hour has 1 to 30 seats, and 5 more at most."))
    span = _minutes(rule.ends) - _minutes(rule.starts)
    if span < rule.minutes:
        raise Invalid(N_("The visit is longer than the time that is open."))
    if span // rule.minutes * rule.seats > TIMES_IN_DAY_MAX:
        raise Invalid(N_("These are more times than one day may have."))
    try:
        rrulestr(rule.recurrence, dtstart=datetime.combine(rule.first, time(0)))
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(N_("The rule for the days cannot be read.")) from error


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def days_of(rule: Rule, first: date, last: date) -> Iterator[date]:
    """The days on which a rule opens times, first and last included."""
    begins = datetime.combine(rule.first, time(0))
    until = min(last, rule.last) if rule.last else last
    for moment in rrulestr(rule.recurrence, dtstart=begins).xafter(
        datetime.combine(first, time(0)), inc=True, count=max((until - first).days + 1, 1)
    ):
        if moment.date() > until:
            return
        yield moment.date()


def times_on(calendar: Calendar, rule: Rule, day: date, zone: ZoneInfo) -> Iterator[Time]:
    """The times of a rule on a day, whether it is a holiday or not.

    An hour that the clocks leave out on this day is not opened; one that they repeat is opened once.
    """
    step = timedelta(minutes=rule.minutes)
    local = datetime.combine(day, rule.starts)
    end = datetime.combine(day, rule.ends)
    while local + step <= end:
        starts = local.replace(tzinfo=zone)
        if starts.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local:
            # Lengths are of real time: a visit over the change of the clocks is as long as any other.
            ends = (starts.astimezone(UTC) + step).astimezone(zone)
            for seat in range(rule.seats):
                yield Time(time_id(calendar.id, starts, seat), calendar.id, starts, ends, seat)
        local += step


def openings(calendar: Calendar, zone: ZoneInfo, first: date, last: date) -> list[Time]:
    """What a calendar opens from a day to a day, in order; nothing on holidays, closed days and closed hours."""
    found: dict[str, Time] = {}
    if not calendar.active:
        return []
    for rule in calendar.rules:
        for day in days_of(rule, max(first, rule.first), last):
            if calendar.closed_on(day) is None and not holiday(day):
                found.update(
                    (one.id, one)
                    for one in times_on(calendar, rule, day, zone)
                    if one.starts.astimezone(UTC) not in calendar.closed_hours
                )
    return sorted(found.values(), key=lambda one: (one.starts, one.seat))


def overbooked(calendar: Calendar, starts: datetime, zone: ZoneInfo, number: int) -> Time:
    """One more seat at an hour that is full; number: how many there are already, from 0.

    Raises:
        Invalid: no rule opens that hour, or its limit is reached.
    """
    local = starts.astimezone(zone)
    for rule in calendar.rules:
        if local.date() not in set(days_of(rule, max(local.date(), rule.first), local.date())):
            continue
        for one in times_on(calendar, rule, local.date(), zone):
            if one.starts == local:
                if number >= rule.overbooked_max:
                    raise Invalid(N_("This hour has been overbooked as far as its rule allows."))
                seat = rule.seats + number
                return Time(
                    time_id(calendar.id, starts, seat), calendar.id, one.starts, one.ends, seat, overbooked=True
                )
    raise Invalid(N_("No rule of this schedule opens that hour."))

"""Scales: from values and instants to percent, with ends and ticks at round places."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton

from continuum.ui.charts.model import Tick
from continuum.ui.formats.quantities import number
from continuum.ui.formats.times import clock, locale_of
from continuum.ui.limits import (
    CHART_POINTS_MAX,
    CHART_TICKS_MAX,
)

_DAY_S = 86_400
_MARGIN = 0.04
"""Room left and right of the first and the last point, as a share of the width."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight scale between two ends."""

    low: float
    high: float

    def percent(self, value: float) -> float:
        """The place of a value, 0 at the low end and 100 at the high one, to a thousandth."""
        return round(100 * (value - self.low) / (self.high - self.low), 3)


def round_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that cuts a span into at most `most` pieces."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power * most >= span * (1 - 1e-9))


def value_scale(values: Sequence[Decimal], language: str) -> tuple[Scale, tuple[Tick, ...]]:
    """A scale that holds all values between round ends, with a tick at each round value, lowest first.

    It does not begin at zero: a change from 4.1 to 5.9 in potassium must be seen.
    """
    low, high = float(min(values)), float(max(values))
    if high - low < 1e-9:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    step = round_step(high - low, CHART_TICKS_MAX - 2)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    scale = Scale(first * step, last * step)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if float(f"{step:.{digits}f}") != float(f"{step:.6g}"):
        digits += 1
    ticks = []
    for count in range(first, last + 1):
        value = Decimal(f"{count * step:.{digits}f}")
        ticks.append(Tick(scale.percent(float(value)), number(value + 0, language)))
    return scale, tuple(ticks)


def time_scale(instants: Sequence[datetime], zone: ZoneInfo, language: str) -> tuple[Scale, tuple[Tick, ...]]:
    """A scale of seconds since 1970 that holds all instants, with ticks at round local times."""
    first, last = min(instants), max(instants)
    span_s = max((last - first).total_seconds(), 3600.0)
    middle_s = (first.timestamp() + last.timestamp()) / 2
    half_s = span_s * (0.5 + _MARGIN)
    scale = Scale(middle_s - half_s, middle_s + half_s)
    begin = datetime.fromtimestamp(scale.low, zone)
    end = datetime.fromtimestamp(scale.high, zone)
    kind, places = _round_times(begin, end)
    ticks = tuple(
        Tick(scale.percent(place.timestamp()), _label(place, kind, language), minor=bool(number_ % 2))
        for number_, place in enumerate(places)
    )
    return scale, ticks


def _round_times(begin: datetime, end: datetime) -> tuple[str, list[datetime]]:
    """The finest round times of which there are not too many, and what they are rounded to."""
    days = (end - begin).total_seconds() / _DAY_S
    for kind, step, length_days in _STEPS:
        if days / length_days <= CHART_TICKS_MAX - 1:
            places = [place for place in _times(kind, step, begin, end) if begin <= place <= end]
            if len(places) <= CHART_TICKS_MAX:
                return kind, places
    step = math.ceil(days / 365.25 / (CHART_TICKS_MAX - 1) / 10) * 10
    return "year", [place for place in _times("year", step, begin, end) if begin <= place <= end]


_STEPS = (
    ("hour", 1, 1 / 24), ("hour", 3, 3 / 24), ("hour", 6, 6 / 24), ("hour", 12, 0.5), ("day", 1, 1.0), ("day", 2, 2.0),
    ("day", 7, 7.0), ("month", 1, 30.4), ("month", 3, 91.3), ("month", 6, 182.6), ("year", 1, 365.25),
    ("year", 2, 730.5), ("year", 5, 1826.0), ("year", 10, 3652.0),
)  # fmt: skip
"""Kinds of round times, how many of them lie between two ticks, and how long that is in days."""


def _times(kind: str, step: int, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Round local times from a little before `begin` to `end`."""
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind in {"hour", "day"}:
        # Counted on the wall clock, so that a tick stays at midnight when the clocks change.
        wall, pace = midnight.replace(tzinfo=None), timedelta(**{f"{kind}s": step})
        while (place := wall.replace(tzinfo=midnight.tzinfo)) <= end:
            yield place
            wall += pace
        return
    months = (begin.year * 12 + begin.month - 1) if kind == "month" else begin.year * 12
    pace_months = step if kind == "month" else 12 * step
    months -= months % pace_months
    while (place := midnight.replace(year=months // 12, month=months % 12 + 1, day=1)) <= end:
        yield place
        months += pace_months


def _label(place: datetime, kind: str, language: str) -> str:
    locale = locale_of(language)
    if kind == "year":
        return str(place.year)
    if kind == "month":
        return str(format_skeleton("yMMM", place, locale=locale))
    if kind == "hour" and (place.hour or place.minute):
        return clock(place)
    return str(format_date(place, "MMM d" if language == "en" else "d MMM", locale=locale))


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points by x, of which each stretch keeps its first, last, lowest and highest when there are too many."""
    if len(points) <= CHART_POINTS_MAX:
        return list(points)
    size = math.ceil(len(points) / (CHART_POINTS_MAX // 4))
    kept: list[tuple[float, float]] = []
    for begin in range(0, len(points), size):
        part = points[begin : begin + size]
        chosen = {part[0], part[-1], min(part, key=lambda one: one[1]), max(part, key=lambda one: one[1])}
        kept += sorted(chosen)
    return kept


def path(points: Sequence[tuple[float, float]]) -> str:
    """SVG's path through places in percent; y counts from the bottom and is turned here."""
    return "M" + "L".join(f"{x:g} {round(100 - y, 3):g}" for x, y in points) if points else ""

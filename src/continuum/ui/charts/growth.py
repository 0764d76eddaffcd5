"""A child's growth against percentiles: the reference is given, not guessed, and its source is named beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from continuum.ui.charts.model import Chart, Line, Mark, Row, Tick
from continuum.ui.charts.scale import Scale, path, round_step, value_scale
from continuum.ui.formats.quantities import quantity, unit
from continuum.ui.formats.times import age, day
from continuum.ui.language import gettext, ngettext_in
from continuum.ui.view import View

_MONTHS_TO_YEARS = 36
_DAYS_IN_MONTH = 30.4375
_NAME_HEIGHT = 3.4
"""Percent of a growth chart that the number of a percentile takes."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One percentile of a reference: (age in months, value), by age."""

    percentile: int
    points: tuple[tuple[float, float], ...]

    def at(self, age_months: float) -> float | None:
        """The value at an age, straight between two given ages; None outside them."""
        for (first, low), (last, high) in pairwise(self.points):
            if first <= age_months <= last:
                return low + (high - low) * (age_months - first) / (last - first)
        return None


def growth(
    title: str,
    measured: Sequence[tuple[date, Decimal]],
    curves: Sequence[Curve],
    *,
    birth: date,
    unit_code: str,
    view: View,
) -> Chart | None:
    """A growth chart over the ages that were measured; None when nothing was.

    Args:
        title: what is measured, and on which reference.
        measured: (day, value), in any order.
        curves: percentiles of the reference for this child's sex, lowest first.
        birth: the child's day of birth.
        unit_code: UCUM, of values and curves.
        view: language.
    """
    ordered = sorted(measured)
    if not ordered:
        return None
    ages = [(on - birth).days / _DAYS_IN_MONTH for on, _ in ordered]
    low, high = _age_ends(ages)
    x_scale, x_ticks = _age_scale(low, high)
    parts = [_part(curve, low, high) for curve in curves]
    drawn = [value for part in parts for _, value in part]
    every = [*(value for _, value in ordered), *(Decimal(f"{value:.2f}") for value in drawn)]
    y_scale, y_ticks = value_scale(every, view.language)
    guides = _apart([_guide(curve, part, x_scale, y_scale) for curve, part in zip(curves, parts, strict=True) if part])
    placed = [
        (x_scale.percent(at), y_scale.percent(float(value))) for at, (_, value) in zip(ages, ordered, strict=True)
    ]
    rows = [_row(on, value, at, birth, curves, unit_code, view) for at, (on, value) in zip(ages, ordered, strict=True)]
    marks = tuple(
        Mark(x, round(100 - y, 3), ", ".join([row.when, *(cell[0] for cell in row.cells)]))
        for (x, y), row in zip(placed, rows, strict=True)
    )
    last = rows[-1]
    summary = ngettext_in(view.language, "%(num)s value", "%(num)s values", len(rows))
    return Chart(
        title=title,
        summary=gettext("%(count)s; last %(last)s.")
        % {"count": summary, "last": ", ".join([last.when, *(cell[0] for cell in last.cells if cell[0])])},
        unit=unit(unit_code),
        lines=(Line(title, 0, path(placed), marks, marks[-1].y),),
        guides=guides,
        x_ticks=x_ticks,
        x_name=gettext("Age in years") if high > _MONTHS_TO_YEARS else gettext("Age in months"),
        y_ticks=y_ticks,
        columns=(gettext("Age"), gettext("Value"), gettext("Percentile")),
        rows=tuple(reversed(rows)),
        first_column=gettext("When"),
    )


def _age_ends(ages: Sequence[float]) -> tuple[float, float]:
    """Ages to draw, in months, in whole ticks: from birth for the small ones, else a little around what is there."""
    last = max(*ages, 6.0) if len(ages) > 1 else max(ages[0], 6.0)
    if last <= _MONTHS_TO_YEARS:
        return 0.0, math.ceil(last / 6 + 0.01) * 6.0
    return max(0.0, math.floor(min(ages) / 12 - 0.5) * 12.0), math.ceil(last / 12 + 0.25) * 12.0


def _age_scale(low: float, high: float) -> tuple[Scale, tuple[Tick, ...]]:
    scale = Scale(low, high)
    years = high > _MONTHS_TO_YEARS
    size = 12.0 if years else 1.0
    step = max(1.0, round_step((high - low) / size, 6)) if years else (3.0 if high <= 18 else 6.0)
    step = math.ceil(step)
    count = int((high - low) / size / step + 1e-9)
    ticks = []
    for number_ in range(count + 1):
        at = low + number_ * step * size
        ticks.append(Tick(scale.percent(at), f"{at / size:g}", minor=bool(number_ % 2)))
    return scale, tuple(ticks)


def _part(curve: Curve, low: float, high: float) -> list[tuple[float, float]]:
    """A curve between two ages, cut at both."""
    inside = [(at, value) for at, value in curve.points if low < at < high]
    ends = [(at, value) for at in (low, high) if (value := curve.at(at)) is not None]
    return sorted({*inside, *ends})


def _guide(curve: Curve, part: list[tuple[float, float]], x: Scale, y: Scale) -> Line:
    placed = [(x.percent(at), y.percent(value)) for at, value in part]
    return Line(str(curve.percentile), curve.percentile, path(placed), (), round(100 - placed[-1][1], 3))


def _apart(guides: list[Line]) -> tuple[Line, ...]:
    """The guides, of which those keep their names that have room: the outermost first, then from the middle on."""
    order = sorted(
        range(len(guides)), key=lambda place: (place not in {0, len(guides) - 1}, abs(2 * place - len(guides) + 1))
    )
    taken: list[float] = []
    kept = list(guides)
    for place in order:
        here = guides[place].end_y
        if any(abs(here - other) < _NAME_HEIGHT for other in taken):
            kept[place] = replace(guides[place], named=False)
        else:
            taken.append(here)
    return tuple(kept)


def percentile(value: Decimal, age_months: float, curves: Sequence[Curve]) -> str:
    """Between which percentiles a value lies: `25-50`, `< 3`, `> 97`; "" where the reference says nothing."""
    known = [(curve.percentile, there) for curve in curves if (there := curve.at(age_months)) is not None]
    if not known:
        return ""
    below = [number_ for number_, there in known if there <= float(value)]
    above = [number_ for number_, there in known if there > float(value)]
    if not below:
        return f"<\u00a0{min(above)}"
    return f">\u00a0{max(below)}" if not above else f"{max(below)}\u2013{min(above)}"


def _row(on: date, value: Decimal, at: float, birth: date, curves: Sequence[Curve], unit_code: str, view: View) -> Row:
    written = day(on, view.language)
    cells = (age(birth, on, view.language), quantity(value, unit_code, view.language), percentile(value, at, curves))
    return Row(written.text, written.machine, tuple((cell, "", "") for cell in cells))

"""One or more measurements over time: vital signs, laboratory results with their reference range."""

from datetime import datetime

from continuum.ui.charts.model import SHAPES, Band, Chart, DrawnBand, Flag, Line, Mark, Point, Row, Series
from continuum.ui.charts.scale import Scale, path, thinned, time_scale, value_scale
from continuum.ui.formats.quantities import bounds, quantity, unit
from continuum.ui.formats.times import instant
from continuum.ui.language import gettext, ngettext_in
from continuum.ui.view import View


def trend(title: str, series: tuple[Series, ...], unit_code: str, view: View) -> Chart | None:
    """A chart of one to four lines on one scale; None when there is not a single point.

    Args:
        title: what is measured.
        series: the lines; all in one unit.
        unit_code: UCUM.
        view: language and zone.
    """
    assert 1 <= len(series) <= len(SHAPES), "each line has a shape of its own"
    ordered = [Series(one.name, tuple(sorted(one.points, key=lambda point: point.at)), one.band) for one in series]
    points = [point for one in ordered for point in one.points]
    if not points:
        return None
    ends = [end for one in ordered if one.band for end in (one.band.low, one.band.high) if end is not None]
    y_scale, y_ticks = value_scale([*(point.value for point in points), *ends], view.language)
    x_scale, x_ticks = time_scale([point.at for point in points], view.zone, view.language)
    return Chart(
        title=title,
        summary=_summary(ordered, unit_code, view),
        unit=unit(unit_code),
        lines=tuple(_line(one, count, x_scale, y_scale, unit_code, view) for count, one in enumerate(ordered)),
        bands=tuple(_band(one.band, count, y_scale, unit_code, view) for count, one in enumerate(ordered) if one.band),
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        columns=tuple(one.name for one in ordered),
        rows=_rows(ordered, unit_code, view),
        first_column=gettext("When"),
    )


def _line(one: Series, count: int, x: Scale, y: Scale, unit_code: str, view: View) -> Line:
    places = [(x.percent(point.at.timestamp()), y.percent(float(point.value))) for point in one.points]
    placed = thinned(places)
    kept = set(placed)
    marks = tuple(
        Mark(place[0], round(100 - place[1], 3), _words(one, point, unit_code, view), _flag(one, point))
        for point, place in zip(one.points, places, strict=True)
        if place in kept
    )
    return Line(one.name, count, path(placed), marks, marks[-1].y if marks else 0.0)


def _flag(one: Series, point: Point) -> Flag:
    return one.band.flag(point.value) if one.band else ""


def _words(one: Series, point: Point, unit_code: str, view: View) -> str:
    when = instant(point.at, view.language, view.zone).text
    flag = {"low": gettext("low"), "high": gettext("high"), "": ""}[_flag(one, point)]
    parts = [f"{one.name}: {quantity(point.value, unit_code, view.language)}", flag, when, point.note]
    return ", ".join(part for part in parts if part)


def _band(band: Band, count: int, y: Scale, unit_code: str, view: View) -> DrawnBand:
    top = 0.0 if band.high is None else 100 - y.percent(float(band.high))
    bottom = 100.0 if band.low is None else 100 - y.percent(float(band.low))
    name = f"{band.name} {bounds(band.low, band.high, unit_code, view.language)}"
    return DrawnBand(round(top, 3), round(bottom - top, 3), name, count)


def _rows(ordered: list[Series], unit_code: str, view: View) -> tuple[Row, ...]:
    """One row for each instant, newest first; a line without a value there has an empty cell."""
    moments: dict[datetime, dict[int, Point]] = {}
    for count, one in enumerate(ordered):
        for point in one.points:
            moments.setdefault(point.at, {})[count] = point
    rows = []
    for at in sorted(moments, reverse=True):
        written = instant(at, view.language, view.zone)
        cells = tuple(_cell(ordered[count], moments[at].get(count), unit_code, view) for count in range(len(ordered)))
        rows.append(Row(written.text, written.machine, cells))
    return tuple(rows)


def _cell(one: Series, point: Point | None, unit_code: str, view: View) -> tuple[str, Flag, str]:
    if point is None:
        return ("", "", "")
    return (quantity(point.value, unit_code, view.language), _flag(one, point), point.note)


def _summary(ordered: list[Series], unit_code: str, view: View) -> str:
    """How many, the last, the span and how many lie outside, for each line."""
    parts = []
    for one in ordered:
        if not one.points:
            continue
        count = ngettext_in(view.language, "%(num)s value", "%(num)s values", len(one.points))
        values = [point.value for point in one.points]
        words = gettext("%(name)s: %(count)s from %(low)s to %(high)s, last %(last)s on %(when)s.") % {
            "name": one.name,
            "count": count,
            "low": quantity(min(values), unit_code, view.language),
            "high": quantity(max(values), unit_code, view.language),
            "last": quantity(values[-1], unit_code, view.language),
            "when": instant(one.points[-1].at, view.language, view.zone).text,
        }
        outside = sum(bool(_flag(one, point)) for point in one.points)
        if outside:
            found = ngettext_in(view.language, "%(num)s outside the range.", "%(num)s outside the range.", outside)
            words = f"{words} {found}"
        parts.append(words)
    return " ".join(parts)

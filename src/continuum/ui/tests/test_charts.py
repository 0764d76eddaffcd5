"""Charts put values where they belong, tell what lies outside, and say the same in their tables."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.ui.charts import Band, Curve, Point, Series, growth, spark, trend
from continuum.ui.charts.growth import percentile
from continuum.ui.charts.scale import path, round_step, thinned, time_scale, value_scale
from continuum.ui.limits import (
    CHART_POINTS_MAX,
    CHART_TICKS_MAX,
)
from continuum.ui.view import View, showing

VIEW = View(today=date(2026, 11, 23), zone=ZoneInfo("America/Denver"))
NOON = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def reader():
    with showing(VIEW):
        yield


def points(*values: str, every: timedelta = 30 * DAY) -> tuple[Point, ...]:
    return tuple(Point(NOON + count * every, Decimal(value)) for count, value in enumerate(values))


def test_the_highest_value_stands_highest_and_time_runs_to_the_right():
    chart = trend("Weight", (Series("Weight", points("70.0", "72.5", "71.0")),), "kg", VIEW)
    marks = chart.lines[0].marks
    assert [mark.x for mark in marks] == sorted(mark.x for mark in marks)
    assert min(marks, key=lambda mark: mark.y) is marks[1]
    assert all(0 <= mark.x <= 100 and 0 <= mark.y <= 100 for mark in marks)


def test_points_that_came_in_any_order_are_drawn_in_order():
    mixed = tuple(reversed(points("1", "2", "3")))
    chart = trend("x", (Series("x", mixed),), "1", VIEW)
    assert [row.cells[0][0] for row in chart.rows] == ["3", "2", "1"]
    assert [mark.text.split(",")[0] for mark in chart.lines[0].marks] == ["x: 1", "x: 2", "x: 3"]


def test_what_lies_outside_the_range_is_flagged_in_the_drawing_the_table_and_the_sentence():
    band = Band(Decimal("3.5"), Decimal("5.1"), "Reference range")
    chart = trend("Potassium", (Series("Potassium", points("3.4", "3.5", "5.1", "5.2"), band),), "mmol/L", VIEW)
    assert [mark.flag for mark in chart.lines[0].marks] == ["low", "", "", "high"]
    assert [row.cells[0][1] for row in chart.rows] == ["high", "", "", "low"]
    assert "2 outside the range" in chart.summary
    assert "5.2\u00a0mmol/L, high" in chart.lines[0].marks[3].text
    drawn = chart.bands[0]
    assert drawn.top < chart.lines[0].marks[1].y == pytest.approx(drawn.top + drawn.height)


def test_an_open_band_reaches_the_edge():
    chart = trend("x", (Series("x", points("120", "140"), Band(None, Decimal(130), "Goal")),), "mm[Hg]", VIEW)
    assert chart.bands[0].top + chart.bands[0].height == pytest.approx(100)


def test_two_lines_share_rows_and_a_missing_value_is_an_empty_cell():
    systolic = points("120", "130")
    chart = trend("BP", (Series("Systolic", systolic), Series("Diastolic", systolic[:1])), "mm[Hg]", VIEW)
    assert [len(row.cells) for row in chart.rows] == [2, 2]
    assert chart.rows[0].cells[1] == ("", "", "")
    assert {line.shape for line in chart.lines} == {"circle", "square"}


def test_without_a_point_there_is_no_chart():
    assert trend("x", (Series("x", ()),), "1", VIEW) is None
    assert growth("x", [], [], birth=date(2024, 1, 1), unit_code="cm", view=VIEW) is None


def test_a_single_value_still_has_room_around_it():
    chart = trend("x", (Series("x", points("0")),), "1", VIEW)
    assert 0 < chart.lines[0].marks[0].y < 100
    assert chart.lines[0].marks[0].x == pytest.approx(50)


@given(st.lists(st.decimals(-(10**7), 10**7, places=3), min_size=1, max_size=30))
def test_every_value_is_inside_the_scale_and_ticks_are_few_and_in_order(values):
    scale, ticks = value_scale(values, "en")
    assert all(-0.001 <= scale.percent(float(value)) <= 100.001 for value in values)
    assert 2 <= len(ticks) <= CHART_TICKS_MAX + 1
    assert [tick.at for tick in ticks] == sorted({tick.at for tick in ticks})
    assert len({tick.text for tick in ticks}) == len(ticks)


@given(st.floats(1e-6, 1e9), st.integers(2, 9))
def test_steps_are_round(span, most):
    step = round_step(span, most)
    assert step * most >= span * (1 - 1e-6)
    assert re.fullmatch(r"(1|2|2\.5|5)0*e[+-]\d+", f"{step:.1e}".replace(".0e", "e"))


@given(st.integers(-600_000_000, 3_400_000_000), st.integers(0, 40_000 * 24), st.sampled_from(["en", "es"]))
def test_times_have_a_few_ticks_whatever_their_span(begin, hours, language):
    first = datetime.fromtimestamp(begin, UTC)
    instants = [first, first + timedelta(hours=hours)]
    scale, ticks = time_scale(instants, VIEW.zone, language)
    assert all(0 <= scale.percent(at.timestamp()) <= 100 for at in instants)
    assert 1 <= len(ticks) <= CHART_TICKS_MAX
    assert all(0 <= tick.at <= 100 for tick in ticks)


def test_ticks_of_a_stay_keep_to_midnight_when_the_clocks_change():
    stay = [datetime(2026, 10, 30, 12, tzinfo=UTC), datetime(2026, 11, 4, 12, tzinfo=UTC)]
    _, ticks = time_scale(stay, VIEW.zone, "en")
    assert [tick.text for tick in ticks] == ["Oct 31", "Nov 1", "Nov 2", "Nov 3", "Nov 4"]


def test_a_monitor_of_a_month_is_thinned_and_keeps_its_peaks():
    dense = [(float(number), float(number % 97)) for number in range(40_000)]
    dense[12_345] = (12_345.0, 999.0)
    kept = thinned(dense)
    assert len(kept) <= CHART_POINTS_MAX
    assert (12_345.0, 999.0) in kept
    assert kept == sorted(kept)
    assert kept[0] == dense[0]
    assert kept[-1] == dense[-1]


def test_a_path_is_turned_over_because_svg_counts_from_the_top():
    assert path([(0, 0), (100, 75)]) == "M0 100L100 25"


CURVES = tuple(
    Curve(number, ((0, 50 + shift), (24, 86 + shift), (60, 110 + shift)))
    for number, shift in ((3, -6), (50, 0), (97, 6))
)
BORN = date(2024, 1, 10)


def test_a_child_is_placed_between_percentiles():
    assert percentile(Decimal(86), 24, CURVES) == "50\u201397"
    assert percentile(Decimal(70), 24, CURVES) == "<\u00a03"
    assert percentile(Decimal(99), 24, CURVES) == ">\u00a097"
    assert percentile(Decimal(99), 80, CURVES) == ""


def test_a_growth_chart_says_age_value_and_percentile():
    measured = [(date(2025, 1, 10), Decimal("70.0")), (BORN, Decimal("50.5"))]
    chart = growth("Length", measured, CURVES, birth=BORN, unit_code="cm", view=VIEW)
    assert [cell[0] for cell in chart.rows[0].cells] == ["12 months", "70.0\u00a0cm", "50\u201397"]
    assert [cell[0] for cell in chart.rows[1].cells] == ["0 days", "50.5\u00a0cm", "50\u201397"]
    assert len(chart.guides) == 3
    assert chart.x_name == "Age in months"


def test_names_of_percentiles_never_cover_each_other():
    narrow = tuple(
        Curve(number, ((0, 50 + number / 50), (60, 110 + number / 50))) for number in (3, 10, 25, 50, 75, 90, 97)
    )
    chart = growth("Length", [(date(2027, 1, 10), Decimal(95))], narrow, birth=BORN, unit_code="cm", view=VIEW)
    named = sorted(line.end_y for line in chart.guides if line.named)
    assert len(named) >= 1
    assert all(second - first >= 3.4 for first, second in pairwise(named))


def test_a_small_course_rises_to_the_right_and_stays_inside():
    found = [tuple(map(float, one.split())) for one in spark(points("4.0", "5.0", "4.5")).lstrip("M").split("L")]
    assert [x for x, _ in found] == [0, 50, 100]
    assert found[0][1] > found[2][1] > found[1][1], "SVG counts from the top"
    assert all(0 < y < 100 for _, y in found)
    assert spark(points("4.0")) == ""
    assert spark(points("4.0", "5.0", every=timedelta())) == "", "at one instant nothing moved"
    assert len(spark(points("4.0", "4.0")).split("L")) == 2, "nothing that moves is a line, too"

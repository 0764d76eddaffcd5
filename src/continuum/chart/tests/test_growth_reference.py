"""The growth reference is in order, and a child's chart stands against it."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from continuum.chart.entry import Entry, Fact
from continuum.chart.growth_reference import LENGTH_CM, PERCENTILES, WEIGHT_KG, growth_chart
from continuum.chart.trends import Course
from continuum.ui.view import View, showing

READER = View(date(2026, 11, 23))


@pytest.mark.parametrize("table", [*LENGTH_CM.values(), *WEIGHT_KG.values()])
def test_percentiles_rise_with_age_and_never_cross(table):
    for _, values in table:
        assert len(values) == len(PERCENTILES)
        assert list(values) == sorted(set(values))
    for (age, earlier), (later_age, later) in pairwise(table):
        assert age < later_age
        assert all(first < second for first, second in zip(earlier, later, strict=True))


def course(code, *values, unit="cm"):
    facts = [(on, Fact("quantity", number=Decimal(text), unit=unit)) for on, text in values]
    entries = tuple(Entry("Observation", on, 1, "Height", on, facts=(("value", fact),)) for on, fact in facts)
    return Course(code, "Body height", own_title=True, entries=entries)


def test_a_toddler_is_drawn_against_five_curves_and_told_in_percentiles():
    with showing(READER):
        chart = growth_chart(
            course("8302-2", ("2026-08-27", "86.8"), ("2025-02-27", "66.5")), born="2024-08-27", sex="male",
            reader=READER,
        )  # fmt: skip
    assert chart is not None
    assert len(chart.guides) == len(PERCENTILES)
    assert "50" in chart.rows[0].cells[2][0]


@pytest.mark.parametrize(
    ("born", "sex", "code"),
    [("1990-01-01", "male", "8302-2"), ("2024-08-27", "unknown", "8302-2"), ("2024-08-27", "male", "8867-4"),
     ("2024", "male", "8302-2")],
)  # fmt: skip
def test_where_there_is_no_reference_there_is_no_chart(born, sex, code):
    with showing(READER):
        assert growth_chart(course(code, ("2026-08-27", "86.8")), born=born, sex=sex, reader=READER) is None

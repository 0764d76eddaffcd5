"""Values keep the digits they were measured with, and their units are those that people write."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.ui.formats.quantities import bounds, number, quantity, unit


@pytest.mark.parametrize(
    ("value", "code", "comparator", "shown"),
    [
        (Decimal("5.0"), "mg/dL", "", "5.0\u00a0mg/dL"),
        (Decimal(98), "%", "", "98%"),
        (Decimal("0.01"), "ng/mL", "<", "<\u00a00.01\u00a0ng/mL"),
        (Decimal(60), "mL/min/{1.73_m2}", ">=", "≥\u00a060\u00a0mL/min/1.73 m²"),
        (Decimal("-2.5"), "{score}", "", "\u22122.5"),
        (Decimal("36.9"), "Cel", "", "36.9\u00a0°C"),
        (Decimal(120), "mm[Hg]", "", "120\u00a0mmHg"),
        (Decimal(250000), "/uL", "", "250,000\u00a0/uL"),
        (Decimal(1250), "mL", "", "1250\u00a0mL"),
    ],
)
def test_quantities_as_people_write_them(value, code, comparator, shown):
    assert quantity(value, code, "en", comparator) == shown


def test_spanish_of_the_united_states_writes_points_as_its_readers_do():
    assert number(Decimal("5.40"), "es") == "5.40"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_no_digit_is_lost_or_made_up(value):
    assert Decimal(number(value, "en").replace(",", "").replace("\u2212", "-")) == value
    assert number(value, "en").partition(".")[2] == str(value).partition(".")[2]


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (Decimal("3.5"), Decimal("5.1"), "3.5\u2013\u20605.1\u00a0mmol/L"),
        (None, Decimal("5.6"), "≤\u00a05.6\u00a0mmol/L"),
        (Decimal(60), None, "≥\u00a060\u00a0mmol/L"),
        (None, None, ""),
    ],
)
def test_a_range_may_be_open(low, high, shown):
    assert bounds(low, high, "mmol/L", "en") == shown


def test_annotations_of_ucum_are_not_shown_as_units():
    assert unit("{score}") == unit("1") == ""
    assert unit("mg/kg") == "mg/kg"

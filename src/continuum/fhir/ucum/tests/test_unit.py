"""Units mean what UCUM says they mean, exactly; what is not certain to be the same is not taken for it."""

import time
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.ucum import Unit, unit_of
from continuum.fhir.ucum.atoms import AFFINE, ARBITRARY, BASES, METRIC, PLAIN, PREFIXES


def converted(number, code, other):
    there, here = unit_of(other), unit_of(code)
    assert here.dimension == there.dimension, (code, other)
    return there.of_canonical(here.canonical(Decimal(number)))


@pytest.mark.parametrize(
    ("number", "code", "same", "other"),
    [
        ("5.4", "mg", "0.0054", "g"), ("0.0054", "g", "5400", "ug"), ("90", "mg/dL", "0.9", "g/L"),
        ("90", "mg%", "90", "mg/dL"), ("7", "mmol/L", "7000", "umol/L"), ("140", "meq/L", "140", "mmol/L"),
        ("72", "/min", "1.2", "Hz"), ("72", "{beats}/min", "4320", "/h"), ("98.6", "[degF]", "37", "Cel"),
        ("-40", "[degF]", "-40", "Cel"), ("0", "Cel", "273.15", "K"), ("1", "[in_i]", "2.54", "cm"),
        ("6", "[ft_i]", "1.8288", "m"), ("1", "[lb_av]", "453.59237", "g"), ("16", "[oz_av]", "1", "[lb_av]"),
        ("760", "mm[Hg]", "101.32472", "kPa"), ("10", "mm[Hg]", "1.33322", "kPa"), ("1", "[mi_i]", "1.609344", "km"),
        ("1", "[gal_us]", "3.785411784", "L"), ("1", "[tsp_us]", "4.92892159375", "mL"), ("1", "L", "1", "dm3"),
        ("4.5", "10*3/uL", "4.5", "10*9/L"), ("4.5", "10*6/uL", "4500000", "/mm3"), ("50", "%", "0.5", "1"),
        ("60", "U/L", "1", "ukat/L"), ("1", "k[iU]/L", "1", "[iU]/mL"), ("1", "[IU]/L", "1", "m[iU]/mL"),
        ("2000", "kcal", "8.368", "MJ"), ("24", "mg/(24.h)", "1", "mg/h"), ("1", "a", "365.25", "d"),
        ("70", "kg/m2", "0.007", "kg/cm2"), ("120", "mL/min/{1.73_m2}", "2", "mL/s"), ("90", "deg", "5400", "'"),
        ("1", "mL/min/(173.10*-2.m2)", "1", "(mL/min)/173/(m2/100)"), ("3", "m[IU]/L", "3", "u[IU]/mL"),
    ],
)  # fmt: skip
def test_the_same_amount_in_another_unit(number, code, same, other):
    assert converted(number, code, other) == Fraction(same)
    assert converted(same, other, code) == Fraction(number)


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("[iU]/L", "/L"), ("[iU]", "1"), ("[iU]", "[arb'U]"), ("[pH]", "1"), ("[pH]", "mol/L"), ("mol/L", "/L"),
        ("U", "[iU]"), ("/[HPF]", "%"), ("[CFU]/mL", "/mL"), ("mg/dL", "mmol/L"), ("mg", "mL"), ("rad", "deg"),
        ("[anti'Xa'U]", "[iU]"), ("K", "J"), ("B[SPL]", "B"),
    ],
)  # fmt: skip
def test_what_measures_something_else_is_not_compared(code, other):
    assert unit_of(code).dimension != unit_of(other).dimension


@pytest.mark.parametrize(
    "code",
    [
        "", "foo", "mmHg", "mg//L", "mg/", "(mg", "mg)", "MGR", "mL/min/1.73.m2", "mL/min/1.73m2", "0", "mg/0", "mCel",
        "Cel/min", "k%", "kmin", "mg L", "10*99999", "[unknown'U]", "m" * 500, "(" * 50 + "m" + ")" * 50, "{open", "µg",
        "9999999999999", "m/s/s/(", "\u0661",
    ],
)  # fmt: skip
def test_what_is_no_unit_here_is_said_to_be_none(code):
    assert unit_of(code) is None


def test_every_definition_can_be_read_and_every_prefixed_unit_too():
    for code in (*BASES, *ARBITRARY, *METRIC, *PLAIN, *AFFINE):
        assert unit_of(code) is not None, code
    for code in (*BASES, *METRIC):
        for prefix, power in PREFIXES.items():
            whole = unit_of(prefix + code)
            if prefix + code in {*BASES, *METRIC, *PLAIN, *AFFINE}:
                continue  # `cd` is the candela, not a hundredth of a day
            assert whole is not None, prefix + code
            assert whole.factor == unit_of(code).factor * Fraction(10) ** power


def test_a_unit_is_its_form():
    for code in ("mg/dL", "[degF]", "1", "m[iU]/mL", "/min"):
        assert Unit.of_form(unit_of(code).form) == unit_of(code)
    assert unit_of("mg/dL").form == unit_of("10.ug/mL{total}").form == unit_of("mg%").form


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6),
    st.sampled_from(["mg", "[degF]", "/min", "[lb_av]", "mm[Hg]", "a", "[tsp_us]"]),
)
def test_there_and_back_is_the_same_number(number, code):
    unit = unit_of(code)
    assert unit.of_canonical(unit.canonical(number)) == Fraction(number)


@given(st.text(alphabet="mgLkdh/.*^10()[]{}iU%'s", max_size=24))
def test_nothing_that_is_written_is_an_error(code):
    unit = unit_of(code)
    assert unit is None or unit.factor > 0


def test_the_worst_code_is_read_in_a_moment():
    began = time.process_time()
    unit_of("Ym36" * 30)
    unit_of("/".join(["Ym36/ys36"] * 12))
    unit_of("(" * 8 + ".".join(["999999999999"] * 8) + ")" * 8)
    assert time.process_time() - began < 0.1

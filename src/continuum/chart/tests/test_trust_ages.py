"""Growing up: what a parent sees changes on the birthday, by itself."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.chart.personal import Limits
from continuum.chart.trust import by_age, by_parts, last_day_as_a_child, narrowed
from continuum.identity.registry import Person


def born_on(day):
    return Person("p", "9900000001", "A", "B", "female", day, "x", "x", "x", "x", "US")


@pytest.mark.parametrize(
    ("today", "seen"),
    [
        (date(2026, 3, 30), "all"), (date(2026, 3, 31), "part"), (date(2032, 3, 30), "part"),
        (date(2032, 3, 31), "nothing"),
    ],
)  # fmt: skip
def test_on_the_12th_and_on_the_18th_birthday_it_is_less(today, seen):
    limits = by_age(born_on(date(2014, 3, 31)).age_years(today))
    assert ("nothing" if limits is None else "part" if limits.closed else "all") == seen


@given(st.dates(date(1930, 1, 1), date(2026, 1, 1)))
def test_the_last_day_as_a_child_is_the_one_before_coming_of_age(born):
    last = last_day_as_a_child(born)
    assert born_on(born).age_years(last) == 17
    assert born_on(born).age_years(last + timedelta(days=1)) == 18


@given(st.integers(0, 120), st.frozensets(st.sampled_from(["conditions", "visits", "protected", "service"])))
def test_a_paper_never_opens_more_than_the_age_allows_nor_more_than_it_names(age, parts):
    given_ = by_parts(parts)
    found, of_age = narrowed(given_, age), by_age(age) or Limits()
    assert found.closed >= given_.closed | of_age.closed
    assert found.sections is not None
    assert found.sections <= (given_.sections or frozenset())
    assert of_age.sections is None or found.sections <= of_age.sections

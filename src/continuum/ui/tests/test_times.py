"""Days, instants and ages are written for one reader, and never more exactly than they are known."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.ui.formats.times import age, day, day_in, instant, months_between, zone_name

TODAY = date(2026, 11, 23)
GUAM = ZoneInfo("Pacific/Guam")
DENVER = ZoneInfo("America/Denver")


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        ("2026-11-23", "Nov 23, 2026", "23 nov 2026"),
        ("2026-03", "Mar 2026", "mar 2026"),
        ("1998", "1998", "1998"),
        (date(2026, 3, 4), "Mar 4, 2026", "4 mar 2026"),
    ],
)
def test_a_day_is_written_as_exactly_as_it_is_known(value, english, spanish):
    assert day(value, "en").text == english
    assert day(value, "es").text == spanish
    assert day(value, "en").machine == str(value)


def test_one_instant_is_two_days_in_two_places_and_says_its_zone():
    at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert instant(at, "en", DENVER).text == "Nov 22, 2026, 18:30 MST"
    assert instant(at, "en", GUAM).text.startswith("Nov 23, 2026, 11:30 ")
    assert instant("2026-11-22T18:30:00-07:00", "en", ZoneInfo("UTC")).text == "Nov 23, 2026, 01:30 UTC"
    assert day_in(at, DENVER) == date(2026, 11, 22)
    assert day_in("2026-11", DENVER) == "2026-11"
    assert instant(at, "en", DENVER).machine == "2026-11-23T01:30:00Z"


def test_a_zone_is_named_as_it_is_called_at_that_time_of_the_year():
    assert zone_name(datetime(2026, 11, 23, 9, tzinfo=UTC), "en", DENVER) == "MST"
    assert zone_name(datetime(2026, 7, 1, 9, tzinfo=UTC), "en", DENVER) == "MDT"


def test_an_instant_without_a_zone_is_refused_because_nobody_knows_when_it_was():
    with pytest.raises(ValueError, match="no time zone"):
        instant("2026-11-22T18:30:00", "en", DENVER)


def test_what_is_known_to_the_day_gets_no_hour():
    assert instant("2026-11-22", "en", DENVER).text == "Nov 22, 2026"


@pytest.mark.parametrize(
    ("birth", "english", "spanish"),
    [
        (TODAY, "0 days", "0 días"),
        (TODAY - timedelta(days=1), "1 day", "1 día"),
        (TODAY - timedelta(days=27), "27 days", "27 días"),
        (TODAY - timedelta(days=28), "4 weeks", "4 semanas"),
        (TODAY - timedelta(days=90), "12 weeks", "12 semanas"),
        (TODAY - timedelta(days=91), "2 months", "2 meses"),
        (date(2024, 11, 24), "23 months", "23 meses"),
        (date(2024, 11, 23), "2 years", "2 años"),
        (date(1961, 11, 24), "64 years", "64 años"),
        (date(1961, 11, 23), "65 years", "65 años"),
        ("1990", "≈ 36 years", "≈ 36 años"),
        ("2026-11", "≈ 8 days", "≈ 8 días"),
    ],
)
def test_ages_are_told_as_clinicians_tell_them(birth, english, spanish):
    assert age(birth, TODAY, "en") == english
    assert age(birth, TODAY, "es") == spanish


def test_nobody_is_born_tomorrow():
    with pytest.raises(ValueError, match="after"):
        age(TODAY + timedelta(days=1), TODAY, "en")


def test_a_child_of_february_29_ages_on_march_1():
    assert months_between(date(2024, 2, 29), date(2025, 2, 28)) == 11
    assert months_between(date(2024, 2, 29), date(2025, 3, 1)) == 12


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 4000))
def test_nobody_grows_younger(born, later):
    first, second = TODAY, TODAY + timedelta(days=later)
    assert months_between(born, first) <= months_between(born, second)


def test_a_zone_has_its_summer_name_in_summer_and_its_old_name_in_old_times():
    assert instant("2026-07-04T12:00:00Z", "en", DENVER).text == "Jul 4, 2026, 06:00 MDT"
    assert instant("2026-12-04T12:00:00Z", "en", DENVER).text == "Dec 4, 2026, 05:00 MST"
    assert instant("1943-07-04T12:00:00Z", "en", ZoneInfo("America/New_York")).text == "Jul 4, 1943, 08:00 EWT"

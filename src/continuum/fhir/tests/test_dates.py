"""A written date covers exactly what its precision says, whatever the calendar and the zones come up with."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.dates import interval
from continuum.fhir.primitives import is_date, is_dateTime, is_instant, is_time
from continuum.kernel.clock import EPOCH, MAX_US, MIN_US

DAY_US = 86_400_000_000
MICROSECOND = timedelta(microseconds=1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSIDE = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31))  # noqa: DTZ001  the zone is drawn beside it


def us(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@given(INSIDE, ZONES)
def test_an_instant_to_the_microsecond_is_itself_in_every_zone(naive, zone):
    moment = naive.replace(tzinfo=zone)
    assert interval(written(moment)) == (us(moment), us(moment))
    assert is_instant(written(moment))


@given(INSIDE, st.integers(0, 5))
def test_fewer_digits_of_a_second_cover_more(naive, digits):
    text = naive.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f"{naive.microsecond:06d}"[:digits]
    low, high = interval(f"{text}{'.' * bool(digits)}{fraction}Z")
    assert high - low == 10 ** (6 - digits) - 1
    assert low <= us(naive.replace(tzinfo=UTC)) <= high


@given(st.dates())
def test_a_year_is_its_months_and_a_month_is_its_days(day):
    year, month, exact = day.isoformat()[:4], day.isoformat()[:7], day.isoformat()
    assert interval(year)[0] <= interval(month)[0] <= interval(exact)[0]
    assert interval(exact)[1] <= interval(month)[1] <= interval(year)[1]
    assert interval(exact)[1] - interval(exact)[0] == DAY_US - 1
    assert interval(year) == (interval(f"{year}-01-01")[0], interval(f"{year}-12-31")[1])
    assert all(is_date(text) and is_dateTime(text) for text in (year, month, exact))


@given(st.text(alphabet="0123456789-T:.Z+ ", max_size=32) | st.text(max_size=12))
def test_any_other_text_is_refused_and_what_is_taken_is_in_order(text):
    try:
        low, high = interval(text)
    except ValueError:
        assert not is_date(text)
        assert not is_instant(text)
    else:
        assert MIN_US < low <= high < MAX_US


@pytest.mark.parametrize(
    ("text", "last_day"),
    [("0001", "0001-12-31"), ("9999", "9999-12-31"), ("9999-12", "9999-12-31"), ("2020-02", "2020-02-29"),
     ("1900-02", "1900-02-28"), ("2000-02", "2000-02-29"), ("2021-02", "2021-02-28")],
)  # fmt: skip
def test_the_ends_of_the_calendar_and_leap_years(text, last_day):
    assert interval(text)[1] == interval(last_day)[1]


def test_without_a_zone_a_date_is_read_as_utc():
    assert interval("2020-01-01T10:00") == interval("2020-01-01T10:00Z")
    assert interval("2020-01-01T10:00:00+14:00") == interval("2019-12-31T20:00:00Z")
    assert interval("2020-01-01T10:00:00-14:00") == interval("2020-01-02T00:00:00Z")


def test_a_leap_second_falls_into_the_second_before_it():
    assert interval("2016-12-31T23:59:60Z") == interval("2016-12-31T23:59:59Z")
    assert is_instant("2016-12-31T23:59:60Z")
    assert not is_instant("2016-12-31T23:59:61Z")


@pytest.mark.parametrize(
    "text",
    ["0000", "2021-02-29", "2021-02-30", "2021-13", "2021-00", "2021-1-1", "21", "2021\n", " 2021", "٢٠٢٠",
     "2021-01-01T24:00:00Z", "2021-01-01T10:00:00+14:01", "2021-01-01T10:00:00+24:00", "2021-01-01T10:00:00+12:99",
     "2021-01-01T10:00:00.Z", "2021-01-01T10:00:00.٣Z", "2021-01-01t10:00:00Z", "2021-01-01 10:00:00Z"],
)  # fmt: skip
def test_what_is_no_date_is_none_for_search_and_validation_alike(text):
    with pytest.raises(ValueError, match=r"."):
        interval(text)
    assert not is_date(text)
    assert not is_dateTime(text)
    assert not is_instant(text)


def test_a_date_in_a_resource_says_a_time_to_the_second_or_none():
    assert not is_dateTime("2021-01-01T10:00Z")
    assert not is_dateTime("2021-01-01T10:00:00")
    assert not is_instant("2021-01-01")
    assert not is_date("2021-01-01T10:00:00Z")
    assert not is_time("24:00:00")
    assert not is_time("1\u0660:00:00")
    assert is_time("23:59:60")
    assert is_date(date.max.isoformat())

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.apps.fhir_api.instants import parse_instant
from continuum.kernel.clock import instant
from continuum.kernel.errors import Malformed


def us(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "low", "after"),
    [
        ("2024", us(2024, 1, 1), us(2025, 1, 1)),
        ("2024-02", us(2024, 2, 1), us(2024, 3, 1)),
        ("2024-12", us(2024, 12, 1), us(2025, 1, 1)),
        ("2024-02-29", us(2024, 2, 29), us(2024, 3, 1)),
        ("2024-02-29T10:30", us(2024, 2, 29, 10, 30), us(2024, 2, 29, 10, 31)),
        ("2024-02-29T10:30:05Z", us(2024, 2, 29, 10, 30, 5), us(2024, 2, 29, 10, 30, 6)),
        ("2024-02-29T10:30:05.25Z", us(2024, 2, 29, 10, 30, 5) + 250_000, us(2024, 2, 29, 10, 30, 5) + 260_000),
        ("2024-02-29T10:30:05+02:00", us(2024, 2, 29, 8, 30, 5), us(2024, 2, 29, 8, 30, 6)),
        ("2024-02-29T10:30:05 02:00", us(2024, 2, 29, 8, 30, 5), us(2024, 2, 29, 8, 30, 6)),
        ("2024-02-29T10:30:05-05:30", us(2024, 2, 29, 16, 0, 5), us(2024, 2, 29, 16, 0, 6)),
    ],
)
def test_what_is_written_means_all_of_its_time(text, low, after):
    assert parse_instant(text, "_at") == (low, after - 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-13",
        "2024-02-30",
        "2023-02-29",
        "2024-02-29T24:00",
        "2024-1-1",
        "now",
        "2024-02-29T10",
        "2024-02-29T10:30:05+25:00",
        "0000",
        "2024-02-29T10:30:05Z\n",
    ],
)
def test_what_is_no_time_is_refused_by_name(text):
    with pytest.raises(Malformed, match="_since must be a date or time"):
        parse_instant(text, "_since")


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001  the zone is drawn beside it


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_the_same_moment_in_any_zone_is_the_same(moment, offset_min):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    there = moment.astimezone(timezone(timedelta(minutes=offset_min)))
    low, high = parse_instant(there.isoformat(timespec="milliseconds"), "_at")
    assert instant(low) == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert high - low == 999

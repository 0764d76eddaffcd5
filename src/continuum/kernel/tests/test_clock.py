"""Time is a value: microseconds since 1970 UTC, written as a FHIR instant."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.kernel import clock

YEAR_1_US = -62_135_596_800_000_000
YEAR_9999_US = 253_402_300_799_999_000


@pytest.mark.parametrize(
    ("us", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_413_600_123_000, "2026-11-23T06:00:00.123Z"),
        (1_709_164_800_000_000, "2024-02-29T00:00:00.000Z"),
        (-1_000, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_written_in_utc_with_milliseconds(us, written):
    assert clock.instant(us) == written


@given(st.integers(min_value=YEAR_1_US // 1_000, max_value=YEAR_9999_US // 1_000))
def test_every_instant_of_four_digit_years_reads_back_equal(ms):
    written = clock.instant(ms * 1_000)
    assert len(written) == len("2026-11-23T06:00:00.123Z")
    read = datetime.fromisoformat(written) - clock.EPOCH
    assert (read.days * 86_400 + read.seconds) * 1_000 + read.microseconds // 1_000 == ms


def test_now_is_between_before_and_after_and_cut_to_whole_milliseconds():
    before = time.time_ns() // 1_000_000 * 1_000
    now = clock.now_us()
    after = time.time_ns() // 1_000
    assert before <= now <= after
    assert now % 1_000 == 0


def test_open_ends_lie_beyond_every_date_and_inside_a_signed_64_bit_column():
    first = datetime(1, 1, 1, tzinfo=UTC) - clock.EPOCH
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - clock.EPOCH
    assert -(2**63) < clock.MIN_US < first.total_seconds() * 1e6
    assert last.total_seconds() * 1e6 < clock.MAX_US < 2**63

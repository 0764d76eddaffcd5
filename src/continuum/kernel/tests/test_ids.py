"""UUIDv7 as RFC 9562 §5.7 lays it out, and usable as a FHIR id."""

import re
import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from continuum.kernel import limits
from continuum.kernel.ids import uuid7

MOMENTS_MS = st.integers(min_value=0, max_value=2**48 - 1)


@given(MOMENTS_MS)
def test_an_id_says_its_version_its_variant_and_its_moment(now_ms):
    made = uuid.UUID(uuid7(now_ms))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == now_ms


@given(MOMENTS_MS, MOMENTS_MS)
def test_ids_sort_as_text_in_the_order_they_were_made(one_ms, other_ms):
    if one_ms < other_ms:
        assert uuid7(one_ms) < uuid7(other_ms)


def test_ten_thousand_ids_of_the_same_millisecond_differ():
    assert len({uuid7(1_795_413_600_123) for _ in range(10_000)}) == 10_000


def test_an_id_carries_the_present_moment_unless_told_otherwise():
    before_ms = time.time_ns() // 1_000_000
    made_ms = uuid.UUID(uuid7()).int >> 80
    assert before_ms <= made_ms <= time.time_ns() // 1_000_000


def test_an_id_is_a_fhir_id():
    made = uuid7()
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", made)
    assert made == made.lower()
    assert len(made) <= limits.ID_MAX_CHARS

"""Time as a value that is passed in, so that rules and tests can say what "now" is.

Instants inside the record are whole **microseconds since 1970-01-01T00:00:00Z** (`*_us`, int64);
`meta.lastUpdated` is kept at whole milliseconds.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_US = -(2**62)
"""An open beginning: earlier than any date that R4 can write."""
MAX_US = 2**62
"""An open end: later than any date that R4 can write."""

Clock = Callable[[], int]
"""Returns the present instant in microseconds."""


def now_us() -> int:
    """The present instant in microseconds, cut to whole milliseconds."""
    return time.time_ns() // 1_000_000 * 1_000


def instant(us: int) -> str:
    """Formats microseconds as a FHIR `instant` in UTC with milliseconds: `2026-11-23T06:00:00.123Z`."""
    moment = EPOCH + timedelta(microseconds=us)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"

"""Time as a value that is passed in, so that rules and tests can say what "now" is.

Instants inside the record are whole **microseconds since 1970-01-01T00:00:00Z** (`*_us`, int64);
`meta.lastUpdated` is kept at whole milliseconds.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from continuum.kernel.limits import DATES_CACHED_MAX

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)
_DAY_MS = 86_400_000
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
    days, rest = divmod(us // 1_000, _DAY_MS)
    minutes, ms = divmod(rest, 60_000)
    return f"{_day(days)}T{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1_000:02d}.{ms % 1_000:03d}Z"


@lru_cache(maxsize=DATES_CACHED_MAX)
def _day(days: int) -> str:
    return (_FIRST_DAY + timedelta(days=days)).isoformat()

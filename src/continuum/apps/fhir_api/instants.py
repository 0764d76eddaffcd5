"""Dates and times in parameters as closed intervals of microseconds (R4 §2.24.0.1 `date`, `dateTime`, `instant`)."""

import re
from datetime import UTC, datetime, timedelta

from continuum.kernel.clock import EPOCH
from continuum.kernel.errors import Malformed

_WRITTEN = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+\- ]\d\d:\d\d)?)?)?)?\Z"
)
_ONE_US = timedelta(microseconds=1)


def parse_instant(text: str, name: str) -> tuple[int, int]:
    """The first and the last microsecond of what is written; without a zone it means UTC.

    A `+` that came undecoded as a space is taken as `+`.

    Raises:
        Malformed: it is no date or time, or none that exists.
    """
    found = _WRITTEN.match(text)
    if found is None:
        raise _malformed(text, name)
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        low = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")), tzinfo=UTC,
        ) - _offset(zone)  # fmt: skip
        if month is None:
            high = low.replace(year=low.year + 1)
        elif day is None:
            high = low.replace(year=low.year + low.month // 12, month=low.month % 12 + 1)
        else:
            high = low + _width(hour, second, fraction)
    except (ValueError, OverflowError) as error:
        raise _malformed(text, name) from error
    return (low - EPOCH) // _ONE_US, (high - EPOCH) // _ONE_US - 1


def _width(hour: str | None, second: str | None, fraction: str | None) -> timedelta:
    if hour is None:
        return timedelta(days=1)
    if second is None:
        return timedelta(minutes=1)
    if fraction is None:
        return timedelta(seconds=1)
    return timedelta(microseconds=10 ** max(0, 6 - len(fraction)))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError("no such zone")
    size = timedelta(hours=hours, minutes=minutes)
    return -size if zone[0] == "-" else size


def _malformed(text: str, name: str) -> Malformed:
    return Malformed(f"{name} must be a date or time such as 2026-11-23T06:00:00Z, not {text}.")

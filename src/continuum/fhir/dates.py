"""Dates of R4 as closed intervals of whole microseconds: what a written precision covers (R4 §3.1.1.4.7)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from continuum.kernel.clock import EPOCH
from continuum.kernel.limits import DATES_CACHED_MAX

ZONE = r"Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)"
"""A time zone as R4 writes it: no place on Earth is further than 14 hours from UTC."""
_SHAPE = re.compile(rf"(\d{{4}})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?({ZONE})?)?)?)?", re.ASCII)
_DAY_US = 86_400_000_000
_MICROSECOND = timedelta(microseconds=1)


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


@lru_cache(maxsize=DATES_CACHED_MAX)
def interval(text: str) -> tuple[int, int]:
    """(low_us, high_us) of a date, dateTime or instant; without a time zone it is read as UTC.

    A leap second is read as the last microsecond-second of its minute. Raises ValueError for anything else.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError(f"{text!r} is not a date of FHIR")
    year, month, day, hour, minute, second, fraction, zone = shape.groups()
    if month is None:
        low = _us(datetime(int(year), 1, 1, tzinfo=UTC))
        end = int(year) + 1
        return low, (_us(datetime(end, 1, 1, tzinfo=UTC)) if end < 10_000 else low + 365 * _DAY_US) - 1
    if day is None:
        low = _us(datetime(int(year), int(month), 1, tzinfo=UTC))
        later = (int(year) + int(month) // 12, int(month) % 12 + 1)
        return low, (_us(datetime(*later, 1, tzinfo=UTC)) if later[0] < 10_000 else low + 31 * _DAY_US) - 1
    if hour is None:
        low = _us(datetime(int(year), int(month), int(day), tzinfo=UTC))
        return low, low + _DAY_US - 1
    whole = min(int(second or 0), 59)
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), whole, tzinfo=_zone(zone))
    low = _us(moment)
    if second is None:
        return low, low + 60_000_000 - 1
    if fraction is None:
        return low, low + 1_000_000 - 1
    digits = fraction[:6]
    low += int(digits.ljust(6, "0"))
    return low, low + 10 ** (6 - len(digits)) - 1


@lru_cache(maxsize=256)
def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))

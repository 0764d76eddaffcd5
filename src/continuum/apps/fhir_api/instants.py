"""Dates and times in parameters as closed intervals of microseconds (R4 §2.24.0.1 `date`, `dateTime`, `instant`)."""

from continuum.fhir.dates import interval
from continuum.kernel.errors import Malformed


def parse_instant(text: str, name: str) -> tuple[int, int]:
    """The first and the last microsecond of what is written; without a zone it means UTC.

    A `+` that came undecoded as a space is taken as `+`.

    Raises:
        Malformed: it is no date or time, or none that exists.
    """
    try:
        return interval(text.replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        raise Malformed(f"{name} must be a date or time such as 2026-11-23T06:00:00Z, not {text}.") from error

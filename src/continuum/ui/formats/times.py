"""Days, instants and ages as text, in the reader's language and zone.

FHIR dates may be a year, a month or a day (R4 §2.24.0.1): what is not known is not written. Months are words,
because 03/04 is two days in two countries.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, get_timezone_name

from continuum.kernel.limits import (
    DATES_CACHED_MAX,
)
from continuum.ui.language import ngettext_in
from continuum.ui.limits import (
    INSTANTS_CACHED_MAX,
    ZONE_NAMES_CACHED_MAX,
)

DAYS_UNTIL_WEEKS = 28
MONTHS_UNTIL_YEARS = 24
WEEKS_UNTIL_MONTHS = 13
_ZONE_YEAR = 2026
"""A year of today's rules, to look a zone's names up in."""


@lru_cache(maxsize=8)
def locale_of(language: str) -> Locale:
    """CLDR's conventions for one of our languages, as they are in the United States."""
    return Locale.parse(f"{language}_US")


@dataclass(frozen=True, slots=True)
class Written:
    """A time as text, and as machines read it (the `datetime` of HTML's `time`)."""

    text: str
    machine: str


def day(value: date | str, language: str) -> Written:
    """A date of any precision: `Nov 23, 2026`, `Nov 2026`, `2026`.

    Args:
        value: a date, or FHIR's text of one: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
        language: of the reader.

    Raises:
        ValueError: the text is no date.
    """
    if isinstance(value, str):
        parts = value.split("-")
        if len(parts) == 1:
            return Written(f"{int(value):04d}", value)
        if len(parts) == 2:
            first = date(int(parts[0]), int(parts[1]), 1)
            return Written(format_skeleton("yMMM", first, locale=locale_of(language)), value)
        value = date.fromisoformat(value)
    return Written(_day_text(value, language), value.isoformat())


@lru_cache(maxsize=DATES_CACHED_MAX)
def _day_text(value: date, language: str) -> str:
    """Kept, because finding CLDR's pattern costs more than the rest of a row, and days come again and again."""
    return str(format_date(value, "medium", locale=locale_of(language)))


@lru_cache(maxsize=ZONE_NAMES_CACHED_MAX)
def _zone_name(zone: ZoneInfo, abbreviation: str | None, language: str) -> str:
    """CLDR's short name of a zone, in that part of the year in which the zone calls itself by an abbreviation.

    What a zone was called under former rules (`EWT` in 1943) stays the abbreviation.
    """
    if zone.key == "UTC":
        return "UTC"
    for month in range(1, 13):
        at = datetime(_ZONE_YEAR, month, 15, 12, tzinfo=zone)
        if at.tzname() == abbreviation:
            return str(get_timezone_name(at, width="short", locale=locale_of(language)))
    return abbreviation or zone.key


def zone_name(value: datetime, language: str, zone: ZoneInfo) -> str:
    """What a zone is called at that time of the year: `MST`."""
    return _zone_name(zone, value.astimezone(zone).tzname(), language)


@lru_cache(maxsize=INSTANTS_CACHED_MAX)
def instant(value: datetime | str, language: str, zone: ZoneInfo) -> Written:
    """An instant in the reader's zone, which is named: `Nov 23, 2026, 14:05 EST`. Text shorter than a day is a day.

    Raises:
        ValueError: the text is no date; or the instant has no zone, so that nobody can say when it was.
    """
    if isinstance(value, str):
        if "T" not in value:
            return day(value, language)
        value = datetime.fromisoformat(value)
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone.")
    local = value.astimezone(zone)
    text = f"{_day_text(local.date(), language)}, {clock(local)} {_zone_name(zone, local.tzname(), language)}"
    return Written(text, value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))


@lru_cache(maxsize=DATES_CACHED_MAX)
def weekday(value: date, language: str) -> str:
    """A day with its day of the week: `Tue, Nov 24, 2026`."""
    return str(format_skeleton("yMMMEd", value, locale=locale_of(language)))


def clock(value: datetime) -> str:
    """Hours and minutes as the services and hospitals write them: `14:05`."""
    return f"{value:%H:%M}"


def day_in(value: datetime | str, zone: ZoneInfo) -> date | str:
    """The day on which something was, in a zone; a date without a time is that date everywhere."""
    if isinstance(value, str):
        if "T" not in value:
            return value
        value = datetime.fromisoformat(value)
    return value.astimezone(zone).date()


def age(birth: date | str, on: date, language: str) -> str:
    """An age as clinicians say it: days to 4 weeks, weeks to 3 months, months to 2 years, then years.

    A birth date without its day gives an age that may be one too high, so it is marked: `about 41 years`.

    Raises:
        ValueError: born after `on`, or the text is no date.
    """
    exact = not isinstance(birth, str) or len(birth) == 10
    born = (
        birth
        if isinstance(birth, date)
        else date.fromisoformat(f"{birth}-07-01"[:10] if len(birth) == 4 else f"{birth}-15"[:10])
    )
    if born > on and exact:
        raise ValueError(f"Born {born}, which is after {on}.")
    text = _exact_age(min(born, on), on, language)
    return text if exact else "≈ " + text


def months_between(born: date, on: date) -> int:
    """Whole months from one day to another."""
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def _exact_age(born: date, on: date, language: str) -> str:
    days = (on - born) // timedelta(days=1)
    months = months_between(born, on)
    if days < DAYS_UNTIL_WEEKS:
        return ngettext_in(language, "%(num)s day", "%(num)s days", days)
    if days // 7 < WEEKS_UNTIL_MONTHS:
        return ngettext_in(language, "%(num)s week", "%(num)s weeks", days // 7)
    if months < MONTHS_UNTIL_YEARS:
        return ngettext_in(language, "%(num)s month", "%(num)s months", months)
    return ngettext_in(language, "%(num)s year", "%(num)s years", months // 12)

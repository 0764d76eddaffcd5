"""Everything that happened to one person, from every source, in one order: newest first.

A page ends with a day, and the next one begins before it. Days are those that entries say of themselves, by whatever
clock; searches go by instants, so that a page asks for half a day more and leaves out again what is not older.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from continuum.access.views import View
from continuum.chart.banner import SEARCHES
from continuum.chart.dated import FIRST_DAY, among_newest, day_before, day_of, in_order
from continuum.chart.entry import Entry
from continuum.chart.limits import DAY_COUNT, TIMELINE_COUNT, UNDATED_COUNT
from continuum.chart.section import Section, Viewer, criteria, made, sections
from continuum.chart.trends import moment

_UNDATED = ".undated"
"""After the key of a section: those of its entries that lack the date by which its others are found."""
_DAY = timedelta(days=1)
_AHEAD = timedelta(hours=14)
"""The clock that is the furthest ahead of UTC."""
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The last day of all stands in some records for "never"."""
_MORE = 10
"""So many more than a page has, so that a page that one kind fills need not ask for its last day again."""
Met = tuple[Section, Entry]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it. on: the day before which the next page begins; "" on the last one."""

    entries: tuple[Met, ...]
    on: str


def kinds() -> tuple[Section, ...]:
    """The sections that are in it."""
    return tuple(one for one in sections().values() if one.before)


async def timeline(
    session: Viewer,
    patient_id: str,
    *,
    before: str = "",
    only: str = "",
    staff: bool = True,
    count: int = TIMELINE_COUNT,
) -> tuple[View, Timeline]:
    """One page: the newest of each kind before a day, put together; no kind hides another.

    before: a day as FHIR writes it; "", or what is none, begins with the newest. only: the key of one section. staff:
    whether it is for them, under the banner. count: of entries. Raises NotFound.
    """
    chosen = [one for one in kinds() if not only or one.key == only]
    before = _valid(before)
    # Among those of the half day more there may be as many as on a page.
    asked = 2 * count if before else count + _MORE
    searches = dict(SEARCHES) if staff else {}
    for one in chosen:
        searches[one.key] = criteria(one, count=asked, more=f"&{one.before}=lt{before}T12:00:00Z" if before else "")
        if one.undated:
            searches[f"{one.key}{_UNDATED}"] = criteria(one, count=UNDATED_COUNT, more=f"&{one.before}:missing=true")
    # A person is shown less than is found, so that the newest of what is found may not fill their page.
    fewer = among_newest(chosen, count, before) if staff else None
    view = await session.view("timeline", patient_id, searches, fewer=fewer)
    met = _met(view, chosen, before)
    if len(met) <= count and not any(one.key in view.on for one in chosen):
        return view, Timeline(tuple(met), "")
    if not met and before in {"", FIRST_DAY}:
        return view, Timeline((), "")
    on = day_of(met[:count][-1][1].when) if met else day_before(before)
    # A day is never cut in two, because the next page begins with the day before it.
    full = {one.key: floor for one in chosen if (floor := _floor(one, view, asked)) >= on}
    if full:
        on = max(full.values())
        if before and on >= before:
            on = day_before(before)
        met = await _whole(session, patient_id, [one for one in chosen if one.key in full], met, on, before)
    return view, Timeline(tuple(pair for pair in met if day_of(pair[1].when) >= on), on)


def _valid(day: str) -> str:
    try:
        return date.fromisoformat(day_of(day)).isoformat() if day else ""
    except ValueError:
        return ""


def _met(view: View, chosen: Sequence[Section], before: str) -> list[Met]:
    """The entries of a view that have a time before a day, newest first, each once."""
    met = []
    for one in chosen:
        found = (*view.found.get(one.key, ()), *view.found.get(f"{one.key}{_UNDATED}", ()))
        once = {resource["id"]: resource for resource in found}
        met += [(one, entry) for entry in made(one, view, once.values()) if entry.when]
    met = [pair for pair in met if not before or day_of(pair[1].when) < before]
    return sorted(met, key=lambda pair: in_order(pair[1].when), reverse=True)


def _floor(section: Section, view: View, asked: int) -> str:
    """The last day of which a section may have more than was found; "" where all was found that matters."""
    found = view.found.get(section.key, ())
    if section.key not in view.on or len(found) < asked:
        return ""
    # They came by instants, and what came last may have been a day later by another clock.
    last = next((entry.when for one in reversed(found) for entry in made(section, view, [one]) if entry.when), "")
    at = moment(last if len(last) > len("2026-01-01") else day_of(last))
    if at is None:
        return ""
    return (at + _AHEAD).astimezone(UTC).date().isoformat() if at < _NEVER else _NEVER.date().isoformat()


async def _whole(
    session: Viewer, patient_id: str, full: Sequence[Section], met: Sequence[Met], on: str, before: str
) -> list[Met]:  # fmt: skip
    """What was met, with all of these sections that is of the last day of a page."""
    begin, day = day_before(on), date.fromisoformat(on)
    first = f"{begin}T10:00:00Z" if begin < on else f"{on}T00:00:00Z"
    last = f"{day + _DAY}T12:00:00Z" if day < _NEVER.date() else f"{day}T23:59:59Z"
    searches = {
        one.key: criteria(one, count=DAY_COUNT, more=f"&{one.before}=ge{first}&{one.before}=lt{last}") for one in full
    }
    more = await session.view("timeline", patient_id, searches)
    known = {(one.key, entry.id) for one, entry in met}
    added = [pair for pair in _met(more, full, before) if (pair[0].key, pair[1].id) not in known]
    return sorted([*met, *added], key=lambda pair: in_order(pair[1].when), reverse=True)

"""Everything that happened to one person, from every source, in one order: newest first."""

from dataclasses import dataclass

from continuum.access.views import View
from continuum.chart.banner import SEARCHES
from continuum.chart.dated import among_newest
from continuum.chart.entry import Entry
from continuum.chart.limits import TIMELINE_COUNT
from continuum.chart.section import Section, Viewer, criteria, entries, sections


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it. on: the day before which the next page begins; "" on the last one."""

    entries: tuple[tuple[Section, Entry], ...]
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

    before: a FHIR date; "" begins now. only: the key of one section. staff: whether it is for them, under the
    banner. count: of entries. Raises NotFound.
    """
    chosen = [one for one in kinds() if not only or one.key == only]
    searches = dict(SEARCHES) if staff else {}
    for one in chosen:
        more = f"&{one.before}=lt{before}" if before else ""
        searches[one.key] = criteria(one, count=count, more=more)
    # A person is shown less than is found, so that the newest of what is found may not fill their page.
    fewer = among_newest(chosen, count, _instant) if staff else None
    view = await session.view("timeline", patient_id, searches, fewer=fewer)
    met = [(one, entry) for one in chosen for entry in entries(one, view, one.key) if entry.when]
    met.sort(key=lambda pair: _instant(pair[1].when), reverse=True)
    # A day is never cut in two, because the next page begins with the day before it.
    shown = met[:count]
    older = len(met) > count or any(one.key in view.on for one in chosen)
    on = shown[-1][1].day if shown and older else ""
    if on:
        shown = [pair for pair in met if pair[1].day >= on]
    return view, Timeline(tuple(shown), on)


def _instant(when: str) -> str:
    """Sorts times by their text: the day first; offsets of one person's day change no order that matters to people."""
    return when[:19].ljust(19, "~") if len(when) <= len("2026-01-01") else when[:19]

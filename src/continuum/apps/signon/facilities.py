"""Facilities by name, for pages on which people would else read ids."""

from collections.abc import Iterable, Mapping
from datetime import date

from continuum.access import Page
from continuum.access import Session as Door
from continuum.chart.limits import FACILITIES_CHOSEN_MAX, FACILITIES_KNOWN_MAX
from continuum.fhir.json import parse

_KNOWN: dict[tuple[str, date], str] = {}
"""Names by id and the day on which they were looked up: they may change overnight."""


async def named(door: Door, facilities: Iterable[str | None], today: date) -> Mapping[str, str]:
    """The names of facilities by their ids; one that the record does not know keeps its id."""
    wanted = sorted({one for one in facilities if one})
    missing = [one for one in wanted if (one, today) not in _KNOWN][:FACILITIES_CHOSEN_MAX]
    if missing:
        if len(_KNOWN) + len(missing) > FACILITIES_KNOWN_MAX:
            _KNOWN.clear()
        text = f"_id={','.join(missing)}&_count={len(missing)}"
        found = _names(await door.search(door.parse("Organization", text)))
        _KNOWN.update({(one, today): found.get(one, one) for one in missing})
    return {one: _KNOWN.get((one, today), one) for one in wanted}


async def to_choose(door: Door) -> list[tuple[str, str]]:
    """Id and name of every facility, in the order of their names; none where they are more than a list is good for."""
    page = await door.search(door.parse("Organization", f"_sort=name&_count={FACILITIES_CHOSEN_MAX}"))
    return [] if page.next_cursor else list(_names(page).items())


def _names(page: Page) -> dict[str, str]:
    found = [parse(one.body) for one in page.matches if one.body is not None]
    return {str(one["id"]): str(one.get("name", one["id"])) for one in found}

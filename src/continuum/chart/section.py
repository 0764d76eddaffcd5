"""Sections: which part of a record stands together, how it is found and what its entries are."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from continuum.access.views import NO_MORE, Fewer, Sift, View
from continuum.chart import sections as folder
from continuum.chart.entry import Entry, Fact
from continuum.chart.limits import SECTION_COUNT
from continuum.chart.reading import Names, Resource
from continuum.kernel.errors import NotFound


class Viewer(Protocol):
    """Whatever finds things in one person's record: a session, or one with less open (chart/personal.py)."""

    async def view(
        self, name: str, patient_id: str, searches: Mapping[str, str], *, places: bool = True,
        further: Mapping[str, tuple[str, str]] = NO_MORE, fewer: Fewer | None = None, sift: Sift | None = None,
    ) -> View:  # fmt: skip
        """As `access.views.ViewActs.view`."""


Make = Callable[[Resource, Names], Entry | None]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a record.

    key: in addresses. title: for staff; plain: for the person. All texts are messages of ours. search: `Type?criteria`
    without the patient, newest first. before: the date parameter by which the timeline goes back; "" keeps it out of
    it. columns: (name of the fact, heading). nothing: what is said when there is nothing, which is never "none".
    order: places in the navigation. symbol: an icon of the design system. make: None leaves a resource out.
    """

    key: str
    title: str
    plain: str
    search: str
    make: Make
    columns: tuple[tuple[str, str], ...]
    nothing: str
    about: str
    order: int
    before: str = ""
    symbol: str = "event"
    undated: bool = False
    """Whether entries may lack the date of `before`; the timeline looks for these apart."""
    charted: bool = False
    """Whether its entries are series of numbers, shown with their course over time."""
    says: tuple[str, ...] = ()
    """Words of ours by which its entries are found: titles, and facts that are translated."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A section of one person: its entries, newest first, and the cursor of the next page."""

    section: Section
    entries: tuple[Entry, ...]
    on: str = ""

    @property
    def groups(self) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
        """The entries under their headings, in the order in which headings come up."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.group, []).append(entry)
        return tuple((group, tuple(entries)) for group, entries in found.items())

    @property
    def used(self) -> tuple[tuple[str, str], ...]:
        """The columns that any entry has something for."""
        there = {name for entry in self.entries for name, _ in entry.facts}
        return tuple(column for column in self.section.columns if column[0] in there)


@lru_cache(maxsize=1)
def sections() -> Mapping[str, Section]:
    """All of them by key, in their order."""
    found = [
        importlib.import_module(f"{folder.__name__}.{module.name}").SECTION
        for module in pkgutil.iter_modules(folder.__path__)
    ]
    return {one.key: one for one in sorted(found, key=lambda one: one.order)}


def section(key: str) -> Section:
    """One of them. Raises NotFound."""
    found = sections().get(key)
    if found is None:
        raise NotFound("A record has no such part.")
    return found


def entries(section: Section, view: View, label: str) -> tuple[Entry, ...]:
    """What a view found, as entries."""
    return made(section, view, view.found.get(label, ()))


def made(section: Section, view: View, resources: Iterable[Resource]) -> tuple[Entry, ...]:
    """Resources of a section as entries; `make` leaves some out."""
    names = {**view.names, **view.visits}
    found = (section.make(resource, names) for resource in resources)
    return tuple(one for one in found if one is not None)


def criteria(section: Section, *, count: int = SECTION_COUNT, more: str = "") -> str:
    """The search of a section, with a bound."""
    return f"{section.search}&_count={count}{more}"


async def show(session: Viewer, patient_id: str, section: Section, *, cursor: str = "") -> tuple[View, Shown]:
    """One page of a section. Raises NotFound."""
    more = f"&_cursor={cursor}" if cursor else ""
    view = await session.view(section.key, patient_id, {section.key: criteria(section, more=more)})
    return view, Shown(section, entries(section, view, section.key), view.on.get(section.key, ""))


def said(fact: Fact | None) -> str:
    """A fact's words as the record has them, for search and for plain text."""
    if fact is None:
        return ""
    if fact.what == "quantity":
        return f"{fact.comparator}{fact.number} {fact.unit}".strip()
    if fact.what == "bounds":
        return f"{fact.low if fact.low is not None else ''}-{fact.high if fact.high is not None else ''}"
    return fact.text

"""Search within one record: every word must stand in an entry, whatever its case and accents. Bounded.

Whole words are found by the index of words, however old their entries are; parts of words, and names of people and
places, among the newest entries of each kind, which are read for that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from continuum.access import Stored
from continuum.access.views import View
from continuum.chart.entry import Entry
from continuum.chart.limits import FOUND_IN_RECORD_MAX, SEARCH_LOOK_COUNT, SEARCH_MAX_CHARS
from continuum.chart.reading import Names
from continuum.chart.section import Section, Viewer, criteria, made, said
from continuum.chart.sieve import Sieve, folded
from continuum.fhir.text import words as indexed

_WHOLE = ".whole"
"""After the key of a section: what the index of words found of it."""


@dataclass(frozen=True, slots=True)
class Within:
    """What was found: what is called so first, the newest first of each.

    more: whether there was more than is shown. partly: whether there are older entries, in which only whole words were
    looked for.
    """

    entries: tuple[tuple[Section, Entry], ...] = ()
    more: bool = False
    partly: bool = False


def words_of(text: str) -> tuple[str, ...]:
    """The words that are looked for."""
    return tuple(dict.fromkeys(folded(text[:SEARCH_MAX_CHARS]).split()))


def matches(entry: Entry, words: Sequence[str]) -> bool:
    """Whether all words stand somewhere in an entry."""
    source = entry.source
    parts = [entry.title, entry.when, entry.note, source.author, source.place]
    parts += [said(fact) for _, fact in entry.facts]
    text = folded(" ".join(parts))
    return all(word in text for word in words)


def _named(entry: Entry, words: Sequence[str]) -> bool:
    """Whether it is called so: such entries come first, however old they are."""
    title = folded(entry.title)
    return all(word in title for word in words)


async def within(session: Viewer, patient_id: str, text: str, looked: Sequence[Section]) -> Within:
    """What of some sections has these words. Raises NotFound."""
    words = words_of(text)
    if not words:
        return Within()
    whole = "".join(f"&_content={quote(one)}" for one in indexed(text))
    searches = {one.key: criteria(one, count=SEARCH_LOOK_COUNT) for one in looked}
    # Where everything was read, the index knows of nothing more.
    older = {
        f"{one.key}{_WHOLE}": (one.key, criteria(one, count=FOUND_IN_RECORD_MAX, more=whole))
        for one in looked if whole
    }  # fmt: skip

    def sift(names: Names, visits: Names) -> Callable[[Sequence[Stored]], Sequence[bool]]:
        sieve = Sieve(names, visits, looked, words)
        return lambda read: sieve.passing([one.body or b"" for one in read])

    view = await session.view("search-within", patient_id, searches, further=older, sift=sift)
    found = [(one, entry) for one in looked for entry in _entries(one, view) if matches(entry, words)]
    best = sorted(found, key=lambda pair: (_named(pair[1], words), pair[1].when), reverse=True)
    # What is closed is not counted, so that nobody learns from a hint that there is something of it.
    more = any(len(view.found.get(label, ())) >= FOUND_IN_RECORD_MAX for label in older)
    partly = any(one.key in view.on for one in looked)
    return Within(tuple(best[:FOUND_IN_RECORD_MAX]), more or len(best) > FOUND_IN_RECORD_MAX, partly)


def _entries(section: Section, view: View) -> tuple[Entry, ...]:
    """Those that may have the words: the newest, then what the index of words found of the older ones."""
    found = (view.found.get(label, ()) for label in (section.key, f"{section.key}{_WHOLE}"))
    once = {one["id"]: one for resources in found for one in resources}
    return made(section, view, once.values())

"""Search within one record: every word must stand in an entry, whatever its case and accents. Bounded.

Whole words are found by the index of words, however old their entries are; parts of words, and names of people and
places, among the newest entries of each kind, which are read for that.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from continuum.chart.entry import Entry
from continuum.chart.limits import FOUND_IN_RECORD_MAX, SEARCH_LOOK_COUNT, SEARCH_MAX_CHARS
from continuum.chart.section import Section, Viewer, criteria, entries, said
from continuum.fhir.text import words as indexed

_WHOLE = ".whole"
"""After the key of a section: what the index of words found of it."""
_ACCENTS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
"""Unicode's blocks of combining marks."""


@dataclass(frozen=True, slots=True)
class Within:
    """What was found: what is called so first, the newest first of each.

    more: whether there was more than is shown. partly: whether there are older entries, in which only whole words were
    looked for.
    """

    entries: tuple[tuple[Section, Entry], ...] = ()
    more: bool = False
    partly: bool = False


def folded(text: str) -> str:
    """A text as it is compared: no accents, no case."""
    if text.isascii():  # nearly all of a record is, and this is many times cheaper
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))


def words_of(text: str) -> tuple[str, ...]:
    """The words that are looked for."""
    return tuple(dict.fromkeys(folded(text[:SEARCH_MAX_CHARS]).split()))


def matches(entry: Entry, words: Sequence[str]) -> bool:
    """Whether all words stand somewhere in an entry."""
    parts = [entry.title, entry.when, entry.note, entry.source.author, entry.source.place]
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
    if whole:
        searches |= {f"{one.key}{_WHOLE}": criteria(one, count=FOUND_IN_RECORD_MAX, more=whole) for one in looked}
    view = await session.view("search-within", patient_id, searches)
    found = {
        (one.key, entry.id): (one, entry)
        for one in looked
        for label in (one.key, f"{one.key}{_WHOLE}")
        for entry in entries(one, view, label)
        if matches(entry, words)
    }
    best = sorted(found.values(), key=lambda pair: (_named(pair[1], words), pair[1].when), reverse=True)
    # What is closed is not counted, so that nobody learns from a hint that there is something of it.
    more = any(len(view.found[f"{one.key}{_WHOLE}"]) >= FOUND_IN_RECORD_MAX for one in looked if whole)
    partly = any(one.key in view.on for one in looked)
    return Within(tuple(best[:FOUND_IN_RECORD_MAX]), more or len(best) > FOUND_IN_RECORD_MAX, partly)

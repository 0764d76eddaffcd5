"""Taking a record along: what goes into a file, by part and date, and that file as plain text or as FHIR."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from continuum.access.views import View
from continuum.chart.entry import Entry, Fact
from continuum.chart.limits import TAKEN_COUNT
from continuum.chart.reading import Resource
from continuum.chart.section import Section, Viewer, criteria, entries
from continuum.ui.formats import quantities, times
from continuum.ui.formats.names import full_name
from continuum.ui.language import gettext
from continuum.ui.view import present


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken along.

    parts: sections with their entries, newest first. cut: keys of sections of which the oldest entries are left out,
    because there are more than TAKEN_COUNT.
    """

    patient: Resource
    parts: tuple[tuple[Section, tuple[Entry, ...]], ...]
    resources: tuple[Resource, ...]
    names: Mapping[str, Resource]
    cut: frozenset[str]


async def take(
    session: Viewer, patient_id: str, wanted: Sequence[Section], *, since: date | None = None, until: date | None = None
) -> Taken:
    """The entries of some sections between two days, both included. Undated ones are always in. Raises NotFound."""
    searches = {one.key: criteria(one, count=TAKEN_COUNT) for one in wanted}
    view = await session.view("take-along", patient_id, searches)
    parts, resources = [], {}
    for one in wanted:
        kept = [entry for entry in entries(one, view, one.key) if _within(entry, since, until)]
        ids = {entry.reference for entry in kept}
        parts.append((one, tuple(kept)))
        for resource in view.found[one.key]:
            reference = f"{resource['resourceType']}/{resource['id']}"
            if reference in ids:
                resources[reference] = resource
    return Taken(view.patient, tuple(parts), tuple(resources.values()), view.names, frozenset(_cut(view, wanted)))


def _cut(view: View, wanted: Sequence[Section]) -> list[str]:
    return [one.key for one in wanted if one.key in view.on]


def _within(entry: Entry, since: date | None, until: date | None) -> bool:
    day = entry.day
    if not day:
        return True
    # A year or a month is in when any of its days is.
    return (since is None or day >= since.isoformat()[: len(day)]) and (
        until is None or day <= until.isoformat()[: len(day)]
    )


def bundle(taken: Taken, base_url: str, now: str) -> dict[str, Any]:
    """A collection of the resources as they are stored (R4 §3.5, Bundle), the patient first."""
    whole = (taken.patient, *taken.resources)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": now,
        "entry": [{"fullUrl": f"{base_url}/{one['resourceType']}/{one['id']}", "resource": one} for one in whole],
    }


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as a document shows it, in the reader's language."""

    title: str
    when: str
    marks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section as a document shows it. words: what is said when there is nothing, or that the oldest are left out."""

    title: str
    words: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A record on paper, in the language of the page that is being made."""

    title: str
    person: tuple[tuple[str, str], ...]
    about: str
    chapters: tuple[Chapter, ...]


def document(taken: Taken, made: datetime, *, waiting: int = 0, closed: bool = False) -> Document:
    """As people read it."""
    patient = taken.patient
    person = [(gettext("Name"), full_name(patient.get("name", [])))]
    if patient.get("birthDate"):
        person.append((gettext("Date of birth"), _when(str(patient["birthDate"]))))
    person.append((gettext("Made on"), times.instant(made, present().language, present().zone).text))
    about = [gettext("Taken from the record by the person or by somebody whom they let look. No signature is needed.")]
    if waiting:
        about.append(gettext("Some results are still waiting and are not in it."))
    if closed:
        about.append(gettext("Parts of the record that are closed to the one who made this are not in it."))
    chapters = tuple(_chapter(section, lines, section.key in taken.cut) for section, lines in taken.parts)
    return Document(gettext("Health record"), tuple(person), " ".join(about), chapters)


def _chapter(section: Section, found: Sequence[Entry], cut: bool) -> Chapter:  # noqa: FBT001  one caller
    words = gettext(section.nothing) if not found else ""
    if cut:
        words = gettext("There are more; the oldest are left out. Choose a time to get them.")
    return Chapter(gettext(section.plain), words, tuple(_line(section, one) for one in found))


def _line(section: Section, entry: Entry) -> Line:
    marks = [gettext(mark.text) for mark in entry.marks]
    if entry.wrong:
        marks.append(gettext("entered in error"))
    facts = [(gettext(title), told(fact)) for name, title in section.columns if (fact := entry.fact(name)) is not None]
    origin = entry.source
    source = ", ".join(one for one in (origin.author, origin.place) if one)
    return Line(
        entry.title or gettext("Without a name"), _when(entry.when), tuple(marks),
        tuple(one for one in facts if one[1]), source, entry.note,
    )  # fmt: skip


def told(fact: Fact) -> str:
    """A fact in words, in the reader's language."""
    language = present().language
    if fact.what in {"day", "instant"}:
        return _when(fact.text)
    if fact.what == "quantity" and fact.number is not None:
        return quantities.quantity(fact.number, fact.unit, language, fact.comparator)
    if fact.what == "bounds":
        return quantities.bounds(fact.low, fact.high, fact.unit, language)
    return gettext(fact.text) if fact.own else fact.text


def _when(text: str) -> str:
    if not text:
        return ""
    view = present()
    return times.instant(text, view.language, view.zone).text if "T" in text else times.day(text, view.language).text


_WIDTH = 100


def plain_text(made: Document) -> str:
    """The document as plain text, for any program and any printer."""
    lines = [made.title.upper(), "=" * len(made.title), ""]
    lines += [f"{name}: {value}" for name, value in made.person]
    lines += ["", made.about]
    for chapter in made.chapters:
        lines += ["", "", chapter.title.upper(), "-" * len(chapter.title)]
        lines += ["", chapter.words] if chapter.words else []
        for line in chapter.lines:
            head = f"{line.title}" + (f" [{', '.join(line.marks)}]" if line.marks else "")
            lines += ["", f"* {head}" + (f" - {line.when}" if line.when else "")]
            lines += [f"    {name}: {value}" for name, value in line.facts]
            lines += [f"    {line.source}"] if line.source else []
            lines += [f"    | {part}" for part in line.note.splitlines()]
    return "\r\n".join(lines) + "\r\n"

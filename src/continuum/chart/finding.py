"""Finding a patient by whatever is at hand: name in any order and nearly spelled, date of birth, DoD ID, phone."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from rapidfuzz.distance import JaroWinkler

from continuum.access import Page, Session
from continuum.chart.limits import FOUND_MAX
from continuum.chart.reading import Resource
from continuum.fhir.json import parse
from continuum.fhir.text import normalise

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER = re.compile(r"[A-Z]?\d{8,10}\Z", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d().\- ]{7,20}\Z")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\Z")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\Z")
_WORDED = re.compile(r"(\d{1,2})\s*([a-z]{3})[a-z]*\s*(\d{4})\Z", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s'-]+")
"""What stands between the parts of a name."""
_ALIKE = 0.82
"""Jaro-Winkler similarity from which a word is a name misspelt; what is less alike is not shown."""
_LOOKED_AT = 120
"""People among whom a misspelt name is looked for, of each few names and for each part of a name."""
_BEGINNING = 2
_INSIDE = 4
"""Letters from which a word is looked for inside names, as `brien` in O'Brien."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, understood."""

    words: tuple[str, ...] = ()
    born: str = ""
    identifier: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Who was found. alike: nobody is called so, but these nearly are. more: there are more than are shown."""

    patients: tuple[Resource, ...] = ()
    alike: bool = False
    more: bool = False
    wanted: Wanted = field(default_factory=Wanted)


def understand(text: str) -> Wanted:
    """What somebody looks for: `rivera ana`, `O'Brien 1958-11-30`, `9912345678`, `555-0117`. Dates are month first."""
    rest = " ".join(text.split())
    if _NUMBER.match(rest.replace(" ", "")):
        return Wanted(identifier=rest.replace(" ", ""))
    words, born = [], ""
    for part in re.split(r"[,;]\s*|\s+", _joined_dates(rest)):
        day = _date(part)
        if day:
            born = day
        elif _NUMBER.match(part):
            return Wanted(identifier=part)
        elif part:
            words.append(part)
    if words and _PHONE.match(" ".join(words)) and sum(sign.isdigit() for sign in rest) >= 7:
        return Wanted(born=born, phone=" ".join(words))
    return Wanted(tuple(words), born)


def _joined_dates(text: str) -> str:
    return re.sub(r"\b(\d{1,2}) ([A-Za-z]{3,9}) (\d{4})\b", r"\1\2\3", text)


def _date(part: str) -> str:
    if found := _ISO.match(part):
        year, month, day = found.groups()
    elif found := _AMERICAN.match(part):
        month, day, year = found.groups()
    elif (found := _WORDED.match(part)) and found[2].lower() in _MONTHS:
        day, name, year = found.groups()
        month = str(_MONTHS.index(name.lower()) + 1)
    else:
        return ""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


async def find(session: Session, text: str) -> Found:
    """The patients that somebody means, as far as the session may know of them."""
    wanted = understand(text)
    criteria = list(_exact(wanted))
    if not criteria:
        return Found(wanted=wanted)
    patients, more = await _search(session, criteria, FOUND_MAX)
    if patients or not wanted.words:
        return Found(tuple(patients), more=more, wanted=wanted)
    near: dict[str, Resource] = {}
    beginnings = sorted({word[:_BEGINNING].lower() for word in wanted.words if len(word) > _BEGINNING})
    if beginnings:
        rest = [("birthdate", wanted.born)] if wanted.born else []
        page = await session.called(beginnings, _meant(wanted.words), rest, _LOOKED_AT)
        near.update((one["id"], one) for one in _bodies(page))
    for word in (word for word in wanted.words if len(word) >= _INSIDE):
        some, _ = await _search(session, [("name:contains", _escaped(word))], _LOOKED_AT)
        near.update((one["id"], one) for one in some)
    if wanted.born and not near:
        some, _ = await _search(session, [("birthdate", wanted.born)], _LOOKED_AT)
        near.update((one["id"], one) for one in some)
    graded = sorted(((_likeness(wanted.words, one), one) for one in near.values()), key=lambda pair: -pair[0])
    alike = [one for score, one in graded if score >= _ALIKE]
    return Found(tuple(alike[:FOUND_MAX]), alike=True, more=len(alike) > FOUND_MAX, wanted=wanted)


def _exact(wanted: Wanted) -> Iterator[tuple[str, str]]:
    if wanted.identifier:
        yield "identifier", _escaped(wanted.identifier.upper())
    if wanted.phone:
        yield "phone", _escaped(wanted.phone)
    for word in wanted.words:
        yield "name", _escaped(word)
    if wanted.born:
        yield "birthdate", wanted.born


def _escaped(text: str) -> str:
    return re.sub(r"([\\,$|])", r"\\\1", text)


async def _search(session: Session, criteria: Sequence[tuple[str, str]], count: int) -> tuple[list[Resource], bool]:
    query = session.parse("Patient", urlencode([*criteria, ("_count", str(count))]))
    page = await session.search(query)
    return _bodies(page), bool(page.next_cursor)


def _bodies(page: Page) -> list[Resource]:
    return [parse(one.body) for one in page.matches if one.body is not None]


def _meant(words: Sequence[str]) -> Callable[[str], float]:
    """How alike a name is to any of the words, from which on it is shown; 0 for less."""
    plain = [normalise(word) for word in words]

    def likeness(name: str) -> float:
        parts = [part for part in (name, *_BETWEEN.split(name)) if part]
        found = max(JaroWinkler.similarity(word, part) for word in plain for part in parts)
        return found if found >= _ALIKE else 0.0

    return likeness


def _likeness(words: Sequence[str], patient: Resource) -> float:
    """The least alike of the words with the name that it is most alike; 0 to 1."""
    names = [part.lower() for name in patient.get("name", ()) for part in _parts(name)]
    if not names:
        return 0.0
    return min(max(JaroWinkler.similarity(word.lower(), name) for name in names) for word in words)


def _parts(name: dict[str, Any]) -> list[str]:
    texts = [*name.get("given", ()), str(name.get("family", ""))]
    return [part for text in texts for part in (text, *_BETWEEN.split(text)) if part]


async def by_ids(session: Session, ids: Sequence[str]) -> list[Resource]:
    """Patients by their ids, in this order; those that the session may not know of are left out."""
    if not ids:
        return []
    found, _ = await _search(session, [("_id", ",".join(ids))], len(ids))
    known = {one["id"]: one for one in found}
    return [known[one] for one in ids if one in known]

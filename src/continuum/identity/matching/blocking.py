"""Searches that find whoever could be the person: each begins with an index entry that few patients share.

Somebody who shares none of them (no identifier, contact, birth date with a part of the name, or whole name)
could not reach a score worth showing either. Pure.
"""

from collections.abc import Iterator
from typing import Any

from continuum.identity.matching.person import Person, person_of, swapped
from continuum.kernel.limits import (
    MATCH_VALUES_MAX,
)

Criteria = list[tuple[str, str]]
_FAMILY_CHARS = 3
_GIVEN_CHARS = 2


def blocks(patient: dict[str, Any]) -> list[Criteria]:
    """The criteria of the searches for a described Patient; none when nothing that is said finds anybody."""
    return list(_blocks(person_of(patient)))


def _blocks(person: Person) -> Iterator[Criteria]:
    identifiers = [
        f"{_escaped(system)}|{_escaped(value)}" if system else _escaped(value)
        for system, value in person.identifiers[:MATCH_VALUES_MAX]
    ]
    if identifiers:
        yield [("identifier", ",".join(identifiers))]
    for kind in ("phone", "email"):
        found = [value for system, value in person.contacts_as_written if system == kind]
        if found:
            yield [(kind, ",".join(_escaped(value) for value in found[:MATCH_VALUES_MAX]))]
    family = person.families[0] if person.families else ""
    given = person.givens[0] if person.givens else ""
    dates = [date for date in (person.birth_date, swapped(person.birth_date)) if len(date) == len("1970-01-01")]
    for date in dates:
        for kind, name, chars in (("family", family, _FAMILY_CHARS), ("given", given, _GIVEN_CHARS)):
            if name:
                yield [("birthdate", date), (kind, _escaped(name[:chars]))]
    if family and given:
        named = [("family", _escaped(family)), ("given", _escaped(given))]
        year = person.birth_date[:4]
        if year.isdecimal():
            named += [("birthdate", f"ge{int(year) - 1:04}"), ("birthdate", f"le{int(year) + 1:04}")]
        yield named


def _escaped(text: str) -> str:
    for mark in ("\\", ",", "|", "$"):
        text = text.replace(mark, f"\\{mark}")
    return text

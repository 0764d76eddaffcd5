"""Two descriptions of people compared, field by field, with points and a reason in plain words for each. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import JaroWinkler

from continuum.identity.matching.person import Person, person_of, swapped

_SIMILAR = 0.9
"""Jaro-Winkler similarity from which two names are one name misspelt."""


@dataclass(frozen=True, slots=True)
class Reason:
    """How one field compares. points: bits, positive for one person. field: for whoever grades."""

    field: str
    points: float
    words: str

    @property
    def contradicts(self) -> bool:
        """Whether it speaks against one person."""
        return self.points < 0


def compare(described: dict[str, Any], registered: dict[str, Any]) -> list[Reason]:
    """Every reason for and against two Patients being one person; nothing is said of what either does not tell."""
    return list(_reasons(person_of(described), person_of(registered)))


def _reasons(a: Person, b: Person) -> Iterator[Reason]:
    yield from _identifiers(a, b)
    yield from _names(a, b)
    yield from _birth(a, b)
    if a.gender and b.gender:
        if a.gender == b.gender:
            yield Reason("gender", 1.0, f"Both are {a.gender}.")
        elif "unknown" not in (a.gender, b.gender):
            yield Reason("gender", -4.0, f"The sex differs: {a.gender} and {b.gender}.")
    if a.contacts & b.contacts:
        yield Reason("contact", 6.0, f"They share {_some(a.contacts & b.contacts)}.")
    yield from _addresses(a, b)
    if a.maiden_name and b.maiden_name:
        if a.maiden_name == b.maiden_name:
            yield Reason("maiden name", 5.0, "The mother's maiden name is the same.")
        else:
            yield Reason("maiden name", -3.0, "The mother's maiden name differs.")


def _identifiers(a: Person, b: Person) -> Iterator[Reason]:
    shared = [one for one in a.identifiers if one in b.identifiers]
    named = [one for one in shared if one[0]]
    if named:
        yield Reason("identifier", 20.0, f"The identifier {'|'.join(named[0])} is the same.")
    elif shared:
        yield Reason("identifier", 6.0, f"The identifier {shared[0][1]} is the same, of whatever system.")
    for system in sorted(a.personal.keys() & b.personal.keys()):
        if not a.personal[system] & b.personal[system]:
            yield Reason("personal identifier", -10.0, f"Each has another identifier of {system}.")


def _names(a: Person, b: Person) -> Iterator[Reason]:
    if a.families and b.families:
        crosswise = a.givens and b.givens and a.families[0] == b.givens[0] and a.givens[0] == b.families[0]
        if crosswise and a.families[0] != a.givens[0]:
            yield Reason("family", 5.0, "Given and family name are the other way round.")
            yield Reason("given", 5.0, "Each name is there, in the other place.")
            return
        yield _family(a.families, b.families)
    if a.givens and b.givens:
        yield _given(a.givens, b.givens)


def _family(a: tuple[str, ...], b: tuple[str, ...]) -> Reason:
    if a[0] == b[0]:
        return Reason("family", 7.0, f"The family name is the same: {a[0]}.")
    if set(a) & set(b):
        return Reason("family", 6.0, f"One has had the other's family name: {_some(set(a) & set(b))}.")
    parts = {part for name in a for part in name.split()} & {part for name in b for part in name.split()}
    if parts:
        return Reason("family", 4.0, f"Part of the family name is the same: {_some(parts)}.")
    if _alike(a, b):
        return Reason("family", 4.0, f"The family names are alike: {a[0]} and {b[0]}.")
    return Reason("family", -3.0, f"The family name differs: {a[0]} and {b[0]}.")


def _given(a: tuple[str, ...], b: tuple[str, ...]) -> Reason:
    if a[0] == b[0]:
        return Reason("given", 6.0, f"The given name is the same: {a[0]}.")
    if set(a) & set(b):
        return Reason("given", 5.0, f"One is also called as the other: {_some(set(a) & set(b))}.")
    if _alike(a, b):
        return Reason("given", 3.5, f"The given names are alike: {a[0]} and {b[0]}.")
    if a[0][0] == b[0][0] and 1 in (len(a[0]), len(b[0])):
        return Reason("given", 2.0, f"An initial fits: {a[0]} and {b[0]}.")
    if a[0].startswith(b[0]) or b[0].startswith(a[0]):
        return Reason("given", 3.0, f"One given name begins as the other: {a[0]} and {b[0]}.")
    return Reason("given", -6.0, f"The given name differs: {a[0]} and {b[0]}.")


def _alike(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    return any(JaroWinkler.similarity(one, other) >= _SIMILAR for one in a for other in b)


def _birth(a: Person, b: Person) -> Iterator[Reason]:
    one, other = a.birth_date, b.birth_date
    if one and other:
        yield _birth_date(one, other)
    if a.birth_order and b.birth_order:
        if a.birth_order != b.birth_order:
            words = f"They are two children of a multiple birth: number {a.birth_order} and number {b.birth_order}."
            yield Reason("birth order", -12.0, words)
        else:
            yield Reason("birth order", 2.0, f"Both are number {a.birth_order} of a multiple birth.")


def _birth_date(one: str, other: str) -> Reason:
    if one == other:
        return Reason("birth date", 12.0 if len(one) > 4 else 5.0, f"The birth date is the same: {one}.")
    if one.startswith(other) or other.startswith(one):
        return Reason("birth date", 5.0, f"The birth dates agree as far as they are known: {one} and {other}.")
    if swapped(one) == other:
        return Reason("birth date", 7.0, f"Day and month of the birth date are exchanged: {one} and {other}.")
    parts = zip(one.split("-"), other.split("-"), strict=False)
    if sum(left != right for left, right in parts) == 1 and len(one) == len(other) == len("1970-01-01"):
        return Reason("birth date", 3.0, f"One part of the birth date differs: {one} and {other}.")
    return Reason("birth date", -8.0, f"The birth date differs: {one} and {other}.")


def _addresses(a: Person, b: Person) -> Iterator[Reason]:
    if not a.streets or not b.streets:
        return
    both = {street for street in a.streets & b.streets if street[1]}
    codes = {code for code, _ in a.streets} & {code for code, _ in b.streets}
    if both:
        yield Reason("address", 5.0, f"The address is the same: {', '.join(reversed(min(both)))}.")
    elif codes:
        yield Reason("postal code", 2.0, f"The postal code is the same: {_some(codes)}.")


def _some(texts: Any) -> str:
    return str(min(texts))

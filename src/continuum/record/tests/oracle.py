"""What a search must find, said a second time: plain Python over the index values, no SQL, no keys, no plan."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from continuum.fhir.index import Index
from continuum.fhir.query import (
    AllOf,
    AnyOf,
    Chain,
    Clause,
    Criterion,
    Has,
    InCompartment,
    Negation,
    Query,
    Sort,
    Value,
)
from continuum.fhir.text import normalise


@dataclass(frozen=True)
class Row:
    """One resource of the small world, in the order in which it was written."""

    number: int
    kind: str
    id: str
    index: Index
    updated_us: int
    facility: str
    texts: tuple[str, ...] = ()
    narrative: str = ""

    @property
    def address(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True)
class World:
    rows: tuple[Row, ...]
    visible: frozenset[str]

    def seen(self, kind: str) -> list[Row]:
        return [row for row in self.rows if row.kind == kind and row.address in self.visible]

    def at(self, address: str) -> Row | None:
        return next((row for row in self.rows if row.address == address and address in self.visible), None)


def matches(query: Query, world: World) -> list[Row]:
    """All matches, in the order of writing."""
    return [row for row in world.seen(query.resource_type) if all(holds(c, row, world) for c in query.where)]


def in_order(query: Query, rows: list[Row]) -> list[Row]:
    """The matches as `_sort` wants them: missing values last, equal ones as they were written (or the other way)."""
    found = sorted(rows, key=lambda row: row.number, reverse=bool(query.sort) and query.sort[-1].descending)
    for sort in reversed(query.sort):
        told = {row.number: sort_value(sort, row) for row in found}
        present = [row for row in found if told[row.number] is not None]
        absent = [row for row in found if told[row.number] is None]
        present.sort(key=lambda row, told=told: told[row.number], reverse=sort.descending)
        found = present + absent
    return found


def sort_value(sort: Sort, row: Row) -> Any:
    """The least value when the order rises, the greatest when it falls; None when there is none."""
    code, index = sort.param.code, row.index
    codes = {code}
    if code.startswith("combo-"):
        plain = code.removeprefix("combo-")
        codes = {plain, f"component-{plain}"}
    if code in {"_id", "_lastUpdated"}:
        return row.id if code == "_id" else row.updated_us
    values: list[Any] = {
        "token": [c or s for p, s, c in index.tokens if p in codes],
        "reference": [to for p, to in index.references if p in codes],
        "uri": [uri for p, uri in index.uris if p in codes],
        "string": [normalise(text) for p, text in index.strings if p in codes],
        "date": [low for p, low, _ in index.dates if p in codes],
        "quantity": [low for p, low, *_ in index.quantities if p in codes],
        "number": [low for p, low, _ in index.numbers if p in codes],
        "composite": [tuple(map(_ranked, parts)) for p, *parts in index.composites if p in codes],
        "special": [round(min(metres(here, at) for here in sort.places)) for p, *at in index.positions if p in codes],
    }[sort.param.kind]
    return (max if sort.descending else min)(values, default=None)


def _ranked(part: tuple[Any, ...]) -> Any:
    kind, first, *rest = part
    return (rest[0] or first) if kind == "token" else normalise(first) if kind == "string" else first


def holds(clause: Clause, row: Row, world: World) -> bool:
    if isinstance(clause, InCompartment):
        target = f"{clause.compartment_type}/{clause.id}"
        codes = {found.code for found in clause.params}
        return any(code in codes and to == target for code, to in row.index.references)
    if isinstance(clause, Chain):
        for code, target in row.index.references:
            end = world.at(target) if code == clause.param.code else None
            if end is not None and any(kind == end.kind and holds(inner, end, world) for kind, inner in clause.inner):
                return True
        return False
    if isinstance(clause, Negation):
        return not holds(clause.clause, row, world)
    if isinstance(clause, AllOf):
        return all(holds(one, row, world) for one in clause.clauses)
    if isinstance(clause, AnyOf):
        return any(holds(one, row, world) for one in clause.clauses)
    if isinstance(clause, Has):
        return any(
            (clause.param.code, row.address) in source.index.references and holds(clause.inner, source, world)
            for source in world.seen(clause.param.resource_type)
        )
    return _criterion(clause, row)


def _criterion(c: Criterion, row: Row) -> bool:
    code = c.param.code
    if code.startswith("combo-"):  # R4: the value itself or that of any component
        plain = code.removeprefix("combo-")
        parts = [
            replace(c, modifier="" if c.modifier == "not" else c.modifier, param=replace(c.param, code=one))
            for one in (plain, f"component-{plain}")
        ]
        found = [_criterion(part, row) for part in parts]
        if c.modifier == "missing" and c.values[0].text == "true":
            return all(found)
        return not any(found) if c.modifier == "not" else any(found)
    if c.modifier == "missing":
        return (not _present(code, row)) == (c.values[0].text == "true")
    found = any(_value(c, value, row) for value in c.values)
    return not found if c.modifier == "not" else found


def _present(code: str, row: Row) -> bool:
    if code in {"_id", "_lastUpdated"}:
        return True
    index = row.index
    lists: list[Any] = [
        index.tokens, index.references, index.strings, index.dates, index.numbers, index.quantities, index.uris,
        index.composites, index.positions,
    ]  # fmt: skip
    return any(one[0] == code for values in lists for one in values)


def _value(c: Criterion, value: Value, row: Row) -> bool:
    code, kind, index = c.param.code, c.param.kind, row.index
    if code == "_id":
        return row.id == value.code
    if code == "_lastUpdated":
        return _interval(value, row.updated_us, row.updated_us)
    if c.modifier == "text":
        return _words(value.text, [text for p, text in index.texts if p == code])
    if kind == "words":
        return _words(value.text, [row.narrative] if code == "_text" else [row.narrative, *row.texts])
    if c.modifier == "of-type":
        return (code, value.system, value.code, value.text) in index.typed
    if c.modifier == "identifier":
        return any(p == f"{code}:identifier" and _token(value, s, v) for p, s, v in index.tokens)
    if kind == "token":
        return any(p == code and _token(value, s, v) for p, s, v in index.tokens)
    if kind == "reference":
        return any(p == code and to in value.targets for p, to in index.references)
    if kind == "uri":
        return any(p == code and _uri(c.modifier, value.text, u) for p, u in index.uris)
    if kind == "string":
        return any(p == code and _string(c.modifier, value.text, text) for p, text in index.strings)
    if kind == "date":
        return any(p == code and _interval(value, low, high) for p, low, high in index.dates)
    if kind == "quantity":
        return any(p == code and _quantity(value, *rest) for p, *rest in index.quantities)
    if kind == "number":
        return any(p == code and _number(value, low, high) for p, low, high in index.numbers)
    if kind == "special":
        assert value.around is not None
        return any(p == code and metres(value.around[:2], at) <= value.around[2] for p, *at in index.positions)
    if kind == "composite":
        return any(
            p == code and all(_component(v, part) for v, part in zip(value.parts, parts, strict=True))
            for p, *parts in index.composites
        )
    raise AssertionError(kind)


def metres(here: Sequence[float], there: Sequence[float]) -> float:
    """The distance of two positions by the angle between them as vectors."""
    (a, b), (c, d) = (tuple(map(math.radians, one)) for one in (here, there))
    u = (math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a))
    v = (math.cos(c) * math.cos(d), math.cos(c) * math.sin(d), math.sin(c))
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    return 6_371_008.8 * math.atan2(math.hypot(*cross), sum(one * other for one, other in zip(u, v, strict=True)))


def _component(value: Value, part: tuple[Any, ...]) -> bool:
    kind = part[0]
    if kind == "token":
        return _token(value, part[1], part[2])
    if kind == "quantity":
        return _quantity(value, *part[1:])
    if kind == "number":
        return _number(value, part[1], part[2])
    if kind == "reference":
        return part[1] in value.targets
    if kind == "date":
        return _interval(value, part[1], part[2])
    if kind == "string":
        return _string("", value.text, part[1])
    raise AssertionError(kind)


def _words(wanted: str, texts: list[str]) -> bool:
    there = {word for text in texts for word in normalise(text).split()}
    return set(normalise(wanted).split()) <= there


def _token(value: Value, system: str, code: str) -> bool:
    return (value.system is None or value.system == system) and (value.code is None or value.code == code)


def _uri(modifier: str, wanted: str, uri: str) -> bool:
    if modifier == "below":
        return uri.startswith(wanted)
    for one in (uri, uri.partition("|")[0]):
        above = wanted[: len(one)] == one and (len(wanted) == len(one) or "/" in (one[-1], wanted[len(one)]))
        if one == wanted or (modifier == "above" and above):
            return True
    return False


def _string(modifier: str, wanted: str, text: str) -> bool:
    if modifier == "exact":
        return wanted == text
    if modifier == "contains":
        return normalise(wanted) in normalise(text)
    mine, other = normalise(text), normalise(wanted)
    if modifier:
        return {
            "equal": mine == other, "unequal": mine != other, "ends": mine.endswith(other), "gt": mine > other,
            "ge": mine >= other, "lt": mine < other, "le": mine <= other,
        }[modifier]  # fmt: skip
    return normalise(text).startswith(normalise(wanted))


def _interval(v: Value, low: int, high: int) -> bool:
    inside = low >= v.low_us and high <= v.high_us
    return {
        "eq": inside,
        "ne": not inside,
        "gt": high > v.high_us,
        "lt": low < v.low_us,
        "ge": high > v.high_us or inside,
        "le": low < v.low_us or inside,
        "sa": low > v.high_us,
        "eb": high < v.low_us,
        "ap": low <= v.high_us and high >= v.low_us,
        "co": low <= v.low_us and high >= v.high_us,
    }[v.prefix]


UNITS: dict[str, tuple[str, Fraction, Fraction]] = {
    "g": ("mass", Fraction(1), Fraction(0)),
    "mg": ("mass", Fraction(1, 1_000), Fraction(0)),
    "ug": ("mass", Fraction(1, 10**6), Fraction(0)),
    "ug{dry}": ("mass", Fraction(1, 10**6), Fraction(0)),
    "ng": ("mass", Fraction(1, 10**9), Fraction(0)),
    "kg": ("mass", Fraction(1_000), Fraction(0)),
    "/min": ("frequency", Fraction(1, 60), Fraction(0)),
    "/h": ("frequency", Fraction(1, 3_600), Fraction(0)),
    "/s": ("frequency", Fraction(1), Fraction(0)),
    "Hz": ("frequency", Fraction(1), Fraction(0)),
    "Cel": ("temperature", Fraction(1), Fraction("273.15")),
    "[degF]": ("temperature", Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    "K": ("temperature", Fraction(1), Fraction(0)),
    "[iU]/L": ("activity in volume", Fraction(1), Fraction(0)),
    "/L": ("count in volume", Fraction(1), Fraction(0)),
    "/mL": ("count in volume", Fraction(1_000), Fraction(0)),
    "kPa": ("pressure", Fraction(1_000), Fraction(0)),
    "mm[Hg]": ("pressure", Fraction("133.322"), Fraction(0)),
    "s": ("time", Fraction(1), Fraction(0)),
    "min": ("time", Fraction(60), Fraction(0)),
    "h": ("time", Fraction(3_600), Fraction(0)),
}
"""The units of the worlds and the searches: what they measure, and factor and offset of it."""
UCUM = "http://unitsofmeasure.org"


def _measure(code: str | None, number: Decimal) -> Fraction | Decimal:
    if not number.is_finite():
        return number
    _, factor, offset = UNITS[code or ""]
    return Fraction(number) * factor + offset


def _quantity(v: Value, low: Any, high: Any, system: str, code: str, unit: str) -> bool:
    asked: tuple[Any, Any, Any] = (v.number, v.low, v.high)
    if v.system == UCUM == system and v.code in UNITS and code in UNITS:
        if UNITS[v.code][0] != UNITS[code][0]:
            return False
        asked = (_measure(v.code, asked[0]), _measure(v.code, asked[1]), _measure(v.code, asked[2]))
        low, high = _measure(code, low), _measure(code, high)
    elif (v.system is not None and not (system == v.system and code == v.code)) or (
        v.system is None and v.code is not None and v.code != (code or unit)
    ):
        return False
    return _compared(v.prefix, asked, low, high)


def _number(v: Value, low: Any, high: Any) -> bool:
    return _compared(v.prefix, (v.number, v.low, v.high), low, high)


def _compared(prefix: str, asked: tuple[Any, Any, Any], low: Any, high: Any) -> bool:
    number, least, beyond = asked
    inside = low >= least and high < beyond
    return {
        "eq": inside,
        "ne": not inside,
        "gt": high > number,
        "lt": low < number,
        "ge": high >= number,
        "le": low <= number,
        "sa": low > number,
        "eb": high < number,
        "ap": low <= beyond and high >= least,
    }[prefix]

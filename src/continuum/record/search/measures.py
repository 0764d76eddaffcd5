"""Quantities in other units than the one that was asked for (R4 §3.1.1.4.6, UCUM).

A resource's quantity is filed as it was written, beside the key of its unit's form; record.unit keeps every form that
was ever filed. A search for 5.4 mg reads there what else masses were written in, and asks for 0.0054 g as well: the
conversion is of the one number that is looked for, exact, and no write pays for it.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from continuum.fhir.query import Criterion, Query, Reading, Value
from continuum.fhir.ucum import Unit
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import NUMBER_EXPONENT_MAX
from continuum.record.limits import COMMENSURABLE_MAX
from continuum.record.read import Connection
from continuum.record.search.clauses import criteria, rewritten

_PLACES = 4 * NUMBER_EXPONENT_MAX
"""More decimal places than any number that is filed or asked for has."""


async def measured(conn: Connection, query: Query) -> Query:
    """The query with, at each quantity of a known unit, its readings in the units that are filed.

    Raises:
        TooCostly: one dimension is filed in more than COMMENSURABLE_MAX units.
    """
    given = (one for criterion in criteria(query.where) for value in criterion.values for one in (value, *value.parts))
    dimensions = {one.unit.dimension for one in given if one.unit is not None}
    if not dimensions:
        return query
    most = COMMENSURABLE_MAX * len(dimensions)
    rows = await conn.fetch(
        "SELECT form FROM record.unit WHERE dimension = ANY($1::text[]) LIMIT $2", sorted(dimensions), most + 1
    )
    if len(rows) > most:
        raise TooCostly("The quantities here are written in too many different units to be compared; name no unit.")
    forms: dict[str, list[Unit]] = {one: [] for one in dimensions}
    for row in rows:
        unit = Unit.of_form(row["form"])
        forms[unit.dimension].append(unit)

    def read(criterion: Criterion) -> Criterion:
        return replace(criterion, values=tuple(_read(value, forms) for value in criterion.values))

    return replace(query, where=tuple(rewritten(clause, read) for clause in query.where))


def apart(value: Value) -> list[Value]:
    """The value once for each of its readings: each is a range of an index."""
    if value.readings:
        return [replace(value, readings=(one,)) for one in value.readings]
    for number, part in enumerate(value.parts):
        if len(part.readings) > 1:
            before, after = value.parts[:number], value.parts[number + 1 :]
            return [replace(value, parts=(*before, one, *after)) for one in apart(part)]
    return [value]


def _read(value: Value, forms: dict[str, list[Unit]]) -> Value:
    if value.parts:
        return replace(value, parts=tuple(_read(part, forms) for part in value.parts))
    if value.unit is None:
        return value
    found = {unit.form: unit for unit in (value.unit, *forms[value.unit.dimension])}
    return replace(value, readings=tuple(_reading(value, value.unit, found[form]) for form in sorted(found)))


def _reading(value: Value, asked: Unit, filed: Unit) -> Reading:
    assert value.number is not None, "the grammar reads a number for every quantity"
    assert value.low is not None, "and its implicit range"
    assert value.high is not None, "and its implicit range"
    if asked == filed:
        return Reading(filed.form, value.number, value.low, value.high)
    number, low, high = (
        _written(filed.of_canonical(asked.canonical(one))) for one in (value.number, value.low, value.high)
    )
    return Reading(filed.form, number, low, high)


def _written(exact: Fraction) -> Decimal:
    """The decimal that compares with every number that can be filed as the fraction does.

    What no decimal says, as 1/3, lies between two decimals of _PLACES places; what is filed is never between them.
    """
    scaled = exact * 10**_PLACES
    whole = scaled.numerator // scaled.denominator
    between = 0 if scaled.denominator == 1 else 5
    return _decimal(whole * 10 + between)


def _decimal(digits: int) -> Decimal:
    text = str(abs(digits)).rstrip("0") or "0"
    dropped = len(str(abs(digits))) - len(text) if digits else 0
    return Decimal((int(digits < 0), tuple(map(int, text)), dropped - _PLACES - 1 if digits else 0))

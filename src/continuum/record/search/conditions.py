"""Conditions on the rows beside record.search: strings, uris, dates, numbers and quantities, each aliased `x`."""

import operator
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from continuum.fhir.query import Criterion, SearchParam, Value
from continuum.fhir.search_params import PARTS
from continuum.fhir.text import normalise
from continuum.kernel.limits import STRING_EXACT_CHARS, STRING_INDEX_CHARS
from continuum.record.keys import param_id
from continuum.record.search.bindings import Bindings

_COMPARED = {"equal": "=", "unequal": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
LAST_CHAR = "\U0010ffff"


def side_exists(table: str, condition: str, alias: str) -> str:
    """A row of a side table (aliased x) that belongs to the row and fulfils the condition.

    OFFSET 0 keeps PostgreSQL from reading all rows that fulfil the condition into a hash first.
    """
    return f"EXISTS (SELECT 1 FROM record.{table} x WHERE x.row_id = {alias}.row_id AND {condition} OFFSET 0)"


def string_condition(criterion: Criterion, value: Value, resource_type: str, bindings: Bindings) -> str:
    """The condition on record.string: the beginning by default, or `:exact`, or `:contains`."""
    which = string_which(resource_type, criterion.param.code, bindings)
    plain = normalise(value.text)[:STRING_INDEX_CHARS]
    if criterion.modifier == "exact":
        exact = bindings.bind(value.text[:STRING_EXACT_CHARS], "text")
        return f"{which} AND x.value = {bindings.bind(plain, 'text')} AND x.exact = {exact}"
    if criterion.modifier == "contains":
        return f"{which} AND strpos(x.value, {bindings.bind(plain, 'text')}) > 0"
    if criterion.modifier == "":
        return f"{which} AND {_begins(plain, bindings)}"
    bound = bindings.bind(plain, "text")
    if criterion.modifier == "ends":
        return f"{which} AND right(x.value, {len(plain)}) = {bound}"
    return f"{which} AND x.value {_COMPARED[criterion.modifier]} {bound}"


def string_which(resource_type: str, code: str, bindings: Bindings) -> str:
    """The condition on record.string for the rows of a parameter, which may be a part of another."""
    whole, bit = PARTS.get(resource_type, {}).get(code) or (code, 0)
    which = f"x.param = {bindings.bind(param_id(resource_type, whole), 'integer')}"
    return f"{which} AND x.parts & {bit}::smallint <> 0" if bit else which


def _begins(plain: str, bindings: Bindings) -> str:
    low, high = bindings.bind(plain, "text"), bindings.bind(plain + LAST_CHAR, "text")
    return f"x.value >= {low} AND x.value < {high}"


def uri_below_condition(found: SearchParam, value: Value, resource_type: str, bindings: Bindings) -> str:
    """The condition on record.string for uris that begin with one; uris are filed there as written."""
    which = f"x.param = {bindings.bind(param_id(resource_type, found.code), 'integer')}"
    whole = value.text[:STRING_EXACT_CHARS]
    condition = f"{which} AND {_begins(value.text[:STRING_INDEX_CHARS], bindings)}"
    if len(whole) <= STRING_INDEX_CHARS:
        return condition
    return f"{condition} AND starts_with(x.exact, {bindings.bind(whole, 'text')})"


def quantity_condition(key: int, value: Value, bindings: Bindings) -> str:
    """The condition on record.quantity (R4 §3.1.1.4.6): `eq` by the written precision, the others exactly."""
    which = f"x.key = {bindings.bind(key, 'bigint')}"
    if not value.readings:
        return f"{which} AND {_amount(value, bindings)}"
    parts = []
    for one in value.readings:
        amount = _amount(replace(value, number=one.number, low=one.low, high=one.high, code=None), bindings)
        unit = bindings.bind(bindings.keys.measure(one.form), "bigint")
        parts.append(f"{amount} AND x.system_unit = {unit}")
    return f"{which} AND {parts[0]}" if len(parts) == 1 else f"{which} AND (({') OR ('.join(parts)}))"


def stretch_condition(key: int, start: Value, end: Value, bindings: Bindings) -> str:
    """The condition on record.quantity for stretches, which begin at `low` and end at `high`."""
    which = f"x.key = {bindings.bind(key, 'bigint')}"
    return f"{which} AND {_amount(start, bindings, ('low', 'low'))} AND {_amount(end, bindings, ('high', 'high'))}"


def _amount(value: Value, bindings: Bindings, columns: tuple[str, str] = ("low", "high")) -> str:
    """The condition on the interval between two columns."""
    first, last = columns
    assert value.number is not None, "the grammar reads a number for every number and quantity"
    number = value.number
    low = number if value.low is None else value.low
    high = number if value.high is None else value.high

    def bound(column: str, sign: str, figure: Decimal) -> str:
        return _bound(column, sign, figure, bindings)

    def inside() -> str:
        return f"{bound(first, '>=', low)} AND {bound(last, '<', high)}"

    def above(sign: str) -> str:
        # A range that begins below may still end above; only those rows are looked for by their end.
        return f"({bound(first, sign, number)} OR (x.low <> x.high AND {bound(last, sign, number)}))"

    forms: dict[str, Callable[[], str]] = {
        "eq": inside,
        "ne": lambda: f"NOT ({inside()})",
        "gt": lambda: above(">"),
        "ge": lambda: above(">="),
        "lt": lambda: bound(first, "<", number),
        "le": lambda: bound(first, "<=", number),
        "sa": lambda: bound(first, ">", number),
        "eb": lambda: bound(last, "<", number),
        "ap": lambda: f"{bound(first, '<=', high)} AND {bound(last, '>=', low)}",
        "co": lambda: f"{bound(first, '<=', number)} AND {bound(last, '>=', number)}",
    }
    parts = [forms[value.prefix or "eq"]()]
    if value.unit is not None and value.code is not None:
        parts.append(f"x.system_unit = {bindings.bind(bindings.keys.measure(value.unit.form), 'bigint')}")
    elif value.code is not None and value.system is not None:
        parts.append(f"x.system_unit = {bindings.bind(bindings.keys.unit(value.system, value.code), 'bigint')}")
    elif value.code is not None:
        parts.append(f"x.unit = {bindings.bind(bindings.keys.unit(None, value.code), 'bigint')}")
    return " AND ".join(parts)


_SIGNS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _bound(column: str, sign: str, figure: Decimal, bindings: Bindings) -> str:
    """A comparison of x.low or x.high, by the index as float8, and to the last digit where two float8 are equal.

    A row without exact digits means what its float8 is written as.
    """
    rough = float(figure)
    roughly = bindings.bind(rough, "float8")
    exactly = bindings.bind(figure, "numeric")
    plain = bindings.bind(_SIGNS[sign](Decimal(repr(rough)), figure), "boolean")
    return (
        f"(x.{column} {sign[0]}= {roughly} AND (x.{column} {sign[0]} {roughly}"
        f" OR COALESCE(x.exact_{column} {sign} {exactly}, {plain})))"
    )


def date_condition(low: str, high: str, value: Value, bindings: Bindings) -> str:
    """The condition on an interval with columns `low` and `high` (R4 §3.1.1.4.5)."""

    def bound(us: int) -> str:
        return bindings.bind(us, "bigint")

    inside = f"{low} >= {bound(value.low_us)} AND {high} <= {bound(value.high_us)}"
    forms = {
        "eq": inside,
        "ne": f"NOT ({inside})",
        "ge": f"({high} > ${len(bindings.values)}::bigint OR {inside})",
        "le": f"({low} < ${len(bindings.values) - 1}::bigint OR {inside})",
    }
    if value.prefix in forms:
        return forms[value.prefix]
    del bindings.values[-2:]
    return {
        "gt": lambda: f"{high} > {bound(value.high_us)}",
        "lt": lambda: f"{low} < {bound(value.low_us)}",
        "sa": lambda: f"{low} > {bound(value.high_us)}",
        "eb": lambda: f"{high} < {bound(value.low_us)}",
        "ap": lambda: f"{low} <= {bound(value.high_us)} AND {high} >= {bound(value.low_us)}",
        "co": lambda: f"{low} <= {bound(value.low_us)} AND {high} >= {bound(value.high_us)}",
    }[value.prefix]()

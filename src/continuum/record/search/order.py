"""The order of a result and the place in it: sort keys, keyset conditions, cursors.

Every order ends in the row id, so it is total, and a page begins exactly after the last row of the page before,
whatever was written in between. Missing values come last, in both directions.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from continuum.fhir.query import Criterion, Query, Sort
from continuum.fhir.search_params import MAIN_DATE
from continuum.kernel.errors import Malformed, UnknownParameter
from continuum.record.keys import param_id
from continuum.record.search.filters import Bindings

BY_ROW, BY_DATE, BY_UPDATED = "row", "date", "updated"
"""The orders that a search without `_sort` may take; a cursor says which one it began with."""


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key over a row `s`: `sql` is NULL when the value is missing."""

    sql: str
    descending: bool
    cast: str
    column: str = ""
    """The column of record.search whose index gives this order, if there is one."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the mode of the order, the last row's keys (None is missing) and its row id."""

    mode: str
    keys: tuple[Any, ...]
    row_id: int

    def text(self) -> str:
        """The opaque text of a page link."""
        raw = orjson.dumps([self.mode, list(self.keys), self.row_id])
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(text: str) -> Cursor | None:
    """The cursor of a page link; None for the first page. Raises Malformed when it is not one of ours."""
    if not text:
        return None
    try:
        mode, keys, row_id = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        well_formed = (
            mode in {BY_ROW, BY_DATE, BY_UPDATED, "sort"}
            and isinstance(keys, list)
            and all(key is None or isinstance(key, int | float | str) for key in keys)
            and isinstance(row_id, int)
            and abs(row_id) < 2**63
        )
    except (binascii.Error, ValueError, TypeError) as error:
        raise Malformed("The page link was changed; start the search again from its first page.") from error
    if not well_formed:
        raise Malformed("The page link was changed; start the search again from its first page.")
    return Cursor(mode, tuple(keys), row_id)


def mode_of(query: Query, cursor: Cursor | None) -> str:
    """The order's mode: as the cursor began, else by `_sort`, else by the index that the criteria will walk."""
    if query.sort:
        return "sort"
    if cursor is not None:
        return cursor.mode
    main = MAIN_DATE.get(query.resource_type)
    for clause in query.where:
        if isinstance(clause, Criterion) and clause.modifier != "missing" and len(clause.values) == 1:
            if clause.param.code == main and clause.param.kind == "date":
                return BY_DATE
            if clause.param.code == "_lastUpdated":
                return BY_UPDATED
    return BY_ROW


def keys_of(query: Query, mode: str, bindings: Bindings) -> tuple[Key, ...]:
    """The sort keys of a mode; the row id follows them and is not among them."""
    if mode == BY_DATE:
        return (Key("s.date_low", descending=True, cast="bigint", column="date_low"),)
    if mode == BY_UPDATED:
        return (Key("s.updated", descending=False, cast="bigint", column="updated"),)
    return tuple(_sort_key(query.resource_type, sort, bindings) for sort in query.sort)


def _sort_key(resource_type: str, sort: Sort, bindings: Bindings) -> Key:
    code, kind, down = sort.param.code, sort.param.kind, sort.descending
    if code == "_lastUpdated":
        return Key("s.updated", down, "bigint", "updated")
    if code == "_id":
        return Key('(SELECT o.id COLLATE "C" FROM record.resource o WHERE o.row_id = s.row_id)', down, "text")
    if kind == "date" and MAIN_DATE.get(resource_type) == code:
        return Key("s.date_low", down, "bigint", "date_low")
    pick = "max" if down else "min"
    if kind in {"number", "quantity"}:
        which = f"x.key = {bindings.bind(bindings.keys.quantity(resource_type, code), 'bigint')}"
        return Key(
            f"(SELECT {pick}(x.low) FROM record.quantity x WHERE x.row_id = s.row_id AND {which})", down, "float8"
        )
    which = f"x.param = {bindings.bind(param_id(resource_type, code), 'integer')}"
    if kind == "date":
        return Key(f"(SELECT {pick}(x.low) FROM record.date x WHERE x.row_id = s.row_id AND {which})", down, "bigint")
    if kind == "string":
        return Key(f"(SELECT {pick}(x.value) FROM record.string x WHERE x.row_id = s.row_id AND {which})", down, "text")
    raise UnknownParameter(f"{code} is a {kind}; results cannot be sorted by it.")


def after(keys: tuple[Key, ...], names: list[str], cursor: Cursor, bindings: Bindings) -> str:
    """The keyset condition: the row comes after the cursor. `names` are the columns that hold the sort keys."""
    if len(cursor.keys) != len(keys):
        raise Malformed("The page link belongs to another search; start again from the first page.")
    down = bool(keys) and keys[-1].descending
    condition = f"row_id {'<' if down else '>'} {bindings.bind(cursor.row_id, 'bigint')}"
    for key, name, value in reversed(list(zip(keys, names, cursor.keys, strict=True))):
        if value is None:
            condition = f"({name} IS NULL AND {condition})"
            continue
        last = bindings.bind(_typed(value, key.cast), key.cast)
        beyond = f"{name} {'<' if key.descending else '>'} {last}"
        condition = f"({beyond} OR {name} IS NULL OR ({name} = {last} AND {condition}))"
    return condition


def _typed(value: Any, cast: str) -> Any:
    try:
        return {"bigint": int, "float8": float, "text": str}[cast](value)
    except (TypeError, ValueError) as error:
        raise Malformed("The page link belongs to another search; start again from the first page.") from error


def order_by(keys: tuple[Key, ...], names: list[str]) -> str:
    """The ORDER BY list; the row id follows the direction of the last key, so that an index can be walked."""
    parts = [f"{name} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key, name in zip(keys, names, strict=True)]
    return ", ".join([*parts, f"row_id {'DESC' if keys and keys[-1].descending else 'ASC'}"])

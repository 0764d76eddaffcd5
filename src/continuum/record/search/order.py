"""The order of a result and the place in it: sort keys, keyset conditions, cursors.

Every order ends in the row id, so it is total, and a page begins exactly after the last row of the page before,
whatever was written in between. Missing values come last, in both directions.
"""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Any

import orjson

from continuum.fhir.query import Criterion, InCompartment, Query, Sort
from continuum.fhir.search_params import ALONE_SHIFT, MAIN_DATE, PARTS, UNIONS, UNLISTED_URIS
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import Malformed
from continuum.record.keys import Keys, param_id
from continuum.record.search.bindings import Bindings
from continuum.record.search.conditions import string_condition, string_which

BY_ROW, BY_DATE, BY_UPDATED, BY_STRING, BY_SORT = "row", "date", "updated", "string", "sort"
"""The orders that a search may take; a cursor says which one it began with."""

SHAPING = frozenset({"_count", "_total", "_totalMethod", "_summary", "_elements", "_include", "_revinclude"})
"""Parameters that may change from page to page: they change neither the matches nor their order."""
_SEAL_BYTES = 8


@dataclass(frozen=True, slots=True)
class Side:
    """A table `x` beside record.search whose index gives an order: (condition, `value`, row_id)."""

    table: str
    condition: str
    value: str
    alone: str = ""
    """What is sure to hold of a row beside which its resource has no other."""


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key over a row `s`: `sql` is NULL when the value is missing."""

    sql: str
    descending: bool
    cast: str
    column: str = ""
    """The column of record.search whose index gives this order, if there is one."""
    side: Side | None = None
    """The other table whose index gives this order, if there is one."""
    whole: bool = False
    """Whether every match has a value."""
    told_by: Sort | None = None
    """The order whose value only the resource itself tells (record/search/told.py); `sql` is then NULL."""

    @property
    def walkable(self) -> bool:
        """Whether an index has the rows in this order."""
        return bool(self.column) or self.side is not None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the mode of the order, the last row's keys (None is missing) and its row id."""

    mode: str
    keys: tuple[Any, ...]
    row_id: int

    def text(self, search: str, secret: Keys) -> str:
        """The opaque text of a page link, sealed for one search (`search_of`) of one database."""
        places = [repr(key) if isinstance(key, float) else key for key in self.keys]  # JSON has no infinity
        raw = orjson.dumps([self.mode, places, self.row_id])
        return base64.urlsafe_b64encode(_seal(search, raw, secret) + raw).decode().rstrip("=")


def _seal(search: str, raw: bytes, secret: Keys) -> bytes:
    return secret.of("cursor", search, raw.decode()).to_bytes(_SEAL_BYTES, "big", signed=True)


def search_of(query: Query) -> str:
    """What a page link is sealed for: the type, the compartment, and what chooses and orders the matches."""
    parts = [query.resource_type]
    parts += [f"{name}={text}" for name, text in query.self_params if name.partition(":")[0] not in SHAPING]
    parts += [f"{c.compartment_type}/{c.id}" for c in query.where if isinstance(c, InCompartment)]
    return "&".join(parts)


def read_cursor(text: str, search: str, secret: Keys) -> Cursor | None:
    """The cursor of a page link; None for the first page.

    Raises:
        Malformed: it was changed, or belongs to another search.
    """
    if not text:
        return None
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        raw = sealed[_SEAL_BYTES:]
        whole = base64.urlsafe_b64encode(sealed).decode().rstrip("=") == text
        if whole and sealed[:_SEAL_BYTES] == _seal(search, raw, secret):
            mode, keys, row_id = orjson.loads(raw)
            return Cursor(mode, tuple(keys), row_id)
    except (binascii.Error, ValueError):  # not base64, not UTF-8
        pass
    raise Malformed(
        "The page link was changed or belongs to another search; start the search again from its first page."
    )


def mode_of(query: Query, cursor: Cursor | None) -> str:
    """The order's mode: as the cursor began, else by `_sort`, else by the index that the criteria will walk."""
    if query.sort:
        return BY_SORT
    if cursor is not None:
        return cursor.mode
    main = MAIN_DATE.get(query.resource_type)
    for clause in query.where:
        if isinstance(clause, Criterion) and clause.modifier != "missing" and len(clause.values) == 1:
            if clause.param.code == main and clause.param.kind == "date":
                return BY_DATE
            if clause.param.code == "_lastUpdated":
                return BY_UPDATED
    return BY_ROW if leading_string(query) is None else BY_STRING


def leading_string(query: Query) -> Criterion | None:
    """The criterion whose strings are one stretch of their index; without a wish for an order they come as they lie.

    So a page of a common name costs no more than one of a rare name.
    """
    unions = UNIONS.get(query.resource_type, {})
    for clause in query.where:
        if (
            isinstance(clause, Criterion)
            and clause.param.kind == "string"
            and clause.modifier in {"", "exact"}
            and len(clause.values) == 1
            and clause.param.code not in unions
        ):
            return clause
    return None


def keys_of(query: Query, mode: str, bindings: Bindings) -> tuple[Key, ...]:
    """The sort keys of a mode; the row id follows them and is not among them."""
    if mode == BY_DATE:
        return (Key("s.date_low", descending=True, cast="bigint", column="date_low"),)
    if mode == BY_UPDATED:
        return (_updated_key(query.resource_type, descending=False),)
    leading = leading_string(query) if mode == BY_STRING else None
    if leading is not None:
        condition = string_condition(leading, leading.values[0], query.resource_type, bindings)
        key = _side_key("string", [condition], "value", "text", descending=False)
        _, bit = PARTS.get(query.resource_type, {}).get(leading.param.code) or ("", 0)
        alone = f"x.parts & {bit << ALONE_SHIFT}::smallint <> 0" if bit else ""
        return (replace(key, whole=True, side=Side("string", condition, "value", alone)),)
    return tuple(_sort_key(query.resource_type, sort, bindings) for sort in query.sort)


def _updated_key(resource_type: str, *, descending: bool) -> Key:
    """By the index that the history of a type has."""
    side = Side("resource", f"x.type = {TYPE_IDS[resource_type]} AND NOT x.deleted", "updated")
    return Key("s.updated", descending, "bigint", side=side)


def _sort_key(resource_type: str, sort: Sort, bindings: Bindings) -> Key:
    code, kind, down = sort.param.code, sort.param.kind, sort.descending
    if code == "_lastUpdated":
        return _updated_key(resource_type, descending=down)
    if code == "_id":
        side = Side("resource", f"x.type = {TYPE_IDS[resource_type]} AND NOT x.deleted", "id")
        return Key("(SELECT o.id FROM record.resource o WHERE o.row_id = s.row_id)", down, "text", side=side)
    if kind == "date" and MAIN_DATE.get(resource_type) == code:
        return Key("s.date_low", down, "bigint", "date_low")
    codes = UNIONS.get(resource_type, {}).get(code, (code,))
    if kind in {"number", "quantity"}:
        found = [bindings.bind(bindings.keys.quantity(resource_type, one), "bigint") for one in codes]
        return _side_key("quantity", [f"x.key = {one}" for one in found], "low", "float8", descending=down)
    if kind == "date":
        found = [bindings.bind(param_id(resource_type, one), "integer") for one in codes]
        return _side_key("date", [f"x.param = {one}" for one in found], "low", "bigint", descending=down)
    if kind == "string":
        which = [string_which(resource_type, one, bindings) for one in codes]
        return _side_key("string", which, "value", "text", descending=down)
    if not told_only(sort):
        which = [f"x.param = {bindings.bind(param_id(resource_type, one), 'integer')}" for one in codes]
        return _side_key("string", which, "value", "text", descending=down)
    cast = "float8" if sort.places else "text"
    return Key(f"NULL::{cast}", down, cast, told_by=sort)


def told_only(sort: Sort) -> bool:
    """Whether only the resources themselves say what they are sorted by (record/search/in_order.py)."""
    code, kind = sort.param.code, sort.param.kind
    if kind in {"reference", "composite", "special"}:
        return True
    return (kind == "token" and code != "_id") or (kind == "uri" and code in UNLISTED_URIS)


def _side_key(table: str, which: list[str], value: str, cast: str, *, descending: bool) -> Key:
    """The least value when the order rises, the greatest when it falls."""
    condition = which[0] if len(which) == 1 else f"({' OR '.join(which)})"
    pick = "max" if descending else "min"
    sql = f"(SELECT {pick}(x.{value}) FROM record.{table} x WHERE x.row_id = s.row_id AND {condition})"
    side = Side(table, condition, value) if len(which) == 1 else None
    return Key(sql, descending, cast, side=side)


def after(keys: tuple[Key, ...], names: list[str], cursor: Cursor, bindings: Bindings) -> str:
    """The keyset condition: the row comes after the cursor. `names` are the columns that hold the sort keys."""
    down = bool(keys) and keys[-1].descending
    condition = f"row_id {'<' if down else '>'} {bindings.bind(cursor.row_id, 'bigint')}"
    for key, name, value in reversed(list(zip(keys, names, cursor.keys, strict=True))):
        if value is None:
            condition = f"({name} IS NULL AND {condition})"
            continue
        last = bindings.bind(place(value, key), key.cast)
        beyond = f"{name} {'<' if key.descending else '>'} {last}"
        condition = f"({beyond} OR {name} IS NULL OR ({name} = {last} AND {condition}))"
    return condition


def place(value: Any, key: Key) -> Any:
    """A cursor's key as the value that it was."""
    return float(value) if key.cast == "float8" else value


def order_by(keys: tuple[Key, ...], names: list[str]) -> str:
    """The ORDER BY list; the row id follows the direction of the last key, so that an index can be walked."""
    parts = [f"{name} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key, name in zip(keys, names, strict=True)]
    return ", ".join([*parts, f"row_id {'DESC' if keys and keys[-1].descending else 'ASC'}"])

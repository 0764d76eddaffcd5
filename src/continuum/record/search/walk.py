"""Walking an index that has the rows in the order that is asked for, testing each row, until the page is full.

A walk is made of legs that follow each other: the rows that have the value, then those that have none. Each leg
may be cut after a number of rows (`tried`), so that a search whose matches are rare is noticed in time.
"""

from dataclasses import dataclass

from continuum.fhir.query import Criterion, Query, Value
from continuum.fhir.search_params import MAIN_DATE
from continuum.record.search.bindings import Bindings
from continuum.record.search.order import Cursor, Key, Side, place

Kind = int | str
"""The number of a resource type, written out, or the placeholder that it is bound to."""
LONG_US = 31 * 86_400_000_000
"""What lasts longer than this has an index of its own (search_type_long)."""
INSTANTS = frozenset({"Appointment", "Bundle", "DocumentReference", "Provenance", "Slot"})
"""Types whose main date is an instant: none of them lasts longer than a second."""
INSTANT_US = 1_000_000
_SINCE = frozenset({"eq", "ge", "gt", "sa", "ap"})
_UNTIL = frozenset({"eq", "lt", "le", "eb", "ap"})
"""Prefixes of a date that bound an instant from below, and from above."""
LONG = f"s.date_high > s.date_low + {LONG_US}"


@dataclass(frozen=True, slots=True)
class Leg:
    """source: SELECT of rows in order, with row_id and k0 (and, unless `beside`, all of record.search).

    The order is not said again outside, where PostgreSQL would sort by it. It holds because nothing there can become
    a join: every subquery of a filter has its OFFSET 0.
    """

    source: str
    beside: bool = False
    rows: str = ""
    """FROM and WHERE of the source, where each of its rows is one: to count them, the index alone is read."""

    def sql(self, type_id: Kind, filters: str, page: str, tried: str) -> str:
        """SELECT of (row_id, k0) of the rows that fulfil the filters, at most a page, after at most `tried` rows.

        OFFSET 0 keeps PostgreSQL from joining in another order.
        """
        cut = f" LIMIT {tried}" if tried else ""
        if self.beside and filters == "true":
            return f"(SELECT q.row_id, q.k0 FROM ({self.source}) q LIMIT {page})"
        if not self.beside:
            return f"(SELECT s.row_id, s.k0 FROM ({self.source}{cut or ' OFFSET 0'}) s WHERE {filters} LIMIT {page})"
        return (
            f"(SELECT l.row_id, q.k0 FROM ({self.source}{cut or ' OFFSET 0'}) q,"
            f" LATERAL (SELECT s.row_id FROM record.search s WHERE s.row_id = q.row_id AND s.type = {type_id}"
            f" AND ({filters}) IS TRUE OFFSET 0) l LIMIT {page})"
        )

    def goes_on(self, tried: str) -> str:
        """Whether there are rows beyond the cut."""
        return f"EXISTS ({f'SELECT 1 {self.rows}' if self.rows else self.source} OFFSET {tried})"


def legs(
    query: Query, type_id: Kind, order: tuple[Key, ...], cursor: Cursor | None, bindings: Bindings, within: str = ""
) -> list[Leg]:
    """The legs of an order of at most one key, beginning after the cursor.

    within: a further condition that the index of the order answers, beginning with AND.
    """
    if not order:
        return [Leg(_by_row(type_id, "", cursor, bindings, descending=False))]
    (key,) = order
    found: list[Leg] = []
    bounds = _bounds(query, key.column, bindings) if key.column else [""]
    if cursor is None or cursor.keys[0] is not None:
        if key.side is not None:
            updates = _updates(query, bindings) if key.side.value == "updated" else ""
            found.append(_by_side(key, key.side, updates, cursor, bindings))
        else:
            found += [_by_column(key, type_id, bound + within, cursor, bindings) for bound in bounds]
            if not key.descending:
                found.reverse()
    missing = _missing(key) if bounds == [""] else ""
    if missing:
        started = cursor if cursor is not None and cursor.keys[0] is None else None
        listed = _by_row(type_id, missing + within, started, bindings, descending=key.descending, cast=key.cast)
        found.append(Leg(listed))
    return found


def _missing(key: Key) -> str:
    """The condition of rows that have no value; empty when every row has one."""
    if key.whole:
        return ""
    if key.side is None:
        return f" AND s.{key.column} IS NULL"
    if key.side.table == "resource":
        return ""
    return (
        f" AND NOT EXISTS (SELECT 1 FROM record.{key.side.table} x WHERE x.row_id = s.row_id"
        f" AND {key.side.condition} OFFSET 0)"
    )


def _by_row(
    type_id: Kind, more: str, cursor: Cursor | None, bindings: Bindings, *, descending: bool, cast: str = "bigint"
) -> str:
    direction, sign = ("DESC", "<") if descending else ("ASC", ">")
    beyond = f" AND s.row_id {sign} {bindings.bind(cursor.row_id, 'bigint')}" if cursor else ""
    return (
        f"SELECT s.*, NULL::{cast} AS k0 FROM record.search s WHERE s.type = {type_id}{more}{beyond}"
        f" ORDER BY s.row_id {direction}"
    )


def _beyond(key: Key, names: str, cursor: Cursor | None, bindings: Bindings) -> str:
    if cursor is None:
        return ""
    last = bindings.bind(place(cursor.keys[0], key), key.cast)
    row = bindings.bind(cursor.row_id, "bigint")
    return f" AND ({names}) {'<' if key.descending else '>'} ({last}, {row})"


def _by_column(key: Key, type_id: Kind, bounds: str, cursor: Cursor | None, bindings: Bindings) -> Leg:
    direction = "DESC" if key.descending else "ASC"
    beyond = _beyond(key, f"s.{key.column}, s.row_id", cursor, bindings)
    rows = f"FROM record.search s WHERE s.type = {type_id} AND s.{key.column} IS NOT NULL{bounds}{beyond}"
    order = f"ORDER BY s.{key.column} {direction}, s.row_id {direction}"
    return Leg(f"SELECT s.*, s.{key.column} AS k0 {rows} {order}", rows=rows)


def _by_side(key: Key, side: Side, within: str, cursor: Cursor | None, bindings: Bindings) -> Leg:
    """Each row at its least value (its greatest when the order falls), once."""
    direction, closer = ("DESC", ">") if key.descending else ("ASC", "<")
    beyond = _beyond(key, f"x.{side.value}, x.row_id", cursor, bindings)
    first = ""
    if side.table != "resource":
        condition = side.condition.replace("x.", "y.")
        first = (
            f"NOT EXISTS (SELECT 1 FROM record.{side.table} y WHERE y.row_id = x.row_id AND {condition}"
            f" AND y.{side.value} {closer} x.{side.value} OFFSET 0)"
        )
        first = f" AND ({side.alone} OR {first})" if side.alone else f" AND {first}"
    return Leg(
        f"SELECT DISTINCT ON (x.{side.value}, x.row_id) x.row_id, x.{side.value} AS k0 FROM record.{side.table} x"
        f" WHERE {side.condition}{within}{beyond}{first} ORDER BY x.{side.value} {direction}, x.row_id {direction}",
        beside=True,
    )


def _updates(query: Query, bindings: Bindings) -> str:
    """What the criteria say of the instant of the last update, for the index of it."""
    found = ""
    for value in ranges(query, "_lastUpdated"):
        if value.prefix in _SINCE:
            found += f" AND x.updated >= {bindings.bind(value.low_us, 'bigint')}"
        if value.prefix in _UNTIL:
            found += f" AND x.updated <= {bindings.bind(value.high_us, 'bigint')}"
    return found


def filed_leg(condition: str, cursor: Cursor | None, bindings: Bindings) -> Leg:
    """The quantities under one code by row id."""
    beyond = f" AND x.row_id > {bindings.bind(cursor.row_id, 'bigint')}" if cursor else ""
    return Leg(
        f"SELECT DISTINCT ON (x.row_id) x.row_id, NULL::bigint AS k0 FROM record.quantity x"
        f" WHERE {condition}{beyond} ORDER BY x.row_id",
        beside=True,
    )


def ranges(query: Query, code: str | None) -> list[Value]:
    """The values of the criteria that bound a date of the query's type."""
    return [
        clause.values[0]
        for clause in query.where
        if isinstance(clause, Criterion)
        and clause.param.kind == "date"
        and clause.param.code == code
        and clause.modifier != "missing"
        and len(clause.values) == 1
    ]


def date_column(query: Query) -> str:
    """The column whose order a search by its main date takes.

    The end of an interval bounds what began before; its beginning bounds what ended later.
    """
    found = ranges(query, MAIN_DATE.get(query.resource_type))
    return "date_low" if any(value.prefix in {"lt", "le", "eb"} for value in found) else "date_high"


def _bounds(query: Query, column: str, bindings: Bindings) -> list[str]:
    """What the criteria on a date say about the column that is walked, as bare conditions for its index.

    Several are the parts of the walk from the latest to the earliest; none bounded is [""].
    """
    values = ranges(query, MAIN_DATE.get(query.resource_type))
    conditions = "".join(f" AND {one}" for value in values for one in bounds_of(value, column, bindings))
    since = [value.low_us for value in values if value.prefix in {"ge", "gt", "sa", "ap"}]
    if column != "date_low" or not since:
        return [conditions]
    if query.resource_type in INSTANTS:
        return [f"{conditions} AND s.date_low > {bindings.bind(max(since) - INSTANT_US, 'bigint')}"]
    # What ended after an instant began after it, or shortly before, or is one of the few long ones.
    began = bindings.bind(max(since) - LONG_US, "bigint")
    ended = bindings.bind(max(since), "bigint")
    return [
        f"{conditions} AND s.date_low >= {began}",
        f"{conditions} AND s.date_low < {began} AND (s.date_high >= {ended}) IS TRUE AND {LONG}",
    ]


def bounds_of(value: Value, column: str, bindings: Bindings) -> list[str]:
    """What one date value says about a column of record.search `s`: every match fulfils it, not only matches do."""
    parts = []
    if value.prefix in _SINCE and (value.prefix == "eq" or column == "date_high"):
        parts.append(f"s.{column} >= {bindings.bind(value.low_us, 'bigint')}")
    if value.prefix in _UNTIL and (value.prefix == "eq" or column == "date_low"):
        parts.append(f"s.{column} <= {bindings.bind(value.high_us, 'bigint')}")
    return parts


def date_rows(query: Query, type_id: int, bindings: Bindings, most: str) -> str:
    """SELECT of the row ids that the criteria on the main date leave, at most `most`; empty when they bound nothing."""
    column = date_column(query)
    bounds = _bounds(query, column, bindings)
    if bounds == [""]:
        return ""
    return " UNION ALL ".join(
        f"(SELECT s.row_id FROM record.search s WHERE s.type = {type_id}{bound}"
        f" ORDER BY s.{column}, s.row_id LIMIT {most})"
        for bound in bounds
    )

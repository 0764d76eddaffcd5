"""From a query to SQL whose shape leaves PostgreSQL no choice: begin with few rows, or walk an order.

Two shapes only. **Gather**: the driver's rows, bounded, are gathered first, then filtered, sorted and cut.
**Walk**: the index of the order is walked from the cursor on; everything else is a filter that no index can
tempt (`IS TRUE`), and the walk stops when the page is full.
"""

import math
from dataclasses import dataclass
from typing import Any

from continuum.fhir.query import Criterion, Query, Value
from continuum.fhir.search_params import MAIN_DATE
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.limits import GATHER_MAX, GATHER_MIN, GATHER_TRIED
from continuum.record.keys import Keys
from continuum.record.read import COLUMNS
from continuum.record.search.drivers import Driver, choose, filed
from continuum.record.search.filters import Bindings, clause_sql
from continuum.record.search.order import BY_DATE, BY_ROW, Cursor, Key, after, keys_of, mode_of, order_by, read_cursor
from continuum.record.search.statistics import Statistics
from continuum.record.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement. bound: rows that may be gathered; when `tried` exceeds it, the answer is not complete."""

    sql: str
    values: list[Any]
    mode: str
    keys: int
    bound: int
    gathers: bool


@dataclass(slots=True)
class Planner:
    """Plans one query for one session."""

    query: Query
    visibility: Visibility
    keys: Keys
    statistics: Statistics

    def page(self, *, allow_gather: bool, limit: int, with_total: bool) -> Plan:
        """The statement of a page of `limit` rows. allow_gather=False when gathering was tried in vain."""
        cursor = read_cursor(self.query.cursor)
        mode = mode_of(self.query, cursor)
        bindings = Bindings(self.keys, self.visibility)
        driver = choose(self.query, bindings, self.statistics)
        order = _order(self.query, mode, bindings)
        walkable = all(key.column for key in order) and len(order) <= 1
        bound = self._bound(limit)
        if driver is not None and driver.filed and not order:
            bound = GATHER_TRIED  # these can be walked in order, so little is tried before
        if walkable and not self._gathers(driver, bound, limit, allow_gather=allow_gather):
            bindings = Bindings(self.keys, self.visibility)
            order = _order(self.query, mode, bindings)
            return self._walk(bindings, order, mode, cursor, limit)
        if driver is not None and not with_total and self._surely_few(driver, bound):
            return self._gather_certain(bindings, driver, order, mode, cursor, limit)
        if not walkable:
            bound = GATHER_MAX
        return self._gather(bindings, driver, order, mode, cursor, limit=limit, bound=bound, with_total=with_total)

    def _bound(self, limit: int) -> int:
        """Beyond this many rows a walk through the type meets a page sooner than they are gathered."""
        rows = self.statistics.rows_of(TYPE_IDS[self.query.resource_type])
        return int(max(GATHER_MIN, math.sqrt(limit * rows)))

    def _gathers(self, driver: Driver | None, bound: int, limit: int, *, allow_gather: bool) -> bool:
        if driver is None or not allow_gather:
            return False
        if not driver.certain or driver.estimate <= bound:
            return True
        rows = self.statistics.rows_of(TYPE_IDS[self.query.resource_type])
        walk = limit * rows / max(driver.estimate, 1.0)
        return driver.estimate + driver.cost * 0.05 < walk

    def _surely_few(self, driver: Driver, bound: int) -> bool:
        """Whether figures say so; a database that was never analysed has none."""
        return driver.certain and not driver.rows and driver.estimate <= bound and self.statistics.rows > 0

    def count(self) -> Plan:
        """The statement that counts all matches; PostgreSQL may choose, since every match is read anyway."""
        bindings = Bindings(self.keys, self.visibility)
        where = self._filters(bindings)
        driver = choose(self.query, bindings, self.statistics)
        begin = ""
        if driver is not None:
            begin = f" AND s.row_id IN ({driver.sql})" if driver.rows else f" AND {driver.sql}"
        sql = f"SELECT count(*) AS total FROM record.search s WHERE s.type = {self._type} AND {where}{begin}"
        return Plan(sql, bindings.values, BY_ROW, 0, 0, gathers=False)

    @property
    def _type(self) -> int:
        return TYPE_IDS[self.query.resource_type]

    def _filters(self, bindings: Bindings) -> str:
        parts = [clause_sql(clause, self.query.resource_type, "s", bindings) for clause in self.query.where]
        visible = bindings.visible(self.query.resource_type, "s")
        # The cheapest first: PostgreSQL keeps the order of equally costly predicates.
        return " AND ".join([*(part for part in (visible,) if part != "true"), *sorted(parts, key=len)]) or "true"

    def _gather_certain(
        self,
        bindings: Bindings,
        driver: Driver,
        order: tuple[Key, ...],
        mode: str,
        cursor: Cursor | None,
        limit: int,
    ) -> Plan:
        """Gathers rows that figures say are few: nothing needs to be counted, so the statement is short."""
        names = [f"k{number}" for number in range(len(order))]
        columns = "".join(f", {key.sql} AS {name}" for key, name in zip(order, names, strict=True))
        place = f" WHERE {after(order, names, cursor, bindings)}" if cursor else ""
        listed = order_by(order, names)
        filters = self._filters(bindings)
        page = bindings.bind(limit + 1, "bigint")
        sql = (
            f"WITH d AS MATERIALIZED (SELECT s.row_id{columns} FROM record.search s"
            f" WHERE s.type = {self._type} AND {driver.sql} AND ({filters}) IS TRUE)"
            f" SELECT {COLUMNS}{''.join(f', p.{name}' for name in names)}"
            f" FROM (SELECT * FROM d{place} ORDER BY {listed} LIMIT {page}) p"
            f" JOIN record.resource r ON r.row_id = p.row_id ORDER BY {listed.replace('row_id', 'p.row_id')}"
        )
        return Plan(sql, bindings.values, mode, len(order), 0, gathers=False)

    def _gather(
        self,
        bindings: Bindings,
        driver: Driver | None,
        order: tuple[Key, ...],
        mode: str,
        cursor: Cursor | None,
        *,
        limit: int,
        bound: int,
        with_total: bool,
    ) -> Plan:
        names = [f"k{number}" for number in range(len(order))]
        most = bindings.bind(bound + 1, "bigint")
        if driver is None:
            begin = f"SELECT s.* FROM record.search s WHERE s.type = {self._type} LIMIT {most}"
        elif driver.rows:
            begin = (
                f"SELECT s.* FROM (SELECT DISTINCT q.row_id FROM ({driver.sql} LIMIT {most}) q) q"
                f" JOIN record.search s ON s.row_id = q.row_id AND s.type = {self._type}"
            )
        else:
            begin = f"SELECT s.* FROM record.search s WHERE s.type = {self._type} AND {driver.sql} LIMIT {most}"
        columns = "".join(f", {key.sql} AS {name}" for key, name in zip(order, names, strict=True))
        place = f" WHERE {after(order, names, cursor, bindings)}" if cursor else ""
        listed = order_by(order, names)
        total = "(SELECT count(*) FROM m)" if with_total else "NULL::bigint"
        filters = self._filters(bindings)
        page = bindings.bind(limit + 1, "bigint")
        shown = "".join(f", p.{name}" for name in names)
        sql = (
            f"WITH d AS MATERIALIZED ({begin}),"
            f" m AS MATERIALIZED (SELECT s.row_id{columns} FROM d s WHERE {filters}),"
            f" p AS MATERIALIZED (SELECT * FROM m{place} ORDER BY {listed} LIMIT {page})"
            f" SELECT t.tried, {total} AS total, {COLUMNS}{shown}"
            " FROM (SELECT count(*) AS tried FROM d) t"
            " LEFT JOIN (p JOIN record.resource r ON r.row_id = p.row_id) ON true"
            f" ORDER BY {listed.replace('row_id', 'p.row_id')}"
        )
        return Plan(sql, bindings.values, mode, len(order), bound, gathers=True)

    def _walk(self, bindings: Bindings, order: tuple[Key, ...], mode: str, cursor: Cursor | None, limit: int) -> Plan:
        filters = self._filters(bindings)
        page = bindings.bind(limit + 1, "bigint")
        base = f"FROM record.search s WHERE s.type = {self._type} AND ({filters}) IS TRUE"
        if not order:
            under = filed(self.query, bindings)
            if under is not None:
                return self._walk_filed(bindings, under, filters, page, cursor)
            place = f" AND s.row_id > {bindings.bind(cursor.row_id, 'bigint')}" if cursor else ""
            inner = f"SELECT s.row_id {base}{place} ORDER BY s.row_id LIMIT {page}"
            shown = ""
        else:
            inner = self._walk_column(bindings, order[0], base, page, cursor)
            shown = ", p.k0"
        listed = order_by(order, ["p.k0"][: len(order)]).replace("row_id", "p.row_id")
        sql = (
            f"SELECT {COLUMNS}{shown} FROM ({inner}) p JOIN record.resource r ON r.row_id = p.row_id ORDER BY {listed}"
        )
        return Plan(sql, bindings.values, mode, len(order), 0, gathers=False)

    def _walk_filed(self, bindings: Bindings, under: str, filters: str, page: str, cursor: Cursor | None) -> Plan:
        """Walks the quantities under one code by row id; each OFFSET 0 keeps that order from being lost."""
        place = f" AND x.row_id > {bindings.bind(cursor.row_id, 'bigint')}" if cursor else ""
        sql = (
            f"SELECT {COLUMNS} FROM (SELECT l.row_id FROM"
            f" (SELECT DISTINCT ON (x.row_id) x.row_id FROM record.quantity x WHERE {under}{place}"
            f" ORDER BY x.row_id OFFSET 0) q, LATERAL (SELECT s.row_id FROM record.search s"
            f" WHERE s.row_id = q.row_id AND s.type = {self._type} AND ({filters}) IS TRUE OFFSET 0) l"
            f" ORDER BY q.row_id LIMIT {page}) p JOIN record.resource r ON r.row_id = p.row_id ORDER BY p.row_id"
        )
        return Plan(sql, bindings.values, BY_ROW, 0, 0, gathers=False)

    def _walk_column(self, bindings: Bindings, key: Key, base: str, page: str, cursor: Cursor | None) -> str:
        """First the rows that have the value, then those that have none: two walks of one index."""
        direction, sign = ("DESC", "<") if key.descending else ("ASC", ">")
        named = f"SELECT s.row_id, s.{key.column} AS k0 {base}"
        listed = f"ORDER BY s.{key.column} {direction}, s.row_id {direction} LIMIT {page}"
        bounds = _bounds(self.query, key.column, bindings)
        parts = []
        if cursor is None or cursor.keys[0] is not None:
            place = ""
            if cursor is not None:
                after(((key),), ["k0"], cursor, Bindings(self.keys, self.visibility))  # refuses foreign cursors
                last, row = bindings.bind(cursor.keys[0], "bigint"), bindings.bind(cursor.row_id, "bigint")
                place = f" AND (s.{key.column}, s.row_id) {sign} ({last}, {row})"
            parts.append(f"({named} AND s.{key.column} IS NOT NULL{bounds}{place} {listed})")
        if not bounds and key.column != "updated":
            place = ""
            if cursor is not None and cursor.keys[0] is None:
                place = f" AND s.row_id {sign} {bindings.bind(cursor.row_id, 'bigint')}"
            parts.append(f"({named} AND s.{key.column} IS NULL{place} {listed})")
        return parts[0] if len(parts) == 1 else f"{' UNION ALL '.join(parts)} LIMIT {page}"


def _order(query: Query, mode: str, bindings: Bindings) -> tuple[Key, ...]:
    keys = keys_of(query, mode, bindings)
    if mode == BY_DATE:
        # The end of the interval bounds what began before; its beginning bounds what ended later.
        prefix = _main_date_prefix(query)
        column = "date_low" if prefix in {"lt", "le", "eb"} else "date_high"
        return (Key(f"s.{column}", descending=True, cast="bigint", column=column),)
    return keys


def _ranges(query: Query, code: str | None) -> list[Value]:
    """The values of the criteria that bound a date."""
    return [
        clause.values[0]
        for clause in query.where
        if isinstance(clause, Criterion)
        and clause.param.kind == "date"
        and clause.param.code == code
        and clause.modifier != "missing"
        and len(clause.values) == 1
    ]


def _main_date_prefix(query: Query) -> str:
    ranges = _ranges(query, MAIN_DATE.get(query.resource_type))
    return ranges[0].prefix if ranges else ""


def _bounds(query: Query, column: str, bindings: Bindings) -> str:
    """What the criteria on a date say about the column that is walked, as bare conditions for its index."""
    code = "_lastUpdated" if column == "updated" else MAIN_DATE.get(query.resource_type)
    parts = []
    for value in _ranges(query, code):
        from_below = value.prefix in {"eq", "ge", "gt", "sa", "ap"}
        from_above = value.prefix in {"lt", "le", "eb", "ap"} or (value.prefix == "eq")
        if from_below and column in {"date_high", "updated"}:
            parts.append(f" AND s.{column} >= {bindings.bind(value.low_us, 'bigint')}")
        if from_above and column in {"date_low", "updated"}:
            parts.append(f" AND s.{column} <= {bindings.bind(value.high_us, 'bigint')}")
        if value.prefix == "eq" and column == "date_high":
            parts.append(f" AND s.{column} <= {bindings.bind(value.high_us, 'bigint')}")
        if value.prefix == "eq" and column == "date_low":
            parts.append(f" AND s.{column} >= {bindings.bind(value.low_us, 'bigint')}")
    return "".join(parts)

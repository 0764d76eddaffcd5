"""From a query to SQL whose shape leaves PostgreSQL no choice: begin with few rows, or walk an order.

Two shapes only. **Gather**: the driver's rows, bounded, are gathered first, then filtered, sorted and cut.
**Walk**: the index of the order is walked from the cursor on; everything else is a filter that no index can
tempt, and the walk stops when the page is full.

Which one is cheaper depends on how many rows match, which nobody knows before. So a search makes efforts of rising
cost (`EFFORTS`): each is bounded, and says whether its answer is whole.
"""

import math
from dataclasses import dataclass
from typing import Any

from continuum.fhir.query import Clause, Query
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.limits import GATHER_MAX, GATHER_MIN, GATHER_TRIED, WALK_TRIED
from continuum.record.keys import Keys
from continuum.record.read import COLUMNS
from continuum.record.search.bindings import Bindings
from continuum.record.search.drivers import Driver, choose, filed
from continuum.record.search.filters import clause_sql
from continuum.record.search.in_chart import by_keys, only_patient
from continuum.record.search.order import (
    BY_DATE,
    BY_ROW,
    BY_STRING,
    Cursor,
    Key,
    after,
    keys_of,
    leading_string,
    mode_of,
    order_by,
)
from continuum.record.search.statistics import Statistics
from continuum.record.search.walk import Leg, date_column, filed_leg, legs
from continuum.record.visibility import Visibility

GATHER_FEW, WALK_SHORT, GATHER_MANY, WALK_ALL = EFFORTS = range(4)
"""Few rows of the driver; a short walk; all rows of the driver, up to GATHER_MAX; a walk to the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement. Its rows have COLUMNS, k0 … of the order, `total` and `cut`.

    A row without a row id only carries the last two. cut: the effort ended before the answer was whole.
    whole: it cannot be cut, and has neither.
    """

    sql: str
    values: list[Any]
    mode: str
    keys: int
    effort: int
    whole: bool = False
    totals: bool = False
    """Whether `total` was asked for and is there."""
    walkable: bool = True
    """Whether a greater effort could still succeed."""


@dataclass(slots=True)
class Planner:
    """Plans one query for one session."""

    query: Query
    visibility: Visibility
    keys: Keys
    statistics: Statistics

    def page(self, effort: int, cursor: Cursor | None, *, limit: int, with_total: bool) -> Plan:
        """The statement of a page of `limit` rows with at least this effort."""
        mode = mode_of(self.query, cursor)
        leading = leading_string(self.query) if mode == BY_STRING and effort <= WALK_SHORT else None
        if leading is not None and len(self.query.where) == 1:
            return self._walk(mode, cursor, limit, short=True, within=leading)
        bindings = Bindings(self.keys, self.visibility)
        order = self._order(mode, bindings)
        patient = only_patient(self.query, self.keys)
        if patient is not None and _by_begin(order) and not with_total:
            return self._in_chart(patient, mode, order, cursor, limit)
        driver = choose(self.query, bindings, self.statistics)
        if leading is not None and driver is not None and driver.covers is leading:
            return self._walk(mode, cursor, limit, short=True, within=leading)
        walkable = len(order) <= 1 and all(key.walkable for key in order)
        if not walkable:
            effort = GATHER_MANY
        elif driver is None:
            effort = WALK_ALL
        elif effort == GATHER_FEW and not self._promises_few(driver, limit):
            effort = WALK_SHORT
        if effort in {WALK_SHORT, WALK_ALL}:
            return self._walk(mode, cursor, limit, short=effort == WALK_SHORT)
        if driver is not None and not with_total and self._surely_few(driver, limit):
            return self._gather_certain(bindings, driver, order, mode, cursor, limit, patient)
        bound = GATHER_MAX
        if effort == GATHER_FEW:
            # What can be walked in order is tried less.
            bound = GATHER_TRIED if driver is not None and driver.filed and not order else self._bound(limit)
        return self._gather(
            bindings, driver, order, mode, cursor,
            effort=effort, limit=limit, bound=bound, with_total=with_total, walkable=walkable,
        )  # fmt: skip

    def _order(self, mode: str, bindings: Bindings) -> tuple[Key, ...]:
        if mode == BY_DATE:
            column = date_column(self.query)
            return (Key(f"s.{column}", descending=True, cast="bigint", column=column),)
        return keys_of(self.query, mode, bindings)

    def _bound(self, limit: int) -> int:
        """Beyond this many rows a walk through the type meets a page sooner than they are gathered."""
        rows = self.statistics.rows_of(self._type)
        return int(max(GATHER_MIN, math.sqrt(limit * rows)))

    def _promises_few(self, driver: Driver, limit: int) -> bool:
        """Whether gathering the driver's rows is likely to cost less than walking."""
        if self.query.begin or not driver.certain or driver.estimate <= self._bound(limit):
            return True
        rows = self.statistics.rows_of(self._type)
        return driver.price < limit * rows / max(driver.estimate, 1.0)

    def _surely_few(self, driver: Driver, limit: int) -> bool:
        """Whether the caller says so, or figures do; a database that was never analysed has none."""
        if self.query.begin:
            return driver.certain
        return driver.certain and driver.estimate <= self._bound(limit) and self.statistics.rows > 0

    def count(self) -> Plan:
        """The statement that counts all matches; PostgreSQL may choose, since every match is read anyway."""
        bindings = Bindings(self.keys, self.visibility)
        where = self.filters(bindings)
        bound = len(bindings.values)
        driver = choose(self.query, bindings, self.statistics)
        begin = ""
        if driver is None or driver.steps:
            del bindings.values[bound:]
        elif driver.rows:
            begin = f" AND s.row_id IN ({driver.begin(self._type, 'NULL')})"
        else:
            begin = f" AND {driver.sql}"
        sql = f"SELECT count(*) AS total FROM record.search s WHERE s.type = {self._type} AND {where}{begin}"
        return Plan(sql, bindings.values, BY_ROW, 0, WALK_ALL, whole=True)

    @property
    def _type(self) -> int:
        return TYPE_IDS[self.query.resource_type]

    def filters(self, bindings: Bindings, *covered: Clause | None, patient: str = "") -> str:
        """What a row must fulfil beyond the clauses that are known to hold; patient: whose all these rows are."""
        parts = [
            clause_sql(clause, self.query.resource_type, "s", bindings)
            for clause in self.query.where
            if not any(clause is one for one in covered)
        ]
        visible = bindings.visible(self.query.resource_type, "s", patient)
        if visible != "true":
            parts.append(visible)
        # The cheapest first, for PostgreSQL tests them in this order: what looks into other tables costs the most.
        return " AND ".join(sorted(parts, key=lambda part: (part.count("EXISTS"), len(part)))) or "true"

    def _gather_certain(
        self,
        bindings: Bindings,
        driver: Driver,
        order: tuple[Key, ...],
        mode: str,
        cursor: Cursor | None,
        limit: int,
        patient: int | None,
        held: tuple[Clause, ...] = (),
    ) -> Plan:
        """Gathers rows that figures say are few: nothing needs to be counted, so the statement is short.

        patient: in whose chart all matches are, if it is one. held: clauses that hold for exactly the driver's rows.
        """
        names = [f"k{number}" for number in range(len(order))]
        columns = "".join(f", {key.sql} AS {name}" for key, name in zip(order, names, strict=True))
        place = f" WHERE {after(order, names, cursor, bindings)}" if cursor else ""
        listed = order_by(order, names)
        mine = "" if patient is None else bindings.bind(patient, "bigint")
        filters = self.filters(bindings, driver.covers, *held, patient=mine)
        filters = f"s.patient = {mine} AND {filters}" if mine else filters
        page = bindings.bind(limit + 1, "bigint")
        # As in Driver.begin: only the driver's own index may be used. The type is bound, so that what charts ask of
        # several types has one text, and goes to PostgreSQL together (`several.py`).
        of_type = f"s.type = {bindings.bind(self._type, 'smallint')}"
        kind = of_type if driver.typed else f"({of_type}) IS TRUE"
        sql = (
            f"WITH d AS MATERIALIZED (SELECT s.row_id{columns} FROM record.search s"
            f" WHERE {kind} AND {driver.sql} AND ({filters}) IS TRUE)"
            f" SELECT {COLUMNS}{''.join(f', p.{name}' for name in names)}"
            f" FROM (SELECT * FROM d{place} ORDER BY {listed} LIMIT {page}) p"
            f" JOIN record.resource r ON r.row_id = p.row_id ORDER BY {listed.replace('row_id', 'p.row_id')}"
        )
        return Plan(sql, bindings.values, mode, len(order), GATHER_MANY, whole=True)

    def _gather(
        self,
        bindings: Bindings,
        driver: Driver | None,
        order: tuple[Key, ...],
        mode: str,
        cursor: Cursor | None,
        *,
        effort: int,
        limit: int,
        bound: int,
        with_total: bool,
        walkable: bool,
    ) -> Plan:
        names = [f"k{number}" for number in range(len(order))]
        begin, matches, cut = self.matches(bindings, driver, order, names, bound)
        place = f" WHERE {after(order, names, cursor, bindings)}" if cursor else ""
        listed = order_by(order, names)
        page = bindings.bind(limit + 1, "bigint")
        shown = "".join(f", p.{name}" for name in names)
        total, kept, found = "NULL::bigint", "", f"({matches}) m"
        if with_total:
            total, kept, found = "(SELECT count(*) FROM m)", f"m AS MATERIALIZED ({matches}), ", "m"
        sql = (
            f"WITH {begin}, {kept}"
            f"p AS MATERIALIZED (SELECT * FROM {found}{place} ORDER BY {listed} LIMIT {page})"
            f" SELECT t.cut, {total} AS total, {COLUMNS}{shown}"
            f" FROM (SELECT {cut} AS cut) t LEFT JOIN (p JOIN record.resource r ON r.row_id = p.row_id) ON true"
            f" ORDER BY {listed.replace('row_id', 'p.row_id')}"
        )
        return Plan(sql, bindings.values, mode, len(order), effort, totals=with_total, walkable=walkable)

    def matches(
        self, bindings: Bindings, driver: Driver | None, order: tuple[Key, ...], names: list[str], bound: int
    ) -> tuple[str, str, str]:
        """The steps that gather at most `bound` rows of the driver, the SELECT of the matches, whether it was cut."""
        most = bindings.bind(bound + 1, "bigint")
        if driver is None:
            visible = bindings.visible(self.query.resource_type, "s")
            begin = f"SELECT s.* FROM record.search s WHERE s.type = {self._type} AND ({visible}) IS TRUE LIMIT {most}"
        else:
            begin = driver.begin(self._type, most)
        source = "d s"
        if driver is not None and driver.rows:
            source = "(SELECT DISTINCT row_id FROM d) o JOIN record.search s ON s.row_id = o.row_id"
        columns = "".join(f", {key.sql} AS {name}" for key, name in zip(order, names, strict=True))
        filters = self.filters(bindings, driver.covers if driver else None)
        matches = f"SELECT s.row_id{columns} FROM {source} WHERE (s.type = {self._type} AND {filters}) IS TRUE"
        steps = "".join(f"{step}, " for step in (driver.steps if driver else ()))
        cut = " OR ".join([f"(SELECT count(*) FROM d) >= {most}", *(driver.overflow if driver else ())])
        return f"{steps}d AS MATERIALIZED ({begin})", matches, cut

    def _in_chart(self, patient: int, mode: str, order: tuple[Key, ...], cursor: Cursor | None, limit: int) -> Plan:
        """The rows of one patient in the order of their beginning."""
        bindings = Bindings(self.keys, self.visibility)
        few, held = by_keys(self.query, bindings, self.statistics)
        if few is None:
            return self._walk_chart(patient, mode, order, cursor, limit)
        return self._gather_certain(bindings, few, order, mode, cursor, limit, patient, held)

    def _walk_chart(self, patient: int, mode: str, order: tuple[Key, ...], cursor: Cursor | None, limit: int) -> Plan:
        """Walks one patient's rows by date: what a chart shows first costs the same however long the chart is."""
        bindings = Bindings(self.keys, self.visibility)
        mine = bindings.bind(patient, "bigint")
        filters = self.filters(bindings, patient=mine)
        within = f" AND s.patient = {mine}"
        kind = bindings.bind(self._type, "smallint")
        page = str(limit + 1)
        parts = [leg.sql(kind, filters, page, "") for leg in legs(self.query, kind, order, cursor, bindings, within)]
        found = parts[0] if len(parts) == 1 else f"{' UNION ALL '.join(parts)} LIMIT {page}"
        sql = (
            f"SELECT {COLUMNS}, p.k0 FROM ({found}) p"
            f" JOIN record.resource r ON r.row_id = p.row_id"
            f" ORDER BY {order_by(order, ['p.k0']).replace('row_id', 'p.row_id')}"
        )
        return Plan(sql, bindings.values, mode, len(order), WALK_ALL, whole=True)

    def _walk(self, mode: str, cursor: Cursor | None, limit: int, *, short: bool, within: Clause | None = None) -> Plan:
        """Walks the index of the order; `within`: among the rows for which this holds."""
        bindings = Bindings(self.keys, self.visibility)
        order = self._order(mode, bindings)
        filters = self.filters(bindings, within)
        short = short and (within is None or filters != "true")
        # Written out, not bound: PostgreSQL would take an unknown number for a tenth of the table, and sort.
        page = str(limit + 1)
        tried = str(WALK_TRIED) if short else ""
        walked = self._legs(order, cursor, bindings)
        parts = [leg.sql(self._type, filters, page, tried) for leg in walked]
        found = parts[0] if len(parts) == 1 else f"{' UNION ALL '.join(parts)} LIMIT {page}"
        shown = ", p.k0" if order else ""
        listed = order_by(order, ["p.k0"][: len(order)]).replace("row_id", "p.row_id")
        if not short:
            sql = (
                f"SELECT {COLUMNS}{shown} FROM ({found}) p"
                f" JOIN record.resource r ON r.row_id = p.row_id ORDER BY {listed}"
            )
            return Plan(sql, bindings.values, mode, len(order), WALK_ALL, whole=True)
        on = " OR ".join(leg.goes_on(tried) for leg in walked)
        sql = (
            f"WITH p AS MATERIALIZED ({found}) SELECT t.cut, NULL::bigint AS total, {COLUMNS}{shown}"
            f" FROM (SELECT CASE WHEN (SELECT count(*) FROM p) < {page} THEN {on} ELSE false END AS cut) t"
            f" LEFT JOIN (p JOIN record.resource r ON r.row_id = p.row_id) ON true ORDER BY {listed}"
        )
        return Plan(sql, bindings.values, mode, len(order), WALK_SHORT)

    def _legs(self, order: tuple[Key, ...], cursor: Cursor | None, bindings: Bindings) -> list[Leg]:
        under = filed(self.query, bindings) if not order else None
        if under is not None:
            return [filed_leg(under, cursor, bindings)]
        return legs(self.query, self._type, order, cursor, bindings)


def _by_begin(order: tuple[Key, ...]) -> bool:
    """Whether rows are wanted by the beginning of their date only, as the index of a patient's rows has them."""
    return len(order) == 1 and order[0].side is None and order[0].column == "date_low"

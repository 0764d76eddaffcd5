"""The rows of a page in the order that is asked for, whether an index has that order or not.

Where none has it (by a token, a reference or a pair, which only the resource says, by distance, or by several keys of
very many matches), the matches are read a part at a time and of each part only the rows are kept that may stand on
the page: the cost grows with the matches, the memory does not. Where an index has at least the first key, they are
read in its order and no further than the page needs.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from continuum.fhir.index import Index, extract
from continuum.fhir.json import parse
from continuum.kernel.errors import TooCostly
from continuum.record.limits import SORT_READ_AT_ONCE, SORT_READ_MAX
from continuum.record.read import Connection, stored
from continuum.record.search.bindings import Bindings
from continuum.record.search.efforts import count_of, rows_of
from continuum.record.search.order import BY_ROW, BY_SORT, Cursor, Key, keys_of, place, told_only
from continuum.record.search.plan import Planner
from continuum.record.search.told import told

READ_TOGETHER = 64
"""Resources read before others get their turn."""
FIRST_PART, NEXT_PART = 2, 4
"""How many times a page the first part is, and how many times a part the next one, where an index has the first key."""
_ROW_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a page and one more, if there are more. They have COLUMNS and k0 … of the order, `keys` of them."""

    rows: list[Any]
    mode: str
    keys: int
    total: int | None
    """The number of all matches, when it was asked for."""


async def in_order(conn: Connection, planner: Planner, cursor: Cursor | None, limit: int, *, with_total: bool) -> Found:
    """The first rows after the cursor, at most limit + 1.

    Raises:
        TooCostly: more than SORT_READ_MAX matches would have to be read to bring them into order.
    """
    sort = planner.query.sort
    if not any(told_only(one) for one in sort):
        try:
            rows, plan = await rows_of(conn, planner, cursor, limit, with_total=with_total)
        except TooCostly:
            if len(sort) < 2 and _Reading(conn, planner, cursor).leads:  # walked to its end already
                raise
        else:
            total = (rows[0]["total"] if plan.totals else await count_of(conn, planner)) if with_total else None
            rows = rows if plan.whole else [row for row in rows if row["row_id"] is not None]
            return Found(rows, plan.mode, plan.keys, total)
    rows = await _Reading(conn, planner, cursor).best(limit + 1)
    return Found(rows, BY_SORT, len(sort), await count_of(conn, planner) if with_total else None)


class _Reading:
    """Reads the matches a part at a time, and keeps the best."""

    def __init__(self, conn: Connection, planner: Planner, cursor: Cursor | None) -> None:
        self._conn = conn
        self._cursor = cursor
        self._query = planner.query
        self._order = keys_of(planner.query, BY_SORT, Bindings(planner.keys, planner.visibility))
        self.leads = self._order[0].walkable
        """Whether an index has the first key, which none has that lies under two codes (combo-value-quantity); the
        matches then come in the order of it."""
        sort = planner.query.sort[:1] if self.leads else ()
        self._source = replace(planner, query=replace(planner.query, sort=sort, total="", includes=()))

    async def best(self, wanted: int) -> list[dict[str, Any]]:
        """The first rows after the cursor, at most as many as wanted."""
        best: list[dict[str, Any]] = []
        at = self._start()
        read = 0
        # In the order of the first key a page is most often among the first rows; else all have to be read.
        size = min(wanted * FIRST_PART, SORT_READ_AT_ONCE) if self.leads else SORT_READ_AT_ONCE
        while True:
            found, _ = await rows_of(self._conn, self._source, at, size, with_total=False)
            part = [row for row in found if row["row_id"] is not None][:size]
            read += len(part)
            best = arranged(best + await self._keyed(part), self._order)[:wanted]
            if len(found) <= size:
                return best
            last = part[-1]
            if self.leads and len(best) == wanted and best[-1]["k0"] != last["k0"]:
                return best
            if read >= SORT_READ_MAX:
                named = ", ".join(one.param.code for one in self._query.sort)
                raise TooCostly(
                    f"More than {SORT_READ_MAX} {self._query.resource_type} resources would have to be read to sort"
                    f" them by {named}; add criteria, or sort by a date, string, number, quantity, _id or _lastUpdated"
                    " first."
                )
            size = min(size * NEXT_PART, SORT_READ_AT_ONCE)
            at = Cursor(BY_SORT, (last["k0"],), last["row_id"]) if self.leads else Cursor(BY_ROW, (), last["row_id"])

    def _start(self) -> Cursor | None:
        """Before the first match, or before all that have the first key of the cursor."""
        if not self.leads:
            return Cursor(BY_ROW, (), 0)
        if self._cursor is None:
            return None
        return Cursor(BY_SORT, self._cursor.keys[:1], _ROW_MAX if self._order[0].descending else 0)

    async def _keyed(self, part: Sequence[Any]) -> list[dict[str, Any]]:
        """The rows with all their keys, if they come after the cursor."""
        asked = [at for at, key in enumerate(self._order) if not key.told_by and not (at == 0 and self.leads)]
        filed = await self._filed(part, asked) if asked else {}
        reads = any(key.told_by for key in self._order)
        found = []
        for number, row in enumerate(part):
            if reads and number % READ_TOGETHER == READ_TOGETHER - 1:
                await asyncio.sleep(0)
            whole = dict(row)
            if asked:
                known = filed.get(row["row_id"])
                if known is None:  # gone since
                    continue
                whole.update((f"k{at}", known[f"k{at}"]) for at in asked)
            if reads:
                body = stored(row).body
                index = extract(parse(body)) if body is not None else Index()
                whole.update((f"k{at}", told(key.told_by, index)) for at, key in enumerate(self._order) if key.told_by)
            if self._cursor is None or _comes_after(whole, self._order, self._cursor):
                found.append(whole)
        return found

    async def _filed(self, part: Sequence[Any], asked: Sequence[int]) -> dict[int, Any]:
        """The keys that the tables of the record say, by row."""
        bindings = Bindings(self._source.keys, self._source.visibility)
        query = replace(self._query, sort=tuple(self._query.sort[at] for at in asked))
        keys = keys_of(query, BY_SORT, bindings)
        columns = ", ".join(f"{key.sql} AS k{at}" for at, key in zip(asked, keys, strict=True))
        rows = bindings.bind([row["row_id"] for row in part], "bigint[]")
        sql = f"SELECT s.row_id, {columns} FROM record.search s WHERE s.row_id = ANY({rows})"
        return {row["row_id"]: row for row in await self._conn.fetch(sql, *bindings.values)}


def arranged(found: list[dict[str, Any]], keys: tuple[Key, ...]) -> list[dict[str, Any]]:
    """Rows that have all their keys, in order."""
    # From the last key to the first: Python's sort keeps what the later keys have said.
    found = sorted(found, key=lambda row: int(row["row_id"]), reverse=bool(keys) and keys[-1].descending)
    for at in range(len(keys) - 1, -1, -1):
        name, down = f"k{at}", keys[at].descending
        present = [row for row in found if row[name] is not None]
        absent = [row for row in found if row[name] is None]
        present.sort(key=lambda row, name=name: row[name], reverse=down)  # type: ignore[misc]
        found = present + absent
    return found


def _comes_after(row: dict[str, Any], keys: tuple[Key, ...], cursor: Cursor) -> bool:
    for at, (key, last) in enumerate(zip(keys, cursor.keys, strict=True)):
        mine = row[f"k{at}"]
        if last is None:
            if mine is not None:
                return False
            continue
        if mine is None:
            return True
        there = place(last, key)
        if mine != there:
            return bool(mine < there if key.descending else mine > there)
    mine_row = int(row["row_id"])
    return mine_row < cursor.row_id if keys and keys[-1].descending else mine_row > cursor.row_id

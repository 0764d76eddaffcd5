"""Runs a search: a page, its includes, its total; and the few matches that conditional interactions ask for."""

from dataclasses import replace
from typing import Any

from continuum.fhir.query import Criterion, Query
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import GATHER_MAX, OVERFLOWS_REMEMBERED_MAX
from continuum.record.keys import Keys
from continuum.record.model import Page, Stored
from continuum.record.read import Connection, stored
from continuum.record.search.includes import included
from continuum.record.search.order import Cursor
from continuum.record.search.plan import Plan, Planner
from continuum.record.search.statistics import Statistics, read_statistics
from continuum.record.visibility import Visibility

_statistics: dict[Keys, Statistics] = {}
_overflowed: dict[Keys, dict[tuple[Any, ...], float]] = {}
"""Searches that were found to have too many rows to gather, by database (each has its own Keys), with their rank."""
NEVER = float("-inf")


async def statistics_of(conn: Connection, keys: Keys) -> Statistics:
    """The figures of this database, read again when they are old."""
    found = _statistics.get(keys)
    if found is None or found.stale:
        found = _statistics[keys] = await read_statistics(conn)
        _overflowed[keys] = {}
    return found


async def search(conn: Connection, query: Query, *, visibility: Visibility, keys: Keys) -> Page:
    """One page of the matches that may be seen, with what it includes.

    Raises:
        TooCostly: the matches cannot be brought into the order that is asked for within GATHER_MAX rows.
        Malformed: the cursor is not one of ours.
    """
    planner = Planner(query, visibility, keys, await statistics_of(conn, keys))
    wants_total = query.total == "accurate" or query.summary == "count"
    if query.summary == "count":
        return Page(matches=(), total=await _count(conn, planner))
    if query.total == "estimate":
        wants_total = True
    rows, plan, total = await _rows(conn, planner, query.count, with_total=wants_total)
    if wants_total and total is None:
        total = await _count(conn, planner)
    shown = rows[: query.count]
    matches = tuple(stored(row) for row in shown)
    cursor = ""
    if len(rows) > query.count and shown:
        last = shown[-1]
        place = tuple(last[f"k{number}"] for number in range(plan.keys))
        cursor = Cursor(plan.mode, place, last["row_id"]).text()
    extra: tuple[Stored, ...] = ()
    if query.includes and matches:
        extra = await included(conn, query.includes, matches, visibility=visibility, keys=keys)
    return Page(matches, extra, cursor, total)


async def resolve(conn: Connection, query: Query, *, visibility: Visibility, keys: Keys, limit: int) -> list[Stored]:
    """At most `limit` matches, for conditional interactions."""
    plain = replace(query, includes=(), sort=(), total="", summary="", cursor="", count=limit)
    page = await search(conn, plain, visibility=visibility, keys=keys)
    return list(page.matches)


async def _count(conn: Connection, planner: Planner) -> int:
    plan = planner.count()
    row = await conn.fetchrow(plan.sql, *plan.values)
    total: int = row["total"]
    return total


def _shape(query: Query) -> tuple[tuple[Any, ...], float]:
    """A search without the bound of its one quantity, and how narrow that bound makes it: a higher rank finds less."""
    plain = (query.resource_type, query.where, query.sort)
    bounds = [
        (number, clause)
        for number, clause in enumerate(query.where)
        if isinstance(clause, Criterion) and clause.param.kind == "quantity" and len(clause.values) == 1
    ]
    if len(bounds) != 1:
        return plain, 0.0
    number, clause = bounds[0]
    value = clause.values[0]
    direction = {"gt": 1, "ge": 1, "sa": 1, "lt": -1, "le": -1, "eb": -1}.get(value.prefix)
    if direction is None or value.number is None:
        return plain, 0.0
    unbound = replace(clause, values=(replace(value, text="", number=None, low=None, high=None),))
    where = (*query.where[:number], unbound, *query.where[number + 1 :])
    return (query.resource_type, where, query.sort), direction * float(value.number)


async def _rows(
    conn: Connection, planner: Planner, limit: int, *, with_total: bool
) -> tuple[list[Any], Plan, int | None]:
    """The rows of a page and one more; gathers when that promises few rows, else walks."""
    seen = _overflowed.setdefault(planner.keys, {})
    shape, rank = _shape(planner.query)
    # What had too many rows above one bound has no fewer above a lower one.
    plan = planner.page(allow_gather=rank > seen.get(shape, NEVER), limit=limit, with_total=with_total)
    rows = await conn.fetch(plan.sql, *plan.values)
    if not plan.gathers:
        return rows, plan, None
    tried = rows[0]["tried"]
    if tried <= plan.bound:
        total = rows[0]["total"]
        return [row for row in rows if row["row_id"] is not None], plan, total
    if plan.bound >= GATHER_MAX:
        raise TooCostly(
            f"More than {GATHER_MAX} {planner.query.resource_type} resources would have to be sorted;"
            " add criteria, or sort by date or _lastUpdated."
        )
    if len(seen) >= OVERFLOWS_REMEMBERED_MAX:
        seen.clear()
    seen[shape] = max(rank, seen.get(shape, NEVER))
    plan = planner.page(allow_gather=False, limit=limit, with_total=False)
    rows = await conn.fetch(plan.sql, *plan.values)
    if not plan.gathers:
        return rows, plan, None
    if rows[0]["tried"] > plan.bound:
        raise TooCostly("The search would read too many resources; add criteria.")
    return [row for row in rows if row["row_id"] is not None], plan, rows[0]["total"]

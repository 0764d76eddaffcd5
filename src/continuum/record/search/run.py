"""Runs a search: a page, its includes, its total; and the few matches that conditional interactions ask for."""

from dataclasses import replace
from typing import Any

from continuum.fhir.query import Criterion, Query
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import GATHER_MAX, OVERFLOWS_REMEMBERED_MAX, SORT_READ_MAX
from continuum.record.keys import Keys
from continuum.record.model import Page, Stored
from continuum.record.read import Connection, stored
from continuum.record.search.estimate import Total, estimate_of
from continuum.record.search.in_order import ordered
from continuum.record.search.includes import included
from continuum.record.search.order import Cursor, read_cursor, search_of
from continuum.record.search.plan import EFFORTS, GATHER_FEW, GATHER_MANY, WALK_SHORT, Plan, Planner
from continuum.record.search.ready import ready
from continuum.record.search.statistics import Statistics, read_statistics
from continuum.record.visibility import Visibility

_statistics: dict[Keys, Statistics] = {}
_failed: dict[Keys, dict[tuple[Any, ...], float]] = {}
"""Efforts that were cut, by database (each has its own Keys): (effort, shape of the search) → its rank."""
NEVER = float("-inf")


async def statistics_of(conn: Connection, keys: Keys) -> Statistics:
    """The figures of this database, read again when they are old."""
    found = _statistics.get(keys)
    if found is None or found.stale:
        found = _statistics[keys] = await read_statistics(conn)
        _failed[keys] = {}
    return found


async def search(conn: Connection, query: Query, *, visibility: Visibility, keys: Keys) -> Page:
    """One page of the matches that may be seen, with what it includes.

    Raises:
        NotYetIndexed: what was there before is still being indexed by one of its parameters.
        TooCostly: the matches cannot be brought into the order that is asked for within GATHER_MAX rows.
        Malformed: the cursor was changed or belongs to another search.
    """
    query = await ready(conn, query, keys)
    planner = Planner(query, visibility, keys, await statistics_of(conn, keys))
    if query.summary == "count":
        counted = await total_of(conn, planner)
        return Page(matches=(), total=counted.number, estimated=counted.estimated)
    wants_total = query.total == "accurate"
    named = search_of(query)
    cursor = read_cursor(query.cursor, named, keys)
    rows, plan = await rows_of(conn, planner, cursor, query.count, with_total=wants_total)
    total: int | None = None
    if plan.unordered:
        rows = [row for row in rows if row["row_id"] is not None]
        total = len(rows) if query.total in {"accurate", "estimate"} else None
        found = await ordered(rows, plan.unordered, cursor)
        return await page_of(conn, planner, found, plan.mode, plan.keys, named, total)
    if wants_total:
        total = rows[0]["total"] if plan.totals else await count_of(conn, planner)
    found = rows if plan.whole else [row for row in rows if row["row_id"] is not None]
    page = await page_of(conn, planner, found, plan.mode, plan.keys, named, total)
    if query.total != "estimate":
        return page
    counted = await about(conn, planner, page)
    return replace(page, total=counted.number, estimated=counted.estimated)


async def about(conn: Connection, planner: Planner, page: Page) -> Total:
    """The total of a page's search: known when the page is all there is, else estimated."""
    if not page.next_cursor and not planner.query.cursor:
        return Total(len(page.matches))
    return await estimate_of(conn, planner, at_least=len(page.matches) + bool(page.next_cursor))


async def total_of(conn: Connection, planner: Planner) -> Total:
    """How many matches there are, as exactly as was asked for."""
    if planner.query.total == "estimate":
        return await estimate_of(conn, planner, at_least=0)
    return Total(await count_of(conn, planner))


async def page_of(
    conn: Connection, planner: Planner, found: list[Any], mode: str, keys_count: int, named: str, total: int | None
) -> Page:
    """The page that some rows begin, in order and one more than it holds if there are more."""
    query, keys = planner.query, planner.keys
    shown = found[: query.count]
    matches = tuple(stored(row) for row in shown)
    onward = ""
    if len(found) > query.count and shown:
        last = shown[-1]
        place = tuple(last[f"k{number}"] for number in range(keys_count))
        onward = Cursor(mode, place, last["row_id"]).text(named, keys)
    extra: tuple[Stored, ...] = ()
    if query.includes and matches:
        extra = await included(conn, query.includes, matches, visibility=planner.visibility, keys=keys)
    return Page(matches, extra, onward, total)


async def resolve(conn: Connection, query: Query, *, visibility: Visibility, keys: Keys, limit: int) -> list[Stored]:
    """At most `limit` matches, for conditional interactions."""
    plain = replace(query, includes=(), sort=(), total="", summary="", cursor="", count=limit)
    page = await search(conn, plain, visibility=visibility, keys=keys)
    return list(page.matches)


async def count_of(conn: Connection, planner: Planner) -> int:
    """How many matches there are."""
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
    unbound = replace(clause, values=(replace(value, text="", number=None, low=None, high=None, readings=()),))
    where = (*query.where[:number], unbound, *query.where[number + 1 :])
    return (query.resource_type, where, query.sort), direction * float(value.number)


def _remembered(effort: int, query: Query) -> tuple[tuple[Any, ...], float]:
    """Under what a cut effort is remembered: what was too much to gather above one bound is no less above a lower."""
    if effort not in {GATHER_FEW, GATHER_MANY}:
        return (effort, query.resource_type, query.where, query.sort), 0.0
    shape, rank = _shape(query)
    return (effort, *shape), rank


async def rows_of(
    conn: Connection, planner: Planner, cursor: Cursor | None, limit: int, *, with_total: bool
) -> tuple[list[Any], Plan]:
    """The rows of a page and one more, by the cheapest effort that gives all of them."""
    query = planner.query
    failed = _failed.setdefault(planner.keys, {})
    least = 0
    for effort in EFFORTS:
        if effort < least:
            continue
        if failed:
            shape, rank = _remembered(effort, query)
            if rank <= failed.get(shape, NEVER):
                continue
        plan = planner.page(effort, cursor, limit=limit, with_total=with_total)
        # Where few rows are not promised, the first effort is a short walk already: one that was cut before is again.
        if effort < plan.effort == WALK_SHORT and failed and _remembered(WALK_SHORT, query)[0] in failed:
            continue
        rows = await conn.fetch(plan.sql, *plan.values)
        if plan.whole or not rows[0]["cut"]:
            return rows, plan
        least = plan.effort + 1
        if len(failed) >= OVERFLOWS_REMEMBERED_MAX:
            failed.clear()
        shape, rank = _remembered(plan.effort, query)
        failed[shape] = max(rank, failed.get(shape, NEVER))
        if not plan.walkable:
            break
    if plan.unordered:
        told = ", ".join(key.told_by.code for key in plan.unordered if key.told_by is not None)
        raise TooCostly(
            f"More than {SORT_READ_MAX} {query.resource_type} resources would have to be read to sort them by {told};"
            " add criteria, or sort by a date, string, number, quantity, _id or _lastUpdated."
        )
    raise TooCostly(
        f"More than {GATHER_MAX} {query.resource_type} resources would have to be sorted;"
        " add criteria, or sort by one parameter only."
    )

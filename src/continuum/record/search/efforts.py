"""Makes efforts of rising cost until one gives the whole answer, and remembers which were in vain."""

from dataclasses import replace
from typing import Any

from continuum.fhir.query import Criterion, Query
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import GATHER_MAX, OVERFLOWS_REMEMBERED_MAX
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.search.order import Cursor
from continuum.record.search.plan import EFFORTS, GATHER_FEW, GATHER_MANY, WALK_SHORT, Plan, Planner
from continuum.record.search.statistics import Statistics, read_statistics

_statistics: dict[Keys, Statistics] = {}
_failed: dict[Keys, dict[tuple[Any, ...], float]] = {}
"""Efforts that were cut, by database (each has its own Keys): (effort, page, shape of the search) → its rank."""
NEVER = float("-inf")


async def statistics_of(conn: Connection, keys: Keys) -> Statistics:
    """The figures of this database, read again when they are old."""
    found = _statistics.get(keys)
    if found is None or found.stale:
        found = _statistics[keys] = await read_statistics(conn)
        _failed[keys] = {}
    return found


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


def _remembered(effort: int, limit: int, query: Query) -> tuple[tuple[Any, ...], float]:
    """Under what a cut effort is remembered: what was too much to gather above one bound is no less above a lower."""
    if effort not in {GATHER_FEW, GATHER_MANY}:
        return (effort, limit, query.resource_type, query.where, query.sort), 0.0
    shape, rank = _shape(query)
    return (effort, limit, *shape), rank


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
            shape, rank = _remembered(effort, limit, query)
            if rank <= failed.get(shape, NEVER):
                continue
        plan = planner.page(effort, cursor, limit=limit, with_total=with_total)
        # Where few rows are not promised, the first effort is a short walk already: one that was cut before is again.
        if effort < plan.effort == WALK_SHORT and failed and _remembered(WALK_SHORT, limit, query)[0] in failed:
            continue
        rows = await conn.fetch(plan.sql, *plan.values)
        if plan.whole or not rows[0]["cut"]:
            return rows, plan
        least = plan.effort + 1
        if len(failed) >= OVERFLOWS_REMEMBERED_MAX:
            failed.clear()
        shape, rank = _remembered(plan.effort, limit, query)
        failed[shape] = max(rank, failed.get(shape, NEVER))
        if not plan.walkable:
            break
    raise TooCostly(
        f"More than {GATHER_MAX} {query.resource_type} resources would have to be sorted;"
        " add criteria, or sort by one parameter only."
    )

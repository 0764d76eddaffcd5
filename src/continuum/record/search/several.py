"""Several searches at once, as the pages of a chart make them.

Handing one statement to PostgreSQL and waiting for its answer costs more than most of these searches do. What has the
same text (the newest of one type or another in one chart) is therefore sent in one message, and answered in one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from continuum.fhir.query import Query
from continuum.record.keys import Keys
from continuum.record.model import Page
from continuum.record.read import Connection
from continuum.record.search.efforts import statistics_of
from continuum.record.search.order import read_cursor, search_of, told_only
from continuum.record.search.plan import GATHER_FEW, Plan, Planner
from continuum.record.search.ready import ready
from continuum.record.search.run import page_of, search
from continuum.record.visibility import Visibility


@dataclass(frozen=True, slots=True)
class _Asked:
    label: str
    planner: Planner
    named: str
    plan: Plan


async def search_several(
    conn: Connection, queries: Mapping[str, Query], *, visibility: Visibility, keys: Keys
) -> dict[str, Page]:
    """One page of each, by label in their order; all as `search` would answer, which raises the same."""
    statistics = await statistics_of(conn, keys)
    asked: dict[str, list[_Asked]] = {}
    found: dict[str, Page] = {}
    for label, query in queries.items():
        planner = Planner(await ready(conn, query, visibility, keys), visibility, keys, statistics)
        named = search_of(planner.query)
        plan = _certain(planner, named)
        if plan is None:
            found[label] = await search(conn, query, visibility=visibility, keys=keys)
        else:
            asked.setdefault(plan.sql, []).append(_Asked(label, planner, named, plan))
    for sql, alike in asked.items():
        for one, rows in zip(alike, await _rows(conn, sql, [one.plan.values for one in alike]), strict=True):
            plan = one.plan
            found[one.label] = await page_of(conn, one.planner, rows, plan.mode, plan.keys, one.named, None)
    return {label: found[label] for label in queries}


def _certain(planner: Planner, named: str) -> Plan | None:
    """The one statement that gives the whole page; None where efforts have to be made, or more than a page is asked."""
    query = planner.query
    if query.summary == "count" or query.total or any(told_only(one) for one in query.sort):
        return None
    cursor = read_cursor(query.cursor, named, planner.keys)
    plan = planner.page(GATHER_FEW, cursor, limit=query.count, with_total=False)
    return plan if plan.whole else None


async def _rows(conn: Connection, sql: str, values: list[list[Any]]) -> list[list[Any]]:
    """The rows of one statement for each set of values."""
    if len(values) == 1:
        return [await conn.fetch(sql, *values[0])]
    # Each row says which set it answers. The order within a set is that of the statement.
    numbered = f"SELECT ${len(values[0]) + 1}::integer AS part, q.* FROM ({sql}) q"
    found: list[list[Any]] = [[] for _ in values]
    for row in await conn.fetchmany(numbered, [(*one, part) for part, one in enumerate(values)]):
        found[row["part"]].append(row)
    return found

"""A search across types: each type by its own plan, merged by an order that all of them share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from continuum.fhir.query import Query
from continuum.fhir.types import TYPE_IDS
from continuum.record.keys import Keys
from continuum.record.model import Page
from continuum.record.read import Connection
from continuum.record.search.bindings import Bindings
from continuum.record.search.efforts import statistics_of
from continuum.record.search.estimate import Total
from continuum.record.search.in_order import arranged, in_order
from continuum.record.search.order import keys_of, mode_of, read_cursor, search_of
from continuum.record.search.plan import Planner
from continuum.record.search.ready import ready
from continuum.record.search.run import page_of, total_of
from continuum.record.visibility import Visibility

# From one type to the next by the index: as many steps as there are types, whatever the number of rows.
_PRESENT = """
WITH RECURSIVE t(type) AS (
  (SELECT s.type FROM record.search s ORDER BY s.type LIMIT 1)
  UNION ALL
  SELECT (SELECT s.type FROM record.search s WHERE s.type > t.type ORDER BY s.type LIMIT 1) FROM t
  WHERE t.type IS NOT NULL
)
SELECT type FROM t WHERE type IS NOT NULL
"""


async def search_across(conn: Connection, queries: Sequence[Query], *, visibility: Visibility, keys: Keys) -> Page:
    """One page of the matches of all queries, which differ in their type alone and have one `sort`.

    Raises:
        TooCostly: as `search`, for any of the types.
        Malformed: the cursor was changed or belongs to another search.
    """
    queries = [await ready(conn, query, visibility, keys) for query in queries]
    first = queries[0]
    named = "&".join([*(query.resource_type for query in queries), search_of(first)])
    cursor = read_cursor(first.cursor, named, keys)
    statistics = await statistics_of(conn, keys)
    present = {row["type"] for row in await conn.fetch(_PRESENT)} if len(queries) > 1 else set(TYPE_IDS.values())
    planners = [
        Planner(query, visibility, keys, statistics)
        for query in queries
        if TYPE_IDS[query.resource_type] in present and visibility.of(query.resource_type).kind != "nothing"
    ]
    if first.summary == "count":
        totals = [await total_of(conn, planner) for planner in planners]
        return _counted(Page(matches=()), totals)
    wants_total = first.total == "accurate"
    found: list[dict[str, Any]] = []
    total = 0
    for planner in planners:
        one = await in_order(conn, planner, cursor, first.count, with_total=wants_total)
        total += one.total or 0
        found += [dict(row) for row in one.rows]
    mode = mode_of(first, cursor)
    order = keys_of(first, mode, Bindings(keys, visibility))
    whole = Planner(first, visibility, keys, statistics)
    merged = arranged(found, order)
    page = await page_of(conn, whole, merged, mode, len(order), named, total if wants_total else None)
    if first.total != "estimate":
        return page
    if not page.next_cursor and not first.cursor:
        return replace(page, total=len(page.matches))
    return _counted(page, [await total_of(conn, planner) for planner in planners])


def _counted(page: Page, totals: list[Total]) -> Page:
    number = max(sum(one.number for one in totals), len(page.matches) + bool(page.next_cursor))
    return replace(page, total=number, estimated=any(one.estimated for one in totals))

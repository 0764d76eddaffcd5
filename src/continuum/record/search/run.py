"""Runs a search: a page, its includes, its total; and the few matches that conditional interactions ask for."""

from dataclasses import replace
from typing import Any

from continuum.fhir.query import Query
from continuum.record.keys import Keys
from continuum.record.model import Page, Stored
from continuum.record.read import Connection, stored
from continuum.record.search.efforts import count_of, statistics_of
from continuum.record.search.estimate import Total, estimate_of
from continuum.record.search.in_order import in_order
from continuum.record.search.includes import included
from continuum.record.search.order import Cursor, read_cursor, search_of
from continuum.record.search.plan import Planner
from continuum.record.search.ready import ready
from continuum.record.visibility import Visibility


async def search(conn: Connection, query: Query, *, visibility: Visibility, keys: Keys) -> Page:
    """One page of the matches that may be seen, with what it includes.

    Raises:
        NotYetIndexed: what was there before is still being indexed by one of its parameters.
        TooCostly: more than SORT_READ_MAX matches would have to be read to bring them into the order asked for.
        Malformed: the cursor was changed or belongs to another search.
    """
    query = await ready(conn, query, visibility, keys)
    planner = Planner(query, visibility, keys, await statistics_of(conn, keys))
    if query.summary == "count":
        counted = await total_of(conn, planner)
        return Page(matches=(), total=counted.number, estimated=counted.estimated)
    wants_total = query.total == "accurate"
    named = search_of(query)
    cursor = read_cursor(query.cursor, named, keys)
    found = await in_order(conn, planner, cursor, query.count, with_total=wants_total)
    page = await page_of(conn, planner, found.rows, found.mode, found.keys, named, found.total)
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

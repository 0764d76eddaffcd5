"""`_total=estimate` (R4 §3.1.1.5.5): about how many matches there are, at a cost that does not grow with the database.

Few rows of the driver are counted exactly. Beyond them, rows from many places of the type are tested like those of a
page, visibility included, and the share that fulfils everything is taken of the type's size in PostgreSQL's
statistics. What may not be seen is never counted, so a hidden match raises no estimate.
"""

from dataclasses import dataclass

from continuum.fhir.types import TYPE_IDS
from continuum.record.limits import ESTIMATE_ENTRIES_MAX, ESTIMATE_PLACES, ESTIMATE_ROWS
from continuum.record.read import Connection
from continuum.record.search.bindings import Bindings
from continuum.record.search.drivers import choose
from continuum.record.search.plan import Planner


@dataclass(frozen=True, slots=True)
class Total:
    """How many matches there are, and whether that was counted or estimated."""

    number: int
    estimated: bool = False


async def estimate_of(conn: Connection, planner: Planner, *, at_least: int) -> Total:
    """About how many matches there are. at_least: how many are known of."""
    bindings = Bindings(planner.keys, planner.visibility)
    driver = choose(planner.query, bindings, planner.statistics)
    if driver is not None and (driver.rows or driver.cost <= ESTIMATE_ENTRIES_MAX):
        begin, matches, cut = planner.matches(bindings, driver, (), [], ESTIMATE_ROWS)
        row = await conn.fetchrow(
            f"WITH {begin} SELECT (SELECT count(*) FROM ({matches}) m) AS found, {cut} AS cut", *bindings.values
        )
        at_least = max(at_least, row["found"])
        if not row["cut"]:
            return Total(row["found"])
    return await _sampled(conn, planner, at_least)


async def _sampled(conn: Connection, planner: Planner, at_least: int) -> Total:
    bindings = Bindings(planner.keys, planner.visibility)
    type_id = TYPE_IDS[planner.query.resource_type]
    holds = planner.filters(bindings)
    most = ESTIMATE_ROWS // ESTIMATE_PLACES
    row = await conn.fetchrow(
        f"""
        WITH e AS (SELECT min(s.row_id) AS low, (max(s.row_id) - min(s.row_id)) / {ESTIMATE_PLACES} + 1 AS step
                   FROM record.search s WHERE s.type = {type_id}),
        d AS MATERIALIZED (
          SELECT s.*, g AS place FROM e, generate_series(0, {ESTIMATE_PLACES - 1}) g, LATERAL (
            SELECT s.* FROM record.search s
            WHERE s.type = {type_id} AND s.row_id >= e.low + g * e.step AND s.row_id < e.low + (g + 1) * e.step
            ORDER BY s.row_id LIMIT {most}) s)
        SELECT (SELECT count(*) FROM d) AS tested,
               (SELECT count(*) FROM d s WHERE ({holds}) IS TRUE) AS found,
               COALESCE((SELECT max(n) FROM (SELECT count(*) AS n FROM d GROUP BY place) p), 0) >= {most} AS cut
        """,
        *bindings.values,
    )
    if not row["cut"]:
        return Total(row["found"])
    size = max(planner.statistics.rows_of(type_id), row["tested"])
    return Total(max(at_least, round(size * row["found"] / row["tested"])), estimated=True)

"""Reading one resource, or one version of it, by its address."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Gone, NotFound
from continuum.record.body import decode
from continuum.record.model import Stored
from continuum.record.visibility import Scope, Visibility

COLUMNS = "r.row_id, r.type, r.id, r.version, r.updated, r.deleted, r.patient_id, r.body"
"""What `stored` needs of a row of record.resource or record.history aliased `r`."""


class Connection(Protocol):
    """What the record needs of a PostgreSQL connection: asyncpg's API, with statements prepared by text."""

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        """All rows."""

    async def fetchmany(self, sql: str, args: Sequence[Sequence[Any]]) -> list[Any]:
        """All rows of a statement for each of several sets of values, in one round trip."""

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        """The first row, or None."""

    async def execute(self, sql: str, *args: Any) -> str:
        """Runs a statement."""

    def transaction(self) -> Any:
        """An asynchronous context in which everything is committed together, or nothing."""


class Connect(Protocol):
    """Gives a connection for one piece of work.

    wall: the sensitivity bits whose rows the connection sees at all (schema_access.sql); -1 for all.
    """

    def __call__(self, wall: int = -1) -> AbstractAsyncContextManager[Connection]:
        """The context of one piece of work."""


def stored(row: Mapping[str, Any]) -> Stored:
    """One version from a row that has COLUMNS."""
    resource_type, resource_id, version, updated_us = TYPE_NAMES[row["type"]], row["id"], row["version"], row["updated"]
    body = row["body"]
    if body is not None:
        body = decode(resource_type, resource_id, version, updated_us, body)
    # By place: a page of a chart makes a thousand of these.
    return Stored(resource_type, resource_id, version, updated_us, row["deleted"], row["patient_id"], body)


def _predicate(scope: Scope) -> tuple[str, tuple[Any, ...]]:
    """The predicate over a row `r` and what it binds, from $3 on."""
    bound: list[Any] = [None, None]
    text = scope.sql("r", bound)
    return text, tuple(bound[2:])


def missing(resource_type: str, resource_id: str) -> NotFound:
    """The one answer for what does not exist and for what may not be seen."""
    return NotFound(f"There is no {resource_type}/{resource_id} here.")


async def read(conn: Connection, resource_type: str, resource_id: str, visibility: Visibility) -> Stored:
    """The present version.

    Raises:
        NotFound: there is none, or it may not be seen.
        Gone: it was deleted, and may be known of.
    """
    predicate, bound = _predicate(visibility.of(resource_type))
    row = await conn.fetchrow(
        f"SELECT {COLUMNS} FROM record.resource r WHERE r.type = $1 AND r.id = $2 AND {predicate}",
        TYPE_IDS[resource_type],
        resource_id,
        *bound,
    )
    if row is None:
        raise missing(resource_type, resource_id)
    if row["deleted"]:
        raise Gone(f"{resource_type}/{resource_id} was deleted.")
    return stored(row)


async def by_ids(conn: Connection, wanted: Mapping[str, Collection[str]], visibility: Visibility) -> list[Stored]:
    """The present versions of resources of several types, of those that are there and may be seen.

    wanted: ids by type. The types are in their order, the resources of one in no order.
    """
    asked: dict[str, list[tuple[Any, ...]]] = {}
    for resource_type, ids in wanted.items():
        predicate, bound = _predicate(visibility.of(resource_type))
        sql = (
            f"SELECT {COLUMNS} FROM record.resource r"
            f" WHERE r.type = $1 AND r.id = ANY($2::text[]) AND NOT r.deleted AND {predicate}"
        )
        asked.setdefault(sql, []).append((TYPE_IDS[resource_type], list(ids), *bound))
    found = []
    for sql, values in asked.items():
        found += await (conn.fetchmany(sql, values) if len(values) > 1 else conn.fetch(sql, *values[0]))
    return [stored(row) for row in found]


async def vread(conn: Connection, resource_type: str, resource_id: str, version: int, visibility: Visibility) -> Stored:
    """One version, present or past; raises as `read`, Gone when that version is a deletion.

    The present version decides whether the resource may be seen: a resource that became restricted takes
    its earlier versions with it. A past version must be open by its own labels and patient as well: what was
    sensitive, or stood in another's chart, stays so.
    """
    predicate, bound = _predicate(visibility.of(resource_type))
    row = await conn.fetchrow(
        f"""
        WITH present AS (
          SELECT r.* FROM record.resource r WHERE r.type = $1 AND r.id = $2 AND {predicate}
        )
        SELECT {COLUMNS} FROM present r WHERE r.version = ${len(bound) + 3}
        UNION ALL
        SELECT {COLUMNS} FROM record.history r
        WHERE r.row_id = (SELECT row_id FROM present) AND r.version = ${len(bound) + 3} AND {predicate}
        """,
        TYPE_IDS[resource_type],
        resource_id,
        *bound,
        version,
    )
    if row is None:
        raise missing(f"{resource_type}", f"{resource_id}/_history/{version}")
    if row["deleted"]:
        raise Gone(f"Version {version} of {resource_type}/{resource_id} is its deletion.")
    return stored(row)

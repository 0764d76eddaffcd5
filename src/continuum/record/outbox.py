"""From commits to the numbered events of subscriptions.

Every act leaves one row in record.outbox within its own transaction. One reader at a time (`leads`) takes what
has been committed, in the order of `seq`, files an event for each subscription that wants it and removes the
row, all in one transaction. So nothing is lost and nothing is filed twice, whatever is killed when, and a long
transaction elsewhere holds nobody up: what commits later is simply taken later. The order holds per resource
because `seq` is drawn after the resource is locked; of one client's successive acts, because the second begins
after the first was committed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.limits import OUTBOX_ACTS_MAX, OUTBOX_CHANGES_MAX
from continuum.record.body import decode
from continuum.record.model import Stored
from continuum.record.read import COLUMNS, Connection, stored
from continuum.record.visibility import Scope, Visibility

LEADER_LOCK = 7_200_000_003
"""The advisory lock of the one reader; PostgreSQL frees it when the reader's connection is gone."""
RENEWED = "renewed"
"""Requested by the owner of what was live already; a Subscription resource says requested."""


@dataclass(frozen=True, slots=True)
class Act:
    """What one commit changed, as (type number, row id, version) each."""

    seq: int
    changes: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class State:
    """A row of record.subscription. owner: JSON of `access`."""

    row_id: int
    id: str
    definition: int
    version: int
    status: str
    owner: str
    owner_key: int
    numbered: int
    delivered: int
    failure: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource; `body` is JSON text, None when deleted or not asked for."""

    resource_type: str
    id: str
    version: int
    deleted: bool
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a subscription. stored: the version it is about, None when it may not be seen (any more)."""

    number: int
    at_us: int
    stored: Stored | None


_STATE = "s.row_id, s.id, s.definition, s.version, s.status, s.owner, s.owner_key, s.numbered, s.delivered, s.failure"
_VERSION = """
  SELECT v.type, v.id, v.version, v.updated, v.deleted, v.patient_id, v.body
  FROM record.resource v WHERE v.row_id = a.row_id AND v.version = a.version
  UNION ALL
  SELECT v.type, v.id, v.version, v.updated, v.deleted, v.patient_id, v.body
  FROM record.history v WHERE v.row_id = a.row_id AND v.version = a.version
"""


async def leads(conn: Connection) -> bool:
    """Whether this connection is that of the one reader, from now on until it is closed.

    The lock belongs to the connection: who has lost it cannot file anything either.
    """
    row = await conn.fetchrow("SELECT pg_try_advisory_lock($1::bigint) AS mine", LEADER_LOCK)
    return bool(row["mine"])


async def waiting(conn: Connection) -> list[Act]:
    """The oldest acts that nobody has taken, at most OUTBOX_ACTS_MAX and about OUTBOX_CHANGES_MAX changes."""
    rows = await conn.fetch(
        f"SELECT seq, types, row_ids, versions FROM record.outbox ORDER BY seq LIMIT {OUTBOX_ACTS_MAX}"
    )
    acts: list[Act] = []
    total = 0
    for row in rows:
        acts.append(Act(row["seq"], tuple(zip(row["types"], row["row_ids"], row["versions"], strict=True))))
        total += len(row["row_ids"])
        if total >= OUTBOX_CHANGES_MAX:
            break
    return acts


def full(acts: Sequence[Act]) -> bool:
    """Whether `waiting` gave as much as it gives at once, so that more may wait."""
    return len(acts) >= OUTBOX_ACTS_MAX or sum(len(act.changes) for act in acts) >= OUTBOX_CHANGES_MAX


async def forget(conn: Connection, acts: Sequence[Act]) -> None:
    """Removes acts that everybody who wants them has been filed for."""
    await conn.execute("DELETE FROM record.outbox WHERE seq = ANY($1::bigint[])", [act.seq for act in acts])


async def states(conn: Connection, statuses: Sequence[str]) -> list[State]:
    """The subscriptions that have one of these statuses."""
    rows = await conn.fetch(
        f"SELECT {_STATE} FROM record.subscription s WHERE s.status = ANY($1::text[]) ORDER BY s.row_id", statuses
    )
    return [State(*row) for row in rows]


async def state(conn: Connection, subscription_id: str) -> State | None:
    """One subscription by the id of its resource."""
    row = await conn.fetchrow(f"SELECT {_STATE} FROM record.subscription s WHERE s.id = $1", subscription_id)
    return None if row is None else State(*row)


async def states_of(conn: Connection, row_ids: Sequence[int]) -> list[State]:
    """Subscriptions by their rows; the deleted are left out."""
    rows = await conn.fetch(
        f"SELECT {_STATE} FROM record.subscription s WHERE s.row_id = ANY($1::bigint[]) AND s.status <> 'deleted'",
        row_ids,
    )
    return [State(*row) for row in rows]


async def owned(conn: Connection, row_id: int, version: int, *, status: str, subscription_id: str, owner: str,
                owner_key: int) -> None:  # fmt: skip
    """Notes what an owner wrote; numbering goes on where it was."""
    await conn.execute(
        """
        INSERT INTO record.subscription (row_id, id, definition, version, status, owner, owner_key)
        VALUES ($1, $2, $3, $3, $4, $5, $6)
        ON CONFLICT (row_id) DO UPDATE SET definition = excluded.definition, version = excluded.version,
          status = CASE WHEN excluded.status = 'requested' AND subscription.status IN ('active', 'error', $7)
            THEN $7 ELSE excluded.status END, owner = excluded.owner, owner_key = excluded.owner_key, failure = NULL
        """,
        row_id, subscription_id, version, status, owner, owner_key, RENEWED,
    )  # fmt: skip


async def marked(conn: Connection, row_id: int, version: int, *, status: str, failure: str | None) -> None:
    """Notes what the server itself wrote, or that the resource was deleted."""
    await conn.execute(
        "UPDATE record.subscription SET version = $2, status = $3, failure = $4 WHERE row_id = $1",
        row_id, version, status, failure,
    )  # fmt: skip


async def versions(conn: Connection, wanted: Mapping[tuple[int, int], bool]) -> dict[tuple[int, int], Version]:
    """Versions by (row id, version); the value says whether the body is wanted. What never was is left out."""
    addresses = list(wanted)
    rows = await conn.fetch(
        "SELECT a.row_id AS at, v.type, v.id, v.version, v.updated, v.deleted,"
        " CASE WHEN a.whole THEN v.body END AS body"
        " FROM unnest($1::bigint[], $2::integer[], $3::boolean[]) AS a(row_id, version, whole),"
        f" LATERAL ({_VERSION}) v",
        [address[0] for address in addresses],
        [address[1] for address in addresses],
        [wanted[address] for address in addresses],
    )
    found = {}
    for row in rows:
        kind = TYPE_NAMES[row["type"]]
        body = row["body"]
        text = None if body is None else decode(kind, row["id"], row["version"], row["updated"], body)
        found[row["at"], row["version"]] = Version(kind, row["id"], row["version"], row["deleted"], text)
    return found


async def visible(conn: Connection, row_ids: Iterable[int], scope: Scope) -> set[int]:
    """Those of the rows that a scope shows; the present version decides."""
    wanted = list(row_ids)
    if scope.kind == "nothing":
        return set()
    if scope.kind == "all" and not scope.label_mask:
        return set(wanted)
    arguments: list[object] = [wanted]
    predicate = scope.sql("r", arguments)
    rows = await conn.fetch(
        f"SELECT r.row_id FROM record.resource r WHERE r.row_id = ANY($1::bigint[]) AND {predicate}", *arguments
    )
    return {row["row_id"] for row in rows}


async def file(conn: Connection, filed: Mapping[int, Sequence[tuple[int, int]]], numbered: Mapping[int, int]) -> None:
    """Files events, as (row id, version) in their order, behind the `numbered` ones of each subscription."""
    rows = [
        (subscription, numbered[subscription] + place, row_id, version)
        for subscription, events in filed.items()
        for place, (row_id, version) in enumerate(events, start=1)
    ]
    columns = list(zip(*rows, strict=True))
    await conn.execute(
        "INSERT INTO record.subscription_event (subscription, number, row_id, version)"
        " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[])",
        *columns,
    )
    await conn.execute(
        "UPDATE record.subscription s SET numbered = s.numbered + n.count"
        " FROM unnest($1::bigint[], $2::bigint[]) AS n(row_id, count) WHERE s.row_id = n.row_id",
        list(filed),
        [len(events) for events in filed.values()],
    )


async def delivered(conn: Connection, row_id: int, number: int) -> None:
    """Notes that the subscriber has taken everything up to `number`."""
    await conn.execute(
        "UPDATE record.subscription SET delivered = $2 WHERE row_id = $1 AND delivered < $2", row_id, number
    )


async def events(
    conn: Connection, subscription: int, *, first: int, last: int, count: int, visibility: Visibility
) -> list[Event]:
    """The events numbered first to last, at most `count`, with the versions that `visibility` shows."""
    rows = await conn.fetch(
        f"""
        SELECT a.number, a.row_id, r.type, r.id, r.version, r.updated, r.deleted, r.patient_id, r.body
        FROM (SELECT number, row_id, version FROM record.subscription_event
              WHERE subscription = $1 AND number BETWEEN $2 AND $3 ORDER BY number LIMIT $4) a,
        LATERAL ({_VERSION}) r
        ORDER BY a.number
        """,
        subscription, first, last, count,
    )  # fmt: skip
    by_scope: dict[Scope, list[tuple[int, int]]] = {}
    for row in rows:
        scope = visibility.of(TYPE_NAMES[row["type"]])
        by_scope.setdefault(scope, []).append((row["row_id"], row["version"]))
    shown: set[tuple[int, int]] = set()
    for scope, versions_ in by_scope.items():
        shown |= await _open(conn, versions_, scope)
    return [
        Event(row["number"], row["updated"], stored(row) if (row["row_id"], row["version"]) in shown else None)
        for row in rows
    ]


async def _open(conn: Connection, wanted: Sequence[tuple[int, int]], scope: Scope) -> set[tuple[int, int]]:
    """Those of the versions, (row, version), that a scope shows: as they are, and as their resource is now."""
    if scope.kind == "nothing":
        return set()
    arguments: list[object] = [[one[0] for one in wanted], [one[1] for one in wanted]]
    present, past = scope.sql("p", arguments), scope.sql("h", arguments)
    rows = await conn.fetch(
        f"""
        SELECT a.row_id, a.version FROM unnest($1::bigint[], $2::integer[]) a(row_id, version)
        JOIN record.resource p ON p.row_id = a.row_id
        WHERE {present} AND (p.version = a.version OR EXISTS (
          SELECT 1 FROM record.history h WHERE h.row_id = a.row_id AND h.version = a.version AND {past}))
        """,
        *arguments,
    )
    return {(row["row_id"], row["version"]) for row in rows}


async def prune(conn: Connection, kept: int) -> None:
    """Removes events that are delivered and older than the last `kept`, and what deleted subscriptions left."""
    await conn.execute(
        "DELETE FROM record.subscription_event e USING record.subscription s WHERE e.subscription = s.row_id"
        " AND (s.status = 'deleted' OR e.number <= least(s.delivered, s.numbered - $1::bigint))",
        kept,
    )


async def resource(conn: Connection, subscription_id: str) -> Stored | None:
    """The present Subscription resource, for the server's own use."""
    row = await conn.fetchrow(
        f"SELECT {COLUMNS} FROM record.resource r WHERE r.type = $1 AND r.id = $2 AND NOT r.deleted",
        TYPE_IDS["Subscription"],
        subscription_id,
    )
    return None if row is None else stored(row)

"""A worker that is spoiled on purpose: `python -m tests.subscriptions.spoiled FD WHICH`.

Each way of spoiling it is what somebody could have built instead, and loses events. A proof that does not find that
out proves nothing.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from continuum.access.feed import FILED, LIVE, Feed
from continuum.apps.fhir_api import worker
from continuum.interop.subscriptions import notification
from continuum.interop.subscriptions.delivery import Delivery
from continuum.record import outbox

PREPARED = """
  CREATE TABLE record.cursor_of_a_spoiled_reader (seq bigint NOT NULL);
  INSERT INTO record.cursor_of_a_spoiled_reader VALUES (0);
  GRANT SELECT, UPDATE ON record.cursor_of_a_spoiled_reader TO PUBLIC;
"""
"""What the owner of the database does before such workers start."""
GAP = "SELECT pg_sleep(0.02)"
"""Between two transactions the database takes as long as on a busy day, so that few kills hit it."""


async def noted_first(self: Delivery, first: int) -> None:
    """`Delivery.one`, but what is going to be delivered is noted as delivered."""
    message = self._bundle(notification.EVENTS, await self._events(first))
    self.state = replace(self.state, delivered=message.last)
    await self._patiently(lambda: self._feed.delivered(self.state, message.last))
    await self._attempts(lambda: message)


async def removed_first(
    self: Feed,
    conn: outbox.Connection,
    watches: Callable[[Sequence[outbox.State]], Awaitable[Mapping[str, Sequence]]],
) -> tuple[int, list[outbox.State] | None]:
    """`Feed.drain`, but the rows leave the outbox in one transaction and their events are filed in the next."""
    async with conn.transaction():
        acts = await outbox.waiting(conn)
        await outbox.forget(conn, acts)
    if not acts:
        return 0, None
    await conn.fetchrow(GAP)
    async with conn.transaction():
        states = await outbox.states(conn, LIVE)
        wanted = await watches([state for state in states if state.status in FILED])
        filed = await self._file(conn, acts, wanted) if wanted else {}
        if filed:
            await outbox.file(conn, filed, {state.row_id: state.numbered for state in states})
    if filed:
        states = await outbox.states_of(conn, [state.row_id for state in states])
    return len(acts), states


async def behind_the_cursor(conn: outbox.Connection) -> list[outbox.Act]:
    """`outbox.waiting`, but what is behind the last row that was taken, wherever others are still to commit."""
    rows = await conn.fetch(
        "SELECT seq, types, row_ids, versions FROM record.outbox"
        " WHERE seq > (SELECT seq FROM record.cursor_of_a_spoiled_reader) ORDER BY seq LIMIT 256"
    )
    return [
        outbox.Act(row["seq"], tuple(zip(row["types"], row["row_ids"], row["versions"], strict=True))) for row in rows
    ]


async def cursor_moved(conn: outbox.Connection, acts: Sequence[outbox.Act]) -> None:
    """`outbox.forget`, but the rows stay."""
    if acts:
        await conn.execute("UPDATE record.cursor_of_a_spoiled_reader SET seq = $1", acts[-1].seq)


def spoil(which: str) -> None:
    """Replaces what one of `WAYS` names."""
    if which == "noted first":
        Delivery.one = noted_first  # type: ignore[method-assign]
    elif which == "removed first":
        Feed.drain = removed_first  # type: ignore[method-assign]
    else:
        outbox.waiting, outbox.forget = behind_the_cursor, cursor_moved


WAYS = {
    "noted first": "what is delivered is noted before the delivery",
    "removed first": "rows leave the outbox in a transaction before the one that files their events",
    "by cursor": "rows are found by a cursor over their numbers, so that what commits late is passed over",
}

if __name__ == "__main__":
    spoil(sys.argv[2])
    worker.main()

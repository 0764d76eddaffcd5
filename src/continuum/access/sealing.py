"""The sealer: chains finished audit rows under signed checkpoints, a batch at a time, beside the requests.

The order is that of `seq`. A row may be committed after another with a higher `seq`, so a range is sealed only
once nothing can come into it any more. record.write_audit takes its transaction's number before any `seq`;
hence, if `seq` had reached S before some transaction got number X, and all transactions below X have ended,
then every row up to S is there that will ever be. Nobody waits for that: rows that are not settled are left
for the next turn.
"""

import asyncio
from collections.abc import Callable

import structlog

from continuum.access.checkpoint import (
    COLUMNS,
    DISTANCE_MAX,
    ENTRY_BYTES,
    NOTHING_BEFORE,
    Checkpoint,
    Head,
    Last,
    Signer,
)
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import SEAL_CHECKPOINTS_MAX, SEAL_INTERVAL_S, SEAL_ROWS_MAX
from continuum.record.read import Connect, Connection

LOCK = 7_200_000_004
"""The advisory lock of the transaction that makes a checkpoint: several servers may share one database."""
_REACHED = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS seq FROM record.audit_seq_seq"
_NEXT = "SELECT pg_current_xact_id()::text::bigint AS number"
_SETTLED = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > $1 AS settled"
_LAST = f"SELECT {COLUMNS} FROM record.audit_checkpoint ORDER BY number DESC LIMIT 1"
_ENTRIES = """
SELECT count(*)::integer AS rows, max(seq) AS last_seq,
       coalesce(string_agg(int4send((seq - $1)::integer) || substring(mac FOR 8), '' ORDER BY seq), '') AS entries
FROM (SELECT seq, mac FROM record.audit WHERE seq BETWEEN $1 AND $2 ORDER BY seq LIMIT $3) AS batch
"""
_INSERT = f"INSERT INTO record.audit_checkpoint ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"

log = structlog.get_logger("continuum.audit")


class ChainBroken(DomainError):
    """The database's chain is not the one that was kept outside; nothing is added to it. The text says what to do."""

    code = "security"


class Sealer:
    """One per server. `connect` should lead to a connection of its own, so that no request waits for it."""

    def __init__(self, connect: Connect, signer: Signer, head: Head, clock: Callable[[], int]) -> None:
        self._connect = connect
        self._signer = signer
        self._checker = signer.checker
        self._head = head
        self._clock = clock
        self._horizon: tuple[int, int] | None = None
        self._sealed_to = 0
        self._said = ""

    async def run(self, stopping: asyncio.Event, *, may_write: Callable[[], bool] = lambda: True) -> None:
        """A turn every SEAL_INTERVAL_S until `stopping` is set, and a last one then.

        may_write: whether the database should be written to at present.
        """
        while not stopping.is_set():
            await self._turn(may_write)
            try:
                await asyncio.wait_for(stopping.wait(), SEAL_INTERVAL_S)
            except TimeoutError:
                continue
        await self._turn(may_write)

    async def _turn(self, may_write: Callable[[], bool]) -> None:
        if not may_write():
            return
        said = ""
        try:
            await self.seal()
        except DomainError as error:
            said = str(error)
            if said != self._said:
                log.error("audit_not_sealed", error=type(error).__name__)  # noqa: TRY400  its text and places say nothing more
        except Exception as error:  # noqa: BLE001  whatever it is, the next turn tries again and doctor tells the lag
            said = type(error).__name__
            if said != self._said:
                log.warning("audit_not_sealed", error=said)
        self._said = said

    async def seal(self) -> int:
        """Seals what is settled, up to SEAL_CHECKPOINTS_MAX checkpoints; returns how many rows.

        Raises:
            ChainBroken, HeadUnreadable: the chain is not as it was left.
        """
        async with self._connect() as conn:
            horizon = await self._settled(conn)
            if horizon is None:
                return 0
            rows = 0
            for _ in range(SEAL_CHECKPOINTS_MAX):
                made = await self._checkpoint(conn, horizon)
                if made is None:
                    return rows  # another server is at it
                self._sealed_to, more = made
                rows += more
                if self._sealed_to >= horizon:
                    self._horizon = None
                    break
            return rows

    async def _settled(self, conn: Connection) -> int | None:
        """A `seq` up to which every row is there that will ever be; None when there is nothing new, or not yet."""
        if self._horizon is None:
            # The order matters: first what was handed out, then a number that every earlier transaction is below.
            reached: int = (await conn.fetch(_REACHED))[0]["seq"]
            if reached <= self._sealed_to:
                return None
            self._horizon = (reached, (await conn.fetch(_NEXT))[0]["number"])
        seq, number = self._horizon
        return seq if (await conn.fetch(_SETTLED, number))[0]["settled"] else None

    async def _checkpoint(self, conn: Connection, horizon: int) -> tuple[int, int] | None:
        """Makes one, if there is anything to seal: (seq up to which all is sealed, rows under the new one)."""
        async with conn.transaction():
            if not (await conn.fetch("SELECT pg_try_advisory_xact_lock($1) AS ours", LOCK))[0]["ours"]:
                return None
            last = await self._last(conn)
            first_seq = 1 if last is None else last.last_seq + 1
            if first_seq > horizon:
                assert last is not None, "a chain without links ends before every row"
                return last.last_seq, 0
            until = min(horizon, first_seq + DISTANCE_MAX)
            found = (await conn.fetch(_ENTRIES, first_seq, until, SEAL_ROWS_MAX))[0]
            if len(found["entries"]) != found["rows"] * ENTRY_BYTES:
                raise ChainBroken(
                    "An audit row has no whole seal, so it cannot be chained. Run: continuum audit verify"
                )
            made = self._signer.sign(
                number=1 if last is None else last.number + 1,
                first_seq=first_seq,
                last_seq=found["last_seq"] if found["rows"] == SEAL_ROWS_MAX else until,
                at=self._clock(),
                entries=found["entries"],
                previous=NOTHING_BEFORE if last is None else last.digest,
            )
            await conn.execute(
                _INSERT, made.number, made.first_seq, made.last_seq, made.at, made.entries, made.previous,
                made.digest, made.signature,
            )  # fmt: skip
        # Only what is committed may be kept outside; if this is cut off, the next turn brings the head up to it.
        await asyncio.to_thread(self._head.write, made)
        return made.last_seq, found["rows"]

    async def _last(self, conn: Connection) -> Checkpoint | None:
        """The last checkpoint, after making sure that it goes on from the one kept outside."""
        rows = await conn.fetch(_LAST)
        last = Checkpoint.of(rows[0]) if rows else None
        kept = await asyncio.to_thread(self._head.read)
        if kept is None or (last is not None and kept.digest == last.digest):
            if last is not None and not self._checker.is_genuine(last):
                raise ChainBroken("The last checkpoint of the audit trail was changed. Run: continuum audit verify")
            return last
        if last is None or last.number <= kept.number:
            raise ChainBroken(
                f"The database's audit trail does not reach checkpoint {kept.number}, which {self._head.path} keeps."
                " If an older state of the database was brought back, move that file away and keep it as a proof;"
                " else somebody removed rows. Run: continuum audit verify"
            )
        await self._follow(conn, kept, last)
        await asyncio.to_thread(self._head.write, last)
        return last

    async def _follow(self, conn: Connection, kept: Last, last: Checkpoint) -> None:
        """Makes sure that the links from the one kept outside to the last are whole."""
        previous = kept.digest
        for number in range(kept.number + 1, last.number + 1):
            rows = await conn.fetch(f"SELECT {COLUMNS} FROM record.audit_checkpoint WHERE number = $1", number)
            link = Checkpoint.of(rows[0]) if rows else None
            if link is None or link.previous != previous or not self._checker.is_genuine(link):
                raise ChainBroken(f"Checkpoint {number} is missing or was changed. Run: continuum audit verify")
            previous = link.digest

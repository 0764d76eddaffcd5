"""What happens while the database takes no rows: writes are refused with words, reads are traced in the spill.

Writes close when the database refuses a row because its disk is full or because it is read-only, and when the
disk of the embedded PostgreSQL has less room than it needs to go on answering reads. They open by themselves:
the spilled rows are brought into the database, each frame in one transaction with the note that it is there, so
that a frame is there once whatever ends the process; when all are there and one more row could be written, the
spill is emptied.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

import structlog

from continuum.access.spill import Spill, SpillFull
from continuum.kernel.errors import DomainError, ReadOnly, StorageFull
from continuum.kernel.limits import (
    DISK_RESERVE_BYTES,
    DISK_RESUME_BYTES,
    OUTAGE_CHECK_S,
    SHUTDOWN_TIMEOUT_S,
    SPILL_BYTES,
)
from continuum.record.read import Connect
from continuum.record.write import AuditRow, translate, write_audits
from continuum.runtime.postgres.reserve import free_bytes

_FULL = "The record has no room for new entries; reads and searches go on, writes must wait. Tell the operator."
_READ_ONLY = "The record takes no new entries at present; reads and searches go on, writes must wait."
_NOTE = """
INSERT INTO record.audit_spill (spill, frame, rows) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING frame
"""

log = structlog.get_logger("continuum.audit")

Resumed = Callable[[float], AuditRow]
"""Makes the audit row that says that writes are open again, after so many seconds."""


def closing(error: Exception) -> DomainError | None:
    """The refusal in our words, if an error says that the database takes no writes at present."""
    refusal = translate(error)
    return refusal if isinstance(refusal, StorageFull | ReadOnly) else None


class Outage:
    """One per worker. disk: a path on the disk of the embedded PostgreSQL, None for a given one.

    folder, key, size: of the spill (`Spill.take`).
    """

    def __init__(
        self,
        connect: Connect,
        resumed: Resumed,
        *,
        folder: Path,
        key: bytes,
        disk: Path | None = None,
        size: int = SPILL_BYTES,
    ) -> None:
        self._connect = connect
        self._resumed = resumed
        self._folder = folder
        self._key = key
        self._disk = disk
        self._size = size
        self._spill: Spill | None = None
        self._kind: type[DomainError] | None = None
        self._since_s = 0.0
        self._writing = asyncio.Lock()
        self._stopping = asyncio.Event()

    @property
    def refusal(self) -> DomainError | None:
        """Why writes are refused at present; None while they are taken."""
        if self._kind is None:
            return None
        return self._kind(_FULL if self._kind is StorageFull else _READ_ONLY)

    @property
    def closed(self) -> bool:
        """Whether writes are refused at present."""
        return self._kind is not None

    @property
    def spilled(self) -> tuple[int, float]:
        """(rows that wait in the spill, the part of its room that is taken)."""
        return (0, 1.0) if self._spill is None else (self._spill.rows, self._spill.used)

    def close(self, refusal: DomainError) -> None:
        """Refuses writes from now on, for this reason."""
        if self._kind is None:
            self._since_s = monotonic()
            log.error("writes_closed", state=type(refusal).__name__)
        self._kind = type(refusal)

    async def keep(self, rows: Sequence[AuditRow], *, for_reads: bool) -> None:
        """Puts rows into the spill; returns when they are durable.

        Raises:
            SpillFull: there is no room, or no spill could be made beforehand.
        """
        async with self._writing:
            if self._spill is None:
                raise SpillFull("The record cannot keep the trace of this request, so it is not answered.")
            await asyncio.to_thread(self._spill.append, rows, for_reads=for_reads)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Holds a spill ready and looks after the outage while the context is open."""
        self._stopping.clear()
        await self._take()
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            # Asked, not cancelled: a thread that still writes the file must not meet a closed descriptor.
            self._stopping.set()
            done, _ = await asyncio.wait({watching}, timeout=SHUTDOWN_TIMEOUT_S)
            if done:
                async with self._writing:
                    if self._spill is not None:
                        self._spill.close()
                        self._spill = None
            else:
                watching.cancel()

    async def _take(self) -> None:
        try:
            self._spill = await asyncio.to_thread(Spill.take, self._folder, self._key, self._size)
        except (OSError, DomainError) as error:
            log.error("no_spill", error=type(error).__name__)  # noqa: TRY400  the kind says it; doctor says the rest

    async def _watch(self) -> None:
        """Looks every OUTAGE_CHECK_S, for as long as the worker lives; what an earlier one left comes first."""
        left = True
        while not self._stopping.is_set():
            try:
                if self._kind is None and self._low(DISK_RESERVE_BYTES):
                    self.close(StorageFull(_FULL))
                if self._kind is not None and not self._low(DISK_RESUME_BYTES):
                    await self._tried(self._open)
                if self._kind is None:
                    if self._spill is None:
                        await self._take()
                    if left:
                        left = not await self._tried(self._bring_abandoned)
                    await self._tried(self._bring_own)
            except Exception as error:  # noqa: BLE001  the watch must outlive whatever it meets
                log.warning("outage_watch_failed", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), OUTAGE_CHECK_S)

    def _low(self, least_bytes: int) -> bool:
        return self._disk is not None and free_bytes(self._disk) < least_bytes

    async def _tried(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether it could be done; an outage that it meets goes on."""
        try:
            await work()
        except Exception as error:
            refusal = translate(error)
            if refusal is None:
                raise
            self.close(refusal)
            return False
        return True

    async def _open(self) -> None:
        """Takes writes again, once what was spilled until now and one more row could be written."""
        if self._spill is not None and not await self.bring(self._spill, self._spill.pending):
            return
        took_s = monotonic() - self._since_s
        async with self._connect() as conn:
            await write_audits(conn, [self._resumed(took_s)])
        self._kind = None
        log.warning("writes_open", duration_ms=int(took_s * 1000))

    async def _bring_own(self) -> None:
        """Brings in and empties this worker's spill."""
        spill = self._spill
        if spill is None or not (spill.pending or spill.damaged):
            return
        there = spill.pending
        whole = await self.bring(spill, there)
        async with self._writing:
            # A row that was on its way when writes opened, or that met the next outage, may have come meanwhile.
            if whole and spill.pending == there:
                await asyncio.to_thread(_empty, spill)

    async def _bring_abandoned(self) -> None:
        """Brings in what processes left that are gone."""
        found = Spill.abandoned(self._folder, self._key)
        try:
            while (spill := await asyncio.to_thread(next, found, None)) is not None:
                if await self.bring(spill, spill.pending):
                    await asyncio.to_thread(_empty, spill)
        finally:
            await asyncio.to_thread(found.close)

    async def bring(self, spill: Spill, until: int) -> bool:
        """Writes the frames below a number into the database; those that are there already stay as they are.

        Returns whether all of them are there; not when the worker is to stop.
        """
        frames = spill.frames()
        rows = 0
        for _ in range(until):
            if self._stopping.is_set():
                return False
            found = await asyncio.to_thread(next, frames, None)
            assert found is not None, "a frame that was counted can be read"
            number, frame = found
            async with self._connect() as conn, conn.transaction():
                if await conn.fetch(_NOTE, spill.id, number, len(frame)):
                    await write_audits(conn, frame)
                    rows += len(frame)
        if rows:
            log.info("spill_brought_in", rows=rows)
        return True


def _empty(spill: Spill) -> None:
    if spill.damaged:
        log.error("spill_damaged", files=1)
        spill.keep_damaged()
    spill.clear()

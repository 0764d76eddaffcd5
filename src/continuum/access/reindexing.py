"""Files again, beside all other work, what an earlier release filed otherwise (record/reindexing.py)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import asyncpg
import structlog

from continuum.access.actor import Actor
from continuum.access.audit import Context
from continuum.access.door import Access
from continuum.kernel.errors import DomainError
from continuum.record.limits import REINDEX_POLL_S, REINDEX_REST_RATIO
from continuum.record.reindexing import Progress, batch, settle, waiting
from continuum.record.reindexing import progress as left
from continuum.record.write import write_audits

__all__ = ["Progress", "Reindexing", "left", "waiting"]

log = structlog.get_logger("continuum.reindex")
_SYSTEM = Actor("continuum", "system")
_TROUBLE = (DomainError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Reindexing:
    """One per worker; which of them works on a type is decided in the database.

    progress: what is being filed again, as of the last look; empty once all is done, then the work ends.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._settled = False
        self.progress: Sequence[Progress] = ()
        self.done = False

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Works while the context is open, until everything is filed by this release's rules.

        By which rules it files is noted before anything is written: a later release could not tell otherwise.
        """
        with contextlib.suppress(*_TROUBLE):  # without its database a server begins all the same
            await self._settle()
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        troubled = False
        while not self.done:
            began = time.monotonic()
            worked = None
            try:
                worked = await self._step()
                troubled = False
            except _TROUBLE as error:
                if not troubled:
                    log.warning("what is there cannot be indexed again at present", error=type(error).__name__)
                troubled = True
            took = time.monotonic() - began
            await asyncio.sleep(REINDEX_REST_RATIO * took if worked else REINDEX_POLL_S)

    async def _settle(self) -> None:
        async with self._access.connect() as conn:
            for behind in await settle(conn, self._access.clock()):
                log.info("what is there is indexed again by this release's rules", type=behind)
            self._settled = True

    async def _step(self) -> str | None:
        """One batch; the name of the type that it was of."""
        access = self._access
        if not self._settled:
            await self._settle()
        async with access.connect() as conn, conn.transaction():
            name = await batch(conn, access.keys, access.clock())
            progress = await left(conn)
            finished = name is not None and name not in {one.resource_type for one in progress}
            if finished:  # whoever sees that it is done sees the trace too, also when this worker is killed now
                context = Context(_SYSTEM, "HOPERAT", "server", "reindex")
                await write_audits(conn, [access.auditor.row(context, "reindex", detail=name)])
        self.progress, self.done = progress, not progress
        if finished:
            log.info("indexed again to the end", type=name)
        return name

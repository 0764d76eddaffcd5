"""The sealer beside the workers: one for each `continuum serve`, on a database connection of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from continuum.access.checkpoint import Head, Signer
from continuum.access.sealing import Sealer
from continuum.kernel.clock import now_us
from continuum.kernel.limits import DISK_RESERVE_BYTES, SHUTDOWN_TIMEOUT_S
from continuum.runtime import secrets
from continuum.runtime.pool import Pool
from continuum.runtime.postgres import Server
from continuum.runtime.postgres.reserve import free_bytes
from continuum.runtime.settings import Settings


@asynccontextmanager
async def sealing(settings: Settings, server: Server) -> AsyncIterator[None]:
    """Seals the audit trail while the context is open, and what is settled once more at its end."""
    signer = Signer(secrets.load(settings.data).checkpoint, secrets.former(settings.data, "checkpoint"))
    stopping = asyncio.Event()
    pool = Pool(server.app, size=1, application_name="continuum sealer")
    sealer = Sealer(pool.connection, signer, Head(settings.audit, signer.checker), now_us)
    disk = server.data_folder

    def may_write() -> bool:
        return disk is None or free_bytes(disk) >= DISK_RESERVE_BYTES

    running = asyncio.create_task(sealer.run(stopping, may_write=may_write))
    try:
        yield
    finally:
        stopping.set()
        done, _ = await asyncio.wait({running}, timeout=SHUTDOWN_TIMEOUT_S)
        if not done:
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await pool.close()

"""Archiving from a given server: pg_receivewal follows it through a replication slot and fills a spool."""

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path

import asyncpg
import structlog

from continuum.kernel.limits import ARCHIVE_POLL_S
from continuum.runtime.backup import archive
from continuum.runtime.postgres import binaries
from continuum.runtime.postgres.address import Address
from continuum.runtime.settings import Settings

SLOT = "continuum_archive"
SPOOL = "wal-spool"
_RIGHTS = """
SELECT (rolsuper OR rolreplication) AND current_setting('wal_level') <> 'minimal'
       AND current_setting('max_wal_senders')::int > 1 AND current_setting('max_replication_slots')::int > 0
       AND (rolsuper OR has_function_privilege('pg_control_system()', 'EXECUTE'))
FROM pg_roles WHERE rolname = current_user
"""


async def can_replicate(address: Address) -> bool:
    """Whether the server lets this user copy it and follow its changes."""
    connection = await asyncpg.connect(**address.connect)
    try:
        if not await connection.fetchval(_RIGHTS):
            return False
    finally:
        await connection.close()
    process = await asyncio.create_subprocess_exec(
        str(binaries.installed() / "bin" / "psql"), "-XAtc", "IDENTIFY_SYSTEM", "dbname='' replication=true",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath, **address.environment},
    )  # fmt: skip
    return await process.wait() == 0


async def slot_exists(connection: asyncpg.Connection) -> None:
    """Makes the slot that keeps the server's WAL files until we have them."""
    if not await connection.fetchval("SELECT true FROM pg_replication_slots WHERE slot_name = $1", SLOT):
        with contextlib.suppress(asyncpg.DuplicateObjectError):
            await connection.execute("SELECT pg_create_physical_replication_slot($1, true)", SLOT)


async def follow(settings: Settings, address: Address) -> None:
    """Fills the spool as long as there is an archive; of several processes, one at a time does it."""
    spool = settings.data / SPOOL
    lock = os.open(settings.data / "receiver.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            if archive.present(settings) is not None and _has(lock):
                spool.mkdir(mode=0o700, exist_ok=True)
                await _receive(spool, address)
            await asyncio.sleep(ARCHIVE_POLL_S)
    finally:
        os.close(lock)


def _has(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _receive(spool: Path, address: Address) -> None:
    process = await asyncio.create_subprocess_exec(
        str(binaries.installed() / "bin" / "pg_receivewal"), "-D", str(spool), "--slot", SLOT, "--no-loop",
        "--synchronous", "--no-password",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, **address.environment},
    )  # fmt: skip
    try:
        _, words = await process.communicate()
        structlog.get_logger().warning("wal_receiver_ended", code=process.returncode, lines=len(words.splitlines()))
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()

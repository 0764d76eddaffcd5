"""Room set aside on the embedded PostgreSQL's disk, given back to it when the disk is full.

PostgreSQL stops when it cannot begin another WAL file, and reads need one now and then. So a file takes the room
of three beforehand, and is removed when nothing else is left; it is made again when there is enough.
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import structlog

from continuum.kernel.limits import DISK_RELEASE_BYTES, DISK_RESUME_BYTES, OUTAGE_CHECK_S, WAL_RESERVE_BYTES

_PIECE_BYTES = 1024 * 1024

log = structlog.get_logger("continuum.postgres")


def free_bytes(disk: Path) -> int:
    """Bytes that an ordinary account can still write to the disk of a path."""
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def tend(base: Path) -> None:
    """Makes the file `reserve` in a folder, or removes it, as the room on the disk asks for."""
    path = base / "reserve"
    free = free_bytes(base)
    if free < DISK_RELEASE_BYTES:
        with suppress(FileNotFoundError):
            path.unlink()
            log.error("disk_full", bytes=free)
    elif free >= DISK_RESUME_BYTES + WAL_RESERVE_BYTES and not path.exists():
        making = base / f".reserve.{os.getpid()}"
        try:
            with making.open("wb") as file:
                for _ in range(0, WAL_RESERVE_BYTES, _PIECE_BYTES):
                    file.write(os.urandom(_PIECE_BYTES))  # a disk that compresses must not make it small
            making.replace(path)
        finally:
            making.unlink(missing_ok=True)


async def keep_tending(base: Path) -> None:
    """Looks every OUTAGE_CHECK_S until cancelled."""
    while True:
        with suppress(OSError):
            await asyncio.to_thread(tend, base)
        await asyncio.sleep(OUTAGE_CHECK_S)

"""The WAL archive: every change since the first backup, taken from the spool, encrypted, in order.

PostgreSQL copies finished WAL files to the spool (or pg_receivewal does, for a given server). From there one
process at a time, whichever has the lock, encrypts them into the folder of backups.
"""

import asyncio
import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from continuum.kernel.limits import ARCHIVE_POLL_S
from continuum.runtime.backup import key as backup_key
from continuum.runtime.backup.cipher import encrypt_file
from continuum.runtime.backup.store import SPOOLED_NAME, WAL_NAME
from continuum.runtime.secrets import sync_folder
from continuum.runtime.settings import Settings

_CLOCK_STEP_NS = 20_000_000
"""File systems note times in steps of up to 10 ms: a change within the same step must not look archived."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an installation archives to: `name` is its folder in `backups`."""

    backups: Path
    name: str

    @property
    def folder(self) -> Path:
        """The encrypted WAL files."""
        return self.backups / "wal" / self.name


def present(settings: Settings) -> Archive | None:
    """The archive of an installation, None before its first backup."""
    try:
        said = json.loads((settings.data / "archive.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Archive(Path(said["backups"]), said["name"])


def begin(settings: Settings, system: str) -> Archive:
    """The archive for the database system of this number; a new one when the folder or the system is new."""
    archive = present(settings)
    if archive is None or archive.backups != settings.backups or not archive.name.startswith(f"{system}-"):
        archive = Archive(settings.backups, f"{system}-{os.urandom(4).hex()}")
        making = settings.data / f".archive.json.{os.getpid()}"
        making.write_text(json.dumps({"backups": str(archive.backups), "name": archive.name}), encoding="utf-8")
        making.rename(settings.data / "archive.json")
    archive.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return archive


def drain(settings: Settings, spool: Path) -> int:
    """Encrypts what lies finished in the spool into the archive; returns how many files. Safe to kill."""
    archive = present(settings)
    if archive is None or not spool.is_dir():
        return 0
    descriptor = os.open(settings.data / "archive.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        names = sorted(path.name for path in spool.iterdir() if SPOOLED_NAME.fullmatch(path.name))
        partial = _unfinished(spool, archive, settings.archive_timeout_s)
        if not names and partial is None:
            return 0
        key = backup_key.own(settings.data, archive.backups)
        for name in names:
            with (spool / name).open("rb") as source:
                encrypt_file(source, archive.folder / f"{name}.enc", key, name)
            sync_folder(archive.folder)
            (spool / name).unlink()
            (archive.folder / f"{name}.partial.enc").unlink(missing_ok=True)
        if partial is not None:
            with suppress(FileNotFoundError), partial.open("rb") as source:  # finished a moment ago
                changed_ns = min(os.fstat(source.fileno()).st_mtime_ns, time.time_ns() - _CLOCK_STEP_NS)
                kept = archive.folder / f"{partial.name}.enc"
                encrypt_file(source, kept, key, partial.name)
                os.utime(kept, ns=(changed_ns, changed_ns))
        return len(names)
    finally:
        os.close(descriptor)


def _unfinished(spool: Path, archive: Archive, timeout_s: int) -> Path | None:
    """The WAL file that pg_receivewal still writes, if what the archive has of it is too old.

    What is kept bears the time of the last change that is surely in it; so the last change before a quiet time is
    archived too, without waiting for the next one.
    """
    for path in spool.glob("*.partial"):
        try:
            kept_s = (archive.folder / f"{path.name}.enc").stat().st_mtime
        except FileNotFoundError:
            return path
        if path.stat().st_mtime > kept_s and time.time() >= kept_s + timeout_s:
            return path
    return None


def waiting(spool: Path) -> tuple[int, float]:
    """How many finished files wait in the spool, and the age of the oldest in seconds."""
    if not spool.is_dir():
        return 0, 0.0
    ages = [time.time() - path.stat().st_mtime for path in spool.iterdir() if WAL_NAME.fullmatch(path.name)]
    return len(ages), max(ages, default=0.0)


async def keep_draining(settings: Settings, spool: Path) -> None:
    """Archives as long as the server is open; a failure is logged and tried again."""
    while True:
        try:
            await asyncio.to_thread(drain, settings, spool)
        except Exception as error:  # noqa: BLE001  a full backup disk must not end the archiving for good
            structlog.get_logger().error("archive_failed", error=type(error).__name__)
        await asyncio.sleep(ARCHIVE_POLL_S)

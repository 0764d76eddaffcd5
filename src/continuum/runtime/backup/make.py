"""Taking a backup while the database is in use."""

import asyncio
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import asyncpg

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import ARCHIVE_WAIT_S, BACKUP_CHUNK_BYTES
from continuum.runtime.backup import archive, store
from continuum.runtime.backup import key as backup_key
from continuum.runtime.backup.cipher import Writer
from continuum.runtime.backup.receive import can_replicate, slot_exists
from continuum.runtime.backup.store import Manifest, StoredFile
from continuum.runtime.migrate import SCHEMAS
from continuum.runtime.postgres import binaries, cluster
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import plan
from continuum.runtime.postgres.server import Server
from continuum.runtime.settings import Settings

_SYSTEM = "SELECT system_identifier::text FROM pg_control_system()"
_WAL_NOW = "SELECT pg_walfile_name(pg_current_wal_lsn())"
_DUMP = ("--format=custom", "--compress=0", *(f"--schema={schema}" for schema in SCHEMAS), "--no-password")
Progress = Callable[[str], None]


class BackupFailed(DomainError):
    """A backup that did not come about; what there was of it is removed."""

    status = 503
    code = "exception"


async def make(settings: Settings, server: Server, *, passphrase: str = "", progress: Progress) -> Path:
    """Takes a backup of the database and the secret keys; returns its folder.

    Physical, with every later change archived, where that can be done; else a logical dump, and `progress` says
    what is lost by that.

    Raises:
        BackupFailed, NoKey, Damaged: in plain words.
    """
    key = await asyncio.to_thread(backup_key.own, settings.data, settings.backups, passphrase=passphrase)
    now = datetime.now(UTC)
    name = store.new_name(now)
    making = settings.backups / f".{name}"
    making.mkdir(mode=0o700)
    try:
        if server.superuser is not None or await can_replicate(server.owner):
            manifest = await _physical(settings, server, key, making, name, now, progress)
        else:
            manifest = await _logical(settings, server, key, making, name, now, progress)
        return await asyncio.to_thread(store.finish, making, manifest, key)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


async def _physical(
    settings: Settings, server: Server, key: bytes, making: Path, name: str, now: datetime, progress: Progress
) -> Manifest:
    address = server.superuser or server.owner
    connection = await asyncpg.connect(**address.connect)
    try:
        place = archive.begin(settings, await connection.fetchval(_SYSTEM))
        if server.embedded:
            await _start_spooling(settings, server, connection)
        else:
            await slot_exists(connection)
        first_wal = await connection.fetchval(_WAL_NOW)
        progress("Copying the data …")
        programs = binaries.installed() / "bin"
        base = await asyncio.to_thread(
            _encrypt_output,
            [programs / "pg_basebackup", "-D", "-", "-F", "t", "-X", "fetch", "--checkpoint=fast",
             "--manifest-checksums=SHA256", "--no-password"],
            address, making / "base.tar.enc", key, "base.tar",
        )  # fmt: skip
        keys = await asyncio.to_thread(_encrypt_keys, settings.data, making / "keys.tar.enc", key)
        if server.embedded and server.spool is not None:
            progress("Archiving the changes since …")
            await _archive_now(settings, server.spool, connection)
    finally:
        await connection.close()
    finished = datetime.now(UTC)
    return Manifest(
        name,
        "physical",
        server.embedded,
        server.major,
        store.iso(now),
        store.iso(finished),
        place.name,
        first_wal,
        (base, keys),
    )


async def _logical(
    settings: Settings, server: Server, key: bytes, making: Path, name: str, now: datetime, progress: Progress
) -> Manifest:
    progress(
        f"The database user {server.owner.user} has no replication rights, so this is a dump of this moment only:"
        " there is no way to restore a later one. For that, ask an administrator to run:"
        f' ALTER ROLE "{server.owner.user}" REPLICATION, and to let it connect for replication in pg_hba.conf.'
    )
    programs = binaries.installed(binaries.tools(server.major)) / "bin"
    dump = await asyncio.to_thread(
        _encrypt_output,
        [programs / "pg_dump", *_DUMP],
        server.owner, making / "dump.enc", key, "dump",
    )  # fmt: skip
    keys = await asyncio.to_thread(_encrypt_keys, settings.data, making / "keys.tar.enc", key)
    finished = datetime.now(UTC)
    return Manifest(name, "logical", False, server.major, store.iso(now), store.iso(finished), "", "", (dump, keys))


async def _start_spooling(settings: Settings, server: Server, connection: asyncpg.Connection) -> None:
    """From now on, PostgreSQL keeps its finished WAL files for the archive."""
    assert server.spool is not None, "the embedded server has a spool"
    if server.spool.is_dir():
        return
    layout = plan(settings)
    making = server.spool.with_name("wal-spool.making")
    making.mkdir(mode=0o700, exist_ok=True)
    if layout.account is not None:
        os.chown(making, layout.account.uid, layout.account.gid)
    making.rename(server.spool)
    cluster.configure(layout, settings)
    await connection.execute("SELECT pg_reload_conf()")


async def _archive_now(settings: Settings, spool: Path, connection: asyncpg.Connection) -> None:
    """Closes the present WAL file and waits until it is in the archive."""
    last = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal() - 1)")
    end = time.monotonic() + ARCHIVE_WAIT_S
    while time.monotonic() < end:
        done = await connection.fetchval("SELECT coalesce(max(last_archived_wal), '') FROM pg_stat_archiver")
        if done[8:24] >= last[8:24] and done[:8] >= last[:8]:
            await asyncio.to_thread(archive.drain, settings, spool)
            return
        await asyncio.sleep(0.05)
    raise BackupFailed(
        f"PostgreSQL did not hand over its WAL file {last} in {ARCHIVE_WAIT_S:.0f} s. Look at its log for why the"
        " archive command fails (is the disk full?)."
    )


def _encrypt_output(command: list[object], address: Address, path: Path, key: bytes, name: str) -> StoredFile:
    """Encrypts what a program prints, as it prints it."""
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(  # noqa: S603  our own programs
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            env={"PATH": os.defpath, "LC_ALL": "C", **address.environment},
        )
        try:
            with Writer(path, key, name) as writer:
                _copy(process.stdout, writer)
                if process.wait() != 0:
                    words.seek(0)
                    said = words.read().decode(errors="replace").strip().splitlines()[-6:]
                    raise BackupFailed(f"{Path(str(command[0])).name} failed:\n" + "\n".join(said))
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    return StoredFile(path.name, writer.size, writer.digest)


def _copy(source: IO[bytes] | None, writer: Writer) -> None:
    assert source is not None, "it was opened as a pipe"
    while content := source.read(BACKUP_CHUNK_BYTES):
        writer.write(content)


def _encrypt_keys(data: Path, path: Path, key: bytes) -> StoredFile:
    """The secret keys of the installation, but for the backup key itself."""
    with tempfile.TemporaryFile() as plain:
        with tarfile.open(fileobj=plain, mode="w") as tar:
            for secret in sorted((data / "keys").iterdir()):
                if secret.is_file() and secret.name != backup_key.NAME and not secret.name.startswith("."):
                    tar.add(secret, arcname=secret.name)
        plain.seek(0)
        with Writer(path, key, "keys.tar") as writer:
            writer.write(plain.read())
    return StoredFile(path.name, writer.size, writer.digest)

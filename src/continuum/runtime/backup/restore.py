"""Bringing a backup back: as it was, or as the database was at a later moment."""

import asyncio
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import BACKUP_TIMEOUT_S
from continuum.runtime import secrets as secret_files
from continuum.runtime.backup import cipher, store
from continuum.runtime.backup.cipher import Stream
from continuum.runtime.backup.store import Manifest
from continuum.runtime.backup.verify import check_archive, check_pages, first_wal, unpack
from continuum.runtime.keeper.keep import Order
from continuum.runtime.migrate import SCHEMAS
from continuum.runtime.postgres import binaries, cluster, lease, tuning
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import Layout, give, plan
from continuum.runtime.postgres.roles import DATABASE, OWNER
from continuum.runtime.postgres.server import Server
from continuum.runtime.settings import Settings

_NOT_REACHED = "recovery ended before configured recovery target was reached"
POLL_S = 0.1


class CannotRestore(DomainError):
    """A restore that would overwrite something, or cannot be done; nothing was changed."""

    code = "conflict"


async def restore(
    settings: Settings,
    backups: Path,
    key: bytes,
    *,
    name: str = "",
    to_time: datetime | None = None,
    progress: Callable[[str], None],
) -> Manifest:
    """Makes the embedded data of an empty data folder from a physical backup.

    to_time: with a time zone; the state at that moment. None: as far as the archive goes.

    Raises:
        CannotRestore, Damaged, NoBackup: in plain words.
    """
    _refuse_future(to_time)
    folder = store.choose(backups, key, name=name, before=to_time)
    manifest = store.load(folder, key)
    if manifest.kind != "physical":
        raise CannotRestore(f"{manifest.name} is a dump: give an empty database to restore it to with --database-url.")
    if not manifest.embedded:
        raise CannotRestore(
            f"{manifest.name} is a copy of a PostgreSQL {manifest.major} that was given by CONTINUUM_DATABASE_URL."
            " Unpack it with --unpack and start it with that version; the command says how."
        )
    if manifest.major != binaries.CURRENT:
        raise CannotRestore(
            f"{manifest.name} is of PostgreSQL {manifest.major}, and the embedded one is {binaries.CURRENT}."
            " Unpack it with --unpack and start it with that version."
        )
    layout = plan(settings)
    with lease.locked(layout.base / "prepare.lock", 0.0):
        refuse_overwriting(layout)
        await asyncio.to_thread(store.check_files, folder, manifest)
        await asyncio.to_thread(check_archive, backups, manifest)
        making = layout.base / f"{binaries.CURRENT}.making"
        await asyncio.to_thread(cluster.clear, making)
        progress(f"Unpacking {manifest.name} …")
        await asyncio.to_thread(unpack, folder / "base.tar.enc", key, "base.tar", making)
        progress("Checking every file …")
        await asyncio.to_thread(check_pages, making)
        await asyncio.to_thread(restore_keys, settings.data, folder, key)
        wal = layout.base / "wal-restore"
        await asyncio.to_thread(_unpack_wal, backups, manifest, key, wal, first_wal(making))
        progress("Replaying the changes since …")
        try:
            await _replay(layout, settings, making, wal, to_time)
        finally:
            shutil.rmtree(wal, ignore_errors=True)
        cluster.install(layout, making, binaries.CURRENT)
        set_head_aside(settings)
    return manifest


def _refuse_future(to_time: datetime | None) -> None:
    if to_time is not None and to_time > datetime.now(UTC):
        raise CannotRestore("The moment to restore lies in the future.")


async def unpack_only(
    folder: Path, backups: Path, key: bytes, *, name: str = "", to_time: datetime | None = None
) -> Manifest:
    """Lays a physical backup and its archive, decrypted, into a new folder for a PostgreSQL of the same version.

    to_time: the backup is one from before that moment; `recovery_settings` says how to stop there.

    Raises:
        CannotRestore, Damaged, NoBackup: in plain words.
    """
    _refuse_future(to_time)
    if folder.exists():  # noqa: ASYNC240  one look, before anything is served
        raise CannotRestore(f"{folder} is there already; give a new one.")
    source = store.choose(backups, key, name=name, before=to_time)
    manifest = store.load(source, key)
    if manifest.kind != "physical":
        raise CannotRestore(f"{manifest.name} is a dump: give an empty database to restore it to with --database-url.")
    await asyncio.to_thread(store.check_files, source, manifest)
    await asyncio.to_thread(check_archive, backups, manifest)
    await asyncio.to_thread(unpack, source / "base.tar.enc", key, "base.tar", folder / "data")
    await asyncio.to_thread(check_pages, folder / "data")
    await asyncio.to_thread(_unpack_wal, backups, manifest, key, folder / "wal", first_wal(folder / "data"))
    await asyncio.to_thread(unpack, source / "keys.tar.enc", key, "keys.tar", folder / "keys")
    return manifest


def recovery_settings(wal: Path, to_time: datetime | None) -> list[str]:
    """What PostgreSQL must be told to replay the changes, as lines of its configuration."""
    lines = [f'restore_command = \'cp "{wal}/%f" "%p"\'', "recovery_target_action = 'promote'"]
    if to_time is not None:
        lines.append(f"recovery_target_time = '{to_time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'")
    return lines


async def restore_dump(settings: Settings, server: Server, backups: Path, key: bytes, *, name: str = "") -> Manifest:
    """Restores a logical backup into an empty database.

    Raises:
        CannotRestore: the database has our schema already.
    """
    folder = store.choose(backups, key, name=name)
    manifest = store.load(folder, key)
    if manifest.kind != "logical":
        raise CannotRestore(f"{manifest.name} is a physical backup: restore it to a data folder, or use --unpack.")
    if binaries.tools(server.major) < binaries.tools(manifest.major):
        raise CannotRestore(f"{manifest.name} is of PostgreSQL {manifest.major}: restore it to one of 17 or newer.")
    connection = await asyncpg.connect(**server.owner.connect)
    try:
        there = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname = ANY($1::text[])", SCHEMAS)
        if there:
            names = ", ".join(sorted(row[0] for row in there))
            raise CannotRestore(f"The database has a record in it already (schema {names}); give an empty one.")
    finally:
        await connection.close()
    await asyncio.to_thread(store.check_files, folder, manifest)
    await asyncio.to_thread(restore_keys, settings.data, folder, key)
    await asyncio.to_thread(_load_dump, server, folder / "dump.enc", key)
    set_head_aside(settings)
    return manifest


def set_head_aside(settings: Settings) -> None:
    """Keeps what says how far the audit trail went, under another name: what is restored may not go as far."""
    head = settings.audit / "head"
    if head.exists():
        head.replace(head.with_name(f"head-before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))


def refuse_overwriting(layout: Layout) -> None:
    """Lets a restore go on only into a folder without data.

    Raises:
        CannotRestore: there is data.
    """
    there = [place for place in layout.base.glob("[0-9][0-9]") if place.is_dir()]
    if there:
        raise CannotRestore(
            f"There is data in {there[0]}, and a restore never overwrites any. Restore to another folder with --data,"
            " or move that one away first."
        )


def restore_keys(data: Path, folder: Path, key: bytes) -> None:
    """Puts the secret keys back; those that are there already must be the same.

    Raises:
        CannotRestore: the folder has other keys, with which the data could not be read.
    """
    keys = data / "keys"
    secret_files.make_private(keys)
    with tarfile.open(fileobj=Stream(folder / "keys.tar.enc", key, "keys.tar"), mode="r|") as tar:  # type: ignore[call-overload]
        for member in tar:
            source = tar.extractfile(member)
            name = Path(member.name).name
            if source is None:
                continue
            content = source.read()
            if not (keys / name).exists():
                secret_files.write_private(keys / name, content)
            elif (keys / name).read_bytes() != content:
                raise CannotRestore(
                    f"{keys / name} is the key of another installation. Restore to a new folder with --data,"
                    f" or move {keys} away first."
                )


def _unpack_wal(backups: Path, manifest: Manifest, key: bytes, folder: Path, first: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for path in store.archived(backups, manifest):
        name = path.name.removesuffix(".enc")
        if name.endswith(".partial") and (folder / name.removesuffix(".partial")).exists():
            continue
        if store.HISTORY_NAME.fullmatch(name) or name[8:24] >= first[8:24]:
            with (folder / name.removesuffix(".partial")).open("wb") as file:
                for piece in cipher.read(path, key, name):
                    file.write(piece)


async def _replay(layout: Layout, settings: Settings, making: Path, wal: Path, to_time: datetime | None) -> None:
    """Starts the copy once, lets it catch up, ends its recovery and stops it."""
    shutil.rmtree(layout.spool, ignore_errors=True)  # the restored data gets an archive of its own
    account = layout.account
    if account is not None:
        give(making, account.uid, account.gid)
        give(wal, account.uid, account.gid)
    secrets = secret_files.load(layout.data)
    for target in (to_time, None):
        _write_recovery(layout, settings, making, wal, target)
        order = Order(
            program=str(layout.programs() / "postgres"), folder=str(making), run=str(layout.run),
            lock=str(layout.base / "keeper.lock"), log=str(layout.log),
            uid=account.uid if account else None, gid=account.gid if account else None,
        )  # fmt: skip
        held = await asyncio.to_thread(lease.start, order)
        try:
            if await asyncio.to_thread(held.wait_until_ready):
                await _until_promoted(Address(str(layout.sockets), 5432, DATABASE, OWNER, secrets.password(OWNER)))
                return
            raise CannotRestore("Another process uses the data folder.")
        except lease.CannotStart as error:
            # Nothing happened between the last change and the wanted moment: all changes there are, are wanted.
            if target is None or _NOT_REACHED not in str(error):
                raise
        finally:
            await asyncio.to_thread(held.close)


def _write_recovery(layout: Layout, settings: Settings, making: Path, wal: Path, target: datetime | None) -> None:
    lines = [
        tuning.configuration(layout, settings, binaries.CURRENT),
        "hot_standby = off",
        "recovery_target_timeline = 'latest'",
        *recovery_settings(wal, target),
    ]
    for name, text in (
        ("postgresql.conf", "\n".join(lines) + "\n"),
        ("pg_hba.conf", tuning.access_rules()),
        ("postgresql.auto.conf", ""),
        ("recovery.signal", ""),
    ):
        path = making / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        if layout.account is not None:
            os.chown(path, layout.account.uid, layout.account.gid)


async def _until_promoted(address: Address) -> None:
    connection = await asyncpg.connect(**address.connect)
    try:
        async with asyncio.timeout(BACKUP_TIMEOUT_S):
            while await connection.fetchval("SELECT pg_is_in_recovery()"):  # noqa: ASYNC110  another process's state
                await asyncio.sleep(POLL_S)
    finally:
        await connection.close()


def _load_dump(server: Server, path: Path, key: bytes) -> None:
    address = server.owner
    process = subprocess.Popen(  # noqa: S603  our own program
        [
            binaries.installed(binaries.tools(server.major)) / "bin" / "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "--no-password",
            "-d",
            address.database,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C", **address.environment},
    )
    assert process.stdin is not None, "it was opened as a pipe"
    assert process.stderr is not None, "it was opened as a pipe"
    try:
        for piece in cipher.read(path, key, "dump"):
            process.stdin.write(piece)
        process.stdin.close()
        words = process.stderr.read().decode(errors="replace").strip().splitlines()[-6:]
        if process.wait() != 0:
            raise CannotRestore("pg_restore failed:\n" + "\n".join(words))
    except BrokenPipeError:
        words = process.stderr.read().decode(errors="replace").strip().splitlines()[-6:]
        raise CannotRestore("pg_restore failed:\n" + "\n".join(words)) from None
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()

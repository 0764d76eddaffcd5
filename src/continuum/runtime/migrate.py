"""Brings a database to this release's schema: in order, once each, whole or not at all, safe to kill and run again."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import asyncpg

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import MIGRATION_LOCK_TIMEOUT_S, MIGRATION_RETRIES_MAX, MIGRATION_RETRY_WAIT_S
from continuum.runtime.postgres.address import Address

Phase = Literal["pre", "post"]
FOLDER = Path(__file__).parent / "migrations"
LOCK = 7_200_000_001
"""The advisory lock that one migrating process at a time holds."""
SCHEMAS = ("record", "identity", "chart", "messages", "runtime")
"""Every schema that migrations make: what a backup of the database must hold, and a restore must find absent."""
PRIVILEGES = 0
"""The number under which the privileges are recorded, so that a changed text is applied again."""
_NAME = re.compile(r"(\d{4})_(pre|post)_([a-z0-9_]+)\.sql")
_NO_TRANSACTION = "-- no transaction\n"
_THEN = re.compile(r"^-- then$", re.MULTILINE)
_READ = "SELECT number, name, checksum FROM runtime.migration ORDER BY number"
_LEDGER = """
CREATE SCHEMA IF NOT EXISTS runtime;
CREATE TABLE IF NOT EXISTS runtime.migration (
  number   integer     PRIMARY KEY,
  name     text        NOT NULL,
  checksum text        NOT NULL,
  applied  timestamptz NOT NULL DEFAULT now()
);
"""
_RECORD = "INSERT INTO runtime.migration (number, name, checksum) VALUES ($1, $2, $3)"
_INVALID = """
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND n.nspname = ANY($1::text[])
"""


class CannotMigrate(DomainError):
    """The schema cannot be brought to this release; the text says why and what to do."""

    status = 503
    code = "exception"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `checksum` is of its text; a file that was applied never changes."""

    number: int
    phase: str
    name: str
    text: str
    checksum: str

    @property
    def label(self) -> str:
        """As in the file's name."""
        return f"{self.number:04d}_{self.phase}_{self.name}" if self.number else self.name


@cache
def known(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """All migrations of this release, in order."""
    found = []
    for path in sorted(folder.glob("[0-9]*.sql")):
        match = _NAME.fullmatch(path.name)
        assert match, f"{path.name} must be called NNNN_pre_name.sql or NNNN_post_name.sql"
        text = path.read_text(encoding="utf-8")
        found.append(Migration(int(match[1]), match[2], match[3], text, _checksum(text)))
    numbers = [migration.number for migration in found]
    assert numbers == list(range(1, len(found) + 1)), "migrations are numbered 1, 2, 3 …, each number once"
    return tuple(found)


@cache
def _privileges(folder: Path) -> Migration:
    text = (folder / "privileges.sql").read_text(encoding="utf-8")
    return Migration(PRIVILEGES, "", "privileges", text, _checksum(text))


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


async def pending(connection: asyncpg.Connection, phase: Phase = "post", folder: Path = FOLDER) -> list[Migration]:
    """What has not been applied yet: all of it, or for `pre` what must be before this release serves.

    Raises:
        CannotMigrate: a migration was applied with another text than this release has.
    """
    try:
        rows = await connection.fetch(_READ)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        rows = []
    applied = {row["number"]: row["checksum"] for row in rows}
    changed = [m.label for m in known(folder) if applied.get(m.number, m.checksum) != m.checksum]
    if changed:
        raise CannotMigrate(
            f"The database was made with another text of {', '.join(changed)}, by a version that was never released."
            " Export what you need with that version and start with an empty database."
        )
    todo = [migration for migration in known(folder) if migration.number not in applied]
    last_pre = max((migration.number for migration in todo if migration.phase == "pre"), default=0)
    wanted = [migration for migration in todo if phase == "post" or migration.number <= last_pre]
    privileges = _privileges(folder)
    if wanted or applied.get(PRIVILEGES) != privileges.checksum:
        wanted.append(privileges)
    return wanted


def newer(rows: Sequence[asyncpg.Record], folder: Path = FOLDER) -> list[str]:
    """Migrations in the database that this release does not know: a newer one made them."""
    numbers = {migration.number for migration in known(folder)} | {PRIVILEGES}
    return [row["name"] for row in rows if row["number"] not in numbers]


async def migrate(
    address: Address,
    *,
    phase: Phase = "post",
    folder: Path = FOLDER,
    progress: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Applies what is pending, as the owner; returns the labels of what was applied.

    phase: `pre` stops after the last migration that must precede this release's code.

    Raises:
        CannotMigrate: a lock was not to be had, or a text does not fit.
    """
    connection = await asyncpg.connect(**address.connect)
    try:
        if not await pending(connection, phase, folder):
            return []
        milliseconds = int(MIGRATION_LOCK_TIMEOUT_S * 1000)
        await connection.execute(f"SET lock_timeout = {milliseconds}; SET statement_timeout = 0")
        await _patiently(lambda: connection.execute("SELECT pg_advisory_lock($1::bigint)", LOCK), "another migration")
        await connection.execute(_LEDGER)
        applied = []
        for migration in await pending(connection, phase, folder):
            progress(migration.label)
            await _apply(connection, migration)
            applied.append(migration.label)
        return applied
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    async def whole() -> None:
        async with connection.transaction():
            await connection.execute(migration.text)
            await _record(connection, migration)

    if not migration.text.startswith(_NO_TRANSACTION):
        await _patiently(whole, migration.label)
        return
    for name in [row[0] for row in await connection.fetch(_INVALID, SCHEMAS)]:
        # A CREATE INDEX CONCURRENTLY that was killed leaves an index that only slows writes.
        await _patiently(_statement(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {name}"), migration.label)
    for statement in _THEN.split(migration.text):
        await _patiently(_statement(connection, statement), migration.label)
    async with connection.transaction():
        await _record(connection, migration)


def _statement(connection: asyncpg.Connection, sql: str) -> Callable[[], Awaitable[object]]:
    return lambda: connection.execute(sql)


async def _record(connection: asyncpg.Connection, migration: Migration) -> None:
    # New tables need privileges: each migration takes their mark away, so that they are applied again.
    await connection.execute("DELETE FROM runtime.migration WHERE number = $1", PRIVILEGES)
    await connection.execute(_RECORD, migration.number, migration.label, migration.checksum)


async def _patiently(work: Callable[[], Awaitable[object]], what: str) -> None:
    """Tries again when a lock is not to be had in time, so that a migration never makes others queue behind it."""
    for _ in range(MIGRATION_RETRIES_MAX):
        try:
            await work()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(MIGRATION_RETRY_WAIT_S)
        else:
            return
    raise CannotMigrate(
        f"{what} did not get its lock in {MIGRATION_RETRIES_MAX} attempts: something keeps using the tables."
        " Nothing was changed; run `continuum migrate` again when it is quiet."
    )

"""Backups of a PostgreSQL that somebody else runs: physical with its changes where it lets us, else a dump."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import uuid
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from continuum.runtime import postgres
from continuum.runtime.backup import archive
from continuum.runtime.backup import key as backup_key
from continuum.runtime.backup.make import make
from continuum.runtime.backup.receive import SPOOL
from continuum.runtime.backup.restore import CannotRestore, recovery_settings, restore, restore_dump, unpack_only
from continuum.runtime.backup.store import NoBackup
from continuum.runtime.backup.verify import verify
from continuum.runtime.migrate import SCHEMAS, migrate
from continuum.runtime.postgres import binaries
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import give, plan
from continuum.runtime.settings import Settings

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def maker():
    """An administrator's address on a durable server: the given one, or an embedded one that we pretend is given."""
    url = os.environ.get("CONTINUUM_TEST_DATABASE_URL")
    if url:
        yield Address.from_url(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="continuum-given-"))
    async with postgres.open(Settings.load({}, data=folder, postgres_memory_mb=64)) as server:
        yield server.superuser
    shutil.rmtree(folder)


@pytest.fixture
async def site(maker):
    """A folder, and settings that name a database of its own on the given server."""
    root = Path(tempfile.mkdtemp(prefix="continuum-site-"))
    root.chmod(0o711)  # noqa: ASYNC240  before anything runs
    name = f"continuum_{uuid.uuid4().hex[:8]}"
    connection = await asyncpg.connect(**maker.connect)
    await connection.execute(f"CREATE DATABASE {name}")

    def settings(address):
        return Settings.load(
            {},
            data=root / "data",
            backup_folder=root / "backups",
            database_url=address.to(name).dsn,
            archive_timeout_s=1,
        )

    yield root, settings
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")
    await connection.execute("DROP ROLE IF EXISTS continuum_test_plain")
    await connection.close()
    shutil.rmtree(root)


async def write(server, first, last):
    connection = await asyncpg.connect(**server.owner.connect)
    await connection.execute(
        "INSERT INTO record.resource SELECT n, 1, 'p' || n, 1, n, false, 0, NULL, NULL, NULL"
        " FROM generate_series($1::int, $2) n",
        first,
        last - 1,
    )
    await connection.close()


async def fill_beside_the_record(server):
    """A row in each of the schemas that are not the record's."""
    connection = await asyncpg.connect(**server.owner.connect)
    await connection.execute(
        "INSERT INTO identity.client (client_id, name, redirect_uris, scopes, created_us)"
        " VALUES ('a', 'a', '{}', '{}', 1)"
    )
    await connection.execute("INSERT INTO chart.trust VALUES ('c', 'one', 'other', 1)")
    await connection.execute("INSERT INTO messages.folder VALUES ('a', 'Family')")
    await connection.close()


async def rows_by_table(address):
    """How many rows each table of ours has."""
    connection = await asyncpg.connect(**address.connect)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY($1::text[])", SCHEMAS
        )
        return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for (table,) in tables}
    finally:
        await connection.close()


async def count(address):
    connection = await asyncpg.connect(**address.connect)
    try:
        return await connection.fetchval("SELECT count(*) FROM record.resource")
    finally:
        await connection.close()


async def test_a_server_that_lets_us_is_copied_and_followed(maker, site):
    root, settings_of = site
    settings = settings_of(maker)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        await write(server, 0, 100)
        await make(settings, server, progress=lambda _: None)
        await write(server, 100, 150)
        moment = await _now(server)
        await write(server, 150, 170)
        await _archived(settings, maker)
        database = Address.from_url(settings.database_url).database
    key = backup_key.own(settings.data, settings.backups)
    await verify(settings.backups, key, "", root / "work")
    with pytest.raises(CannotRestore, match="--unpack"):
        await restore(Settings.load({}, data=root / "new"), settings.backups, key, progress=lambda _: None)
    for loose, to_time, rows in (("latest", None, 170), ("then", moment, 150)):
        manifest = await unpack_only(root / loose, settings.backups, key, to_time=to_time)
        found = await _counted_by_an_own_server(maker, root / loose, manifest.major, database, to_time)
        assert found == rows, loose
    with pytest.raises(CannotRestore, match="future"):
        await unpack_only(root / "never", settings.backups, key, to_time=moment + timedelta(days=1))
    with pytest.raises(NoBackup):
        await unpack_only(root / "never", settings.backups, key, to_time=moment - timedelta(days=1))


async def _now(server):
    connection = await asyncpg.connect(**server.owner.connect)
    try:
        return await connection.fetchval("SELECT clock_timestamp()")
    finally:
        await connection.close()


async def _archived(settings, maker):
    """Waits until all that was written is received and archived; nothing more is written meanwhile."""
    spool, place = settings.data / SPOOL, archive.present(settings).folder
    connection = await asyncpg.connect(**maker.connect)
    async with asyncio.timeout(60):
        end = await connection.fetchval("SELECT pg_current_wal_flush_lsn()")
        while not await connection.fetchval(  # noqa: ASYNC110
            "SELECT bool_or(flush_lsn >= $1) FROM pg_stat_replication WHERE application_name = 'pg_receivewal'", end
        ):
            await asyncio.sleep(0.05)
        while any(_newer(path, place / f"{path.name}.enc") for path in spool.iterdir()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await connection.close()


def _newer(path, kept):
    try:
        return path.stat().st_mtime > kept.stat().st_mtime + 0.05
    except FileNotFoundError:
        return True


async def _counted_by_an_own_server(maker, loose, major, database, to_time):
    """What the unpacked copy says, started as the command tells people to."""
    data, sockets = loose / "data", loose / "s"
    sockets.mkdir()
    (data / "recovery.signal").touch()
    (data / "postgresql.conf").write_text("\n".join(recovery_settings(loose / "wal", to_time)) + "\n")
    (data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    program = (
        binaries.installed() / "bin" / "postgres"
        if major == binaries.CURRENT
        else Path(f"/usr/lib/postgresql/{major}/bin/postgres")
    )
    account = plan(Settings.load({}, data=loose.parent / "unused")).account
    identity = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    if account is not None:
        loose.chmod(0o711)
        for place in (data, sockets, loose / "wal"):
            give(place, account.uid, account.gid)
    process = subprocess.Popen(  # noqa: ASYNC220  started in a moment
        [program, "-D", data, "-k", sockets, "-c", "listen_addresses=", "-c", "hot_standby=off",
         "-c", "max_connections=300", "-c", "log_min_messages=fatal"],
        cwd="/", stderr=subprocess.DEVNULL, **identity,
    )  # fmt: skip
    address = Address(str(sockets), 5432, database, maker.user, maker.password)
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    return await count(address)
                except (OSError, asyncpg.CannotConnectNowError):
                    assert process.poll() is None
                    await asyncio.sleep(0.1)
    finally:
        process.terminate()
        process.wait()


async def keeps_wal_for_nobody(_):
    raise AssertionError("a server that is only dumped is asked to keep its WAL, which nobody fetches")


async def test_a_user_without_replication_gets_a_dump_and_is_told_what_that_means(maker, site, monkeypatch):
    monkeypatch.setattr("continuum.runtime.backup.make.slot_exists", keeps_wal_for_nobody)
    root, settings_of = site
    admin = await asyncpg.connect(**maker.connect)
    await admin.execute("CREATE ROLE continuum_test_plain LOGIN PASSWORD 'plain' CREATEROLE")
    database = Address.from_url(settings_of(maker).database_url).database
    await admin.execute(f"ALTER DATABASE {database} OWNER TO continuum_test_plain")
    if await admin.fetchval("SELECT to_regrole('continuum_app') IS NOT NULL"):
        await admin.execute("GRANT continuum_app TO continuum_test_plain")
    settings = settings_of(Address(maker.host, maker.port, database, "continuum_test_plain", "plain"))
    said = []
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        await write(server, 0, 70)
        await fill_beside_the_record(server)
        everything = await rows_by_table(server.owner)
        folder = await make(settings, server, progress=said.append)
        await write(server, 70, 90)
        assert "no way to restore a later one" in said[0]
        key = backup_key.own(settings.data, settings.backups)
        manifest, _ = await verify(settings.backups, key, folder.name, root / "work")
        assert manifest.kind == "logical"
        with pytest.raises(CannotRestore, match="has a record in it already"):
            await restore_dump(settings, server, settings.backups, key)
        connection = await asyncpg.connect(**server.owner.connect)
        # One that lacks a part only is no empty one either.
        await connection.execute("DROP SCHEMA record CASCADE; DROP SCHEMA runtime CASCADE")
        with pytest.raises(CannotRestore, match="chart, identity, messages"):
            await restore_dump(settings, server, settings.backups, key)
        await connection.execute("".join(f"DROP SCHEMA IF EXISTS {schema} CASCADE;" for schema in SCHEMAS))
        await connection.close()
        await restore_dump(settings, server, settings.backups, key)
        assert await rows_by_table(server.owner) == everything
        assert await migrate(server.owner) == []
        assert await count(server.app) == 70
    await admin.execute(f"DROP DATABASE {database} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {database}")
    await admin.close()

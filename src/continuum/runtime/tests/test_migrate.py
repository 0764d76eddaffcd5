"""Migrations: fresh equals migrated, killed anywhere and run again, never in the way of others."""

import asyncio
import itertools
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import asyncpg
import pytest

from continuum.fhir.types import TYPE_IDS
from continuum.record.limits import FACILITY_CARE_DAYS, RELATION_OPEN_DAYS
from continuum.record.relations import ALWAYS
from continuum.record.relocation.ledger import given_by
from continuum.runtime import migrate as migrate_module
from continuum.runtime.migrate import FOLDER, SCHEMAS, CannotMigrate, known, migrate, pending
from continuum.runtime.postgres import binaries
from continuum.runtime.postgres.address import Address

PARTS = Path(migrate_module.__file__).parents[1]
OWNERS = ("record", "identity", "chart", "clinical/messaging")
"""The parts that describe their tables in `schema*.sql`."""
MIGRATOR = """
import asyncio, sys
from pathlib import Path
from continuum.runtime.migrate import migrate
from continuum.runtime.postgres.address import Address
asyncio.run(migrate(Address.from_url(sys.argv[1]), folder=Path(sys.argv[2])))
"""
GATE = 4711
STEPS = {
    "0001_pre_first.sql": """
        CREATE SCHEMA record; GATE
        CREATE TABLE record.a (x int); GATE
        INSERT INTO record.a SELECT generate_series(1, 100); GATE
    """,
    "0002_pre_second.sql": "ALTER TABLE record.a ADD COLUMN y int; GATE UPDATE record.a SET y = x * 2; GATE",
    "0003_post_index.sql": "-- no transaction\nGATE\n-- then\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_y"
    " ON record.a (y)\n-- then\nGATE\n-- then\nALTER TABLE record.a ADD COLUMN IF NOT EXISTS z int\n",
    "privileges.sql": "GRANT USAGE ON SCHEMA record TO continuum_app; GATE",
}
GATES = sum(text.count("GATE") for text in STEPS.values())


@pytest.fixture
async def empty(test_server):
    """The owner's address of an empty database."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(**test_server.maker.connect)
    await connection.execute(f'CREATE DATABASE {name} OWNER "{test_server.server.owner.user}"')
    yield test_server.server.owner.to(name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


def dump(address, *schemas):
    """The definition of schemas, without what differs from dump to dump."""
    done = subprocess.run(
        [binaries.installed() / "bin" / "pg_dump", "-s", "--no-password", "--no-owner", "--no-privileges",
         *[f"-n{schema}" for schema in schemas]],
        env=address.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return re.sub(
        r"^(--|SET|SELECT pg_catalog\.set_config|\\(un)?restrict).*\n|^\n", "", done.stdout, flags=re.MULTILINE
    )


async def run(address, sql):
    connection = await asyncpg.connect(**address.connect)
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


async def test_a_fresh_schema_equals_a_migrated_one(empty, database_owner):
    connection = await asyncpg.connect(**empty.connect)
    for part in OWNERS:
        for schema in sorted((PARTS / part).glob("schema*.sql")):
            await connection.execute(schema.read_text())
    await connection.close()
    described = [schema for schema in SCHEMAS if schema != "runtime"]  # the ledger is the migrations' own
    fresh = dump(empty, *described)
    for table in ("record.resource", "identity.account", "chart.draft", "messages.folder"):
        assert f"CREATE TABLE {table}" in fresh
    assert dump(Address.from_url(database_owner), *described) == fresh


async def test_every_schema_that_migrations_make_is_named_for_backups(database_owner):
    found = await run(
        Address.from_url(database_owner),
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')",
    )
    assert sorted(row[0] for row in found) == sorted(SCHEMAS)


async def test_nothing_to_do_takes_a_moment(database_owner):
    connection = await asyncpg.connect(**Address.from_url(database_owner).connect)
    took = []
    for _ in range(20):
        start = time.perf_counter()
        assert await pending(connection) == []
        took.append(time.perf_counter() - start)
    await connection.close()
    assert min(took) < 0.01
    assert await migrate(Address.from_url(database_owner)) == []


async def test_two_that_migrate_at_once_do_it_once(empty):
    applied = await asyncio.gather(*[migrate(empty) for _ in range(4)])
    assert sorted(len(labels) for labels in applied) == [0, 0, 0, len(known()) + 1]


async def test_a_changed_text_of_an_applied_migration_is_refused(database_owner):
    address = Address.from_url(database_owner)
    await run(address, "UPDATE runtime.migration SET checksum = 'other' WHERE number = 1")
    with pytest.raises(CannotMigrate, match="0001_pre_record"):
        await migrate(address)


@pytest.fixture
def steps(tmp_path):
    numbers = itertools.count(GATE)
    for name, text in STEPS.items():
        gated = re.sub("GATE", lambda _: f"SELECT pg_advisory_xact_lock({next(numbers)});", text)
        (tmp_path / name).write_text(gated)
    return tmp_path


async def test_pre_stops_before_post(empty, steps):
    assert await migrate(empty, phase="pre", folder=steps) == ["0001_pre_first", "0002_pre_second", "privileges"]
    assert await migrate(empty, phase="pre", folder=steps) == []
    assert await migrate(empty, folder=steps) == ["0003_post_index", "privileges"]


@pytest.mark.parametrize("gate", range(GATES))
async def test_killed_at_any_statement_and_run_again_it_converges(empty, steps, gate):
    """Locks that the test holds stop the migration at each gate in turn; at one of them it is killed."""
    holder = await asyncpg.connect(**empty.connect)
    await holder.execute(
        "SELECT pg_advisory_lock(number) FROM generate_series($1::bigint, $2) number", GATE, GATE + GATES
    )
    process = subprocess.Popen([sys.executable, "-c", MIGRATOR, empty.dsn, steps])  # noqa: ASYNC220  started in a moment
    try:
        for passed in range(gate + 1):
            await _at_gate(holder, process, GATE + passed)
            if passed < gate:
                await holder.execute("SELECT pg_advisory_unlock($1::bigint)", GATE + passed)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    await holder.close()
    await migrate(empty, folder=steps)
    assert await migrate(empty, folder=steps) == []
    row = await run(empty, "SELECT count(*), sum(y), count(z) FROM record.a")
    assert tuple(row[0]) == (100, 10100, 0)
    assert await run(empty, "SELECT 1 FROM pg_index WHERE NOT indisvalid") == []
    assert len(await run(empty, "SELECT 1 FROM pg_indexes WHERE indexname = 'a_y'")) == 1
    assert [row["number"] for row in await run(empty, "SELECT number FROM runtime.migration ORDER BY 1")] == [
        0,
        1,
        2,
        3,
    ]


async def _at_gate(holder, process, gate):
    """Waits until the migration waits for the gate's lock."""
    async with asyncio.timeout(30):
        while not await holder.fetchval(
            "SELECT true FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            gate,
        ):
            assert process.poll() is None, "the migration ended before its gate"
            await asyncio.sleep(0.01)


async def test_a_migration_waits_for_its_lock_only_a_little_and_tries_again(empty, tmp_path, monkeypatch):
    monkeypatch.setattr(migrate_module, "MIGRATION_LOCK_TIMEOUT_S", 0.1)
    monkeypatch.setattr(migrate_module, "MIGRATION_RETRY_WAIT_S", 0.02)
    monkeypatch.setattr(migrate_module, "MIGRATION_RETRIES_MAX", 4)
    (tmp_path / "0001_pre_first.sql").write_text("CREATE SCHEMA record; CREATE TABLE record.a (x int);")
    (tmp_path / "privileges.sql").write_text("SELECT 1;")
    await migrate(empty, folder=tmp_path)
    (tmp_path / "0002_pre_second.sql").write_text("ALTER TABLE record.a ADD COLUMN y int;")
    known.cache_clear()
    reader = await asyncpg.connect(**empty.connect)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM record.a")
        with pytest.raises(CannotMigrate, match="did not get its lock in 4 attempts"):
            await migrate(empty, folder=tmp_path)
        assert await run(empty, "SELECT * FROM record.a") == []
    assert await migrate(empty, folder=tmp_path) == ["0002_pre_second", "privileges"]
    await reader.close()


async def test_which_facility_cares_for_whom_is_kept_with_an_end(empty, tmp_path):
    for path in sorted(FOLDER.glob("*.sql")):
        if path.name < "0016" or path.name == "privileges.sql":
            (tmp_path / path.name).write_text(path.read_text())
    await migrate(empty, folder=tmp_path)
    enrolled, seen, registered, merged = 1, 2, 3, 4
    source = -9_000_000_000_000_000_001
    now, day = 1_000_000 * int(time.time()), 86_400_000_000
    await run(
        empty, f"INSERT INTO record.care VALUES (70, {enrolled}), (70, {seen}), (70, {registered}), (70, {merged})"
    )
    await run(
        empty, "INSERT INTO record.resource (row_id, type, id, version, updated, deleted, labels, patient, patient_id,"
        f" body) VALUES (11, 103, 'to', 1, 0, false, 0, 70, 'to', ''), (13, 103, 'from', 1, 0, false, 0, {source},"
        " 'from', '')")  # fmt: skip
    await run(
        empty, "INSERT INTO record.relocation (id, merge, source_id, target_id, at, care)"
        f" VALUES ('m', true, 'from', 'to', 0, '{{{merged}}}')")  # fmt: skip
    columns = [row["attname"] for row in await run(
        empty, "SELECT attname FROM pg_attribute WHERE attrelid = 'record.search'::regclass AND attnum > 0"
        " ORDER BY attnum")]  # fmt: skip
    for row_id, kind, facility in ((11, "Patient", enrolled), (12, "Encounter", seen)):
        known_values = {"row_id": row_id, "type": TYPE_IDS[kind], "patient": 70, "refs": f"'{{{facility}}}'",
                        "date_high": now - 100 * day}  # fmt: skip
        filled = {name: known_values.get(name, "'{}'" if name in ("keys", "ref_params") else 0) for name in columns}
        await run(
            empty, f"INSERT INTO record.search ({', '.join(filled)}) VALUES ({', '.join(map(str, filled.values()))})"
        )
    assert "0018_post_care" in await migrate(empty)
    rows = await run(empty, "SELECT patient, basis, who, row_id, ends FROM record.relation ORDER BY who")
    assert [tuple(row)[:4] for row in rows] == [(70, 0, enrolled, 11), (70, 0, seen, 12), (70, 0, registered, 0),
                                              (70, 0, merged, given_by(source))]  # fmt: skip
    assert rows[0]["ends"] == -ALWAYS
    assert rows[1]["ends"] == now + (FACILITY_CARE_DAYS - 100) * day
    assert 0 <= rows[2]["ends"] - now - RELATION_OPEN_DAYS * day < day

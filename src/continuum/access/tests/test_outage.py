"""When the database takes no rows: reads are traced in the spill and go on, writes wait, and it ends by itself."""

import asyncio
import contextlib
import os
import subprocess
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from continuum.access import outage as outages
from continuum.access.actor import Actor
from continuum.access.audit import Context
from continuum.access.outage import Outage
from continuum.access.spill import Spill, SpillFull
from continuum.access.tests.doors import ACTORS, World, criteria, furnish, observation, patients
from continuum.kernel.errors import DomainError, NotFound, ReadOnly, StorageFull
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import OWN_NUMBER


class Switched:
    """A pool whose connections refuse writes while `read_only` is set, as a standby's do; `after` follows each use."""

    def __init__(self, pool):
        self._pool = pool
        self.read_only = False
        self.after = None

    @asynccontextmanager
    async def connection(self, wall: int = -1):
        async with self._pool.connection(wall) as conn:
            if self.read_only:
                await conn.execute("SET default_transaction_read_only = on")
            yield conn
        if self.after is not None:
            await self.after()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(outages, "OUTAGE_CHECK_S", 0.01)


@pytest.fixture
async def switched(pool):
    return Switched(pool)


@pytest.fixture
async def world(switched, tmp_path):
    made = World(switched, spill_folder=tmp_path / "audit")
    await furnish(made)
    async with made.door.watched():
        await until(lambda: made.door.outage.spilled == (0, 0.0))
        yield made


def resumed(world):
    context = Context(Actor("continuum", "system"), "HOPERAT", "server", "outage")
    return lambda took_s: world.door.auditor.row(context, "resume", detail=f"{took_s:.0f} s")


async def read(world, request_id):
    """What kept the read from being answered, or None."""
    try:
        await world.session("clinician", request_id).read("Observation", "o-own")
    except DomainError as error:
        return error
    return None


async def until(holds, seconds=20):
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  what is waited for is the state of another task
            await asyncio.sleep(0.01)


@pytest.mark.requirement("V16.5.2")
async def test_reads_go_on_writes_are_refused_and_both_are_in_the_trail_afterwards(world, switched):
    session = world.session("clinician", "during")
    switched.read_only = True
    assert (await session.read("Observation", "o-own")).id == "o-own"
    assert world.door.outage.closed
    with pytest.raises(ReadOnly, match="reads and searches go on, writes must wait"):
        await session.create(observation("new", "own"))
    with pytest.raises(NotFound):
        await session.read("Observation", "nobody")
    assert await world.rows("during") == []
    assert world.door.outage.spilled[0] == 3
    switched.read_only = False
    await until(lambda: world.door.refusal is None and world.door.outage.spilled[0] == 0)
    rows = await world.rows("during")
    assert [(row["interaction"], row["outcome"]) for row in rows] == [("read", 0), ("create", 4), ("read", 4)]
    (resumed,) = await world.rows("outage")
    assert (resumed["actor"], resumed["interaction"]) == ("continuum", "resume")
    await session.create(observation("new", "own"))


async def test_many_reads_at_once_are_each_there_once(world, switched):
    switched.read_only = True
    sessions = [world.session("clinician", f"r{number}") for number in range(400)]

    await asyncio.gather(*(session.read("Observation", "o-own") for session in sessions[:300]))
    switched.read_only = False
    await asyncio.gather(*(session.read("Observation", "o-own") for session in sessions[300:]))
    await until(lambda: world.door.refusal is None and world.door.outage.spilled[0] == 0)
    rows = [row["request"] for row in await world.rows() if row["request"].startswith("r")]
    assert sorted(rows) == sorted(f"r{number}" for number in range(400))


async def test_a_row_that_was_on_its_way_to_the_spill_when_writes_opened_is_not_lost(world, switched):
    outage, auditor = world.door.outage, world.door.auditor
    context = Context(ACTORS["clinician"], "TREAT", "192.0.2.1", "late")
    late = [auditor.row(context, "read", target="late")]

    async def while_the_spill_is_brought_in():
        if not outage.closed and late:
            await outage.keep([late.pop()], for_reads=True)

    switched.read_only = True
    assert await read(world, "early") is None
    assert outage.closed
    switched.read_only, switched.after = False, while_the_spill_is_brought_in
    await until(lambda: not outage.closed and outage.spilled[0] == 0 and not late)
    assert [len(await world.rows(request)) for request in ("early", "late")] == [1, 1]


@pytest.mark.requirement("V16.5.3")
async def test_when_the_spill_is_full_reads_are_refused(world, switched, tmp_path):
    outage = Outage(switched.connection, resumed(world), folder=tmp_path / "small", key=bytes(32), size=16 * 1024)
    world.door.outage = world.door.auditor.outage = outage
    async with outage.watched():
        await until(lambda: outage.spilled == (0, 0.0))
        switched.read_only = True
        results = [await read(world, f"full{number}") for number in range(200)]
        answered = results.count(None)
        assert 10 < answered < 200
        assert {type(one) for one in results[answered:]} == {SpillFull}
        with pytest.raises(SpillFull):
            await world.session("clinician", "after").search(criteria("Observation", "_count=1"))
        switched.read_only = False
        await until(lambda: not outage.closed and outage.spilled[0] == 0)
        rows = [row["request"] for row in await world.rows() if row["request"].startswith("full")]
        assert rows == [f"full{number}" for number in range(answered)]
        await world.session("clinician", "after").read("Observation", "o-own")


@pytest.mark.requirement("V16.5.3")
async def test_without_a_spill_nothing_is_answered(pool):
    switched = Switched(pool)
    world = await furnish(World(switched))
    switched.read_only = True
    with pytest.raises(ReadOnly):
        await world.session("clinician").read("Observation", "o-own")


async def test_what_a_killed_process_spilled_is_brought_in_once_even_if_it_was_half_done(world, switched, tmp_path):
    auditor, folder = world.door.auditor, tmp_path / "killed"
    context = Context(ACTORS["clinician"], "TREAT", "192.0.2.1", "left")
    spill = Spill.take(folder, bytes(32), 64 * 1024)
    for number in range(4):
        rows = [auditor.row(context, "read", target=f"{number}-{which}", patients=["own", "other"]) for which in "ab"]
        spill.append(rows)
    await world.door.outage.bring(spill, 2)
    await world.door.outage.bring(spill, 3)
    spill.close()  # killed before the last frame was there and the file emptied
    heir = Outage(switched.connection, resumed(world), folder=folder, key=bytes(32), size=64 * 1024)
    async with heir.watched():
        await until(lambda: heir.spilled == (0, 0.0))
    rows = await world.rows("left")
    assert [row["target"] for row in rows] == [f"{number}-{which}" for number in range(4) for which in "ab"]
    assert {frozenset(patients(row)) for row in rows} == {frozenset(["own", "other"])}


@pytest.fixture
def tiny_disk(test_server):
    """The mount point of a disk of 1 MiB that belongs to the account of the embedded PostgreSQL."""
    if os.geteuid() != 0 or not test_server.server.embedded:
        pytest.skip("NOT TESTED: a small disk can be made by root only, for an embedded PostgreSQL")
    disk = Path(tempfile.mkdtemp(prefix="continuum-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False)
    if mounted.returncode:
        disk.rmdir()
        pytest.skip("NOT TESTED: this machine lets nobody mount a small disk")
    for folder in (disk, disk / "space"):
        folder.mkdir(exist_ok=True)
        os.chown(folder, OWN_NUMBER, OWN_NUMBER)
    yield disk
    subprocess.run(["umount", disk], check=True)
    disk.rmdir()


@pytest.fixture
async def trail_on_tiny_disk(test_server, database_owner, tiny_disk):
    """A function that moves the audit trail to the tiny disk."""
    name = f"tiny_{os.getpid()}"
    maker = await asyncpg.connect(**test_server.maker.connect)
    inside = await asyncpg.connect(**test_server.maker.to(Address.from_url(database_owner).database).connect)
    await maker.execute(f"CREATE TABLESPACE {name} LOCATION '{tiny_disk / 'space'}'")

    async def move():
        await inside.execute(f"ALTER TABLE record.audit SET TABLESPACE {name}")

    yield move
    await inside.execute("ALTER TABLE record.audit SET TABLESPACE pg_default")
    await inside.close()
    await maker.execute(f"DROP TABLESPACE {name}")
    await maker.close()


def fill(disk):
    """Takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


async def test_a_full_disk_of_the_database_itself(world, tiny_disk, trail_on_tiny_disk):
    await trail_on_tiny_disk()
    filler = fill(tiny_disk)
    answers = [await read(world, f"disk{number}") for number in range(400)]
    assert answers == [None] * 400
    # A probe may now and then find a place for a row or two; it closes again with the next.
    await until(lambda: world.door.outage.closed)
    with pytest.raises(StorageFull, match="no room for new entries") as refusal:
        await world.session("clinician", "write").create(observation("w", "own"))
    assert refusal.value.status == 507
    await world.session("clinician", "still").read("Observation", "o-own")
    filler.unlink()
    await until(lambda: world.door.refusal is None and world.door.outage.spilled[0] == 0)
    await world.session("clinician", "write").create(observation("later", "own"))
    rows = [row["request"] for row in await world.rows() if row["request"].startswith("disk")]
    assert sorted(rows) == sorted(f"disk{number}" for number in range(400))
    assert len(await world.rows("still")) == 1

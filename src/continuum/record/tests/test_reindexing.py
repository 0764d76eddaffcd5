"""A release that files more than the one before brings what is there up to date, whatever happens meanwhile."""

import asyncio
import random
import signal
import subprocess
import sys
import time

import orjson
import pytest

from continuum.fhir.json import parse as parse_json
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.clock import now_us
from continuum.kernel.errors import NotYetIndexed
from continuum.record import read, reindexing
from continuum.record.entry import prepare
from continuum.record.index_rules import rules_of
from continuum.record.keys import Keys
from continuum.record.tests.desk import SECRET, Desk, observation, patient, put
from continuum.record.tests.releases import Earlier

COUNT = 600
WAIT_S = 60.0
WORKER = """
import asyncio, sys
from continuum.access import Access
from continuum.access import reindexing as work
from continuum.record import reindexing
from continuum.runtime.pool import Pool

reindexing.batch.__kwdefaults__["size"] = 5
work.REINDEX_REST_RATIO = float(sys.argv[3])

async def main():
    async with Pool.open(sys.argv[1], size=2) as pool:
        access = Access(pool.connection, key_secret=bytes.fromhex(sys.argv[2]), audit_secret=bytes(32))
        job = work.Reindexing(access)
        async with job.working():
            while not job.done:
                await asyncio.sleep(0.01)

asyncio.run(main())
"""


@pytest.fixture
def earlier(monkeypatch):
    return Earlier(monkeypatch)


def measured(number, value):
    amount = {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    return observation("Patient/p", id=f"o{number}", valueQuantity=amount)


async def filled(pool, earlier, count=COUNT):
    """A database as the earlier release left it, and the desk of a process of this one."""
    desk = Desk(pool)
    earlier.begin()
    async with pool.connection() as conn:
        assert await reindexing.settle(conn, now_us()) == []
    await desk.update(patient(id="p"))
    for first in range(0, count, 100):
        numbers = range(first, min(first + 100, count))
        await desk.do(*(put(measured(number, number)) for number in numbers))
    earlier.end()
    return Desk(pool)


async def run_to_the_end(pool, keys, **more):
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
        for _ in range(1_000):
            if await reindexing.batch(conn, keys, now_us(), **more) is None:
                return
    raise AssertionError("it does not end")


async def found(desk, text):
    return {one.id for one in (await desk.search("Observation", f"{text}&_count=1000")).matches}


async def index_of(pool):
    """What is filed, by row."""
    async with pool.connection() as conn:
        rows = await conn.fetch(
            f"SELECT {read.COLUMNS}, s.present, s.keys, s.ref_params, s.refs, s.self, s.date_low, s.date_high,"
            " s.updated AS filed, s.patient FROM record.search s JOIN record.resource r USING (row_id)"
        )
        sides = {table: await conn.fetch(f"SELECT * FROM record.{table}") for table in ("string", "date", "quantity")}
    return rows, sides


async def assert_filed_as_if_written_today(pool, keys):
    rows, sides = await index_of(pool)
    wanted = {"string": [], "date": [], "quantity": []}
    for row in rows:
        new = prepare(parse_json(read.stored(row).body), keys)
        assert sorted(row["keys"]) == sorted(new.keys)
        assert (row["present"], row["self"], row["date_low"]) == (new.present, new.self_key, new.date_low)
        assert (list(row["ref_params"]), list(row["refs"])) == (new.ref_params, new.refs)
        assert row["filed"] == row["updated"]
        assert row["patient"] == new.patient
        wanted["string"] += [(row["row_id"], *one) for one in new.strings]
        wanted["date"] += [(row["row_id"], *one) for one in new.dates]
        wanted["quantity"] += [(row["row_id"], one[0], one[1]) for one in new.quantities]
    shapes = {
        "string": ("row_id", "param", "value", "exact", "parts"),
        "date": ("row_id", "param", "low", "high"),
        "quantity": ("row_id", "key", "low"),
    }
    for table, columns in shapes.items():
        assert sorted(tuple(one[name] for name in columns) for one in sides[table]) == sorted(wanted[table])


async def test_a_new_parameter_is_refused_until_all_that_was_there_is_found_by_it(pool, earlier):
    desk = await filled(pool, earlier, 30)
    async with pool.connection() as conn:
        assert await reindexing.settle(conn, now_us()) == ["Observation"]
    refused = (
        "value-quantity=gt5", "code=x&value-quantity=gt5", "_sort=value-quantity", "value-string:missing=true",
        "combo-value-quantity=5", "code-value-quantity=x$5", "_filter=not (value-quantity gt 5)",
    )  # fmt: skip
    for text in refused:
        with pytest.raises(NotYetIndexed, match="value-"):
            await desk.search("Observation", text)
    with pytest.raises(NotYetIndexed):
        await desk.search("Patient", "_has:Observation:patient:value-quantity=5")
    assert len(await found(desk, "patient=p")) == 30
    await run_to_the_end(pool, desk.keys)
    fresh = Desk(pool)  # another process; this one looks again after REINDEX_READY_AGE_S
    assert await found(fresh, "value-quantity=gt5||mg") == {f"o{number}" for number in range(6, 30)}
    await assert_filed_as_if_written_today(pool, desk.keys)


async def test_new_writes_are_filed_by_the_new_rules_at_once(pool, earlier):
    desk = await filled(pool, earlier, 20)
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
    await desk.update(measured("new", 7))
    await desk.update(measured(3, 1_000))
    async with pool.connection() as conn:
        key = desk.keys.quantity("Observation", "value-quantity")
        rows = await conn.fetch("SELECT low FROM record.quantity WHERE key = $1 ORDER BY low", key)
    assert [row["low"] for row in rows] == [7.0, 1_000.0]
    await run_to_the_end(pool, desk.keys)
    await assert_filed_as_if_written_today(pool, desk.keys)


async def test_a_killed_server_goes_on_where_it_was_while_others_write(pool, database, earlier):
    """Three workers are killed in the middle; meanwhile resources are written, changed and deleted."""
    desk = await filled(pool, earlier)
    rng = random.Random(4)
    places = []
    for _ in range(3):
        worker = start(database, rest=3.0)
        try:
            begun = await moved(pool, beyond=places[-1] if places else 0)
            for number in range(5):
                await desk.update(measured(rng.randrange(COUNT), 5_000 + number))
                await desk.update(measured(f"later{len(places)}-{number}", number))
            await desk.delete("Observation", f"o{COUNT - 1 - len(places)}")
            worker.send_signal(signal.SIGKILL)
        finally:
            worker.kill()
            worker.wait()
        places.append(begun)
    assert 0 < places[0] < places[1] < places[2]
    with pytest.raises(NotYetIndexed):
        await desk.search("Observation", "value-quantity=gt5")
    last = start(database, rest=0.0)
    assert await asyncio.to_thread(last.wait, WAIT_S) == 0
    async with pool.connection() as conn:
        assert await reindexing.progress(conn) == []
        state = await conn.fetchrow("SELECT rules FROM record.index_state WHERE type = $1", TYPE_IDS["Observation"])
        traces = await conn.fetch("SELECT detail FROM record.audit WHERE interaction = 'reindex'")
    assert orjson.loads(state["rules"]) == rules_of("Observation")
    assert [row["detail"] for row in traces] == ["Observation"]
    await assert_filed_as_if_written_today(pool, desk.keys)
    there = await found(Desk(pool), "value-quantity:missing=false")
    assert there == {one.id for one in (await desk.search("Observation", "_count=1000")).matches}


def start(database, rest):
    return subprocess.Popen([sys.executable, "-c", WORKER, database, SECRET.hex(), str(rest)])


async def moved(pool, beyond):
    """The place that the work has reached, once it is beyond a place."""
    for _ in range(int(WAIT_S / 0.01)):
        async with pool.connection() as conn:
            row = await conn.fetchrow(
                "SELECT after FROM record.index_state WHERE target IS NOT NULL AND after > $1", beyond
            )
        if row is not None:
            return row["after"]
        await asyncio.sleep(0.01)
    raise AssertionError("nothing moves")


async def test_a_write_waits_for_one_batch_at_most_and_a_batch_for_no_reader(pool, earlier):
    desk = await filled(pool, earlier, 200)
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())

    async def work():
        async with pool.connection() as conn:
            while await reindexing.batch(conn, desk.keys, now_us(), size=20):
                pass

    async def write():
        waited = []
        for number in range(60):
            began = time.monotonic()
            await desk.update(measured(number * 3, 9_000 + number))
            waited.append(time.monotonic() - began)
        return waited

    _, waited = await asyncio.gather(work(), write())
    assert max(waited) < 5.0
    await assert_filed_as_if_written_today(pool, desk.keys)


async def test_two_workers_share_the_types_and_neither_waits(pool, earlier):
    desk = await filled(pool, earlier, 50)
    async with pool.connection() as one, pool.connection() as other:
        await reindexing.settle(one, now_us())
        async with one.transaction():
            await one.fetch("SELECT * FROM record.index_state WHERE target IS NOT NULL FOR UPDATE")
            assert await reindexing.batch(other, desk.keys, now_us()) is None
            assert len(await reindexing.progress(other)) == 1


async def test_how_far_it_has_come_is_told_right_in_a_database_that_was_never_analysed(pool, earlier):
    desk = Desk(pool)
    earlier.begin()
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
    await desk.do(put(patient(id="p")), *(put(patient(id=f"before-{number}")) for number in range(400)))
    for first in range(0, 400, 10):  # the type's rows begin late, and others lie between them
        await desk.do(*(put(measured(number, number)) for number in range(first, first + 10)))
        await desk.do(*(put(patient(id=f"between-{number}")) for number in range(first, first + 10)))
    earlier.end()
    desk, told = Desk(pool), []
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
        while found := await reindexing.progress(conn):
            told += [(one.percent, one.total) for one in found]
            with pytest.raises(NotYetIndexed, match=f"{found[0].percent} % done"):
                await Desk(pool).search("Observation", "value-quantity=1")
            await reindexing.batch(conn, desk.keys, now_us(), size=50)
    shares = [percent for percent, _ in told]
    assert told[0] == (0, None)
    assert len(shares) == 9
    assert shares == sorted(shares)
    assert all(abs(share - 100 * number / 8) <= 3 for number, share in enumerate(shares))
    assert all(380 < total < 450 for _, total in told[1:])


async def test_going_back_to_the_earlier_release_files_again_too(pool, earlier):
    desk = await filled(pool, earlier, 40)
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
        assert await reindexing.batch(conn, desk.keys, now_us(), size=10) == "Observation"
        earlier.begin()
        assert await reindexing.settle(conn, now_us()) == ["Observation"]
        earlier.end()
        assert await reindexing.batch(conn, desk.keys, now_us()) is None  # the earlier release's work
        assert await reindexing.settle(conn, now_us()) == ["Observation"]
    await run_to_the_end(pool, desk.keys, size=10)
    await assert_filed_as_if_written_today(pool, desk.keys)
    assert len(await found(Desk(pool), "value-quantity=lt5||mg")) == 5


async def test_a_database_of_this_release_alone_has_nothing_to_do(pool):
    desk = Desk(pool)
    await desk.update(patient(id="p"))
    await desk.update(measured(1, 3))
    assert await found(desk, "value-quantity=3") == {"o1"}
    async with pool.connection() as conn:
        assert await reindexing.settle(conn, now_us()) == []
        assert await reindexing.settle(conn, now_us()) == []
        assert await reindexing.batch(conn, Keys(SECRET), now_us()) is None

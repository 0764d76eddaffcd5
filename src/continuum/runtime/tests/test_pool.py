"""The pool: what a user of a connection may rely on."""

import asyncio

import asyncpg
import pytest

from continuum.kernel.errors import Busy
from continuum.runtime import pool as pool_module
from continuum.runtime.pool import Pool, leaves_traces, was_lost
from continuum.runtime.postgres.address import Address


async def _until(condition, timeout_s=10):
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  a pool's counts have no event; bounded
            await asyncio.sleep(0.005)


async def test_a_statement_is_prepared_once_per_connection(pool):
    async with pool.connection() as conn:
        for number in range(3):
            assert await conn.fetchval("SELECT $1::int + 1", number) == number + 1
        prepared = await conn.fetch("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%+ 1'")
    assert len(prepared) == 1


@pytest.mark.requirement("V13.2.2", "V16.4.2")
async def test_the_application_role_is_not_the_owner_and_may_not_rewrite_the_trace(pool):
    async with pool.connection() as conn:
        assert await conn.fetchval("SELECT current_user::text") == "continuum_app"
        assert await conn.fetchval("SELECT count(*) FROM record.resource") == 0
        for forbidden in (
            "UPDATE record.audit SET actor = 'nobody'",
            "DELETE FROM record.audit",
            "DELETE FROM record.history",
            "DROP TABLE record.resource",
            "CREATE TABLE record.own (x int)",
            "DELETE FROM runtime.migration",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(forbidden)


async def test_a_connection_left_in_a_transaction_is_not_handed_on(database):
    async with Pool.open(database, size=1) as pool:
        async with pool.connection() as conn:
            first = await conn.fetchval("SELECT pg_backend_pid()")
            await conn.execute("BEGIN")
        async with pool.connection() as conn:
            assert await conn.fetchval("SELECT pg_backend_pid()") != first


@pytest.mark.parametrize(
    "sql",
    [
        "SET work_mem = '64MB'",
        "SELECT 1; SET search_path TO record",
        "SELECT pg_advisory_lock(1)",
        "LISTEN something",
        "CREATE TEMP TABLE x (y int)",
        "SELECT set_config('work_mem', '64MB', false)",
    ],
)
async def test_a_connection_with_session_state_is_not_handed_on(database, sql):
    async with Pool.open(database, size=1) as pool:
        async with pool.connection() as conn:
            first = await conn.fetchval("SELECT pg_backend_pid()")
            await conn.execute(sql)
        async with pool.connection() as conn:
            assert await conn.fetchval("SELECT pg_backend_pid()") != first
        assert pool.open_count == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "UPDATE record.resource SET version = 2",
        "SET LOCAL enable_seqscan = off",
        "SELECT pg_advisory_xact_lock(1, 2)",
        "SELECT set_config('a.b', $1, true)",
        "INSERT INTO x VALUES (1) ON CONFLICT (y) DO UPDATE SET z = 1",
    ],
)
def test_ordinary_statements_leave_no_traces(sql):
    assert not leaves_traces(sql)


async def test_those_who_wait_are_served_in_their_order(database):
    served = []

    async def work(number):
        async with pool.connection() as conn:
            await conn.fetchval("SELECT 1")
            served.append(number)

    async with Pool.open(database, size=1) as pool:
        async with pool.connection():
            tasks = []
            for number in range(20):
                tasks.append(asyncio.create_task(work(number)))
                await _until(lambda number=number: pool.waiting == number + 1)
        await asyncio.gather(*tasks)
    assert served == list(range(20))


@pytest.mark.requirement("V2.4.1")
async def test_too_many_waiting_are_told_to_come_back(database, monkeypatch):
    monkeypatch.setattr(pool_module, "REQUESTS_WAITING_MAX", 3)
    async with Pool.open(database, size=1) as pool:
        async with pool.connection():
            tasks = [asyncio.create_task(pool.take()) for _ in range(3)]
            await _until(lambda: pool.waiting == 3)
            with pytest.raises(Busy, match="Too many requests"):
                await pool.take()
        for task in tasks:
            pool.give_back(await task)
        assert pool.open_count == 1


async def test_a_waiter_that_is_cancelled_loses_no_connection(database):
    async with Pool.open(database, size=1) as pool:
        for _ in range(50):
            async with pool.connection():
                task = asyncio.create_task(pool.take())
                await _until(lambda: pool.waiting == 1)
            task.cancel()  # the connection was handed to it a moment ago
            with pytest.raises(asyncio.CancelledError):
                await task
        async with asyncio.timeout(5), pool.connection() as conn:
            assert await conn.fetchval("SELECT 1") == 1


async def test_connections_that_the_server_closed_are_replaced(test_server, database):
    killer = await asyncpg.connect(**test_server.maker.connect)
    async with Pool.open(database, size=4) as pool:
        async with pool.connection() as a, pool.connection() as b:
            dead = [await conn.fetchval("SELECT pg_backend_pid()") for conn in (a, b)]
        await killer.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", dead)
        await _until(lambda: all(conn.raw.is_closed() for conn in pool.free))
        async with pool.connection() as conn:
            assert await conn.fetchval("SELECT pg_backend_pid()") not in dead
        assert pool.open_count == 1
    await killer.close()


@pytest.mark.requirement("V15.2.2")
async def test_a_statement_that_takes_too_long_is_ended(database):
    async with Pool.open(database, size=1, statement_timeout_s=0.05) as pool, pool.connection() as conn:
        with pytest.raises(asyncpg.QueryCanceledError):
            await conn.fetchval("SELECT pg_sleep(30)")
        assert await conn.fetchval("SELECT 1") == 1


async def test_a_changed_table_is_read_again(database, database_owner):
    owner = await asyncpg.connect(**Address.from_url(database_owner).connect)
    async with Pool.open(database, size=1) as pool, pool.connection() as conn:
        assert await conn.fetch("SELECT * FROM runtime.migration")
        await owner.execute("ALTER TABLE runtime.migration ADD COLUMN note text")
        assert "note" in (await conn.fetch("SELECT * FROM runtime.migration"))[0]
    await owner.close()


async def test_nothing_that_listens_gives_busy_in_time(monkeypatch, tmp_path):
    monkeypatch.setattr(pool_module, "CONNECT_TIMEOUT_S", 0.3)
    pool = Pool(Address(str(tmp_path), 5432, "none", "nobody"))
    with pytest.raises(Busy, match="does not answer"):
        await pool.take()
    assert pool.open_count == 0


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ConnectionResetError(), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.InterfaceError("the underlying connection is closed"), True),
        (asyncpg.InternalClientError("cannot switch to another state"), True),
        (asyncpg.InterfaceError("another operation is in progress"), False),
        (asyncpg.UniqueViolationError(), False),
    ],
)
def test_what_the_driver_says_of_a_lost_database_is_known_as_that(error, lost):
    assert was_lost(error) is lost

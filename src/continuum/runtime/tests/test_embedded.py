"""The embedded PostgreSQL: who may reach it, and what survives which kill."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from continuum.runtime import postgres
from continuum.runtime.keeper.sweep import processes_in
from continuum.runtime.pool import Pool
from continuum.runtime.postgres.layout import OWN_NUMBER, plan
from continuum.runtime.settings import Settings

HOLDER = Path(__file__).parent / "holder.py"
PAUSE = threading.Event()
"""Never set: what a bounded poll waits on between two looks at another process."""


@pytest.fixture(scope="session")
def cluster_made_before():
    """A data folder with a cluster, made once and copied for each test."""
    folder = Path(tempfile.mkdtemp(prefix="continuum-made-"))
    asyncio.run(_open_once(_settings(folder)))
    yield folder
    shutil.rmtree(folder)


async def _open_once(settings):
    async with postgres.open(settings):
        pass


def _settings(folder):
    return Settings.load({}, data=folder, postgres_memory_mb=64)


@pytest.fixture
def data(cluster_made_before):
    folder = Path(tempfile.mkdtemp(prefix="continuum-data-"))
    subprocess.run(["cp", "-a", f"{cluster_made_before}/.", folder], check=True)
    yield folder
    cluster = plan(_settings(folder)).cluster(18)
    for process in processes_in(cluster):
        os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture
def settings(data):
    return _settings(data)


@contextmanager
def holder(data):
    process = subprocess.Popen(
        [sys.executable, HOLDER, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


def until(condition, timeout_s=20.0):
    end = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        PAUSE.wait(0.01)
    return result


async def until_async(condition, timeout_s=20.0):
    async with asyncio.timeout(timeout_s):
        while not (result := condition()):  # noqa: ASYNC110  other processes' states have no event
            await asyncio.sleep(0.01)
        return result


def cluster_of(data):
    return plan(_settings(data)).cluster(18)


def keeper_of(data):
    """The process number of the keeper, from the lock it holds."""
    inode = (plan(_settings(data)).base / "keeper.lock").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].rsplit(":", 1)[1] == str(inode):
            return int(fields[4])
    return 0


def alive(process):
    """Whether it runs; one that is dead and only not buried does not."""
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE


def news(data):
    with socket.socket(socket.AF_UNIX) as lease:
        lease.connect(str(plan(_settings(data)).run / "keeper.sock"))
        return json.loads(lease.recv(4096).split(b"\n")[0])


def soon(data):
    """The news, or that there is none yet: a keeper takes the lock first and listens a moment later."""
    try:
        return news(data)
    except (ConnectionError, FileNotFoundError):
        return {"state": "", "pid": 0}


async def write(server, value):
    connection = await asyncpg.connect(**server.owner.connect)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()


async def kept(server):
    connection = await asyncpg.connect(**server.owner.connect)
    values = [row[0] for row in await connection.fetch("SELECT value FROM kept ORDER BY value")]
    await connection.close()
    return values


@pytest.mark.requirement("V13.2.3")
async def test_nothing_trusts_anybody(settings):
    async with postgres.open(settings) as server:
        superuser = await asyncpg.connect(**server.superuser.connect)
        show = {row["name"]: row["setting"] for row in await superuser.fetch("SELECT name, setting FROM pg_settings")}
        assert show["listen_addresses"] == ""
        assert (show["fsync"], show["synchronous_commit"], show["full_page_writes"]) == ("on", "on", "on")
        assert (show["data_checksums"], show["jit"], show["unix_socket_permissions"]) == ("on", "off", "0700")
        methods = await superuser.fetch("SELECT DISTINCT auth_method, type FROM pg_hba_file_rules")
        assert [tuple(row) for row in methods] == [("scram-sha-256", "local")]
        supers = await superuser.fetch("SELECT rolname::text FROM pg_roles WHERE rolsuper")
        assert [row[0] for row in supers] == ["postgres"]
        await superuser.close()
        for role in (server.app, server.owner, server.superuser):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(
                    **{**role.connect, "password": "guess", "dsn": role.dsn.replace(role.password, "guess")}
                )
        layout = plan(settings)
        assert stat.S_IMODE(layout.sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE((settings.data / "keys" / "postgres").stat().st_mode) == 0o600
        looked_at = 0
        for process in processes_in(layout.cluster(18)):
            with suppress(psutil.NoSuchProcess):  # a backend of the connections above may just be leaving
                assert psutil.Process(process).uids().real == (OWN_NUMBER if os.geteuid() == 0 else os.geteuid())
                assert not psutil.Process(process).net_connections("inet")
                looked_at += 1
        assert looked_at > 3


async def test_the_last_one_out_stops_the_server_and_not_before(settings):
    async with postgres.open(settings) as first:
        await write(first, "a")
        async with postgres.open(settings) as second:
            assert await kept(second) == ["a"]
        assert await kept(first) == ["a"]
        keeper = keeper_of(settings.data)
        assert alive(keeper)
    assert not processes_in(cluster_of(settings.data))
    assert not alive(keeper)


def test_an_existing_cluster_starts_in_well_under_a_second(data):
    settings = _settings(data)

    async def once():
        start = time.perf_counter()
        async with postgres.open(settings):
            return time.perf_counter() - start

    assert min(asyncio.run(once()) for _ in range(3)) < 1.0


async def test_a_second_program_joins_and_outlives_the_first(data):
    with holder(data) as first, holder(data) as second:
        postmaster = news(data)["pid"]
        first.kill()
        first.wait()
        async with postgres.open(_settings(data)) as server:
            await write(server, "still there")
        assert news(data)["pid"] == postmaster
        second.stdin.close()
        assert second.wait(timeout=20) == 0
        until(lambda: not processes_in(cluster_of(data)))


def test_kill_9_of_the_program_leaves_no_process(data):
    with holder(data) as program:
        keeper = keeper_of(data)
        program.kill()
        program.wait()
        until(lambda: not processes_in(cluster_of(data)) and not alive(keeper))


async def test_kill_9_of_the_postmaster_is_mended_while_serving(settings):
    async with postgres.open(settings) as server, Pool.open(server.owner) as pool:
        await write(server, "before")
        for round_number in range(3):
            postmaster = news(settings.data)["pid"]
            os.kill(postmaster, signal.SIGKILL)
            await until_async(lambda dead=postmaster: soon(settings.data)["pid"] not in {dead, 0})
            await until_async(lambda: all(connection.raw.is_closed() for connection in pool.free))
            async with pool.connection() as conn:
                assert await conn.fetchval("SELECT count(*) FROM kept") == round_number + 1
            await write(server, f"after {round_number}")


async def test_kill_9_of_a_backend_is_mended_while_serving(settings):
    async with postgres.open(settings) as server, Pool.open(server.owner) as pool:
        await write(server, "before")
        async with pool.connection() as conn:
            backend = await conn.fetchval("SELECT pg_backend_pid()")
        os.kill(backend, signal.SIGKILL)
        await until_async(lambda: all(connection.raw.is_closed() for connection in pool.free))
        async with pool.connection() as conn:
            assert await conn.fetchval("SELECT value FROM kept") == "before"


async def test_kill_9_of_the_keeper_is_mended_while_serving(settings):
    async with postgres.open(settings) as server:
        await write(server, "before")
        keeper = keeper_of(settings.data)
        os.kill(keeper, signal.SIGKILL)
        await until_async(
            lambda: keeper_of(settings.data) not in {keeper, 0} and soon(settings.data)["state"] == "ready"
        )
        assert await kept(server) == ["before"]
    assert not processes_in(cluster_of(settings.data))


async def test_kill_9_of_everything_at_once_loses_nothing_that_was_stored(data):
    settings = _settings(data)
    with holder(data) as program:
        async with postgres.open(settings) as server:
            await write(server, "stored")
            for process in (keeper_of(data), *processes_in(cluster_of(data))):
                with suppress(ProcessLookupError):  # gone by itself with those killed before
                    os.kill(process, signal.SIGKILL)
        program.kill()
        program.wait()
    async with postgres.open(settings) as server:
        assert await kept(server) == ["stored"]


async def test_a_backend_that_outlived_its_postmaster_is_swept(settings):
    """A stopped backend stands in for one that waits for a lock for ever: it holds the shared memory."""
    async with postgres.open(settings) as server:
        await write(server, "stored")
        stuck = await asyncpg.connect(**server.owner.connect)
        backend = stuck.get_server_pid()
        os.kill(backend, signal.SIGSTOP)
        await until_async(lambda: soon(settings.data)["state"] == "ready")
        postmaster = news(settings.data)["pid"]
        os.kill(postmaster, signal.SIGKILL)
        # Asked once each time: the old one may still be called ready while the new one has its number already.
        await until_async(lambda: (said := soon(settings.data))["state"] == "ready" and said["pid"] != postmaster)
        assert not alive(backend)
        assert await kept(server) == ["stored"]
        stuck.terminate()


async def test_only_processes_of_the_own_folder_are_swept(settings, test_server):
    if not test_server.server.embedded:
        pytest.skip("the other server is not ours to look at")
    others = processes_in(test_server.server.data_folder)
    assert others
    async with postgres.open(settings):
        os.kill(news(settings.data)["pid"], signal.SIGKILL)
        await until_async(lambda: soon(settings.data)["state"] == "ready")
    assert set(others[:1]) <= set(processes_in(test_server.server.data_folder))


async def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(settings):
    cluster = cluster_of(settings.data)
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n1\n5432\n\n\n  1 2\nready\n")
    async with postgres.open(settings) as server:
        await write(server, "fine")


def test_a_killed_first_start_is_made_good_by_the_next():
    folder = Path(tempfile.mkdtemp(prefix="continuum-killed-"))
    base = plan(_settings(folder)).base
    try:
        process = subprocess.Popen([sys.executable, HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        until((base / "18.making" / "base").exists)
        process.kill()
        process.communicate()
        asyncio.run(_open_once(_settings(folder)))
        assert (base / "18").is_dir()
        assert not (base / "18.making").exists()
    finally:
        shutil.rmtree(folder)


def test_a_server_that_cannot_start_says_what_postgresql_said(data):
    settings = _settings(data)
    local = plan(settings).base / "local.conf"
    local.write_text("shared_buffers = 'a lot'\n")
    local.chmod(0o644)
    with pytest.raises(Exception, match="PostgreSQL does not start") as refused:
        asyncio.run(_open_once(settings))
    assert "shared_buffers" in str(refused.value)
    assert not processes_in(cluster_of(data))


@pytest.mark.requirement("V16.2.5")
async def test_values_never_reach_the_servers_log(settings):
    async with postgres.open(settings) as server:
        connection = await asyncpg.connect(**server.owner.connect)
        await connection.execute("CREATE TABLE person (name text PRIMARY KEY)")
        await connection.execute("INSERT INTO person VALUES ($1)", "Zzyzx Planted")
        for failing in (
            "INSERT INTO person VALUES ('Zzyzx Planted')",
            "SELECT 'Zzyzx Planted' FROM nowhere",
            "DO $$ BEGIN PERFORM 1/0 /* Zzyzx Planted */; END $$",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(failing)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO person VALUES ($1)", "Zzyzx Planted")
        await connection.close()
        log = plan(settings).log.read_text()
    assert "duplicate key" in log
    assert "Zzyzx" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers for another account")
def test_data_under_a_closed_folder_of_root_goes_where_the_account_can_reach_it():
    closed = Path(tempfile.mkdtemp(prefix="continuum-closed-"))
    (closed / "inner").mkdir()
    settings = _settings(closed / "inner" / "data")
    base = plan(settings).base
    try:
        assert base.parent == Path("/var/lib")
        asyncio.run(_open_once(settings))
        assert (base / "18").is_dir()
    finally:
        shutil.rmtree(closed)
        shutil.rmtree(base)

"""Data of the older major version that the wheel has opens under the present one."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import asyncpg
import pytest

from continuum.runtime import postgres
from continuum.runtime import secrets as secret_files
from continuum.runtime.keeper.keep import Order
from continuum.runtime.migrate import migrate, pending
from continuum.runtime.postgres import cluster, lease, upgrade
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import give, plan
from continuum.runtime.postgres.roles import OWNER
from continuum.runtime.settings import Settings

pytestmark = pytest.mark.timeout(300)
HOLDER = Path(__file__).parent / "holder.py"
PAUSE = threading.Event()
"""Never set: what a bounded poll waits on between two looks at another process."""
MANY = 2_000


def _settings(folder):
    return Settings.load({}, data=folder, postgres_memory_mb=64)


async def _fill(settings, layout, secrets):
    """Runs the older server, migrates its database and writes rows."""
    cluster.configure(layout, settings, 16)
    account = layout.account
    order = Order(
        program=str(layout.programs(16) / "postgres"), folder=str(layout.cluster(16)), run=str(layout.run),
        lock=str(layout.base / "keeper.lock"), log=str(layout.log),
        uid=account.uid if account else None, gid=account.gid if account else None,
    )  # fmt: skip
    held = lease.start(order)
    assert held.wait_until_ready()
    try:
        address = Address(str(layout.sockets), 5432, "continuum", OWNER, secrets.password(OWNER))
        assert await migrate(address)
        connection = await asyncpg.connect(**address.connect)
        await connection.execute(
            "INSERT INTO record.resource SELECT n, 1, 'p' || n, 1, n, false, 0, n, 'p' || n,"
            f" decode(md5(n::text), 'hex') FROM generate_series(1, {MANY}) n"
        )
        await connection.close()
    finally:
        held.close()


@pytest.fixture(params=[True, False], ids=["with checksums", "without checksums"])
def older_data(request):
    """A data folder of PostgreSQL 16 with our schema and rows in it."""
    folder = Path(tempfile.mkdtemp(prefix="continuum-older-"))
    settings = _settings(folder)
    layout = plan(settings)
    secrets = secret_files.load(folder.resolve())
    cluster.make(layout, secrets, major=16)
    asyncio.run(_fill(settings, layout, secrets))
    if not request.param:
        if layout.account is not None:
            give(layout.cluster(16), layout.account.maker_uid, layout.account.maker_gid)
        cluster.run(
            [layout.programs(16) / "pg_checksums", "--disable", "-D", layout.cluster(16)],
            account=layout.account,
            timeout_s=60,
        )
    if layout.account is not None:
        give(layout.cluster(16), layout.account.uid, layout.account.gid)
    yield folder
    shutil.rmtree(folder)


async def _check(folder):
    async with postgres.open(_settings(folder)) as server:
        connection = await asyncpg.connect(**server.owner.connect)
        try:
            assert (await connection.fetchval("SHOW server_version")).startswith("18.")
            assert await connection.fetchval("SHOW data_checksums") == "on"
            rows = await connection.fetch("SELECT id, body FROM record.resource ORDER BY row_id")
            digests = await connection.fetch(f"SELECT decode(md5(n::text), 'hex') FROM generate_series(1, {MANY}) n")
            assert [row["body"] for row in rows] == [row[0] for row in digests]
            owner = await connection.fetchval("SELECT tableowner::text FROM pg_tables WHERE tablename = 'resource'")
            assert owner == "continuum_owner"
            assert not await pending(connection)
        finally:
            await connection.close()


def test_data_of_16_opens_under_18_with_everything_in_it(older_data):
    layout = plan(_settings(older_data))
    asyncio.run(_check(older_data))
    assert [place.name for place in layout.base.glob("1[68]*")] == ["18"]
    asyncio.run(_check(older_data))


def test_an_upgrade_that_is_killed_again_and_again_ends_whole(older_data):
    layout = plan(_settings(older_data))
    making = layout.base / "18.making"
    for moment in (making, layout.base / "upgrade", making / "pg_upgrade_output.d"):
        process = subprocess.Popen([sys.executable, HOLDER, older_data], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        end = time.monotonic() + 60
        while not moment.exists() and process.poll() is None:
            assert time.monotonic() < end
            PAUSE.wait(0.005)
        process.kill()  # pg_upgrade and its servers live on, for the next start to end
        process.communicate()
        assert layout.cluster(16).exists()
        assert not layout.cluster(18).exists()
    asyncio.run(_check(older_data))


def test_data_of_a_version_without_programs_is_refused_in_words():
    folder = Path(tempfile.mkdtemp(prefix="continuum-strange-"))
    try:
        layout = plan(_settings(folder))
        (layout.base / "14").mkdir()
        with pytest.raises(cluster.CannotPrepare, match="PostgreSQL 14, which this release cannot open"):
            upgrade.older(layout)
    finally:
        shutil.rmtree(folder)

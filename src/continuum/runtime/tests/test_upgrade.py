"""Data of the older major version that the wheel has opens under the present one."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import psutil
import pytest

from continuum.runtime import postgres
from continuum.runtime import secrets as secret_files
from continuum.runtime.migrate import FOLDER
from continuum.runtime.postgres import cluster, upgrade
from continuum.runtime.postgres.layout import plan
from continuum.runtime.settings import Settings

pytestmark = pytest.mark.timeout(300)
HOLDER = Path(__file__).parent / "holder.py"
MANY = 2_000


def _settings(folder):
    return Settings.load({}, data=folder, postgres_memory_mb=64)


def _single(layout, sql, database="continuum"):
    """Statements for the older server, without starting it; the account that owns the data runs them."""
    account = layout.account
    identity = {} if account is None else {"user": account.maker_uid, "group": account.maker_gid, "extra_groups": []}
    subprocess.run(
        [layout.programs(16) / "postgres", "--single", "-j", "-D", layout.cluster(16), database],
        input=sql, text=True, check=True, capture_output=True, cwd="/", **identity,
    )  # fmt: skip


@pytest.fixture(params=[True, False], ids=["with checksums", "without checksums"])
def older_data(request):
    """A data folder of PostgreSQL 16 with our schema and rows in it."""
    folder = Path(tempfile.mkdtemp(prefix="continuum-older-"))
    settings = _settings(folder)
    layout = plan(settings)
    secrets = secret_files.load(folder.resolve())
    cluster.make(layout, secrets, keep_open=[], major=16)
    if layout.account is not None:
        from continuum.runtime.postgres.layout import give

        give(layout.cluster(16), layout.account.maker_uid, layout.account.maker_gid)
    schema = (FOLDER / "0001_pre_record.sql").read_text()
    _single(layout, f"SET ROLE continuum_owner;\n\n{schema.replace(chr(10) * 2, chr(10) + '--' + chr(10))}\n\n")
    _single(
        layout,
        "INSERT INTO record.resource SELECT n, 1, 'p' || n, 1, n, false, 0, n, 'p' || n, decode(md5(n::text), 'hex')"
        f" FROM generate_series(1, {MANY}) n;\n\n",
    )
    if not request.param:
        identity = layout.account
        cluster.run(
            [layout.programs(16) / "pg_checksums", "--disable", "-D", layout.cluster(16)],
            account=identity,
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
            time.sleep(0.005)
        for child in psutil.Process(process.pid).children(recursive=True):
            os.kill(child.pid, signal.SIGKILL)
        process.kill()
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

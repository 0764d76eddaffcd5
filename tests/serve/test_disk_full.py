"""The disk of a whole server fills up and gets room again; a database turns read-only, and the server is killed."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from click.testing import CliRunner

from continuum.apps.admin.cli import main
from continuum.apps.fhir_api.orders import Worker
from continuum.kernel.limits import WAL_RESERVE_BYTES
from continuum.runtime import secrets
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import plan
from continuum.runtime.settings import Settings
from tests.live import fresh_database, started
from tests.serve.test_serve import serving, token

pytestmark = pytest.mark.server


@pytest.fixture
def small_disk():
    """A disk of 480 MiB."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: a small disk can be made by root only")
    disk = Path(tempfile.mkdtemp(prefix="continuum-disk-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=480m,mode=755", "tmpfs", disk], check=False).returncode:
        disk.rmdir()
        pytest.skip("NOT TESTED: this machine lets nobody mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)
    disk.rmdir()


def fill(disk, reserve):
    """A file that takes all the room there is, and nothing of what the server set aside for itself."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))
    if not reserve.exists():  # given back while the file still grew, which then took it
        os.truncate(filler, filler.stat().st_size - WAL_RESERVE_BYTES)
    return filler


@asynccontextmanager
async def superuser(data):
    settings = Settings.load({}, data=str(data))
    password = secrets.load(settings.data).password("postgres")
    conn = await asyncpg.connect(
        host=str(plan(settings).sockets), user="postgres", password=password, database="continuum"
    )
    yield conn
    await conn.close()


SERVER = "continuum"
"""As whom the server acts by itself."""


class Caller:
    """Somebody who counts the answers."""

    def __init__(self, client):
        self.client = client
        self.answers = Counter()

    def read(self):
        return self._counted(self.client.get("/Patient", params={"_count": "1"}))

    def write(self):
        return self._counted(
            self.client.post("/Patient", json={"resourceType": "Patient", "name": [{"family": "Rivera"}]})
        )

    def _counted(self, answer):
        self.answers[answer.status_code] += 1
        return answer

    def until(self, act, status, seconds=30):
        end = time.monotonic() + seconds
        while (answer := act()).status_code != status:
            assert time.monotonic() < end, f"{answer.status_code} instead of {status}: {answer.text[:300]}"
        return answer


@contextmanager
def calling(origin, bearer):
    headers = {"authorization": f"Bearer {bearer}", "content-type": "application/fhir+json"}
    with httpx.Client(base_url=f"{origin}/fhir", headers=headers, timeout=30) as client:
        yield Caller(client)


def test_a_full_disk_refuses_writes_with_words_and_lets_reads_go_on(small_disk):
    data = small_disk / "data"
    with serving(data) as (process, origin), calling(origin, token(data, "--as", "administrator")) as caller:
        assert caller.write().status_code == 201
        reserve = data / "postgres" / "reserve"
        assert reserve.stat().st_size == WAL_RESERVE_BYTES
        filler = fill(small_disk, reserve)
        refused = caller.until(caller.write, 507)
        (issue,) = refused.json()["issue"]
        assert (issue["code"], "no room for new entries" in issue["diagnostics"]) == ("no-store", True)
        for number in range(200):
            answer = caller.read()
            assert answer.status_code == 200, (number, answer.text)
            assert "writes must wait" in answer.headers["warning"]
        _until(lambda: not reserve.exists())
        asyncio.run(_new_wal_file(data))  # the room that was set aside, and is now given back, must do for it
        assert {caller.read().status_code for _ in range(50)} == {200}
        assert "writes must wait" in httpx.get(f"{origin}/readyz").text
        assert 'role="alert"' in httpx.get(origin).text
        assert "continuum_writes_open 0" in httpx.get(f"{origin}/metrics").text
        filler.unlink()
        assert "warning" not in caller.until(caller.write, 201).headers
        _until(lambda: _spilled_is_zero(origin))
        acts = asyncio.run(_acts(data))
        theirs = {name: count for (actor, name), count in acts.items() if actor != SERVER}
        assert sum(theirs.values()) == caller.answers.total(), (acts, caller.answers)
        assert acts[SERVER, "resume"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    said = CliRunner().invoke(main, ["audit", "verify", "--data", str(data), "--json"])
    report = json.loads(said.output)
    assert (said.exit_code, report["problems"], report["unsealed"]) == (0, [], 0)
    # The server goes on by itself until it is stopped: it looks after appointments.
    assert report["rows"] >= sum(acts.values())


async def _acts(data):
    async with superuser(data) as conn:
        rows = await conn.fetch("SELECT actor, interaction, count(*) AS many FROM record.audit GROUP BY 1, 2")
        return {(row["actor"], row["interaction"]): row["many"] for row in rows}


async def _new_wal_file(data):
    async with superuser(data) as conn:
        await conn.execute("SELECT pg_switch_wal()")
        await conn.execute("SELECT pg_logical_emit_message(true, 'test', 'x')")


def _spilled_is_zero(origin):
    return "continuum_audit_spill_rows 0\n" in httpx.get(f"{origin}/metrics").text


def _until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


async def test_a_database_that_turned_read_only_and_a_server_that_is_killed_lose_no_trace(
    test_server, template, tmp_path
):
    app, owner = await fresh_database(test_server, template)
    orders = Worker(app, bytes(32), bytes(32), bytes(32), bytes(32), connections=4, audit=str(tmp_path / "audit"))
    name = Address.from_url(owner).database
    answered = 0
    conn = await asyncpg.connect(**test_server.maker.connect)
    try:
        for _ in range(4):
            await conn.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            with started(orders, owner) as server:
                async with server.client() as client:
                    for _ in range(40):
                        answer = await client.get("/Patient")
                        assert answer.status_code == 200
                        answered += 1
                    refused = await client.post("/Patient", json={"resourceType": "Patient"})
                    assert (refused.status_code, "writes must wait" in refused.headers["warning"]) == (503, True)
                    answered += 1
                server.process.kill()
            await conn.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            # Killed again at some moment while it brings the rows in.
            with started(orders, owner) as server:
                await _until_rows(owner, 1)
                server.process.kill()
        with started(orders, owner) as server:
            await _until_rows(owner, answered)
            _until(lambda: _spilled_is_zero(server.origin))
        assert await _until_rows(owner, answered) == answered
    finally:
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await conn.close()


async def _until_rows(owner, least):
    conn = await asyncpg.connect(**Address.from_url(owner).connect)
    try:
        async with asyncio.timeout(30):
            while (rows := await conn.fetchval("SELECT count(*) FROM record.audit WHERE actor = 'tester'")) < least:
                continue
        return rows
    finally:
        await conn.close()

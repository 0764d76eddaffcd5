"""The doctor finds what is wrong, and what it says mends it."""

import shutil
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from continuum.runtime import doctor, postgres
from continuum.runtime.backup.make import make
from continuum.runtime.doctor import examine
from continuum.runtime.migrate import migrate
from continuum.runtime.settings import Settings

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


@pytest.fixture
def settings():
    folder = Path(tempfile.mkdtemp(prefix="continuum-doctor-"))
    folder.chmod(0o711)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield Settings.load({}, data=folder / "data", backup_folder=folder / "backups", port=port, postgres_memory_mb=64)
    shutil.rmtree(folder)


async def states(settings):
    return {finding.check: finding for finding in await examine(settings)}


async def test_a_sound_installation_has_nothing_wrong(settings, monkeypatch, tmp_path):
    # What others on this machine have left behind says nothing of this installation; test_elsewhere makes some.
    monkeypatch.setattr(doctor, "OPEN_PLACES", (tmp_path,))
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        await make(settings, server, progress=lambda _: None)
        found = await states(settings)
    assert {check for check, finding in found.items() if finding.state != "ok"} == {"backup disk"}
    assert {"python", "wheel", "port", "data folder", "keys", "disk", "backup", "archive", "postgresql"} <= set(found)
    assert {"schema", "checksums", "clock"} <= set(found)


async def test_where_nothing_is_it_says_so_and_makes_nothing(settings):
    found = await states(settings)
    assert found["data folder"].state == "warning"
    assert "--data" in found["data folder"].remedy
    assert "postgresql" not in found
    assert not settings.data.exists()


async def test_each_thing_that_is_wrong_is_found_and_mended_by_its_remedy(settings):
    async with postgres.open(settings):
        pass
    found = await states(settings)
    assert (found["schema"].state, found["schema"].remedy) == ("warning", "continuum migrate")
    assert (found["backup"].state, found["backup"].remedy) == ("warning", "continuum backup")
    assert "0001_pre_record" in found["schema"].text

    async with postgres.open(settings) as server:
        await migrate(server.owner)
        connection = await asyncpg.connect(**server.owner.connect)
        await connection.execute("INSERT INTO runtime.migration VALUES (99, '0099_pre_later', 'x')")
        await connection.close()
        found = await states(settings)
        assert "0099_pre_later" in found["schema"].text

        key = settings.data / "keys" / "audit"
        key.chmod(0o644)
        found = await states(settings)
        assert found["keys"].state == "wrong"
        assert found["keys"].remedy == f"chmod go-rwx {key.resolve()}"
        key.chmod(0o600)

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", settings.port))
            taken.listen()
            assert (await states(settings))["port"].state == "warning"


async def test_a_server_that_does_not_start_is_a_finding_and_no_crash(settings):
    async with postgres.open(settings):
        pass
    local = settings.data / "postgres" / "local.conf"
    local.write_text("max_connections = 'many'\n")
    local.chmod(0o644)
    found = await states(settings)
    assert found["postgresql"].state == "wrong"
    assert "max_connections" in found["postgresql"].text
    assert (
        found["postgresql"].remedy == f"PostgreSQL's own words are in {settings.data / 'postgres' / 'postgresql.log'}."
    )
    assert "schema" not in found


async def test_a_given_database_that_does_not_answer_is_a_finding_about_its_address(settings):
    url = f"postgresql://somebody:secret@127.0.0.1:{settings.port}/record"
    found = await states(replace(settings, database_url=url))
    assert found["postgresql"].state == "wrong"
    assert "secret" not in found["postgresql"].text
    assert "CONTINUUM_DATABASE_URL" in found["postgresql"].remedy

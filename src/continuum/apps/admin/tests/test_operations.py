"""The commands of those who run a server, as they type them."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest

from continuum.runtime import postgres
from continuum.runtime.settings import Settings

PROGRAM = Path(sys.executable).with_name("continuum")


@pytest.fixture
def data():
    folder = Path(tempfile.mkdtemp(prefix="continuum-cli-"))
    yield folder
    shutil.rmtree(folder)


def continuum(*words, **environment):
    return subprocess.run(
        [PROGRAM, *map(str, words)],
        env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_an_installation_is_migrated_once_and_found_sound(data):
    first = continuum("migrate", "--data", data)
    assert first.returncode == 0, first.stderr
    assert "0001_pre_record" in first.stdout
    assert "up to date" in continuum("migrate", "--data", data).stdout
    found = continuum("doctor", "--data", data, "--json")
    assert found.returncode == 0, found.stdout
    assert {"check": "schema", "state": "ok", "text": "The database is up to date.", "remedy": ""} in json.loads(
        found.stdout
    )
    for_people = continuum("doctor", "--data", data)
    assert "✓ schema: The database is up to date." in for_people.stdout
    assert "→ continuum backup" in for_people.stdout


def test_the_doctors_exit_code_says_that_something_is_wrong(data):
    continuum("migrate", "--data", data)
    (data / "keys" / "token").chmod(0o644)
    found = continuum("doctor", "--data", data)
    assert found.returncode == 1
    assert "✗ keys" in found.stdout


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["migrate"], {"CONTINUUM_PORT": "none"}, "CONTINUUM_PORT must be a whole number"),
        (["migrate", "--data", "/proc/none"], {}, "The data folder /proc/none cannot be made"),
        (["restore", "--to-time", "yesterday", "--data", "/nowhere"], {}, "Give the backup key"),
        (
            ["restore", "--to-time", "2026-11-23T07:15:00Z", "--data", "/nowhere"],
            {"CONTINUUM_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/x"},
            "A dump is of one moment only",
        ),
        (["backup", "--verify", "--data", "/nowhere"], {}, "Give the backup key"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_plain_sentence(words, environment, said):
    done = continuum(*words, **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_import_says_what_it_did_and_fails_when_anything_was_refused(data, tmp_path):
    (tmp_path / "good.ndjson").write_text('{"resourceType":"Patient","id":"a"}\n')
    (tmp_path / "bad.ndjson").write_text('{"resourceType":"Patient","id":"b","gender":7}\n')
    rejects = tmp_path / "refused"
    good = continuum("import", tmp_path / "good.ndjson", "--data", data, "--rejects", rejects)
    assert good.returncode == 0, good.stderr
    assert "Loaded 1 new, 0 changed; 0 were equal" in good.stdout
    again = continuum("import", tmp_path / "good.ndjson", "--data", data, "--rejects", rejects)
    assert "Loaded 0 new, 0 changed; 1 were equal" in again.stdout
    bad = continuum("import", tmp_path / "bad.ndjson", "--data", data, "--rejects", rejects)
    assert bad.returncode == 1
    assert "1 resources were refused" in bad.stderr
    (said,) = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert (said["line"], said["location"]) == (1, "Patient.gender")
    (tmp_path / "in").mkdir()
    (tmp_path / "good.ndjson").rename(tmp_path / "in" / "good.ndjson")
    (tmp_path / "in" / "more.xml").write_text("<Bundle/>")
    named = continuum("import", tmp_path / "in", "--data", data, "--rejects", rejects)
    assert named.returncode == 0, named.stderr
    assert f"Not looked at, because they are no .ndjson or .json files: {tmp_path / 'in' / 'more.xml'}." in named.stderr
    nothing = continuum("import", tmp_path / "absent", "--data", data)
    assert nothing.returncode == 1
    assert "There is no file or folder" in nothing.stderr


def test_a_row_that_somebody_changed_in_the_database_is_named_by_doctor_and_by_audit_verify(data, tmp_path):
    (tmp_path / "good.ndjson").write_text('{"resourceType":"Patient","id":"a"}\n')
    assert continuum("import", tmp_path / "good.ndjson", "--data", data).returncode == 0
    sound = continuum("audit", "verify", "--data", data)
    assert (sound.returncode, "Everything is as it was written" in sound.stdout) == (0, True), sound.stderr
    asyncio.run(as_owner(data, "UPDATE record.audit SET actor = 'nobody' WHERE seq = 1"))
    found = continuum("audit", "verify", "--data", data)
    assert found.returncode == 1
    assert "✗ Row 1 was changed: its seal does not fit what it says." in found.stdout
    doctor = continuum("doctor", "--data", data)
    assert doctor.returncode == 1
    assert "✗ audit: Row 1 was changed" in doctor.stdout
    assert "→ continuum audit verify" in doctor.stdout


def test_a_harmed_spill_is_a_finding(data):
    continuum("migrate", "--data", data)
    (data / "audit").mkdir()
    (data / "audit" / "damaged-spill-1-00").write_bytes(b"")
    assert "✗ audit spill" in continuum("doctor", "--data", data).stdout


async def as_owner(data, statement):
    async with postgres.open(Settings.load({}, data=str(data))) as server:
        conn = await asyncpg.connect(**server.owner.connect)
        await conn.execute(statement)
        await conn.close()

"""The commands of those who run a server, as they type them."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

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
        (["backup", "--verify", "--data", "/nowhere"], {}, "Give the backup key"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_plain_sentence(words, environment, said):
    done = continuum(*words, **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr

"""`continuum populate`, as it is typed."""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from continuum.apps.admin.cli import main
from continuum.samples import world

PROGRAM = Path(sys.executable).with_name("continuum")


def populate(*words):
    return CliRunner().invoke(main, ["populate", *map(str, words)])


def test_families_are_written_to_a_folder_by_type(tmp_path):
    result = populate("--families", 3, "--keep", 0.2, "--out", tmp_path / "made")
    assert result.exit_code == 0, result.output
    assert "patients in" in result.output
    patients = []
    for path in (tmp_path / "made").glob("Patient.*.ndjson.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            patients += [json.loads(line) for line in lines]
    assert {persona.patient_id for persona in world.personas()} < {patient["id"] for patient in patients}


def test_families_are_written_to_standard_output_the_same_each_time():
    words = ("--families", 2, "--keep", 0.1, "--no-people", "--seed", 4, "--out", "-")
    first = populate(*words)
    assert first.exit_code == 0, first.output
    resources = [json.loads(line) for line in first.output.splitlines()]
    assert resources[0]["resourceType"] == "Organization"
    assert populate(*words).output == first.output


def test_files_are_made_without_the_server_and_its_database_for_these_take_longer_than_ten_families(tmp_path):
    words = ["populate", "--families", "10", "--no-people", "--keep", "0.1", "--out", str(tmp_path)]
    program = (
        "import sys; from continuum.apps.admin.cli import main; "
        "main(sys.argv[1:], standalone_mode=False); print(sorted(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, check=True, text=True).stdout
    assert "'continuum.samples.corpus'" in told
    for heavy in ("continuum.access.door", "asyncpg", "structlog", "asyncio", "concurrent.futures.process"):
        assert f"'{heavy}'" not in told, heavy


def test_a_reader_that_has_enough_ends_the_writing_quietly():
    with subprocess.Popen(
        [PROGRAM, "populate", "--families", "40", "--no-people", "--out", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as writing:  # fmt: skip
        assert writing.stdout is not None
        assert writing.stderr is not None
        assert writing.stdout.readline().startswith(b"{")
        writing.stdout.close()
        assert writing.stderr.read() == b""


def test_the_benchmark_corpus_has_exactly_its_patients(tmp_path):
    words = ("--patients", 40, "--per-patient", 60, "--no-people", "--plain", "--out", tmp_path, "--processes", 1)
    assert populate(*words).exit_code == 0
    patients = [line for path in tmp_path.glob("Patient.*.ndjson") for line in path.read_bytes().splitlines()]
    assert len(patients) == 40


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--families", 1, "--patients", 2), "not both"),
        (("--families", -1), "Invalid value for '--families'"),
        (("--today", "2020-01-01", "--out", "-"), "or --no-people"),
        (("--keep", 0, "--out", "-"), "Invalid value for '--keep'"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(words, said):
    result = populate(*words)
    assert result.exit_code == 2
    assert said in result.output


def test_families_are_loaded_into_the_database_once():
    data = tempfile.mkdtemp(prefix="continuum-populate-")
    words = [PROGRAM, "populate", "--families", "4", "--keep", "0.1", "--no-people", "--data", data]
    try:
        first, second = (
            subprocess.run(words, capture_output=True, text=True, check=False, timeout=100) for _ in range(2)
        )
    finally:
        shutil.rmtree(data)
    assert first.returncode == 0, first.stderr
    assert "0 changed" in first.stdout
    assert "Loaded 0 new" in second.stdout

"""What is shipped: the wheel holds everything that runs, nothing of the tests' surroundings, and installs."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, tracked

BIN = Path(sys.executable).parent
WHEEL_MAX_BYTES = 12 * 1024 * 1024


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    run = subprocess.run(build, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_is_named_as_it_is_published(wheel):
    assert re.fullmatch(r"continuum_ehr-\d+\.\d+\.\d+\S*-py3-none-any\.whl", wheel.name)


def test_everything_that_runs_is_inside(contents):
    product = {
        str(path.relative_to("src"))
        for path in tracked()
        if path.parts[0] == "src" and "tests" not in path.parts and path.suffix != ".md"
    }
    assert "continuum/py.typed" in product
    assert "continuum/record/schema.sql" in product
    assert any("_generated" in name for name in product), "the generated R4 language is missing"
    assert any("migrations" in name for name in product), "the migrations are missing"
    assert product - contents == set()
    for name in ("uswds.css", "htmx.js", "icons.svg", "NOTICE", "locale/es/LC_MESSAGES/continuum.mo"):
        assert f"continuum/ui/built/{name}" in contents, "the design system is missing"


@pytest.mark.requirement("V13.3.1", "V13.4.1", "V15.2.3")
def test_nothing_else_is_inside(contents):
    strange = {
        name
        for name in contents
        if not name.startswith(("continuum/", "continuum_ehr-")) or "__pycache__" in name or "/tests/" in name
    }
    assert strange == set()


def test_the_licence_goes_along_and_the_command_is_declared(wheel, contents):
    [licence] = [name for name in contents if name.endswith("/licenses/LICENSE")]
    [entry_points] = [name for name in contents if name.endswith("/entry_points.txt")]
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
        assert "continuum = continuum.apps.admin.cli:main" in archive.read(entry_points).decode()


def test_the_wheel_is_small_enough_to_carry(wheel):
    assert wheel.stat().st_size <= WHEEL_MAX_BYTES


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_the_wheel_installs_into_a_clean_place_and_its_command_helps(wheel, tmp_path):
    place = tmp_path / "clean"
    uv = [BIN / "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, place], check=True)
    python = place / "bin" / "python"
    install = [
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--constraints",
        "requirements/run.lock",
        wheel,
    ]
    subprocess.run([*uv, *install], check=True, cwd=ROOT)
    run = subprocess.run(
        [place / "bin" / "continuum", "--help"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    for command in ("serve", "demo", "import", "migrate", "backup", "restore", "doctor", "token"):
        assert re.search(rf"^\s+{command}\b", run.stdout, flags=re.MULTILINE), command

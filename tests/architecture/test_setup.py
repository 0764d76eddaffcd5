"""The set-up says in plain words what it lacks, and does nothing when there is nothing to do."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts import memory_disk, node_packages, setup_venv, system_packages
from tests.architecture.source import ROOT

POOR_PYTHON = """
import importlib.util, runpy, sys
missing, version = set(sys.argv[1].split(",")), sys.argv[2]
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in missing else found(name, package)
if version:
    sys.hexversion = int(version, 16)
sys.argv = ["setup_venv.py", "run"]
runpy.run_path("scripts/setup_venv.py", run_name="__main__")
"""
"""Runs the set-up as a Python would that lacks some modules, or is of another version."""


@pytest.fixture
def clone(tmp_path):
    """What the set-up reads, in a folder of its own without an environment."""
    for name in ("scripts/setup_venv.py", "requirements/run.lock", "requirements/dev.lock", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def set_up(clone: Path, *, missing: str = "", version: str = "") -> subprocess.CompletedProcess[str]:
    empty = clone / "empty"
    empty.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", POOR_PYTHON, missing, version],
        capture_output=True,
        text=True,
        check=False,
        cwd=clone,
        env={"PATH": str(empty), "HOME": str(clone)},
    )


def test_without_any_installer_it_names_the_package_to_install(clone):
    run = set_up(clone, missing="ensurepip,pip")
    assert run.returncode == 1
    assert "apt-get install python3-venv" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (clone / ".venv").exists()


def test_an_old_python_is_told_what_is_needed(clone):
    run = set_up(clone, version="030902f0")
    assert run.returncode == 1
    assert "needs Python 3.11 or newer" in run.stderr
    assert "PYTHON=" in run.stderr


def test_a_second_run_is_silent_and_needs_no_network():
    if not setup_venv.ready("dev"):
        pytest.skip("this environment was not made by `make setup`")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}
    for kind in ("run", "dev"):
        run = subprocess.run(
            [sys.executable, ROOT / "scripts" / "setup_venv.py", kind],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            env={**os.environ, **nowhere},
        )
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.requirement("V15.1.2")
def test_the_installer_itself_is_pinned_with_hashes():
    pinned = setup_venv.pinned(ROOT / "requirements" / "run.lock", "uv")
    lines = pinned.splitlines()
    assert lines[0].startswith("uv==")
    assert len(lines) > 5
    assert all("--hash=sha256:" in line for line in lines[1:])


def test_the_npm_lock_names_no_place_and_every_package_has_its_digest():
    import json

    lock = json.loads((ROOT / "tests" / "clients" / "node" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert "node_modules/fhir-kit-client" in packages
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in packages.values())


def test_a_machine_without_node_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node_packages, "OWN", tmp_path)
    assert node_packages.tool("npm") is None
    assert node_packages.machine_node_major() == 0


def test_an_old_node_of_the_machine_is_not_used(monkeypatch, tmp_path):
    machine, own = tmp_path / "machine", tmp_path / "own"
    for folder, version in ((machine, "v18.19.0"), (own, "v24.1.0")):
        folder.mkdir()
        for name in ("node", "npm"):
            (folder / name).write_text(f"#!/bin/sh\necho {version}\n")
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{machine}:/bin:/usr/bin")
    monkeypatch.setattr(node_packages, "OWN", own)
    assert node_packages.tool("npm") == str(own / "npm")


def test_a_given_database_is_second_postgres_enough(monkeypatch):
    monkeypatch.setenv("CONTINUUM_DATABASE_URL", "postgresql://somewhere/continuum")
    assert all(item.present for item in system_packages.wanted() if item.package == "postgresql")


def test_a_machine_without_a_browser_says_which_package_brings_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system_packages.browser() is None
    (missing,) = [item for item in system_packages.wanted() if not item.present and "browser" in item.what]
    assert (missing.package, missing.instead) == ("chromium-headless-shell", "chromium")
    assert "will skip" in missing.without


def test_a_browser_with_windows_does_until_one_without_is_there(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("chromium", "chromium-headless-shell"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert system_packages.browser() == str(tmp_path / name)
        (wanted,) = [item for item in system_packages.wanted() if "browser" in item.what]
        assert (wanted.present, "will skip" in wanted.without) == (name == "chromium-headless-shell", False)


def test_databases_of_tests_lie_in_memory_only_where_there_is_room(monkeypatch, tmp_path, capsys):
    assert not memory_disk.room(tmp_path / "nowhere")
    monkeypatch.setattr(memory_disk, "MEMORY", tmp_path)
    monkeypatch.setattr(memory_disk, "FREE_MIN_BYTES", 1)
    memory_disk.main()
    assert capsys.readouterr().out == f"{tmp_path}\n"
    monkeypatch.setattr(memory_disk, "FREE_MIN_BYTES", 2**60)
    memory_disk.main()
    assert capsys.readouterr().out == f"{tempfile.gettempdir()}\n"

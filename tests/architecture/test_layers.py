"""The stack of layers holds: `tool.importlinter` in `pyproject.toml`, checked on the real imports."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(*, config: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--config", config, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_nothing_imports_what_is_above_it():
    run = lint_imports(config=ROOT / "pyproject.toml")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


def test_a_broken_layer_would_be_found(tmp_path):
    upside_down = tmp_path / "importlinter.ini"
    upside_down.write_text(
        "[importlinter]\nroot_package = continuum\n\n"
        "[importlinter:contract:1]\nname = upside down\ntype = layers\n"
        "layers =\n    continuum.kernel\n    continuum.fhir\n"
    )
    run = lint_imports(config=upside_down)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "upside down BROKEN" in run.stdout

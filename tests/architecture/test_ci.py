"""`.ci/run` is honest: its exit code is that of `make test`, and it shows pytest's closing line."""

import os
import subprocess

import pytest

from tests.architecture.source import ROOT


@pytest.mark.parametrize(
    ("exit_code", "last_line"),
    [(0, "===== 12 passed, 1 skipped in 3.21s ====="), (2, "===== 1 failed, 11 passed in 3.21s =====")],
)
def test_the_result_is_the_result_of_make_test(tmp_path, exit_code, last_line):
    make = tmp_path / "make"
    make.write_text(
        f'#!/bin/sh\necho "asked: $* CI=$CI REQUIRE=$CONTINUUM_REQUIRE_SUITES"\necho "{last_line}"\n'
        f"echo 'make: something after'\nexit {exit_code}\n"
    )
    make.chmod(0o755)
    run = subprocess.run(
        [ROOT / ".ci" / "run"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert run.returncode == exit_code
    assert "asked: test CI=true REQUIRE=1" in run.stdout
    assert run.stdout.rstrip().splitlines()[-1] == last_line


def test_a_suite_that_never_ran_is_not_called_a_success(tmp_path):
    make = tmp_path / "make"
    make.write_text("#!/bin/sh\necho 'ruff found something'\nexit 1\n")
    make.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run([ROOT / ".ci" / "run"], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 1
    assert "pytest did not get to its end" in run.stdout

"""The tutorial's commands do what the tutorial says, on a real server.

Blocks marked `console` run in their order in one shell. A line that begins with `$ ` is typed; the lines below
it must appear in its output, in that order, where `…` stands for anything.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass, field

import pytest

from tests.architecture.source import ROOT
from tests.suites import unavailable

TUTORIAL = ROOT / "docs" / "tutorial" / "first-steps.md"
MARK = "=== the next command ==="


@dataclass
class Step:
    """One typed command and the lines that its output must hold."""

    command: str
    expected: list[str] = field(default_factory=list)


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            else:
                found[-1].expected.append(line)
    return found


def fits(expected: str, line: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, line.rstrip("\r")) is not None


def missing(expected: list[str], output: list[str]) -> list[str]:
    """The expected lines that do not appear in the output in their order."""
    lines = iter(output)
    return [wanted for wanted in expected if not any(fits(wanted, line) for line in lines)]


@pytest.mark.server
def test_the_first_steps_work_as_they_are_written(live_server, tmp_path):
    if shutil.which("curl") is None:
        unavailable("the tutorial uses curl, and this machine has none")
    typed = steps(TUTORIAL.read_text())
    assert len(typed) >= 10
    script = "".join(f"{step.command}\necho; echo '{MARK}'\n" for step in typed)
    run = subprocess.run(
        ["bash", "-c", script],
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "FHIR": f"{live_server.base_url}/fhir",
            "TOKEN": live_server.token("administrator"),
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )
    outputs = run.stdout.split(MARK)
    assert len(outputs) == len(typed) + 1, run.stdout + run.stderr
    for step, output in zip(typed, outputs, strict=False):
        assert missing(step.expected, output.splitlines()) == [], f"$ {step.command}\n{output}\n{run.stderr}"


def test_the_reader_of_the_tutorial_notices_what_is_missing():
    [step] = steps("text\n```console\n$ echo a; echo bcd\na\nb…\n```\n```shell\nmake demo\n```\n")
    assert step.command == "echo a; echo bcd"
    assert missing(step.expected, ["a", "bcd"]) == []
    assert missing(step.expected, ["bcd", "a"]) == ["b…"]
    assert not fits("201", "2010")

"""The benchmarks run, and their answers are right; what they measure is read by people, not asserted."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import processes
from benchmarks.addresses import of_one
from benchmarks.targets import DISK_MOST_BYTES, MEMORY_MOST_MB, TARGETS

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.proof
def test_the_short_form_measures_every_row_on_right_answers_within_memory_and_disk():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--short"],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    for target in TARGETS.values():
        row = next(line for line in done.stdout.splitlines() if line.startswith(f"| {target.title} |"))
        assert len(re.findall(r"(\d+\.\d{3}) \(", row)) == 2, row
    memory = re.search(r"memory of the largest process .*\| ([\d,]+) MB \|", done.stdout)
    disk = re.search(r"disk for each resource .*\| ([\d.]+) KB \|", done.stdout)
    assert memory is not None
    assert int(memory[1].replace(",", "")) <= MEMORY_MOST_MB
    assert disk is not None
    assert float(disk[1]) * 1024 <= DISK_MOST_BYTES


@pytest.mark.proof
@pytest.mark.timeout(660)
def test_no_page_of_chart_and_portal_costs_more_cpu_or_more_bytes_than_it_may():
    """Times are in the report; what they are beside other work on the machine proves nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pages", "--patients", "200", "--requests", "25", "--no-write"],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    pages = {(row[0].strip(), row[1].strip()) for row in rows}
    for page in ("summary", "corrections", "here", "lists", "my lists", "clinic/day", "messages", "notes/new", "portal",
                 "portal labs", "portal search", "portal appointments/me/find", "portal messages/me/folders",
                 "portal care", "portal help", "account"):  # fmt: skip
        assert {(page, "usual"), (page, "long")} <= pages
    assert {("waves", "-"), ("moves", "-")} <= pages
    assert [row for row in rows if "missed" in row[4] + row[5]] == []
    visits = [line for line in done.stdout.splitlines() if line.startswith("- First visit")]
    assert len(visits) == 2
    assert not any("missed" in line for line in visits)


async def test_what_a_server_does_after_its_start_is_over_before_pages_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "QUIET_S", 2)
    done = tmp_path / "done"
    busy = (
        "import pathlib, time\n"
        "while time.process_time() < 1.5: pass\n"
        f"pathlib.Path({str(done)!r}).touch()\n"
        "time.sleep(60)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", busy)
    try:
        assert await processes.quiet(process.pid)
        assert done.exists()
        monkeypatch.setattr(processes, "QUIET_WAIT_MOST_S", 1)
        assert not await processes.quiet(process.pid), "it is not said before it was seen"
    finally:
        process.kill()
        await process.wait()


def test_a_row_is_called_after_the_hour_that_it_measures():
    known = {"booked": "b", "free": "f", "thread": "t", "calendar": "c"}
    _, theirs = of_one("p", group="g", **known)
    assert theirs["hour of a group"].endswith("/group/g")
    _, theirs = of_one("p", group="", **known)
    assert theirs["hour of one"].endswith("/group/f")
    assert "hour of a group" not in theirs

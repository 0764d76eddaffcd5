"""`make demo` as a newcomer runs it: it says what to try, that works, and Ctrl-C ends all of it; the second start is
quick and finds everything again."""

import os
import re
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager

import httpx
import psutil
import pytest

from tests.architecture.source import ROOT
from tests.serve.test_serve import left_behind, until_answers, until_nothing_is_left

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
SECOND_START_MAX_CPU_S = 5.0
"""Processor time, not time of day: a machine that is busy with other things makes nobody wait for what we do."""
SERVING = "Serving "


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def demonstration(data, port):
    """`make demo` in a process group of its own, as a terminal has it; yields the process and what it printed."""
    environment = {**os.environ, "PORT": str(port), "DATA": str(data), "PYTHONUNBUFFERED": "1", "COLUMNS": "100"}
    process = subprocess.Popen(
        ["make", "--silent", "demo"], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith(SERVING):
                break
        assert said[-1].startswith(SERVING), "".join(said)
        until_answers(f"http://127.0.0.1:{port}")
        reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
        reader.start()
        yield process, said
        reader.join(10)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        process.stdout.close()


def ctrl_c(process, data):
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    until_nothing_is_left(data)
    assert left_behind(data) == []


def used_s(process):
    """The processor time of a process and of all that it started."""
    found = [process, *process.children(recursive=True)]
    times = [one.cpu_times() for one in found]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def levels_open_what_they_say(text, base):
    """A token of each level: Basic opens no record, Premium and the card do."""
    patient_id = re.search(r"patient=([^&\"]+)&code", text)[1]
    for name, status in {"BASIC": 404, "PATIENT": 200, "CLINICIAN": 200, "CARD": 200}.items():
        token = re.search(rf"  {name}=(\S+)", text)[1]
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{base}/Patient/{patient_id}", headers=headers).status_code == status, name


def test_a_newcomer_starts_tries_what_is_said_stops_and_starts_again(tmp_path):
    data, port = tmp_path / "a place", free_port()
    with demonstration(data, port) as (process, said):
        text = "".join(said)
        assert "Loading 88 sample families" in text
        assert f"http://127.0.0.1:{port}/fhir" in text
        commands = re.findall(r'^  (curl .*\\\n +"http.*")$', text, flags=re.MULTILINE)
        assert len(commands) == 2
        for command in commands:
            found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
            assert '"resource": {' in found.stdout, found.stdout
        code, key = (
            re.search(r"`(\S+ code) KEY`", text)[1],
            re.search(r"^  physician +\S+ +([A-Z2-7]{32}) ", text, re.MULTILINE)[1],
        )
        assert re.fullmatch(r"\d{6}\n", subprocess.check_output(["bash", "-c", f"{code} {key}"], cwd=ROOT, text=True))
        asking = re.search(r"\(token: (.*)\):", text)[1].replace("ID", "somebody")
        assert subprocess.check_output(["bash", "-c", asking], cwd=ROOT, text=True).count(".") == 2
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
        levels_open_what_they_say(text, f"http://127.0.0.1:{port}/fhir")
        token = re.search(r"ADMINISTRATOR=(\S+)", text).group(1)
        headers = {"authorization": f"Bearer {token}"}
        count = httpx.get(f"http://127.0.0.1:{port}/fhir/Patient?_summary=count", headers=headers).json()["total"]
        assert 200 <= count <= 230, "about two hundred people"
        made = httpx.post(
            f"http://127.0.0.1:{port}/fhir/Patient", json={"resourceType": "Patient", "gender": "other"},
            headers={**headers, "content-type": "application/fhir+json"},
        )  # fmt: skip
        assert made.status_code == 201
        ctrl_c(process, data)
        assert "Stopped." in said[-1]

    with demonstration(data, port) as (process, said):
        used = used_s(psutil.Process(process.pid))
        text = "".join(said)
        assert "Loading" not in text
        assert "Migrated" not in text
        again = httpx.get(f"http://127.0.0.1:{port}/fhir/Patient/{made.json()['id']}", headers=headers)
        assert again.json() == made.json()
        ctrl_c(process, data)
    assert used < SECOND_START_MAX_CPU_S

"""`continuum serve` as a person starts and stops it: nothing is left behind, whatever ends it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import psutil
import pytest
from click.testing import CliRunner

from continuum.apps.admin.cli import main
from continuum.identity.tokens import Verifier, signing_key
from continuum.runtime import secrets

pytestmark = pytest.mark.server

PROGRAM = "from continuum.apps.admin.cli import main; main()"


@contextmanager
def serving(data, *options, program=PROGRAM):
    """The command in a process group of its own, ready to answer; yields the process and its origin."""
    command = [sys.executable, "-c", program, "serve"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--port", "0", "--data", str(data), *options],
        stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        origin = ""
        for line in process.stdout:
            found = re.match(r"Serving (http://\S+?)/ ", line)
            if found:
                origin = found.group(1)
                break
        assert origin, f"it ended with {process.wait(10)} before it served"
        until_answers(origin)
        yield process, origin
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait(10)


def until_answers(origin):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if httpx.get(f"{origin}/readyz", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            continue
    pytest.fail("it does not answer")


def left_behind(data):
    """Processes that still work on the data folder."""
    running = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    return [command for command in running if str(data) in " ".join(command)]


def until_nothing_is_left(data):
    end = time.monotonic() + 30
    while left_behind(data) and time.monotonic() < end:
        continue
    assert left_behind(data) == []


def token(data, *options):
    result = CliRunner().invoke(main, ["token", "--data", str(data), *options])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_it_serves_keeps_the_data_and_stops_with_ctrl_c(tmp_path):
    with serving(tmp_path) as (process, origin):
        bearer = {"authorization": f"Bearer {token(tmp_path, '--as', 'administrator')}"}
        made = httpx.post(f"{origin}/fhir/Patient", json={"resourceType": "Patient"}, headers=bearer)
        assert made.status_code == 201
        # An idle connection must not keep it from stopping.
        with socket.create_connection(("127.0.0.1", int(origin.rpartition(":")[2]))) as idle:
            idle.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert idle.recv(12) == b"HTTP/1.1 200"
            began = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(30) == 0
            assert time.monotonic() - began < 15
    until_nothing_is_left(tmp_path)
    with serving(tmp_path, "--workers", "2") as (process, origin):
        url = f"{origin}/fhir/Patient/{made.json()['id']}"
        assert httpx.get(url, headers=bearer).content == made.content
        workers = [child for child in psutil.Process(process.pid).children() if "worker" in " ".join(child.cmdline())]
        assert len(workers) == 2
        workers[0].kill()
        until_answers(origin)
        assert httpx.get(url, headers=bearer).status_code == 200
        process.terminate()
        assert process.wait(30) == 0
    until_nothing_is_left(tmp_path)


def test_when_it_is_killed_its_workers_and_its_database_end_too(tmp_path):
    with serving(tmp_path, "--workers", "2") as (process, _):
        process.kill()
        process.wait(10)
        until_nothing_is_left(tmp_path)


def test_when_it_is_killed_no_client_keeps_it_from_being_started_again_at_its_port(tmp_path):
    with serving(tmp_path, "--workers", "2") as (process, origin):
        bearer = token(tmp_path, "--as", "administrator")
        place = ("127.0.0.1", int(origin.rpartition(":")[2]))
        with socket.create_connection(place) as idle, socket.create_connection(place) as slow:
            idle.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert idle.recv(12) == b"HTTP/1.1 200"
            slow.sendall(
                b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\n"
                b"Content-Length: 100\r\nAuthorization: Bearer " + bearer.encode() + b"\r\n\r\n{"
            )
            process.kill()
            process.wait(10)
            began = time.monotonic()
            while is_listened_to(place):
                assert time.monotonic() - began < 5.5, "an orphan holds the port"
            until_nothing_is_left(tmp_path)


def is_listened_to(place):
    """Whether another server could not have the address."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(place)
            one.listen()
        except OSError:
            return True
    return False


def test_a_port_that_is_taken_is_said_before_anything_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["serve", "--port", str(port), "--data", str(tmp_path / "data")])
    assert result.exit_code == 1
    assert f"Port {port} on 127.0.0.1 is taken already" in result.output
    assert not (tmp_path / "data").exists()


def test_a_host_that_is_not_ours_is_said(tmp_path):
    result = CliRunner().invoke(main, ["serve", "--host", "192.0.2.1", "--port", "0", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "192.0.2.1" in result.output


@pytest.mark.parametrize(
    ("options", "claims"),
    [
        (("--as", "administrator"), ("administrator", "administrator", None, None, "")),
        (("--as", "clinician", "--facility", "f-1"), ("clinician", "clinician", "f-1", None, "")),
        (("--as", "patient", "--patient", "p.1", "--purpose", "PATRQT"), ("patient", "patient", None, "p.1", "PATRQT")),
        (("--as", "system", "--subject", "loader", "--expires", "8h"), ("loader", "system", None, None, "")),
    ],
)
def test_a_token_says_what_was_asked(tmp_path, options, claims):
    text = token(tmp_path, *options)
    said = Verifier(signing_key(secrets.load(tmp_path).token)).verify(text.encode())
    assert (said.subject, said.role, said.facility, said.patient, said.purpose) == claims


@pytest.mark.parametrize(
    ("level", "surely"), [((), (2, 2)), (("--level", "basic"), (1, 1)), (("--level", "card"), (3, 3))]
)
def test_a_token_says_how_surely_it_is_known_who_acts(tmp_path, level, surely):
    text = token(tmp_path, "--as", "patient", "--patient", "p.1", *level)
    said = Verifier(signing_key(secrets.load(tmp_path).token)).verify(text.encode())
    assert (said.identity_level, said.authenticator_level) == surely


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--as"),
        (("--as", "system", "--level", "secret"), "secret"),
        (("--as", "wizard"), "wizard"),
        (("--as", "clinician"), "needs --facility"),
        (("--as", "patient"), "needs --patient"),
        (("--as", "patient", "--patient", "a/b"), "cannot be an id"),
        (("--as", "system", "--expires", "soon"), "no length of time"),
        (("--as", "system", "--expires", "9999d"), "may live"),
        (("--as", "system", "--purpose", "FUN"), "FUN"),
    ],
)
def test_a_token_that_would_open_nothing_is_refused_in_words(tmp_path, options, words):
    result = CliRunner().invoke(main, ["token", "--data", str(tmp_path / "none"), *options])
    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "none").exists()


def test_a_list_of_breached_passwords_that_cannot_be_used_keeps_the_server_from_starting(tmp_path):
    known = tmp_path / "breached.txt"
    known.write_text("B" * 40 + "\n" + "A" * 40 + "\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--data", str(tmp_path / "data")],
        env={**os.environ, "CONTINUUM_BREACHED_PASSWORDS_FILE": str(known)}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "not in ascending order" in done.stderr
    assert "Traceback" not in done.stderr

"""A server brings up to date by itself what one of an earlier release has indexed; doctor says so before and after."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid

import httpx
import pytest

from continuum.fhir.types import TYPE_IDS
from continuum.record.limits import REINDEX_BATCH
from continuum.runtime import postgres
from continuum.runtime.settings import Settings
from tests.api.conftest import outcome
from tests.clients.ward import Ward, transaction
from tests.serve.test_disk_full import superuser
from tests.serve.test_serve import PROGRAM, serving, token

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]

EARLIER = f"""
import pytest
from continuum.record.tests.releases import Earlier
Earlier(pytest.MonkeyPatch()).begin()
{PROGRAM}
"""
COUNT = 250
WAIT_S = 60


@pytest.fixture
def asked(data_folder):
    """Asks a server as an administrator."""

    def ask(origin, path, body=None):
        bearer = {"authorization": f"Bearer {token(data_folder, '--as', 'administrator')}"}
        method = "GET" if body is None else "POST"
        return httpx.request(method, f"{origin}/fhir{path}", json=body, headers=bearer, timeout=60)

    return ask


def doctor(data):
    """What doctor finds of the search index."""
    command = [sys.executable, "-c", PROGRAM, "doctor", "--data", str(data), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    (found,) = [one for one in json.loads(said.stdout) if one["check"] == "search index"]
    return found


def until(data, words):
    """What doctor finds once it says so."""
    end = time.monotonic() + WAIT_S
    while not re.search(words, (found := doctor(data))["text"]):
        assert time.monotonic() < end, found
    return found


def stop(process):
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0


async def last_of(conn):
    """Where the last Observation that was written lies; whoever files it again waits until the transaction ends."""
    return await conn.fetchval(
        "SELECT row_id FROM record.resource WHERE type = $1 ORDER BY row_id DESC LIMIT 1 FOR UPDATE",
        TYPE_IDS["Observation"],
    )


async def test_a_server_files_again_by_itself_what_an_earlier_release_has_filed(data_folder, asked):
    search = "/Observation?value-quantity=ge60&_total=accurate&_count=1"
    mother = f"urn:uuid:{uuid.uuid4()}"
    ward = Ward()
    pulses = [ward.heart_rate(mother, minute) for minute in range(COUNT)]
    with serving(data_folder, "--workers", "1", program=EARLIER) as (process, origin):
        written = asked(origin, "/", transaction({**ward.patient(), "_as": mother}, *pulses))
        assert written.status_code == 200, written.text
        assert asked(origin, search).json()["total"] == 0
        stop(process)
    before = doctor(data_folder)
    assert before["state"] == "warning", before
    assert before["text"].startswith("Observation is to be indexed again")
    # While somebody has the last one locked, the work comes as far as the batch that it is in.
    async with postgres.open(Settings.load({}, data=str(data_folder))), superuser(data_folder) as conn:
        change = conn.transaction()
        await change.start()
        assert await last_of(conn)
        with serving(data_folder) as (process, origin):
            halfway = until(data_folder, rf"\({2 * REINDEX_BATCH} of about")
            assert halfway["state"] == "warning"
            assert re.match(r"Observation is being indexed again since \S+: 80 %", halfway["text"]), halfway
            assert "value-quantity is new in this release" in outcome(asked(origin, search), 503)["diagnostics"]
            await change.rollback()
            assert until(data_folder, "No type is being indexed again")["state"] == "ok"
            end = time.monotonic() + WAIT_S  # a server believes for a moment that a parameter is not ready
            while (answer := asked(origin, search)).status_code == 503 and time.monotonic() < end:
                continue
            assert answer.json()["total"] == COUNT
            stop(process)
        acts = await conn.fetch("SELECT actor, detail FROM record.audit WHERE interaction = 'reindex'")
    assert [tuple(one) for one in acts] == [("continuum", "Observation")]

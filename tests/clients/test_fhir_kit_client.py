"""`fhir-kit-client` (npm), unmodified, on Node.js: lifecycle, transaction, paging, compartments, refusals."""

import json
import subprocess
from pathlib import Path

import pytest

from scripts.node_packages import tool
from tests.clients.ward import NUMBERS, Ward, admission
from tests.suites import unavailable

pytestmark = pytest.mark.server

FOLDER = Path(__file__).parent / "node"
HEART_RATES = 250


@pytest.fixture
def run(live_server):
    """Runs one task of `ward.mjs` against the server and returns what it saw."""
    node = tool("node")
    if node is None or not (FOLDER / "node_modules" / "fhir-kit-client").is_dir():
        unavailable("Node.js or its packages are missing: make setup-test")

    def run_task(task: str, **job):
        job |= {"task": task, "baseUrl": f"{live_server.base_url}/fhir", "token": live_server.token("system")}
        done = subprocess.run(
            [node, FOLDER / "ward.mjs"], input=json.dumps(job), capture_output=True, text=True, check=False, timeout=90
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_task


def test_a_patient_is_created_read_changed_patched_and_deleted(run, live_server):
    seen = run("lifecycle", patient=Ward().patient())
    assert seen.pop("location").startswith(f"{live_server.base_url}/fhir/Patient/")
    assert seen == {
        "createdStatus": 201,
        "etag": 'W/"1"',
        "readEqual": True,
        "updated": ["2", "other"],
        "staleStatus": 412,
        "patched": ["3", "other", "1971-02-03"],
        "first": ["1", "female"],
        "versions": ["3", "2", "1"],
        "goneStatus": 410,
    }


def test_a_ward_is_admitted_and_searched_in_every_way_the_client_knows(run):
    ward = Ward()
    seen = run(
        "work",
        family=ward.family,
        system=NUMBERS,
        number=ward.number(1),
        admission=admission(ward, heart_rates=HEART_RATES),
    )
    moments = seen.pop("moments")
    assert len(moments) == HEART_RATES
    assert moments == sorted(set(moments))
    assert seen == {
        "statuses": ["201"],
        "pages": 5,
        "problems": ["Condition"],
        "included": [["Encounter", "match"], ["Patient", "include"]],
        "posted": 1,
        "everything": HEART_RATES + 3,
        "everythingHasPatient": True,
        "resolved": True,
    }


def test_refusals_carry_the_status_that_the_client_expects(run):
    assert run("refusals", family=Ward().family) == {
        "stranger": 401,
        "metadata": "4.0.1",
        "unknownParameter": 400,
        "unknownType": 404,
        "missing": 404,
    }

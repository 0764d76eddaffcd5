"""The examples of the how-to pages run as they are printed, but for the address and the token."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from scripts.node_packages import tool
from tests.architecture.source import ROOT
from tests.suites import unavailable

pytestmark = pytest.mark.server

CLIENTS = (ROOT / "docs" / "how-to" / "connect-a-client.md").read_text()
NODE_FOLDER = ROOT / "tests" / "clients" / "node"


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", CLIENTS, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def alvarez(live_server):
    """The patient whom the examples look for."""
    headers = {"Authorization": f"Bearer {live_server.token('system')}"}
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:2.16.840.1.113883.4.1000", "value": "A-1001"}],
        "name": [{"family": "Alvarez", "given": ["Inés"]}],
    }
    answer = httpx.post(f"{live_server.base_url}/fhir/Patient", json=patient, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def placed(example: str, live_server) -> str:
    """The example with this server's address in it."""
    assert "http://127.0.0.1:8000/fhir" in example
    return example.replace("http://127.0.0.1:8000", live_server.base_url)


@pytest.mark.parametrize("number", range(2), ids=["fhirpy", "fhirclient"])
def test_a_python_example_finds_the_patient(live_server, alvarez, number):
    program = f"token = {live_server.token('system')!r}\n{placed(examples('python')[number], live_server)}"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert f"{alvarez} Alvarez" in run.stdout.splitlines()


def test_the_javascript_example_finds_the_patient(live_server, alvarez):
    node = tool("node")
    if node is None or not (NODE_FOLDER / "node_modules" / "fhir-kit-client").is_dir():
        unavailable("Node.js or its packages are missing: make setup-test")
    [example] = examples("js")
    imported, _, rest = placed(example, live_server).partition("\n")
    program = f"{imported}\nconst token = {json.dumps(live_server.token('system'))};\n{rest}"
    run = subprocess.run(
        [node, "--input-type=module"], input=program, cwd=NODE_FOLDER, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert alvarez in run.stdout.split()


def test_the_crawl_example_writes_the_patient_into_a_file(live_server, alvarez, tmp_path):
    [command] = examples("sh")
    (tmp_path / "token.txt").write_text(live_server.token("system"))
    program = shutil.which("smart-fetch", path=Path(sys.executable).parent)
    typed = placed(command, live_server).replace("smart-fetch", str(program), 1)
    run = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=90)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = gzip.decompress((tmp_path / "export" / "Patient.ndjson.gz").read_bytes()).splitlines()
    assert alvarez in [json.loads(line)["id"] for line in lines]

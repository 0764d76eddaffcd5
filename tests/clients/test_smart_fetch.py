"""`smart-fetch` (PyPI), unmodified, crawls a cohort as a researcher does: every resource arrives, once."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.clients.ward import NUMBERS, Ward, admission

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]

PROGRAM = Path(sys.executable).parent / "smart-fetch"
BEDS = 12
HEART_RATES = 45
"""More than two of the server's default pages for each patient."""


@pytest.fixture(scope="module")
def cohort(live_server):
    """A ward that lies in the server, and everything of it as the server itself holds it."""
    ward = Ward()
    headers = {"Authorization": f"Bearer {live_server.token('system')}"}
    with httpx.Client(base_url=f"{live_server.base_url}/fhir", headers=headers, timeout=60) as http:
        answer = http.post("/", json=admission(ward, beds=BEDS, heart_rates=HEART_RATES))
        assert answer.status_code == 200, answer.text
        places = ["/".join(entry["response"]["location"].split("/_history/")[0].split("/")[-2:])
                  for entry in answer.json()["entry"]]  # fmt: skip
        held = {place: http.get(f"/{place}").json() for place in places}
    return ward, held


def crawl(live_server, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    token = folder.parent / "token"
    token.write_text(live_server.token("system"))
    command = [
        PROGRAM, "crawl", "--fhir-url", f"{live_server.base_url}/fhir", "--bearer-token", token,
        "--no-compression", *arguments, folder,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)


def exported(folder: Path) -> list[dict]:
    found = []
    for path in sorted(folder.rglob("*.ndjson*")):
        if path.name.startswith("log") or "error" in path.parts:
            continue
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += [json.loads(line) for line in text.splitlines()]
    return found


def test_a_cohort_named_by_record_numbers_is_exported_whole(live_server, cohort, tmp_path):
    ward, held = cohort
    numbers = ",".join(ward.number(bed) for bed in range(1, BEDS + 1))
    folder = tmp_path / "export"
    run = crawl(
        live_server, folder, "--id-list", numbers, "--id-system", NUMBERS,
        "--type", "Patient,Encounter,Condition,Observation",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr

    found = exported(folder)
    arrived = {f"{resource['resourceType']}/{resource['id']}": resource for resource in found}
    assert len(found) == len(arrived) == BEDS * (3 + HEART_RATES)
    assert arrived == held
    assert not list(folder.rglob("error/*.ndjson*"))


def test_a_cohort_named_by_ids_can_be_narrowed_by_a_filter(live_server, cohort, tmp_path):
    _, held = cohort
    patients = [place.removeprefix("Patient/") for place in held if place.startswith("Patient/")][:3]
    folder = tmp_path / "export"
    run = crawl(
        live_server, folder, "--id-list", ",".join(patients), "--type", "Patient,Observation",
        "--type-filter", "Observation?code=8867-4&value-quantity=ge100",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr

    wanted = {
        place
        for place, resource in held.items()
        if place in {f"Patient/{patient}" for patient in patients}
        or (
            resource["resourceType"] == "Observation"
            and resource["subject"]["reference"].removeprefix("Patient/") in patients
            and resource["valueQuantity"]["value"] >= 100
        )
    }
    assert len(wanted) > 3
    assert {f"{resource['resourceType']}/{resource['id']}" for resource in exported(folder)} == wanted


def test_only_what_changed_since_the_last_crawl_is_fetched_again(live_server, cohort, tmp_path):
    ward, held = cohort
    newest = max(resource["meta"]["lastUpdated"] for resource in held.values())
    folder = tmp_path / "export"
    run = crawl(
        live_server, folder, "--id-list", ward.number(1), "--id-system", NUMBERS,
        "--type", "Patient,Condition", "--since", newest, "--since-mode", "updated",
    )  # fmt: skip
    # Nothing is newer than the newest, so there is no cohort; the tool says so and ends with an error.
    assert run.returncode != 0
    assert "No cohort patients found" in run.stdout + run.stderr


def test_without_a_token_nothing_comes_out(live_server, cohort, tmp_path):
    ward, _ = cohort
    folder = tmp_path / "export"
    command = [
        PROGRAM, "crawl", "--fhir-url", f"{live_server.base_url}/fhir", "--no-compression",
        "--id-list", ward.number(1), "--id-system", NUMBERS, "--type", "Patient", folder,
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)
    assert [resource for resource in exported(folder) if resource["resourceType"] == "Patient"] == []

"""`smart-fetch` (PyPI), unmodified, in its bulk mode: it signs on by itself, exports, downloads, and cleans up."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bulk.jobs import admit
from tests.bulk.programs import Program

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

SMART_FETCH = Path(sys.executable).parent / "smart-fetch"
TYPES = "Patient,Encounter,Condition,Observation"


def bulk(running, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [SMART_FETCH, "bulk", "--fhir-url", f"{running.origin}/fhir", *arguments, folder]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)


def downloaded(folder: Path) -> dict[str, dict]:
    """Every resource in the folder by its address; none is there twice."""
    found = {}
    for path in sorted(folder.rglob("*.ndjson*")):
        if path.name.startswith("log") or path.is_symlink() or "error" in path.parts:
            continue
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in text.splitlines():
            resource = json.loads(line)
            address = f"{resource['resourceType']}/{resource['id']}"
            assert address not in found, address
            found[address] = resource
    return found


async def test_it_exports_the_system_with_a_key_of_its_own(running, tmp_path):
    program = await Program(running, algorithm="RS384").register()
    key = tmp_path / "key.pem"
    key.write_bytes(program.key.as_pem(private=True))
    async with running.client() as http:
        _, held = await admit(http, beds=4, heart_rates=10)
    folder = tmp_path / "export"
    run = bulk(
        running, folder, "--smart-client-id", program.id, "--smart-key", str(key), "--type", TYPES,
        "--no-default-filters",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    arrived = downloaded(folder)
    assert {place: arrived.get(place) for place in held} == held
    log = [json.loads(line) for path in folder.rglob("log.ndjson") for line in path.read_text().splitlines()]
    assert log[-1]["eventId"] == "export_complete"
    assert log[-1]["eventDetail"]["resources"] == len(arrived)
    status = next(event["exportId"] for event in log if event["eventId"] == "kickoff")
    async with running.client() as http:
        assert (await http.get(status)).status_code == 404, "it removes the export when it has everything"


async def test_it_exports_a_group_with_a_token_and_narrowed_by_filters(running, tmp_path):
    async with running.client() as http:
        _, held = await admit(http, beds=3, heart_rates=6)
        member = [{"entity": {"reference": place}} for place in held if place.startswith("Patient/")][:2]
        group = (
            await http.post(
                "/Group", json={"resourceType": "Group", "type": "person", "actual": True, "member": member}
            )
        ).json()
    token = tmp_path / "token"
    token.write_text(running.token("system"))
    folder = tmp_path / "export"
    run = bulk(
        running, folder, "--group", group["id"], "--bearer-token", str(token), "--type", TYPES,
        "--type-filter", "Observation?category=vital-signs,laboratory&value-quantity=ge63",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    chosen = {one["entity"]["reference"] for one in member}
    wanted = {
        place for place, one in held.items()
        if place in chosen or (
            one.get("subject", {}).get("reference") in chosen
            and (one["resourceType"] != "Observation" or one["valueQuantity"]["value"] >= 63)
        )
    }  # fmt: skip
    assert set(downloaded(folder)) == wanted
    assert len(wanted) == 2 * (3 + 3)


async def test_a_program_with_the_wrong_key_gets_nothing(running, tmp_path):
    program = await Program(running, algorithm="RS384").register()
    stranger = Program(running, algorithm="RS384")
    key = tmp_path / "key.pem"
    key.write_bytes(stranger.key.as_pem(private=True))
    run = bulk(running, tmp_path / "export", "--smart-client-id", program.id, "--smart-key", str(key), "--type", TYPES)
    assert run.returncode != 0
    assert downloaded(tmp_path / "export") == {}

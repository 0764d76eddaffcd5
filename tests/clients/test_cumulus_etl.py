"""`cumulus-etl` (PyPI), unmodified, takes in what `smart-fetch` exported in bulk, to its end and without complaint."""

import asyncio
import json
import os
import subprocess

import pytest

from scripts.client_environment import environment
from tests.bulk.jobs import admit
from tests.clients.test_smart_fetch_bulk import TYPES, bulk, downloaded
from tests.suites import unavailable

pytestmark = [pytest.mark.server, pytest.mark.proof, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def program():
    """The program in its own environment, made the first time."""
    folder = environment("cumulus")
    if folder is None:
        unavailable("cumulus-etl could not be installed from requirements/cumulus.lock")
    return folder / "bin" / "cumulus-etl"


def lines(folder) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.rglob("*.ndjson")) for line in path.read_text().splitlines()]


async def test_a_bulk_export_is_taken_in_whole(running, program, tmp_path):
    async with running.client() as http:
        _, held = await admit(http, beds=5, heart_rates=8)
        member = [{"entity": {"reference": place}} for place in held if place.startswith("Patient/")]
        group = await http.post(
            "/Group", json={"resourceType": "Group", "type": "person", "actual": True, "member": member}
        )
    token = tmp_path / "token"
    token.write_text(running.token("system"))
    exported = tmp_path / "exported"
    run = bulk(
        running, exported, "--group", group.json()["id"], "--bearer-token", str(token), "--type", TYPES,
        "--no-default-filters", "--no-compression",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(downloaded(exported)) == set(held)

    taken, phi, errors = tmp_path / "taken", tmp_path / "phi", tmp_path / "errors"
    command = [
        program, "etl", exported, taken, phi, "--output-format", "ndjson", "--errors-to", errors,
        "--task", TYPES.lower(), "--allow-missing-resources",
    ]  # fmt: skip
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All tasks completed successfully" in done.stdout
    for kind in TYPES.split(","):
        arrived = lines(taken / kind.lower())
        assert {one["resourceType"] for one in arrived} == {kind}
        assert (
            len({one["id"] for one in arrived}) == len(arrived) == sum(place.startswith(f"{kind}/") for place in held)
        )
    rates = sorted(one["valueQuantity"]["value"] for one in lines(taken / "observation"))
    assert rates == sorted(one["valueQuantity"]["value"] for one in held.values() if "valueQuantity" in one)
    assert {one["group_name"] for one in lines(taken / "etl__completion")} == {group.json()["id"]}
    assert lines(errors) == []

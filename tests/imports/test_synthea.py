"""A public set of 26,635 resources imports completely and reads back as it was; its Bundles load over REST."""

import asyncio
import gzip
from collections import Counter

import httpx
import pytest

from tests.importing import everything, fetch, load, originals, target
from tests.suites import shared, unavailable


@pytest.fixture(scope="session")
def synthea():
    folder = shared() / "data" / "synthea-r4-100"
    if not folder.is_dir():
        unavailable(f"{folder} is missing")
    return folder


def ndjson(synthea, tmp_path):
    """A folder with the resource files only."""
    folder = tmp_path / "files"
    folder.mkdir()
    for path in synthea.glob("*.ndjson.gz"):
        (folder / path.name).symlink_to(path.resolve())
    return folder


async def test_every_resource_comes_back_equal_and_a_second_import_finds_all_equal(
    synthea, tmp_path, database, database_owner
):
    to, folder = target(database, database_owner), ndjson(synthea, tmp_path)
    report = await load(folder, to, tmp_path / "rejects")
    assert (report.written, report.updated, report.equal, report.rejected) == (26_635, 0, 0, 0)
    assert (report.dangling, report.unread, (tmp_path / "rejects").read_text()) == ([], [], "")
    given = {}
    for path in folder.iterdir():
        given |= originals(path)
    found = await everything(to)
    assert len(given) == 26_635
    assert Counter(address.split("/")[0] for address in found) == Counter(address.split("/")[0] for address in given)
    assert [address for address in given if found[address] != given[address]] == []
    ((searchable, rows),) = await fetch(
        to, "SELECT (SELECT count(*) FROM record.search), (SELECT count(*) FROM record.resource WHERE version = 1)"
    )
    assert (searchable, rows) == (26_635, 26_635)
    again = await load(folder, to, tmp_path / "rejects")
    assert (again.written, again.updated, again.equal, again.passed_over) == (0, 0, 26_635, 0)
    assert await fetch(to, "SELECT 1 FROM record.history LIMIT 1") == []


async def post_all(running, paths):
    """Posts Bundles, four at a time; every entry must be created or found."""
    gate = asyncio.Semaphore(4)

    async def post(api, path):
        async with gate:
            body = gzip.decompress(path.read_bytes())
            answer = await api.post("/", content=body, headers={"content-type": "application/fhir+json"})
            assert answer.status_code == 200, f"{path.name}: {answer.text[:2000]}"
            statuses = Counter(entry["response"]["status"] for entry in answer.json()["entry"])
            assert set(statuses) <= {"201 Created", "200 OK"}, path.name
            return statuses["201 Created"]

    bearer = {"authorization": f"Bearer {running.token()}", "prefer": "return=minimal"}
    async with httpx.AsyncClient(base_url=f"{running.origin}/fhir", headers=bearer, timeout=60) as api:
        return sum(await asyncio.gather(*(post(api, path) for path in paths)))


@pytest.mark.server
async def test_ten_transaction_bundles_load_over_rest(synthea, running):
    paths = sorted(synthea.glob("bundles/*.json.gz"), key=lambda path: path.stat().st_size)[:10]
    assert await post_all(running, paths) > 500


@pytest.mark.proof
@pytest.mark.server
@pytest.mark.timeout(600)
async def test_all_hundred_transaction_bundles_load_over_rest(synthea, running):
    assert await post_all(running, sorted(synthea.glob("bundles/*.json.gz"))) > 20_000

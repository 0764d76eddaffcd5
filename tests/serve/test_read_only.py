"""`continuum serve --read-only`: reads go on and say so, every write is refused in words, and nothing is written."""

import asyncio
import os
import signal

import httpx
import pytest

from tests.api.conftest import outcome
from tests.serve.test_disk_full import superuser
from tests.serve.test_serve import serving, token

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


def client_of(origin, data):
    bearer = {"authorization": f"Bearer {token(data, '--as', 'administrator')}"}
    return httpx.Client(base_url=f"{origin}/fhir", headers=bearer, timeout=30)


def stop(process):
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0


async def written(data):
    """All versions of everything, as the database holds them."""
    async with superuser(data) as conn:
        tables = ("resource", "history", "search")
        return [await conn.fetch(f"SELECT * FROM record.{table} ORDER BY row_id") for table in tables]


def test_a_server_started_read_only_answers_reads_refuses_writes_and_writes_nothing(data_folder):
    patient = {"resourceType": "Patient", "active": True, "name": [{"family": "Rivera"}]}
    with serving(data_folder) as (process, origin), client_of(origin, data_folder) as client:
        made = client.post("/Patient", json=patient)
        assert (made.status_code, made.headers.get("warning")) == (201, None)
        stop(process)
    place = f"/Patient/{made.json()['id']}"
    with serving(data_folder, "--read-only", "--workers", "2") as (process, origin):
        before = asyncio.run(written(data_folder))
        with client_of(origin, data_folder) as client:
            for path, found in ((place, made.json()), (f"{place}/_history/1", made.json()), ("/Patient", None)):
                answer = client.get(path)
                assert answer.status_code == 200
                assert "writes must wait" in answer.headers["warning"]
                assert found in (None, answer.json())
            assert [entry["resource"] for entry in client.get("/Patient").json()["entry"]] == [made.json()]
            post = {"resource": patient, "request": {"method": "POST", "url": "Patient"}}
            for method, path, body in (
                ("POST", "/Patient", patient),
                ("PUT", place, {**made.json(), "active": False}),
                ("PATCH", place, [{"op": "replace", "path": "/active", "value": False}]),
                ("DELETE", place, None),
                ("POST", "/", {"resourceType": "Bundle", "type": "transaction", "entry": [post]}),
                ("POST", "/$import", {"resourceType": "Parameters"}),
            ):
                kind = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"
                refused = client.request(method, path, json=body, headers={"content-type": kind})
                issue = outcome(refused, 503)
                assert (issue["code"], "read-only at present" in issue["diagnostics"]) == ("no-store", True)
                assert "writes must wait" in refused.headers["warning"]
            assert "writes must wait" in httpx.get(f"{origin}/readyz").text
        assert asyncio.run(written(data_folder)) == before
        stop(process)
    with serving(data_folder) as (process, origin), client_of(origin, data_folder) as client:
        assert client.get(place).content == made.content
        assert client.get("/Patient").json()["entry"][0]["resource"] == made.json()
        assert client.post("/Patient", json=patient).status_code == 201
        stop(process)

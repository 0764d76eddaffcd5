"""Exports over REST, from kick-off to the last file, as Bulk Data Access 2.0 describes them."""

import gzip
import json
import os
import re
import signal
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
import zstandard

from continuum.access.exporting import APPLICATION_NAME
from continuum.kernel.limits import BULK_KEPT_S
from tests.api.conftest import outcome
from tests.bulk.jobs import admit, export, fetch, kick_off, until, until_done
from tests.live import fresh_database, started

pytestmark = pytest.mark.server


async def test_an_export_of_the_system_holds_everything_as_it_is_read(running):
    async with running.client() as http:
        _, held = await admit(http)
        found = await export(http)
        for address, resource in held.items():
            assert found.one(address) == resource
        assert len(found.addresses) == len(set(found.addresses))
    assert found.manifest["requiresAccessToken"] is True
    assert found.manifest["request"] == f"{running.origin}/fhir/$export"
    newest = max(resource["meta"]["lastUpdated"] for resource in held.values())
    assert found.manifest["transactionTime"] >= newest
    assert found.errors == []


async def test_types_and_filters_by_get_and_by_parameters_mean_the_same(running):
    async with running.client() as http:
        ward, held = await admit(http, beds=2, heart_rates=3)
        patients = [place for place in held if place.startswith("Patient/")]
        criteria = f"Observation?subject:Patient.family={ward.family}&value-quantity=ge61,Patient?family={ward.family}"
        got = await export(http, params={"_type": "Observation,Patient", "_typeFilter": criteria})
        parameters = [
            {"name": "_type", "valueString": "Observation"}, {"name": "_type", "valueString": "Patient"},
            *({"name": "_typeFilter", "valueString": one} for one in criteria.split(",")),
        ]  # fmt: skip
        body = {"resourceType": "Parameters", "parameter": parameters}
        posted = await export(http, body=body)
    wanted = [
        place for place, one in held.items()
        if place in patients or (one["resourceType"] == "Observation" and one["valueQuantity"]["value"] >= 61)
    ]  # fmt: skip
    assert got.addresses == posted.addresses == sorted(wanted)
    assert len(wanted) == 2 + 2 * 2


async def test_named_patients_by_post(running):
    async with running.client() as http:
        _, held = await admit(http, beds=2)
        chosen = next(place for place in held if place.startswith("Patient/"))
        body = {
            "resourceType": "Parameters",
            "parameter": [{"name": "patient", "valueReference": {"reference": chosen}}],
        }
        found = await export(http, "/Patient/$export", body=body)
        refused = await http.get("/Patient/$export", params={"patient": chosen})
    mine = [place for place, one in held.items() if chosen in (place, one.get("subject", {}).get("reference"))]
    assert found.addresses == sorted(mine)
    assert "patient" in outcome(refused, 400)["diagnostics"]


async def test_elements_leave_the_rest_out_and_say_so(running):
    async with running.client() as http:
        _, held = await admit(http, beds=1, heart_rates=1)
        found = await export(
            http, "/Patient/$export",
            params={"_elements": "Patient.birthDate,subject", "_type": "Patient,Observation"},
        )  # fmt: skip
        whole = await export(http, params={"_elements": "Patient.birthDate", "_type": "Observation"})
    place = next(place for place in held if place.startswith("Patient/"))
    shown = found.one(place)
    assert set(shown) == {"resourceType", "id", "meta", "active", "birthDate"}  # what could turn the meaning stays
    assert shown["birthDate"] == held[place]["birthDate"]
    assert [tag["code"] for tag in shown["meta"]["tag"]] == ["SUBSETTED"]
    pulse = next(place for place in held if place.startswith("Observation/"))
    assert set(found.one(pulse)) == {"resourceType", "id", "meta", "status", "code", "subject"}
    assert whole.one(pulse) == held[pulse]


async def test_who_asks_since_the_last_export_gets_what_changed_and_what_was_deleted_after_it(running):
    async with running.client() as http:
        _, held = await admit(http, beds=2)
        first = await export(http)
        assert "deleted" not in first.manifest
        pulses = [place for place in held if place.startswith("Observation/")]
        changed, gone = {**held[pulses[0]], "valueString": "counted again"}, pulses[1]
        del changed["valueQuantity"]
        made = (await http.post("/Patient", json={"resourceType": "Patient", "active": True})).json()
        assert (await http.put(f"/{pulses[0]}", json=changed)).status_code == 200
        assert (await http.delete(f"/{gone}")).status_code == 204
        since = first.manifest["transactionTime"]
        second = await export(http, params={"_since": since})
        parameters = [{"name": "_since", "valueInstant": since}, {"name": "_type", "valueString": "Patient"}]
        posted = await export(http, body={"resourceType": "Parameters", "parameter": parameters})
        third = await export(http, params={"_since": second.manifest["transactionTime"]})
    assert set(first.addresses) >= set(held)
    assert second.addresses == sorted([pulses[0], f"Patient/{made['id']}"])
    assert second.one(pulses[0])["valueString"] == "counted again"
    assert second.deleted == [gone]
    assert (posted.addresses, posted.deleted) == ([f"Patient/{made['id']}"], [])
    assert (third.addresses, third.deleted) == ([], [])


async def test_provenance_comes_along_when_it_is_asked_for_all_of_it_or_the_latest(running):
    async with running.client() as http:
        ward, held = await admit(http, beds=1)
        pulses = [place for place in held if place.startswith("Observation/")]
        other = next(place for place in held if place.startswith("Condition/"))
        told = [
            await _told(http, target, day)
            for target, day in ((pulses[0], 1), (pulses[0], 2), (pulses[1], 1), (other, 3))
        ]
        asked = {"_type": "Observation", "_typeFilter": f"Observation?subject:Patient.family={ward.family}"}
        without = await export(http, params=asked)
        latest, relevant = [
            await export(http, params={**asked, "includeAssociatedData": f"{which}ProvenanceResources"})
            for which in ("Latest", "Relevant")
        ]
    assert without.addresses == sorted(pulses)
    assert latest.addresses == sorted([*pulses, told[1], told[2]])
    assert relevant.addresses == sorted([*pulses, *told[:3]])


async def _told(http, target, day):
    """The address of a Provenance of a resource, recorded on a day."""
    answer = await http.post("/Provenance", json={
        "resourceType": "Provenance", "target": [{"reference": target}], "recorded": f"2026-03-0{day}T00:00:00Z",
        "agent": [{"who": {"display": "a nurse"}}],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    return f"Provenance/{answer.json()['id']}"


async def test_the_progress_names_the_share_that_is_done_and_how_many_resources(running):
    """An open write holds the export at its beginning, a lock at the half of it."""
    write = await asyncpg.connect(running.owner)
    lock = await asyncpg.connect(running.owner, server_settings={"application_name": APPLICATION_NAME})
    async with running.client() as http:
        await http.post("/Organization", json={"resourceType": "Organization", "name": "Whose share is done"})
        ward, _ = await admit(http, beds=1)
        try:
            await write.execute("BEGIN; SELECT pg_current_xact_id()")
            await lock.execute("BEGIN; LOCK TABLE record.bulk_patient IN SHARE MODE")
            criteria = f"Patient?family={ward.family}"
            status = await kick_off(http, "/$export", params={"_type": "Organization,Patient", "_typeFilter": criteria})

            async def says(words):
                return re.fullmatch(words, (await http.get(status)).headers["x-progress"])

            await until(lambda: says("preparing"))
            await write.execute("ROLLBACK")
            await until(lambda: says(r"50% done, [1-9]\d* resources"))
        finally:
            await write.close()
            await lock.close()
        assert (await until_done(http, status)).status_code == 200


async def test_a_group_is_exported_over_rest(running):
    async with running.client() as http:
        _, held = await admit(http, beds=3)
        patients = [place for place in held if place.startswith("Patient/")]
        member = [{"entity": {"reference": place}} for place in patients[:2]]
        group = await http.post("/Group", json={
            "resourceType": "Group", "type": "person", "actual": True, "member": member,
        })  # fmt: skip
        found = await export(http, f"/Group/{group.json()['id']}/$export")
        missing = await http.get("/Group/never-there/$export")
    mine = [
        place for place, one in held.items() if {place, one.get("subject", {}).get("reference")} & set(patients[:2])
    ]
    assert found.addresses == sorted([*mine, f"Group/{group.json()['id']}"])
    outcome(missing, 404)


async def test_an_export_is_filtered_by_a_value_set(running):
    async with running.client() as http:
        ward, held = await admit(http, beds=1)
        rates = sorted(one for one, text in held.items() if one.startswith("Observation/") and "8867-4" in str(text))
        assert rates
        (whose,) = [one for one in held if one.startswith("Patient/")]
        other = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "urn:x", "code": "a"}]},
        }
        assert (await http.post("/Observation", json={**other, "subject": {"reference": whose}})).status_code == 201
        url = f"urn:x:set:{ward.family}"
        listed = {"system": "http://loinc.org", "concept": [{"code": "8867-4"}]}
        made = {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": [listed]}}
        assert (await http.post("/ValueSet", json=made)).status_code == 201
        criteria = f"Observation?code:in={url}&subject:Patient.family={ward.family}"
        found = await export(http, params={"_type": "Observation", "_typeFilter": criteria})
        assert found.addresses == rates


async def test_what_is_asked_wrongly_is_refused_in_words_or_ignored_if_the_client_says_so(running):
    wrong = [
        ({"_outputFormat": "application/parquet"}, "_outputFormat"),
        ({"_since": "yesterday"}, "_since"),
        ({"_type": "Patients"}, "Patients"),
        ({"_typeFilter": "active=true"}, "_typeFilter"),
        ({"_typeFilter": "Patient?colour=blue"}, "colour"),
        ({"_type": "Patient", "_typeFilter": "Observation?status=final"}, "_type leaves out"),
        ({"_typeFilter": "Observation?code:in=urn:x:none"}, "no value set urn:x:none here"),
        ({"includeAssociatedData": "Everything"}, "includeAssociatedData"),
        ({"organizeOutputBy": "Patient"}, "organizeOutputBy"),
    ]
    async with running.client() as http:
        for params, words in wrong:
            assert words in outcome(await http.get("/$export", params=params), 400)["diagnostics"]
        found = await export(
            http, params={"_type": "Group,Patients", "organizeOutputBy": "Patient"},
            headers={"prefer": "respond-async, handling=lenient"},
        )  # fmt: skip
        assert {issue["severity"] for issue in found.errors} == {"warning"}
        assert len(found.errors) == 2
        for bad in ("/Observation/$export", "/Encounter/1/$export"):
            outcome(await http.get(bad), 404)
        body = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "$export"}}]}
        answer = await http.post("/", json=body)
        assert answer.json()["entry"][0]["response"]["status"].startswith("405")


async def test_every_answer_of_a_job_is_for_who_asked_only(running):
    async with running.client("system", subject="owner") as owner, running.client("system", subject="other") as other:
        await admit(owner)
        status = await kick_off(owner, "/$export")
        outcome(await other.get(status), 404)
        outcome(await other.delete(status), 404)
        manifest = (await until_done(owner, status)).json()
        file = manifest["output"][0]["url"]
        outcome(await other.get(file), 404)
        async with httpx.AsyncClient() as nobody:
            for address in (status, file, f"{running.origin}/fhir/$export"):
                assert (await nobody.get(address)).status_code == 401
        assert (await owner.get(file)).status_code == 200
        outcome(await owner.get(f"{status}/..%2F..%2Fsecret"), 404)
        outcome(await owner.get(f"{status}/other.ndjson"), 404)


async def test_a_file_comes_compressed_as_the_client_likes(running):
    async with running.client() as http:
        await admit(http)
        manifest = (await until_done(http, await kick_off(http, "/$export", params={"_type": "Patient"}))).json()
        (file,) = manifest["output"]
        plain = await http.get(file["url"], headers={"accept-encoding": "identity"})
        assert plain.headers["content-type"] == "application/fhir+ndjson"
        assert int(plain.headers["content-length"]) == len(plain.content)
        for encoding in ("gzip", "zstd"):
            async with http.stream("GET", file["url"], headers={"accept-encoding": encoding}) as answer:
                assert answer.headers["content-encoding"] == encoding
                raw = b"".join([chunk async for chunk in answer.aiter_raw()])
            unpack = gzip.decompress if encoding == "gzip" else zstandard.ZstdDecompressor().decompressobj().decompress
            assert unpack(raw) == plain.content
        head = await http.head(file["url"])
        assert (head.status_code, head.content) == (200, b"")


async def test_a_removed_export_is_gone_with_its_files(running):
    async with running.client() as http:
        await admit(http)
        done = await kick_off(http, "/$export")
        answer = await until_done(http, done)
        assert answer.headers["expires"]
        file = answer.json()["output"][0]["url"]
        folders = [Path(running.orders.bulk_folder) / done.rpartition("/")[2]]
        assert list(folders[0].iterdir())
        assert (await http.delete(done)).status_code == 202
        outcome(await http.get(done), 404)
        outcome(await http.get(file), 404)
        running_still = await kick_off(http, "/$export")
        assert (await http.delete(running_still)).status_code == 202
        outcome(await http.get(running_still), 404)
        folders.append(Path(running.orders.bulk_folder) / running_still.rpartition("/")[2])
        await until(lambda: not any(folder.exists() for folder in folders))


async def test_files_are_kept_for_as_long_as_the_manifest_says_and_removed_by_themselves(running):
    async with running.client() as http:
        await admit(http)
        kept, done = await kick_off(http, "/$export"), await kick_off(http, "/$export")
        for one in (kept, done):
            answer = await until_done(http, one)
            ends = parsedate_to_datetime(answer.headers["expires"])
            assert abs((ends - datetime.now(UTC)).total_seconds() - BULK_KEPT_S) < 120
        conn = await asyncpg.connect(running.owner)
        try:
            await conn.execute(
                "UPDATE record.bulk_job SET ended = ended - $1::bigint WHERE id = $2",
                BULK_KEPT_S * 1_000_000, done.rpartition("/")[2],
            )  # fmt: skip
        finally:
            await conn.close()

        async def is_gone():
            return (await http.get(done)).status_code == 404

        await until(is_gone)
        folder = Path(running.orders.bulk_folder)
        await until(lambda: not (folder / done.rpartition("/")[2]).exists())
        assert (await http.get(kept)).status_code == 200
        assert list((folder / kept.rpartition("/")[2]).iterdir())


@pytest.mark.timeout(180)
async def test_an_export_outlives_the_server_that_took_it_on(test_server, template, tmp_path):
    """The server and all its processes are killed while they export; the next one ends the job."""
    app, owner = await fresh_database(test_server, template)
    secret = os.urandom(32)
    from continuum.apps.fhir_api.orders import Worker  # the orders of this test's own server

    orders = Worker(app, secret, secret, secret, secret, connections=4, bulk_folder=str(tmp_path / "bulk"))
    with started(orders, owner) as first:
        async with first.client() as http:
            _, held = await admit(http, beds=5, heart_rates=20)
            status = await kick_off(http, "/$export")
            conn = await asyncpg.connect(owner)
            await until(lambda: conn.fetchval("SELECT attempt > 0 FROM record.bulk_job"))
            await conn.close()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(20)
        with started(replace(orders), owner) as second:
            async with second.client() as http:
                answer = await until_done(http, status.replace(first.origin, second.origin))
                assert answer.status_code == 200, answer.text
                found = await fetch(http, json.loads(answer.text.replace(first.origin, second.origin)))
        first.process.returncode = 0  # killed on purpose; what started it expects a clean end
    assert found.addresses == sorted(held)
    for address, resource in held.items():
        assert found.one(address) == resource

"""Nobody reads anything without a name, a role and a purpose; and every attempt leaves its trace."""

import asyncpg
import pytest

from continuum.apps.fhir_api.routes import ROUTES
from continuum.identity.tokens import Claims, issue, signing_key
from continuum.runtime.postgres.address import Address
from tests.api.conftest import fresh_id, outcome, patient

pytestmark = pytest.mark.server

OPEN = {"/", "/docs", "/openapi.json", "/livez", "/readyz", "/style.css", "/fhir/metadata"}


async def trace(running, **wanted):
    """The rows of the trace that have these values, oldest first."""
    connection = await asyncpg.connect(**Address.from_url(running.owner).connect)
    try:
        where = " AND ".join(f"{name} = ${number}" for number, name in enumerate(wanted, 1))
        return await connection.fetch(f"SELECT * FROM record.audit WHERE {where} ORDER BY seq", *wanted.values())
    finally:
        await connection.close()


async def test_anonymous_gets_what_is_open_and_nothing_else(api, running):
    del api.headers["authorization"]
    for path in OPEN:
        assert (await api.get(running.origin + path)).status_code == 200, path
    filled = {"{type}": "Patient", "{id}": "x", "{version}": "1", "{compartment}": "Patient"}
    for route in ROUTES:
        if route.interaction == "capabilities":
            continue
        path = route.template
        for name, value in filled.items():
            path = path.replace(name, value)
        refused = await api.request(route.method, path)
        outcome(refused, 401)
        assert refused.headers["www-authenticate"] == 'Bearer realm="continuum"'
    outcome(await api.get("/Nonsense"), 401)


@pytest.mark.parametrize(
    "text", ["Basic eDp5", "Bearer", "Bearer  x", "Bearer x.y.z", "nonsense", "Bearer " + "x" * 9000]
)
async def test_what_is_no_token_of_ours_names_nobody(api, text):
    outcome(await api.get("/Patient", headers={"authorization": text}), 401)


async def test_a_token_that_has_expired_or_has_another_signature_names_nobody(running):
    async with running.client(lives_s=-60) as client:
        assert "expired" in outcome(await client.get("/Patient"), 401)["diagnostics"]
    forged = issue(signing_key(bytes(32)), Claims("x", "administrator", 2**31))
    async with running.client(headers={"authorization": f"Bearer {forged}"}) as client:
        outcome(await client.get("/Patient"), 401)


@pytest.mark.parametrize(
    ("role", "more", "said"),
    [
        ("wizard", {}, "role that this server does not know"),
        ("clinician", {}, "must name the facility"),
        ("patient", {}, "must name the patient"),
        ("patient", {"patient": "p", "purpose": "HRESCH"}, "may not act for the purpose"),
    ],
)
async def test_a_token_that_opens_nothing_is_forbidden_in_words(running, role, more, said):
    name = fresh_id()
    async with running.client(role, subject=name, **more) as client:
        assert said in outcome(await client.get("/Patient"), 403)["diagnostics"]
    (row,) = await trace(running, actor=name)
    assert (row["interaction"], row["outcome"]) == ("open", 4)


async def test_the_purpose_can_be_said_with_the_request(api, running):
    assert (await api.get("/Patient?_count=1", headers={"x-purpose-of-use": "HOPERAT"})).status_code == 200
    assert "HRESCH" in outcome(await api.get("/Patient", headers={"x-purpose-of-use": "CURIOUS"}), 400)["diagnostics"]
    outcome(await api.get("/Patient", headers={"x-purpose-of-use": "TREAT"}), 403)
    name = fresh_id()
    await api.get(f"/Patient/{name}", headers={"x-purpose-of-use": "HOPERAT"})
    (row,) = await trace(running, target=name)
    assert row["purpose"] == "HOPERAT"


async def test_a_patient_sees_the_own_record_and_no_other(api, running):
    mine, other = fresh_id(), fresh_id()
    for name in (mine, other):
        await api.put(f"/Patient/{name}", json=patient(id=name))
    async with running.client("patient", patient=mine) as client:
        assert (await client.get(f"/Patient/{mine}")).status_code == 200
        refused = outcome(await client.get(f"/Patient/{other}"), 404)
        unknown = outcome(await client.get(f"/Patient/{fresh_id()}"), 404)
        assert refused["code"] == unknown["code"]
        found = (await client.get("/Patient")).json()
        assert [entry["resource"]["id"] for entry in found["entry"]] == [mine]
        outcome(await client.put(f"/Patient/{mine}", json=patient(id=mine)), 403)


@pytest.mark.requirement("V-222448", "V-222477", "V16.2.1")
async def test_every_request_leaves_one_row_with_who_why_and_what(running):
    name = fresh_id()
    async with running.client(subject=f"dr-{name}", purpose="HOPERAT") as client:
        made = await client.put(f"/Patient/{name}", json=patient(id=name))
        await client.get(f"/Patient/{name}")
        await client.get(f"/Patient/{name}/_history/7")
        await client.get("/Patient", params={"_id": name})
        await client.post("/Patient", content=b"{", headers={"content-type": "application/json"})
        await client.get("/Patient", params={"nonsense": "1"})
        await client.get("/Nonsense/1")
    rows = await trace(running, actor=f"dr-{name}")
    assert [(row["interaction"], row["outcome"]) for row in rows] == [
        ("update", 0), ("read", 0), ("vread", 4), ("search", 0), ("create", 4), ("search", 4), ("unknown", 4),
    ]  # fmt: skip
    assert {row["purpose"] for row in rows} == {"HOPERAT"}
    assert {row["source"] for row in rows} == {"127.0.0.1"}
    assert rows[0]["request"] == made.headers["x-request-id"]
    assert [row["patient_id"] for row in rows[:2]] == [name, name]


@pytest.mark.requirement("V15.3.7", "V4.2.1")
async def test_the_same_header_twice_is_refused(api, running):
    headers = [("authorization", f"Bearer {running.token()}"), ("authorization", f"Bearer {running.token()}")]
    del api.headers["authorization"]
    assert "more than once" in outcome(await api.get("/Patient", headers=headers), 400)["diagnostics"]


@pytest.mark.requirement("V13.4.5")
async def test_metrics_are_for_this_machine_and_for_administrators(api, running):
    url = f"{running.origin}/metrics"
    await api.get("/metadata")
    del api.headers["authorization"]
    text = (await api.get(url)).text
    assert 'continuum_http_answers_total{interaction="capabilities",status="200"}' in text
    assert "continuum_database_connections" in text
    through = {"x-forwarded-for": "203.0.113.7"}
    outcome(await api.get(url, headers=through), 401)
    for role, more, status in (("administrator", {}, 200), ("patient", {"patient": "p"}, 403)):
        bearer = {"authorization": f"Bearer {running.token(role, **more)}"}
        assert (await api.get(url, headers={**through, **bearer})).status_code == status


async def test_a_read_only_server_says_so_and_goes_on_reading(another):
    name = fresh_id()
    with another(read_only=True) as server:
        async with server.client() as client:
            for method, path, body in (
                ("PUT", f"/Patient/{name}", patient(id=name)),
                ("POST", "/Patient", patient()),
                ("DELETE", f"/Patient/{name}", None),
                ("DELETE", "/Patient?_id=x", None),
            ):
                said = outcome(await client.request(method, path, json=body), 503)
                assert "read-only" in said["diagnostics"]
            assert (await client.get("/Patient?_count=1")).status_code == 200
            post = {"resource": patient(), "request": {"method": "POST", "url": "Patient"}}
            get = {"request": {"method": "GET", "url": "Patient?_count=1"}}
            whole = {"resourceType": "Bundle", "type": "transaction", "entry": [post]}
            outcome(await client.post("/", json=whole), 503)
            parts = {"resourceType": "Bundle", "type": "batch", "entry": [post, get]}
            answers = (await client.post("/", json=parts)).json()["entry"]
            assert [entry["response"]["status"][:3] for entry in answers] == ["503", "200"]
        async with server.client() as client:
            assert "read-only" in (await client.get(server.origin)).text


@pytest.mark.requirement("V16.2.4")
async def test_the_trace_is_read_and_searched_as_audit_events_and_written_by_nobody(api, running):
    mine, other = fresh_id(), fresh_id()
    for name in (mine, other):
        await api.put(f"/Patient/{name}", json=patient(id=name))
        await api.get(f"/Patient/{name}")
    found = (await api.get("/AuditEvent", params={"patient": f"Patient/{mine}"})).json()
    assert [entry["resource"]["subtype"][0]["code"] for entry in found["entry"]] == ["read", "update"]
    event = found["entry"][0]["resource"]
    assert (await api.get(f"/AuditEvent/{event['id']}")).json() == event
    assert event["agent"][0]["who"]["identifier"]["value"] == "tester"
    narrow = {"patient": mine, "subtype": "update", "outcome": "0", "agent": "tester", "date": "ge2020", "_id": "0"}
    assert "entry" not in (await api.get("/AuditEvent", params=narrow)).json()
    del narrow["_id"]
    assert len((await api.get("/AuditEvent", params=narrow)).json()["entry"]) == 1
    assert "entry" not in (await api.get("/AuditEvent", params={**narrow, "date": "lt2020"})).json()
    alone = {"_type": "AuditEvent", "patient": mine, "_count": "1"}
    page = (await api.get("/", params=alone)).json()
    shown = page["entry"][0]["resource"]["id"]
    (onward,) = [link["url"] for link in page["link"] if link["relation"] == "next"]
    assert int((await api.get(onward)).json()["entry"][0]["resource"]["id"]) < int(shown)
    outcome(await api.get("/", params={**alone, "_sort": "_lastUpdated"}), 400)
    page = (await api.get(f"/Patient/{mine}/AuditEvent?_count=2")).json()
    seen = [entry["resource"]["id"] for entry in page["entry"]]
    while onward := [link["url"] for link in page["link"] if link["relation"] == "next"]:
        page = (await api.get(onward[0])).json()
        seen += [entry["resource"]["id"] for entry in page["entry"]]
    assert seen == sorted(set(seen), key=int, reverse=True)
    assert event["id"] in seen
    for query in ("_sort=date", "patient=a,b", "action=R", "date=ne2020", "_total=accurate", "_cursor=x"):
        outcome(await api.get(f"/AuditEvent?{query}"), 400)
    async with running.client("patient", patient=mine) as client:
        own = (await client.get("/AuditEvent")).json()
        assert {entry["resource"]["entity"][0]["what"]["reference"] for entry in own["entry"]} == {f"Patient/{mine}"}
        assert "entry" not in (await client.get(f"/AuditEvent?patient={other}")).json()
        assert "entry" not in (await client.get(f"/?_type=AuditEvent&patient={other}")).json()
        assert (await client.get(f"/AuditEvent/{event['id']}")).status_code == 200
        theirs = (await api.get(f"/AuditEvent?patient={other}")).json()["entry"][0]["resource"]["id"]
        outcome(await client.get(f"/AuditEvent/{theirs}"), 404)
    async with running.client("clinician", facility="f") as client:
        outcome(await client.get("/AuditEvent"), 403)
        outcome(await client.get("/?_type=AuditEvent"), 403)
    for method, path in (("POST", "/AuditEvent"), ("PUT", "/AuditEvent/1"), ("DELETE", "/AuditEvent/1")):
        outcome(await api.request(method, path, json={"resourceType": "AuditEvent", "id": "1"}), 405)

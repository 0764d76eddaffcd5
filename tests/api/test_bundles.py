"""batch and transaction over a real socket."""

import base64
import json

import pytest

from tests.api.conftest import PATCH, fresh_id, outcome, patient

pytestmark = pytest.mark.server


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method, url, resource=None, full_url=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url is not None:
        made["fullUrl"] = full_url
    return made


def flag(subject, **more):
    return {
        "resourceType": "Flag", "status": "active", "code": {"text": "x"}, "subject": {"reference": subject}, **more,
    }  # fmt: skip


def patch_of(*operations):
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"resourceType": "Binary", "contentType": PATCH, "data": data}


def statuses(answer):
    assert answer.status_code == 200, answer.text
    return [found["response"]["status"][:3] for found in answer.json()["entry"]]


async def test_a_transaction_resolves_references_in_any_order(api):
    ours = "urn:uuid:0b8f7d9c-1111-4111-8111-000000000001"
    answer = await api.post(
        "/",
        json=bundle("transaction", entry("POST", "Flag", flag(ours)), entry("POST", "Patient", patient(), ours)),
    )
    assert statuses(answer) == ["201", "201"]
    assert answer.json()["type"] == "transaction-response"
    made = [found["response"]["location"] for found in answer.json()["entry"]]
    shown = (await api.get("/" + made[0])).json()
    assert shown["subject"]["reference"] == made[1].rpartition("/_history")[0]
    for found in answer.json()["entry"]:
        assert found["response"]["etag"] == 'W/"1"'
        assert found["response"]["lastModified"]
        assert "resource" not in found


async def test_a_transaction_resolves_references_by_criteria(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name, identifier=[{"system": "urn:t", "value": name}]))
    criteria = f"Patient?identifier=urn:t|{name}"
    answer = await api.post("/", json=bundle("transaction", entry("POST", "Flag", flag(criteria))))
    (location,) = [found["response"]["location"] for found in answer.json()["entry"]]
    assert (await api.get("/" + location)).json()["subject"]["reference"] == f"Patient/{name}"
    missing = bundle("transaction", entry("POST", "Flag", flag(f"Patient?identifier=urn:t|{fresh_id()}")))
    assert "matches nothing" in outcome(await api.post("/", json=missing), 412)["diagnostics"]


async def test_every_kind_of_entry_in_one_transaction(api):
    a, b, c, d = (fresh_id() for _ in range(4))
    for name in (a, b, c):
        await api.put(f"/Patient/{name}", json=patient(id=name))
    answer = await api.post(
        "/",
        json=bundle(
            "transaction",
            entry("GET", f"Patient/{a}"),
            entry("GET", f"Patient?_id={d}"),
            entry("DELETE", f"Patient/{b}"),
            entry("PUT", f"Patient/{d}", patient(id=d)),
            entry("PATCH", f"Patient/{c}", patch_of({"op": "add", "path": "/gender", "value": "other"})),
            entry("PUT", f"Patient/{a}", patient(id=a, gender="male"), ifMatch='W/"1"'),
        ),
    )
    assert statuses(answer) == ["200", "200", "204", "201", "200", "200"]
    read, searched = (found["resource"] for found in answer.json()["entry"][:2])
    assert read["id"] == a
    assert [found["resource"]["id"] for found in searched["entry"]] == [d]
    assert (await api.get(f"/Patient/{c}")).json()["gender"] == "other"
    outcome(await api.get(f"/Patient/{b}"), 410)


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (entry("POST", "Patient", patient(gender="sideways")), 422),
        (entry("PUT", "Patient/nobody-here", patient(id="nobody-here"), ifMatch='W/"3"'), 412),
        (entry("DELETE", "Patient/nobody-there"), 404),
        (entry("POST", "Flag", flag("Patient/nobody-there")), 422),
        (entry("PATCH", "Patient/nobody", patch_of({"op": "remove", "path": "/x"})), 404),
        (entry("GET", "Patient?shoe=1"), 400),
        (entry("GET", "Patient/x/_history"), 405),
        (entry("POST", "Nonsense", {"resourceType": "Nonsense"}), 404),
        ({"resource": patient()}, 400),
    ],
)
@pytest.mark.requirement("V2.3.3")
async def test_one_entry_that_cannot_be_done_undoes_the_transaction(api, bad, status):
    name = fresh_id()
    before = entry("PUT", f"Patient/{name}", patient(id=name))
    outcome(await api.post("/", json=bundle("transaction", before, bad)), status)
    outcome(await api.get(f"/Patient/{name}"), 404)


async def test_the_refusal_of_a_transaction_names_the_entry(api):
    said = outcome(await api.post("/", json=bundle("transaction", entry("POST", "Patient", patient()), {})), 400)
    assert said["expression"] == ["Bundle.entry[1]"]


async def test_a_transaction_may_not_write_one_resource_twice(api):
    name = fresh_id()
    twice = [entry("PUT", f"Patient/{name}", patient(id=name))] * 2
    assert "more than once" in outcome(await api.post("/", json=bundle("transaction", *twice)), 400)["diagnostics"]


async def test_a_batch_does_each_entry_by_itself(api):
    name = fresh_id()
    answer = await api.post(
        "/",
        json=bundle(
            "batch",
            entry("PUT", f"Patient/{name}", patient(id=name)),
            entry("POST", "Patient", patient(gender="sideways")),
            entry("GET", f"Patient/{name}"),
            entry("GET", "Patient/nobody"),
            entry("GET", f"Patient?_id={name}"),
            entry("GET", f"Patient/{name}/_history"),
            entry("GET", f"Patient/{name}", ifNoneMatch='W/"1"'),
            entry("PATCH", f"Patient/{name}", patch_of({"op": "add", "path": "/gender", "value": "male"})),
            entry("PUT", f"Patient/{name}", patient(id=name), ifMatch='W/"1"'),
            entry("DELETE", f"Patient/{name}"),
            entry("GET", "Nonsense"),
            {},
        ),
    )
    expected = ["201", "422", "200", "404", "200", "200", "304", "200", "412", "204", "404", "400"]
    assert statuses(answer) == expected
    found = answer.json()["entry"]
    assert answer.json()["type"] == "batch-response"
    assert found[0]["response"]["location"].endswith(f"Patient/{name}/_history/1")
    assert found[0]["response"]["etag"] == 'W/"1"'
    assert "resource" not in found[0]
    assert found[2]["resource"]["id"] == name
    assert found[4]["resource"]["type"] == "searchset"
    assert found[5]["resource"]["type"] == "history"
    for number, status in enumerate(expected):
        if status[0] in "45":
            issues = found[number]["response"]["outcome"]["issue"]
            assert issues[0]["diagnostics"]
            assert "resource" not in found[number]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_resources_come_back_when_they_are_preferred(api, kind):
    headers = {"prefer": "return=representation"}
    answer = await api.post("/", json=bundle(kind, entry("POST", "Patient", patient())), headers=headers)
    assert answer.json()["entry"][0]["resource"]["active"] is True


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_an_empty_bundle_is_answered_by_an_empty_one(api, kind):
    answer = await api.post("/", json={"resourceType": "Bundle", "type": kind})
    assert answer.json() == {"resourceType": "Bundle", "type": f"{kind}-response"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"resourceType": "Bundle", "type": "collection"}, "type collection"),
        ({"resourceType": "Bundle"}, "type None"),
        ({"resourceType": "Patient"}, "a Patient"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "array"),
    ],
)
async def test_the_base_takes_nothing_else(api, body, said):
    assert said in outcome(await api.post("/", json=body), 400)["diagnostics"]


async def test_a_bundle_with_too_many_entries_is_refused(api):
    many = [entry("GET", "Patient/x")] * 5001
    outcome(await api.post("/", json=bundle("batch", *many)), 413)


async def test_conditional_creates_in_a_transaction_find_what_is_there(api):
    name = fresh_id()
    one = patient(identifier=[{"system": "urn:t", "value": name}])
    ours = f"urn:uuid:{name}"
    make = entry("POST", "Patient", one, ours, ifNoneExist=f"identifier=urn:t|{name}")
    first = await api.post("/", json=bundle("transaction", make, entry("POST", "Flag", flag(ours))))
    second = await api.post("/", json=bundle("transaction", make, entry("POST", "Flag", flag(ours))))
    assert statuses(first) == ["201", "201"]
    assert statuses(second) == ["200", "201"]
    assert first.json()["entry"][0]["response"]["location"] == second.json()["entry"][0]["response"]["location"]
    found = (await api.get("/Patient", params={"identifier": f"urn:t|{name}", "_total": "accurate"})).json()
    assert found["total"] == 1

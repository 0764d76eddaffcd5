"""read, vread, create, update, patch and delete over a real socket."""

import json

import pytest

from tests.api.conftest import PATCH, fresh_id, outcome, patient

pytestmark = pytest.mark.server


async def test_what_was_created_reads_back_with_its_version_and_time(api):
    made = await api.post("/Patient", json=patient(name=[{"family": "Rivera"}], id="ignored"))
    assert made.status_code == 201
    found = made.json()
    assert found["id"] != "ignored"
    assert found["meta"]["versionId"] == "1"
    assert made.headers["etag"] == 'W/"1"'
    assert made.headers["location"] == f"{api.base_url}Patient/{found['id']}/_history/1"
    read = await api.get(f"/Patient/{found['id']}")
    assert read.status_code == 200
    assert read.content == made.content
    assert read.headers["etag"] == 'W/"1"'
    assert read.headers["last-modified"] == made.headers["last-modified"]
    assert (await api.get(made.headers["location"])).content == read.content


async def test_decimals_keep_their_digits_on_the_way_through(api):
    text = b'{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"http://x","valueDecimal":1.10}]}'
    made = await api.post("/Basic", content=text, headers={"content-type": "application/fhir+json"})
    assert b'"valueDecimal":1.10}' in (await api.get(f"/Basic/{made.json()['id']}")).content


async def test_an_update_writes_the_next_version_and_keeps_the_last(api):
    name = fresh_id()
    first = await api.put(f"/Patient/{name}", json=patient(id=name))
    assert first.status_code == 201
    second = await api.put(f"/Patient/{name}", json=patient(id=name, gender="female"))
    assert second.status_code == 200
    assert second.headers["etag"] == 'W/"2"'
    assert second.headers["location"].endswith(f"/Patient/{name}/_history/2")
    old = await api.get(f"/Patient/{name}/_history/1")
    assert "gender" not in old.json()
    assert (await api.get(f"/Patient/{name}/_history/2")).json()["gender"] == "female"
    outcome(await api.get(f"/Patient/{name}/_history/3"), 404)


@pytest.mark.parametrize("form", ['W/"1"', '"1"', "1"])
async def test_if_match_in_each_of_its_forms_lets_the_present_version_through(api, form):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    assert (await api.put(f"/Patient/{name}", json=patient(id=name), headers={"if-match": form})).status_code == 200
    stale = await api.put(f"/Patient/{name}", json=patient(id=name), headers={"if-match": form})
    assert "read it again" in outcome(stale, 412)["diagnostics"]
    assert (await api.get(f"/Patient/{name}")).headers["etag"] == 'W/"2"'


async def test_if_match_on_what_is_not_there_creates_nothing(api):
    name = fresh_id()
    outcome(await api.put(f"/Patient/{name}", json=patient(id=name), headers={"if-match": 'W/"1"'}), 412)
    outcome(await api.get(f"/Patient/{name}"), 404)


async def test_if_none_match_star_creates_but_never_overwrites(api):
    name = fresh_id()
    star = {"if-none-match": "*"}
    assert (await api.put(f"/Patient/{name}", json=patient(id=name), headers=star)).status_code == 201
    outcome(await api.put(f"/Patient/{name}", json=patient(id=name), headers=star), 412)
    bad = await api.put(f"/Patient/{name}", json=patient(id=name), headers={"if-none-match": 'W/"1"'})
    assert "can only be *" in outcome(bad, 400)["diagnostics"]


async def test_a_client_that_has_the_version_is_not_sent_it_again(api):
    name = fresh_id()
    made = await api.put(f"/Patient/{name}", json=patient(id=name))
    for headers in (
        {"if-none-match": 'W/"1"'},
        {"if-none-match": 'W/"7", W/"1"'},
        {"if-modified-since": made.headers["last-modified"]},
    ):
        same = await api.get(f"/Patient/{name}", headers=headers)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == 'W/"1"'
        assert (await api.get(f"/Patient/{name}/_history/1", headers=headers)).status_code == 304
    for headers in ({"if-none-match": 'W/"7"'}, {"if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT"}):
        assert (await api.get(f"/Patient/{name}", headers=headers)).status_code == 200
    both = {"if-none-match": 'W/"7"', "if-modified-since": made.headers["last-modified"]}
    assert (await api.get(f"/Patient/{name}", headers=both)).status_code == 200


async def test_prefer_says_what_comes_back(api):
    minimal = await api.post("/Patient", json=patient(), headers={"prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert minimal.headers["location"]
    whole = await api.post("/Patient", json=patient(), headers={"prefer": "return=representation"})
    assert whole.json()["resourceType"] == "Patient"
    words = await api.post("/Patient", json=patient(), headers={"prefer": "return=OperationOutcome"})
    assert words.json()["issue"][0]["severity"] == "information"
    assert "is created, version 1" in words.json()["issue"][0]["diagnostics"]
    name = words.headers["location"].split("/")[-3]
    gone = await api.delete(f"/Patient/{name}", headers={"prefer": "return=OperationOutcome"})
    assert gone.status_code == 200
    assert "is deleted" in gone.json()["issue"][0]["diagnostics"]


async def test_what_was_deleted_is_gone_until_it_is_written_again(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    gone = await api.delete(f"/Patient/{name}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert gone.headers["etag"] == 'W/"2"'
    outcome(await api.get(f"/Patient/{name}"), 410)
    outcome(await api.get(f"/Patient/{name}/_history/2"), 410)
    assert (await api.get(f"/Patient/{name}/_history/1")).status_code == 200
    assert (await api.delete(f"/Patient/{name}")).status_code == 204
    outcome(await api.patch(f"/Patient/{name}", content=b"[]", headers={"content-type": PATCH}), 410)
    back = await api.put(f"/Patient/{name}", json=patient(id=name))
    assert back.status_code == 201
    assert back.headers["etag"] == 'W/"3"'


async def test_a_delete_can_be_held_to_a_version_and_needs_something_to_delete(api):
    name = fresh_id()
    outcome(await api.delete(f"/Patient/{name}"), 404)
    await api.put(f"/Patient/{name}", json=patient(id=name))
    outcome(await api.delete(f"/Patient/{name}", headers={"if-match": 'W/"9"'}), 412)
    assert (await api.delete(f"/Patient/{name}", headers={"if-match": 'W/"1"'})).status_code == 204


async def test_what_others_refer_to_cannot_be_deleted(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    flag = {
        "resourceType": "Flag", "status": "active", "code": {"text": "x"}, "subject": {"reference": f"Patient/{name}"},
    }  # fmt: skip
    made = await api.post("/Flag", json=flag)
    assert made.status_code == 201
    assert "refer to it" in outcome(await api.delete(f"/Patient/{name}"), 409)["diagnostics"]
    await api.delete(f"/Flag/{made.json()['id']}")
    assert (await api.delete(f"/Patient/{name}")).status_code == 204


async def test_a_reference_to_nothing_is_refused(api):
    flag = {
        "resourceType": "Flag", "status": "active", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{fresh_id()}"},
    }  # fmt: skip
    said = outcome(await api.post("/Flag", json=flag), 422)
    assert said["expression"]


async def test_a_patch_changes_the_present_version(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name, name=[{"family": "A"}]))
    operations = [
        {"op": "test", "path": "/name/0/family", "value": "A"},
        {"op": "replace", "path": "/name/0/family", "value": "B"},
        {"op": "add", "path": "/gender", "value": "male"},
    ]
    headers = {"content-type": PATCH}
    done = await api.patch(f"/Patient/{name}", content=json.dumps(operations), headers=headers)
    assert done.status_code == 200, done.text
    assert done.json()["name"] == [{"family": "B"}]
    assert done.headers["etag"] == 'W/"2"'
    again = await api.patch(f"/Patient/{name}", content=json.dumps(operations), headers=headers)
    said = outcome(again, 422)
    assert "test does not hold" in said["diagnostics"]
    assert said["expression"] == ["name[0].family"]
    assert (await api.get(f"/Patient/{name}")).headers["etag"] == 'W/"2"'


@pytest.mark.parametrize(
    ("operations", "status", "said"),
    [
        (b"{}", 400, "array of operations"),
        (b"[1]", 400, "not a JSON object"),
        (b"[{", 400, "JSON"),
        (b'[{"op":"dance","path":"/a"}]', 400, "op must be"),
        (b'[{"op":"remove","path":"/photo"}]', 422, "no such place"),
        (b'[{"op":"add","path":"/resourceType","value":"Group"}]', 422, "cannot change the type"),
        (b'[{"op":"replace","path":"/id","value":"other"}]', 422, "cannot change the type or the id"),
        (b'[{"op":"add","path":"/gender","value":"sideways"}]', 422, "gender"),
    ],
)
async def test_a_patch_that_cannot_be_done_changes_nothing(api, operations, status, said):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    refused = await api.patch(f"/Patient/{name}", content=operations, headers={"content-type": PATCH})
    assert said in json.dumps(outcome(refused, status))
    assert (await api.get(f"/Patient/{name}")).headers["etag"] == 'W/"1"'


async def test_a_patch_can_be_held_to_a_version(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    headers = {"content-type": PATCH, "if-match": 'W/"2"'}
    outcome(await api.patch(f"/Patient/{name}", content=b"[]", headers=headers), 412)
    outcome(await api.patch(f"/Patient/{fresh_id()}", content=b"[]", headers={"content-type": PATCH}), 404)


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/Patient/a", {"resourceType": "Patient", "id": "b"}, 400, "has the id b"),
        ("/Patient/a", {"resourceType": "Patient"}, 400, "has no id"),
        ("/Patient/a", {"resourceType": "Group", "id": "a"}, 400, "is a Group"),
        ("/Patient/a_b", {"resourceType": "Patient", "id": "a_b"}, 400, "cannot be an id"),
        ("/Patient/a", {"id": "a"}, 400, "no resourceType"),
        ("/Patient/a", [], 400, "JSON object"),
        ("/Patient/a", {"resourceType": "Patient", "id": "a", "gender": "x"}, 422, "gender"),
    ],
)
@pytest.mark.requirement("V2.2.2")
async def test_a_body_that_does_not_fit_is_refused_in_words(api, path, body, status, said):
    assert said in json.dumps(outcome(await api.put(path, json=body), status))


@pytest.mark.requirement("V1.5.2", "V15.3.5", "V2.2.1")
async def test_a_structural_error_says_where(api):
    said = outcome(await api.post("/Patient", json=patient(gender="sideways")), 422)
    assert said["expression"] == ["Patient.gender"]


async def test_head_is_get_without_the_body(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    get = await api.get(f"/Patient/{name}")
    head = await api.head(f"/Patient/{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["etag"] == get.headers["etag"]
    assert (await api.head(f"/Patient/{fresh_id()}")).status_code == 404

"""Conditional create, update, patch and delete."""

import json

import pytest

from tests.api.conftest import PATCH, fresh_id, outcome, patient

pytestmark = pytest.mark.server


def numbered(value, **more):
    return patient(identifier=[{"system": "urn:c", "value": value}], **more)


async def test_a_conditional_create_makes_one_and_then_finds_it(api):
    name = fresh_id()
    headers = {"if-none-exist": f"identifier=urn:c|{name}"}
    first = await api.post("/Patient", json=numbered(name), headers=headers)
    second = await api.post("/Patient", json=numbered(name, gender="male"), headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    await api.post("/Patient", json=numbered(name))
    assert outcome(await api.post("/Patient", json=numbered(name), headers=headers), 412)["code"] == "multiple-matches"


@pytest.mark.parametrize("form", ["identifier=urn:c|{}", "?identifier=urn:c|{}", "Patient?identifier=urn:c|{}"])
async def test_the_criteria_may_be_written_in_three_ways(api, form):
    name = fresh_id()
    headers = {"if-none-exist": form.format(name)}
    assert (await api.post("/Patient", json=numbered(name), headers=headers)).status_code == 201
    assert (await api.post("/Patient", json=numbered(name), headers=headers)).status_code == 200


@pytest.mark.parametrize("criteria", ["", "?", "shoe=1", "identifier="])
async def test_criteria_that_say_nothing_are_refused(api, criteria):
    outcome(await api.post("/Patient", json=patient(), headers={"if-none-exist": criteria}), 400)


async def test_a_conditional_update_writes_what_matches_or_creates(api):
    name = fresh_id()
    url = f"/Patient?identifier=urn:c|{name}"
    made = await api.put(url, json=numbered(name))
    assert made.status_code == 201
    changed = await api.put(url, json=numbered(name, gender="female"))
    assert changed.status_code == 200
    assert changed.json()["id"] == made.json()["id"]
    assert changed.headers["etag"] == 'W/"2"'
    outcome(await api.put(url, json=numbered(name), headers={"if-match": 'W/"1"'}), 412)
    outcome(await api.put(url, json=numbered(name, id="another")), 422)
    await api.post("/Patient", json=numbered(name))
    assert outcome(await api.put(url, json=numbered(name)), 412)["code"] == "multiple-matches"


async def test_a_conditional_patch_changes_the_one_that_matches(api):
    name = fresh_id()
    url = f"/Patient?identifier=urn:c|{name}"
    patch = {
        "content": json.dumps([{"op": "add", "path": "/gender", "value": "male"}]),
        "headers": {"content-type": PATCH},
    }
    outcome(await api.patch(url, **patch), 404)
    await api.post("/Patient", json=numbered(name))
    assert (await api.patch(url, **patch)).json()["gender"] == "male"
    await api.post("/Patient", json=numbered(name))
    outcome(await api.patch(url, **patch), 412)


async def test_a_conditional_delete_removes_the_one_that_matches(api):
    name = fresh_id()
    url = f"/Patient?identifier=urn:c|{name}"
    assert (await api.delete(url)).status_code == 204
    made = (await api.post("/Patient", json=numbered(name))).json()
    await api.post("/Patient", json=numbered(name))
    outcome(await api.delete(url), 412)
    assert (await api.delete(f"{url}&_id={made['id']}")).status_code == 204
    outcome(await api.get(f"/Patient/{made['id']}"), 410)
    assert (await api.delete(url)).status_code == 204


async def test_a_conditional_write_can_be_held_to_a_version_too(api):
    name = fresh_id()
    url = f"/Patient?identifier=urn:c|{name}"
    made = (await api.post("/Patient", json=numbered(name))).json()
    await api.put(f"/Patient/{made['id']}", json={**numbered(name), "id": made["id"], "gender": "other"})
    old, present = {"if-match": 'W/"1"'}, {"if-match": 'W/"2"'}
    patch = json.dumps([{"op": "add", "path": "/active", "value": True}])
    outcome(await api.put(url, json=numbered(name), headers=old), 412)
    outcome(await api.patch(url, content=patch, headers={"content-type": PATCH, **old}), 412)
    outcome(await api.delete(url, headers=old), 412)
    outcome(await api.delete(url, headers={"if-match": "x"}), 400)
    assert (await api.get(f"/Patient/{made['id']}")).json()["gender"] == "other"
    assert (await api.delete(url, headers=present)).status_code == 204


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_conditional_write_without_criteria_would_mean_everything_and_is_refused(api, method):
    for path in ("/Patient", "/Patient?_format=json"):
        said = outcome(await api.request(method, path, json=patient()), 400)
        assert "needs criteria" in said["diagnostics"]
    outcome(await api.request("DELETE", "/Patient?shoe=1"), 400)

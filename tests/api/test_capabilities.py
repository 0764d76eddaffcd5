"""The CapabilityStatement claims what is there: each claim is tried."""

import pytest

from continuum.apps.fhir_api.routes import ROUTES, TRACE_TYPES
from continuum.fhir import search_params
from continuum.fhir.types import TYPES
from continuum.fhir.validate import validate
from tests.api.conftest import FHIR, fresh_id, patient

pytestmark = pytest.mark.server


@pytest.fixture
async def rest(api):
    statement = (await api.get("/metadata")).json()
    assert statement["fhirVersion"] == "4.0.1"
    assert (await api.options("/")).json() == statement
    (found,) = statement["rest"]
    return found


@pytest.mark.requirement("V13.4.4")
async def test_every_claimed_interaction_is_answered_and_every_other_refused(api, rest):
    """An interaction that is not offered is 405 or 404 "not-supported"; one that is offered says something else."""
    name = fresh_id()
    tries = {
        "read": ("GET", "/{}/" + name),
        "vread": ("GET", "/{}/" + name + "/_history/1"),
        "history-instance": ("GET", "/{}/" + name + "/_history"),
        "history-type": ("GET", "/{}/_history?_count=1"),
        "search-type": ("GET", "/{}?_count=1"),
        "create": ("POST", "/{}"),
        "update": ("PUT", "/{}/" + name),
        "patch": ("PATCH", "/{}/" + name),
        "delete": ("DELETE", "/{}/" + name),
    }
    for resource in rest["resource"]:
        claimed = {interaction["code"] for interaction in resource["interaction"]}
        for code, (method, path) in tries.items():
            answer = await api.request(method, path.format(resource["type"]), headers={"content-type": FHIR})
            offered = answer.status_code != 405
            assert offered == (code in claimed), (resource["type"], code, answer.text)


async def test_every_claimed_search_parameter_is_understood(api, rest):
    values = {
        "date": "2020", "number": "1", "quantity": "1", "token": "a", "string": "a", "uri": "http://a",
        "reference": "a", "special": "1|1",
    }  # fmt: skip
    for resource in rest["resource"]:
        if resource["type"] in TRACE_TYPES:
            continue  # test_who_asks tries these one by one
        found = []
        for param in resource["searchParam"]:
            if param["name"] in {"_text", "_content"}:
                assert (await api.get(f"/{resource['type']}", params=[(param["name"], "--")])).status_code == 400
            if param["type"] == "composite":
                parts = search_params.params(resource["type"])[param["name"]].components
                found.append((param["name"], "$".join(values[kind] for _, kind in parts)))
            else:
                found.append((param["name"], values[param["type"]]))
        for start in range(0, len(found), 20):
            query = [*found[start : start + 20], ("_count", "1")]
            answer = await api.get(f"/{resource['type']}", params=query)
            assert answer.status_code == 200, (resource["type"], answer.text)


async def test_what_is_not_claimed_is_not_answered(api, rest):
    (location,) = [resource for resource in rest["resource"] if resource["type"] == "Location"]
    assert "far" not in {param["name"] for param in location["searchParam"]}
    assert (await api.get("/Location?far=1|1|1|km")).status_code == 400


async def test_claims_about_conditions_hold(api, rest):
    (claimed,) = [resource for resource in rest["resource"] if resource["type"] == "Patient"]
    name = fresh_id()
    assert claimed["updateCreate"] is True
    assert (await api.put(f"/Patient/{name}", json=patient(id=name))).status_code == 201
    assert claimed["versioning"] == "versioned"
    assert claimed["readHistory"] is True
    assert (await api.get(f"/Patient/{name}/_history/1")).status_code == 200
    assert claimed["conditionalRead"] == "full-support"
    assert (await api.get(f"/Patient/{name}", headers={"if-none-match": 'W/"1"'})).status_code == 304
    assert claimed["conditionalCreate"] is True
    again = await api.post("/Patient", json=patient(), headers={"if-none-exist": f"_id={name}"})
    assert again.status_code == 200
    assert claimed["conditionalUpdate"] is True
    assert (await api.put(f"/Patient?_id={name}", json=patient())).status_code == 200
    assert claimed["conditionalDelete"] == "single"
    assert claimed["referencePolicy"] == ["literal", "local", "enforced"]
    assert {operation["name"] for operation in claimed["operation"]} == {
        "access-report", "break-the-glass", "everything", "export", "match", "merge", "unmerge", "correct-patient",
        "revert-correction", "meta", "meta-add", "meta-delete", "validate",
    }  # fmt: skip
    assert (await api.get(f"/Patient/{name}/$everything")).status_code == 200
    assert (await api.delete(f"/Patient?_id={name}")).status_code == 204


@pytest.mark.parametrize("kind", ["Patient", "Observation", "Encounter", "Basic"])
async def test_every_claimed_operation_is_there_and_no_other(api, rest, kind):
    """Asked by a method that no operation takes, one that is there says 405, and one that is not says 404."""
    (claimed,) = [resource for resource in rest["resource"] if resource["type"] == kind]
    names = {operation["name"] for operation in claimed.get("operation", ())}
    known = {route.template.rpartition("$")[2] for route in ROUTES if "/$" in route.template}
    for name in known:
        places = (f"/{kind}/${name}", f"/{kind}/x/${name}")
        found = {(await api.request("PATCH", place)).json()["issue"][0]["diagnostics"] for place in places}
        there = any(text.startswith("PATCH is not offered") for text in found)
        assert there == (name in names), (name, found)


async def test_the_statement_is_a_valid_one(api):
    assert validate((await api.get("/metadata")).json()) == []


async def test_claimed_includes_are_understood(api, rest):
    for resource in rest["resource"]:
        for key, parameter in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
            names = resource.get(key, ())[:5]
            if names:
                query = [*((parameter, name) for name in names), ("_count", "1")]
                answer = await api.get(f"/{resource['type']}", params=query)
                assert answer.status_code == 200, (resource["type"], key, answer.text)


async def test_claimed_compartments_are_searched(api, rest):
    for url in rest["compartment"]:
        (kind,) = [name for name in TYPES if name.lower() == url.rpartition("/")[2]]
        for member in search_params.COMPARTMENTS[kind]:
            if member in TRACE_TYPES and kind != "Patient":
                continue
            answer = await api.get(f"/{kind}/x/{member}?_count=1")
            assert answer.status_code == 200, (kind, member, answer.text)

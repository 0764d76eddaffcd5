"""What clients may send and ask for, and what they hear when they may not."""

import gzip
import json
import zlib

import pytest
import zstandard

from tests.api.conftest import FHIR, PATCH, fresh_id, outcome, patient

pytestmark = pytest.mark.server


@pytest.mark.parametrize("accept", ["*/*", FHIR, "application/json", "text/html,*/*;q=0.8", f"{FHIR};fhirVersion=4.0"])
async def test_json_is_sent_to_whoever_takes_it(api, accept):
    answer = await api.get("/metadata", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"


@pytest.mark.parametrize("path", ["/metadata", "/Patient", "/Patient/x", "/_history", "/Patient/x/_history"])
@pytest.mark.requirement("V4.1.1")
async def test_nothing_but_json_is_offered(api, path):
    assert "JSON only" in outcome(await api.get(path, headers={"accept": "application/fhir+xml"}), 406)["diagnostics"]
    assert "_format=xml" in outcome(await api.get(path, params={"_format": "xml"}), 406)["diagnostics"]


async def test_format_outranks_accept(api):
    answer = await api.get("/metadata?_format=json", headers={"accept": "application/fhir+xml"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (FHIR, 201),
        ("application/json", 201),
        ("application/fhir+json; charset=utf-8", 201),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("application/json; charset=iso-8859-1", 415),
        ("application/fhir+json; fhirVersion=5.0", 415),
        ("", 415),
    ],
)
async def test_the_content_type_must_be_json_in_utf_8(api, content_type, status):
    answer = await api.post("/Patient", content=json.dumps(patient()), headers={"content-type": content_type})
    assert answer.status_code == status
    if status == 415:
        outcome(answer, 415)


async def test_a_patch_must_be_a_json_patch_and_a_form_a_form(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    said = outcome(await api.patch(f"/Patient/{name}", content=b"[]", headers={"content-type": FHIR}), 415)
    assert PATCH in said["diagnostics"]
    said = outcome(await api.post("/Patient/_search", content=b"{}", headers={"content-type": FHIR}), 415)
    assert "x-www-form-urlencoded" in said["diagnostics"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"{", "JSON"),
        (b"[]", "JSON object"),
        (b'"x"', "JSON object"),
        (b'{"resourceType":"Patient","id":"a","id":"b"}', "id"),
        (b'{"resourceType":"Patient","x":NaN}', "JSON"),
        (b'{"resourceType":"Patient","x":' + b"[" * 2000 + b"]" * 2000 + b"}", "JSON"),
        (b'{"resourceType":"Pat\xff"}', "JSON"),
        (b"{}", "no resourceType"),
        (b'{"resourceType":7}', "no resourceType"),
    ],
)
async def test_what_is_no_resource_is_malformed_in_words(api, body, said):
    refused = await api.post("/Patient", content=body, headers={"content-type": FHIR})
    assert said in outcome(refused, 400)["diagnostics"]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
async def test_compressed_bodies_are_read(api, encoding, pack):
    headers = {"content-type": FHIR, "content-encoding": encoding}
    made = await api.post("/Patient", content=pack(json.dumps(patient()).encode()), headers=headers)
    assert made.status_code == 201
    outcome(await api.post("/Patient", content=b"not compressed", headers=headers), 400)


@pytest.mark.requirement("V5.2.3")
async def test_a_small_body_that_grows_beyond_the_limit_is_refused(api):
    bomb = gzip.compress(b'{"resourceType":"Patient","x":"' + b" " * (40 * 1024 * 1024) + b'"}')
    assert len(bomb) < 100_000
    headers = {"content-type": FHIR, "content-encoding": "gzip"}
    outcome(await api.post("/Patient", content=bomb, headers=headers), 413)
    headers["content-encoding"] = "br"
    assert "gzip" in outcome(await api.post("/Patient", content=b"x", headers=headers), 415)["diagnostics"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_long_answers_are_compressed_for_those_who_take_it_and_short_ones_are_not(api, encoding):
    long = await api.get("/metadata", headers={"accept-encoding": encoding})
    assert long.headers["content-encoding"] == encoding
    assert "accept-encoding" in long.headers["vary"]
    assert long.json()["resourceType"] == "CapabilityStatement"
    plain = await api.get("/metadata", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == long.json()
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    short = await api.get(f"/Patient/{name}", headers={"accept-encoding": encoding})
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/Patient/x", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "/metadata", "GET, HEAD"),
        ("PATCH", "/", "GET, HEAD, OPTIONS, POST"),
        ("GET", "/Patient/_search", "POST"),
        ("DELETE", "/Patient/x/_history", "GET, HEAD"),
        ("TRACE", "/Patient", "DELETE, GET, HEAD, PATCH, POST, PUT"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(api, method, path, allow):
    answer = await api.request(method, path)
    outcome(answer, 405)
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    "path",
    ["/Nonsense", "/patient", "/Patient/x/$foo", "/$reindex-all", "/Patient/a_b", "/Patient/x/_history/0", "/a/b/c/d"],
)
@pytest.mark.requirement("V13.4.3")
async def test_addresses_that_nobody_serves_are_not_found(api, path):
    outcome(await api.get(path), 404)


@pytest.mark.requirement("V13.4.3")
async def test_nothing_beside_fhir_is_found_either(api, running):
    outcome(await api.get(f"{running.origin}/nothing"), 404)
    outcome(await api.get(f"{running.origin}/fhirish"), 404)
    outcome(await api.post(f"{running.origin}/docs"), 405)


async def test_a_parameter_that_means_nothing_here_is_refused_unless_lenient(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    assert "family" in outcome(await api.get(f"/Patient/{name}?family=x"), 400)["diagnostics"]
    assert (await api.get(f"/Patient/{name}?family=x", headers={"prefer": "handling=lenient"})).status_code == 200
    for bad in ("_pretty=maybe", "_summary=some", "_summary=count", "_summary=true&_elements=name", "_count=3"):
        outcome(await api.get(f"/Patient/{name}?{bad}"), 400)


async def test_pretty_is_for_people(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name))
    plain, pretty = await api.get(f"/Patient/{name}"), await api.get(f"/Patient/{name}?_pretty=true")
    assert b"\n" not in plain.content
    assert b'\n  "active": true' in pretty.content
    assert pretty.json() == plain.json()
    assert b"\n" in (await api.get(f"/Patient?_id={name}&_pretty=true")).content
    assert b"\n" in (await api.get(f"/Patient/{name}/_history?_pretty=true")).content


async def test_a_part_of_a_resource_is_tagged_as_one(api):
    name = fresh_id()
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A</div>'}
    made = patient(
        id=name, text=text, gender="female", birthDate="1980-01-01", photo=[{"title": "x"}],
        maritalStatus={"text": "married"}, communication=[{"language": {"text": "English"}}],
    )  # fmt: skip
    await api.put(f"/Patient/{name}", json=made)
    seen = {}
    for query in ("_summary=true", "_summary=text", "_summary=data", "_elements=birthDate,photo", "_summary=false"):
        seen[query] = (await api.get(f"/Patient/{name}?{query}")).json()
    for query, found in seen.items():
        tags = found["meta"].get("tag", [])
        assert bool(tags) == (query != "_summary=false")
        assert all(tag["code"] == "SUBSETTED" for tag in tags)
        assert found["id"] == name
        assert found["meta"]["versionId"] == "1"
    assert set(seen["_summary=text"]) == {"resourceType", "id", "meta", "text"}
    assert "text" not in seen["_summary=data"]
    assert seen["_summary=data"]["photo"] == [{"title": "x"}]
    assert {"gender", "birthDate", "active"} <= set(seen["_summary=true"])
    assert not {"text", "photo", "maritalStatus", "communication"} & set(seen["_summary=true"])
    assert seen["_elements=birthDate,photo"]["birthDate"] == "1980-01-01"
    assert not {"gender", "text"} & set(seen["_elements=birthDate,photo"])
    assert seen["_summary=false"]["maritalStatus"] == {"text": "married"}


@pytest.mark.requirement("V14.2.2", "V14.3.2")
async def test_every_answer_carries_ids_and_says_that_nothing_may_stay_in_a_cache(api):
    for path, status in (("/metadata", 200), ("/Patient/nobody", 404), ("/Patient?x=1", 400)):
        answer = await api.get(path, headers={"x-request-id": "mine-1"})
        assert answer.status_code == status
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-correlation-id"] == "mine-1"
        assert answer.headers["x-request-id"] != "mine-1"
    assert "x-correlation-id" not in (await api.get("/metadata", headers={"x-request-id": "a b\tc"})).headers


async def test_links_use_the_host_that_was_asked_or_the_one_that_was_set(api, another):
    answer = await api.get("/Patient?_count=1", headers={"host": "ehr.example.org"})
    assert answer.json()["link"][0]["url"].startswith("http://ehr.example.org/fhir/Patient")
    for host in ("a b", "x/y", "a@b", "[::1", "h:port"):
        outcome(await api.get("/Patient", headers={"host": host}), 400)
    with another(base_url="https://ehr.example.org/r4") as server:
        async with server.client() as client:
            made = await client.post("/Patient", json=patient())
            assert made.headers["location"].startswith("https://ehr.example.org/r4/Patient/")
            found = (await client.get("/metadata")).json()
            assert found["implementation"]["url"] == "https://ehr.example.org/r4"

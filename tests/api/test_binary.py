"""Binary: as the thing itself and as a resource."""

import base64
import os

import pytest

from tests.api.conftest import FHIR, fresh_id, outcome, patient

pytestmark = pytest.mark.server
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 3


async def test_raw_content_goes_in_and_comes_out_as_it_was(api):
    made = await api.post("/Binary", content=PDF, headers={"content-type": "application/pdf"})
    assert made.status_code == 201
    url = f"/Binary/{made.json()['id']}"
    raw = await api.get(url)
    assert raw.content == PDF
    assert raw.headers["content-type"] == "application/pdf"
    assert raw.headers["content-length"] == str(len(PDF))
    assert raw.headers["etag"] == 'W/"1"'
    assert raw.headers["content-disposition"] == "attachment"
    assert raw.headers["content-security-policy"].startswith("sandbox")
    assert raw.headers.get_list("content-security-policy") == [raw.headers["content-security-policy"]]
    assert (await api.get(url, headers={"accept": "application/pdf"})).content == PDF
    assert (await api.get(f"{url}/_history/1")).content == PDF
    head = await api.head(url)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(PDF)))
    for have in ({"if-none-match": 'W/"1"'}, {"if-modified-since": raw.headers["last-modified"]}):
        assert (await api.get(url, headers=have)).status_code == 304


@pytest.mark.parametrize(
    "ask", [{"headers": {"accept": FHIR}}, {"headers": {"accept": "application/json"}}, {"params": {"_format": "json"}}]
)
async def test_the_resource_comes_to_whoever_asks_for_it(api, ask):
    made = await api.post("/Binary", content=PDF, headers={"content-type": "application/pdf"})
    shown = (await api.get(f"/Binary/{made.json()['id']}", **ask)).json()
    assert shown["resourceType"] == "Binary"
    assert shown["contentType"] == "application/pdf"
    assert base64.b64decode(shown["data"]) == PDF


@pytest.mark.parametrize("content_type", [FHIR, "application/json"])
async def test_a_binary_may_be_sent_as_a_resource(api, content_type):
    name = fresh_id()
    resource = {
        "resourceType": "Binary",
        "id": name,
        "contentType": "text/plain",
        "data": base64.b64encode(b"hi").decode(),
    }
    made = await api.put(f"/Binary/{name}", json=resource, headers={"content-type": content_type})
    assert made.status_code == 201
    raw = await api.get(f"/Binary/{name}")
    assert (raw.content, raw.headers["content-type"]) == (b"hi", "text/plain")
    outcome(await api.put(f"/Binary/{name}", json={**resource, "id": "other"}), 400)
    outcome(await api.put(f"/Binary/{name}", json=patient(id=name)), 400)


async def test_a_megabyte_of_noise_survives_in_pieces(api):
    noise = os.urandom(3 * 1024 * 1024 + 1)
    name = fresh_id()

    async def trickle():
        for start in range(0, len(noise), 70_001):
            yield noise[start : start + 70_001]

    made = await api.put(
        f"/Binary/{name}",
        content=trickle(),
        headers={"content-type": "application/octet-stream", "prefer": "return=minimal"},
    )
    assert made.status_code == 201
    assert (await api.get(f"/Binary/{name}")).content == noise


async def test_an_empty_content_is_a_content_too(api):
    made = await api.post("/Binary", content=b"", headers={"content-type": "text/plain"})
    if made.status_code == 201:
        assert (await api.get(f"/Binary/{made.json()['id']}")).content == b""
    else:  # an empty string is no base64Binary of R4
        outcome(made, 422)


async def test_the_security_context_stays_when_the_content_changes(api):
    who, name = fresh_id(), fresh_id()
    await api.put(f"/Patient/{who}", json=patient(id=who))
    text = {"content-type": "text/plain"}
    await api.put(f"/Binary/{name}", content=b"one", headers={**text, "x-security-context": f"Patient/{who}"})
    changed = await api.put(f"/Binary/{name}", content=b"two", headers=text)
    assert changed.status_code == 200
    raw = await api.get(f"/Binary/{name}")
    assert raw.content == b"two"
    assert raw.headers["x-security-context"] == f"Patient/{who}"
    outcome(await api.put(f"/Binary/{name}", content=b"three", headers={**text, "if-match": 'W/"1"'}), 412)
    outcome(await api.put(f"/Binary/{name}", content=b"three", headers={**text, "if-none-match": "*"}), 412)
    await api.delete(f"/Binary/{name}")
    outcome(await api.get(f"/Binary/{name}"), 410)
    assert (await api.put(f"/Binary/{name}", content=b"four", headers=text)).status_code == 201


@pytest.mark.requirement("V1.2.1", "V3.2.1", "V5.4.2")
async def test_what_is_uploaded_cannot_become_a_header_or_a_page(api):
    name = fresh_id()
    resource = {
        "resourceType": "Binary",
        "id": name,
        "contentType": "text/html",
        "data": base64.b64encode(b"<script>").decode(),
    }
    await api.put(f"/Binary/{name}", json=resource)
    raw = await api.get(f"/Binary/{name}", headers={"accept": "text/html"})
    assert raw.headers["content-security-policy"].startswith("sandbox")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.headers["content-disposition"] == "attachment"
    smuggled = {**resource, "contentType": "text/html\r\nset-cookie: a=b"}
    answer = await api.put(f"/Binary/{name}", json=smuggled)
    if answer.status_code == 200:
        shown = await api.get(f"/Binary/{name}", headers={"accept": "text/html"})
        assert "set-cookie" not in shown.headers


async def test_raw_content_needs_a_type_and_no_encoding(api):
    outcome(await api.post("/Binary", content=b"x", headers={"content-type": ""}), 400)
    headers = {"content-type": "text/plain", "content-encoding": "gzip"}
    outcome(await api.post("/Binary", content=b"x", headers=headers), 400)

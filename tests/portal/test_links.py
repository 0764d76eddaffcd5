"""SMART Health Links from making to closing: what a viewer gets, with which passcode, for how long."""

import asyncio
import base64
import json
import re

import httpx
import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from continuum.chart.ips import PARTS
from continuum.chart.limits import LINK_ATTEMPTS_MAX
from continuum.fhir.invariants import broken
from continuum.fhir.json import dump, parse
from continuum.fhir.validate import validate
from tests.trail import rows_of

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
PASSCODE = "otter-71"


@pytest.fixture
async def robert(clinic):
    return await clinic.at("retiree", "Robert")


async def make(browser, label="For Dr. Ruiz", passcode=PASSCODE, lives="7", of="me"):
    """Makes a link: what is in it."""
    page = f"/portal/record/{of}/links"
    await browser.get(page)
    data = {"csrf": browser.page.csrf, "label": label, "passcode": passcode, "lives": lives}
    answer = await browser.http.post(page, data=data)
    found = re.search(r"shlink:/([A-Za-z0-9_-]+)", answer.text)
    if found is None:
        return answer
    text = found[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def ask(link, passcode=PASSCODE, **more):
    """What a viewer elsewhere does."""
    body = {"recipient": "Clinic in Lisbon", "passcode": passcode, **more}
    return httpx.post(link["url"], json=body, headers={"origin": "https://viewer.example"})


def fetch(method, address, **more):
    """A request without a session, as from another machine."""
    return httpx.request(method, address, **more)


def opened(link, token):
    key = OctKey.import_key({"kty": "oct", "k": link["key"]})
    return parse(jwe.decrypt_compact(token, key).plaintext)


async def test_a_viewer_with_link_and_passcode_gets_a_summary_that_stands_for_itself(robert, database_of):
    link = await make(robert)
    assert (link["flag"], link["label"], link["v"]) == ("P", "For Dr. Ruiz", 1)
    assert len(link["url"]) <= 128
    answer = ask(link)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    (file,) = answer.json()["files"]
    summary = opened(link, file["embedded"])
    judge(summary)
    assert any(link["key"] in str(row) for row in await database_of("health_link")) is False, "the key is nowhere"
    elsewhere = ask(link, embeddedLengthMax=10).json()["files"][0]
    assert "embedded" not in elsewhere
    fetched = fetch("GET", elsewhere["location"])
    assert fetched.headers["content-type"].startswith("application/jose")
    assert opened(link, fetched.text) == summary
    await robert.get("/portal/record/me/links")
    assert "Opened 2 times" in robert.page.text
    await robert.get("/portal/record/me/who-looked")
    assert "handed out" in robert.page.text


def judge(bundle):
    """The rules of IPS 1.1 for the document, its Composition and its sections, beside those of R4."""
    issues = [*validate(bundle), *broken(bundle)]
    for entry in bundle["entry"]:
        issues += [*validate(entry["resource"]), *broken(entry["resource"])]
    assert [issue.text for issue in issues if issue.severity in ("error", "fatal")] == []
    assert bundle["type"] == "document"
    assert bundle["identifier"]["value"].startswith("urn:uuid:")
    assert bundle["timestamp"]
    composition = bundle["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    assert composition["type"]["coding"][0]["code"] == "60591-5"
    inside = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle["entry"]}
    assert len(inside) == len(bundle["entry"]), "each once"
    assert composition["subject"]["reference"] in inside
    codes = [one["code"]["coding"][0]["code"] for one in composition["section"]]
    assert {one.code for one in PARTS if one.required} <= set(codes)
    assert len(codes) == len(set(codes))
    for part in composition["section"]:
        assert part["title"]
        assert part["text"]["div"].startswith("<div xmlns=")
        assert ("entry" in part) != ("emptyReason" in part)
    for reference in re.findall(r'"reference":"([^"#]+)"', dump(bundle).decode()):
        assert reference in inside, "nothing leads out of the document"
    patient = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient")
    assert patient["name"]
    assert patient["birthDate"]


@pytest.mark.requirement("V2.4.1")
async def test_wrong_passcodes_are_counted_for_the_whole_life_of_a_link(robert):
    link = await make(robert)
    answers = [ask(link, f"wrong-{number}") for number in range(LINK_ATTEMPTS_MAX)]
    assert [one.status_code for one in answers] == [401] * LINK_ATTEMPTS_MAX
    assert [one.json()["remainingAttempts"] for one in answers] == list(reversed(range(LINK_ATTEMPTS_MAX)))
    assert ask(link).status_code == 404, "the right one comes too late"


@pytest.mark.requirement("V16.3.2")
async def test_the_owner_reads_who_opened_a_link_who_fetched_it_and_who_tried(robert, clinic):
    link = await make(robert)
    where = {"patient_id": clinic.hospital.persona("retiree").patient_id}
    before = await rows_of(clinic.hospital, **where)
    assert ask(link, "wrong-one").status_code == 401
    assert fetch("GET", ask(link, embeddedLengthMax=1).json()["files"][0]["location"]).status_code == 200
    new = (await rows_of(clinic.hospital, **where))[len(before) :]
    assert [(one["interaction"], one["outcome"]) for one in new] == [("share-refused", 4), ("share", 0), ("share", 0)]
    assert "Clinic in Lisbon" in new[1]["query"]
    await robert.get("/signon/who-looked")
    assert "tried to open a health link with a wrong passcode" in robert.page.text


async def test_tries_at_the_same_time_share_no_attempt(robert):
    link = await make(robert)
    async with httpx.AsyncClient(timeout=60) as viewer:
        answers = await asyncio.gather(
            *(viewer.post(link["url"], json={"recipient": "x", "passcode": f"no-{number}"}) for number in range(12))
        )
    assert sorted(one.status_code for one in answers).count(401) == LINK_ATTEMPTS_MAX


async def test_a_link_that_is_closed_or_over_opens_nothing(robert, database_of):
    link = await make(robert)
    ticket = ask(link, embeddedLengthMax=1).json()["files"][0]["location"]
    await robert.get("/portal/record/me/links")
    close = next(form.action for form in robert.page.forms if form.action.endswith("/close"))
    await robert.http.post(close, data={"csrf": robert.page.csrf})
    assert ask(link).status_code == 404
    assert fetch("GET", ticket).status_code == 404
    over = await make(robert)
    await database_of("health_link", "SET expires_us = created_us + 1")
    assert ask(over).status_code == 404


async def test_a_link_needs_a_passcode_and_a_life(robert):
    assert (await make(robert, passcode="abc")).status_code == 422
    assert (await make(robert, lives="1000")).status_code == 422


ODD = (
    b"", b"{", b"[]", b"null", b'{"passcode": 5}', b'{"passcode": null}', b"x" * 9000, b"[" * 4000,
    b'{"passcode": "\\ud800", "recipient": "\\u0000\\ud800"}',
)  # fmt: skip


@pytest.mark.parametrize("body", ODD)
async def test_what_is_no_request_of_a_viewer_opens_nothing(robert, body):
    link = await make(robert)
    assert fetch("POST", link["url"], content=body).status_code == 401
    assert fetch("POST", link["url"].rpartition("/")[0] + "/unknown", content=body).status_code == 404
    for odd in ("%00", "%ED%A0%80", "%2e%2e"):
        assert fetch("POST", f"{link['url'].rpartition('/')[0]}/{odd}", content=body).status_code < 500
        assert fetch("GET", f"{link['url'].rpartition('/')[0]}/file/{odd}").status_code in (400, 404)
    preflight = fetch("OPTIONS", link["url"])
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"]


async def test_a_mother_shares_her_toddlers_vaccines_and_not_her_teenagers(clinic):
    ines = await clinic.at("mother", "Inés")
    toddler = clinic.member("mother", "Mateo")
    path = f"/portal/record/{toddler}/links"
    await ines.get(path)
    answer = await ines.http.post(path, data={"csrf": ines.page.csrf, "passcode": PASSCODE, "lives": "1"})
    text = re.search(r"shlink:/([A-Za-z0-9_-]+)", answer.text)[1]
    link = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    summary = opened(link, ask(link).json()["files"][0]["embedded"])
    judge(summary)
    assert "Immunization" in {one["resource"]["resourceType"] for one in summary["entry"]}
    assert (await ines.http.get(f"/portal/record/{clinic.member('mother', 'Lucía')}/links")).status_code == 404

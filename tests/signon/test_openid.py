"""OpenID Connect from end to end: a client in a browser, real tokens at the FHIR interface, Premium on the way."""

import base64
import hashlib
import re
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from continuum.identity.provider import clients
from continuum.kernel.clock import now_us
from continuum.runtime.postgres.address import Address
from tests.signon.conftest import PASSWORD

pytestmark = pytest.mark.server
BACK = "http://localhost:9/back"


class Client:
    """A program that signs people in here, as its authors would write it from the discovery document."""

    def __init__(self, running, client_id, secret, metadata):
        self.running, self.client_id, self.secret, self.metadata = running, client_id, secret, metadata
        self.verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(8)

    def at(self, name):
        """An endpoint on the port where the server of the tests listens."""
        return self.running.origin + urlsplit(self.metadata[name]).path

    def address(self, scope, **more):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        return f"{self.at('authorization_endpoint')}?" + urlencode({
            "response_type": "code", "client_id": self.client_id, "redirect_uri": BACK, "scope": scope,
            "state": self.state, "code_challenge": challenge, "code_challenge_method": "S256", **more,
        })  # fmt: skip

    async def tokens(self, browser):
        """From the address to which the browser was sent back."""
        said = parse_qs(urlsplit(browser.answer.headers["location"]).query)
        assert browser.answer.headers["location"].startswith(BACK + "?")
        assert said["state"] == [self.state]
        assert said["iss"] == [self.metadata["issuer"]]
        async with httpx.AsyncClient() as http:
            answer = await http.post(
                self.at("token_endpoint"), auth=(self.client_id, self.secret),
                data={"grant_type": "authorization_code", "code": said["code"][0], "redirect_uri": BACK,
                      "code_verifier": self.verifier},
            )  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.json()

    async def refresh(self, token):
        async with httpx.AsyncClient() as http:
            data = {"grant_type": "refresh_token", "refresh_token": token}
            return await http.post(self.at("token_endpoint"), auth=(self.client_id, self.secret), data=data)

    async def get(self, name, **headers):
        async with httpx.AsyncClient() as http:
            return await http.get(self.at(name), headers=headers)


@pytest.fixture
async def client(running, database):
    async with httpx.AsyncClient(base_url=running.origin) as http:
        metadata = (await http.get("/signon/.well-known/openid-configuration")).json()
    client_id = f"client-{secrets.token_hex(4)}"
    secret = await clients.register(
        database, client_id, "A client", redirect_uris=(BACK,), post_logout_uris=(f"{BACK}/bye",),
        scopes=tuple(clients.SCOPES), now=now_us(),
    )  # fmt: skip
    return Client(running, client_id, secret, metadata)


async def test_a_person_signs_in_for_a_client_that_learns_who_it_is(client, browser, other_browser, steps):
    person, name = await steps.register(browser)
    await other_browser.get(client.address("openid profile", nonce="n-1"))
    await other_browser.submit("/notice")
    await other_browser.submit("/sign-in", name=name, password=PASSWORD)
    body = await client.tokens(other_browser)
    keys = KeySet.import_key_set((await client.get("jwks_uri")).json())
    said = jwt.decode(body["id_token"], keys, algorithms=["RS256"]).claims
    assert (said["iss"], said["aud"], said["nonce"]) == (client.metadata["issuer"], [client.client_id], "n-1")
    assert (said["name"], said["acr"], said["ial"], said["aal"]) == (person.name, "basic", 1, 1)
    told = await client.get("userinfo_endpoint", authorization=f"Bearer {body['access_token']}")
    assert told.json()["sub"] == said["sub"]
    again = await client.refresh(body["refresh_token"])
    assert again.status_code == 200


async def test_whoever_is_signed_in_passes_without_a_page(client, browser, steps):
    await steps.register(browser)
    await browser.get(client.address("openid", prompt="none"))
    assert (await client.tokens(browser))["scope"] == "openid"


async def test_a_basic_session_is_led_to_premium_by_post_and_then_to_its_record(
    client, browser, other_browser, steps, database, running
):
    person, _ = await steps.register(browser)
    async with running.client("system") as system:
        made = await system.put(f"/Patient/{person.patient_id}", json={
            "resourceType": "Patient", "id": person.patient_id, "name": [{"family": "O'Brien"}],
        })  # fmt: skip
        assert made.status_code == 201
    await browser.get(client.address("openid patient"))
    assert browser.path == "/signon/premium"
    assert "neither costs anything" in browser.page.text
    await browser.submit("/premium/letter")
    assert "on its way" in browser.page.text
    await registrar(other_browser, steps, database)
    await other_browser.get("/signon/clerk/letters")
    await other_browser.submit("/clerk/letters")
    assert person.street in other_browser.page.text
    code = next(word for word in other_browser.page.words if len(word) == 19 and word.count("-") == 3)
    await browser.get("/signon/premium")
    await browser.submit("/premium/activate", code="AAAA-AAAA-AAAA-AAAA")
    assert "wrong" in browser.page.text
    await browser.submit("/premium/activate", code=code)
    assert "still to do" in browser.page.text
    await steps.add_app(browser)
    await browser.get(client.address("openid patient"))
    body = await client.tokens(browser)
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    async with httpx.AsyncClient(base_url=f"{running.origin}/fhir", headers=bearer) as fhir:
        assert (await fhir.get(f"/Patient/{person.patient_id}")).json()["name"] == [{"family": "O'Brien"}]
        assert (await fhir.get("/Patient/somebody-else")).status_code == 404


async def registrar(browser, steps, database):
    """Somebody who works at a registration desk, signed in with a second factor."""
    person, _ = await steps.register(browser)
    account_id = await database.fetchval(
        "SELECT account_id FROM identity.account WHERE person_id = $1", person.person_id
    )
    await database.execute(
        "INSERT INTO identity.privilege VALUES ($1, $1, 'registrar', 'org-1', '2020-01-01', NULL, 0)", account_id
    )
    await steps.add_app(browser)
    # An administrator, who hires, vouches for who somebody is.
    for table in ("account", "session"):
        await database.execute(f"UPDATE identity.{table} SET identity_level = 2 WHERE account_id = $1", account_id)


async def test_a_clerk_proofs_somebody_in_person(browser, other_browser, steps, database):
    person, name = await steps.register(other_browser)
    await registrar(browser, steps, database)
    await browser.get("/signon/clerk/proof")
    documents = {"kind1": "passport", "issuer1": "United States", "until1": "2035-01-01",
                 "kind2": "birth certificate", "issuer2": "Bexar County", "until2": "", "anew": ""}  # fmt: skip
    await browser.submit("/clerk/proof", name=name, **{**documents, "kind1": "utility bill"})
    assert "must show a photo" in browser.page.text
    await browser.submit("/clerk/proof", name=name, **documents)
    assert f"{person.name} is Premium" in browser.page.text
    assert "/signon/enrol?ticket=" not in browser.page.text
    await browser.submit("/clerk/proof", name=name, **{**documents, "anew": "yes"})
    link = re.search(r"/signon/enrol\?ticket=\S+", browser.page.text)[0]
    await other_browser.get("/signon/clerk/proof")
    await other_browser.submit("/clerk/proof", name=name, **documents)
    assert other_browser.answer.status_code == 403
    await other_browser.get(link)
    await other_browser.submit(
        "/enrol", password="eleven purple kites over town", again="eleven purple kites over town"
    )
    assert other_browser.path == "/signon/account"
    assert "set up anew at a desk" in other_browser.page.text


@pytest.mark.requirement("V10.3.4", "V6.3.3")
async def test_a_basic_token_does_not_open_the_record(client, browser, steps, running):
    person, _ = await steps.register(browser)
    await browser.get(client.address("openid profile"))
    body = await client.tokens(browser)
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    async with httpx.AsyncClient(base_url=f"{running.origin}/fhir", headers=bearer) as fhir:
        assert (await fhir.get(f"/Patient/{person.patient_id}")).status_code == 403


async def test_credentials_are_asked_for_again_when_a_client_wants_that(client, browser, steps):
    _, name = await steps.register(browser)
    await browser.get(client.address("openid", prompt="login"))
    assert browser.path == "/signon/sign-in"
    await browser.submit("/sign-in", name=name, password=PASSWORD)
    assert (await client.tokens(browser))["scope"] == "openid"


@pytest.mark.requirement("V7.6.1")
async def test_signing_out_at_the_client_signs_out_here_and_ends_its_tokens(client, browser, steps):
    await steps.register(browser)
    await browser.get(client.address("openid"))
    body = await client.tokens(browser)
    bye = {"id_token_hint": body["id_token"], "post_logout_redirect_uri": f"{BACK}/bye", "state": "x"}
    await browser.get(f"{client.at('end_session_endpoint')}?{urlencode(bye)}")
    assert browser.answer.headers["location"] == f"{BACK}/bye?state=x"
    assert (await client.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    answer = await client.get("userinfo_endpoint", authorization=f"Bearer {body['access_token']}")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    await browser.get("/signon/account")
    assert browser.path == "/signon/sign-in"


@pytest.mark.requirement("V10.6.2")
async def test_signing_out_without_proof_is_asked_about(client, browser, steps):
    await steps.register(browser)
    await browser.get(client.at("end_session_endpoint"))
    assert "A program asks to sign you out" in browser.page.text
    await browser.submit("/sign-out")
    assert "You are signed out." in browser.page.text


async def test_requests_may_be_posted(client, browser, steps):
    await steps.register(browser)
    parts = urlsplit(client.address("openid"))
    fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
    answer = await browser.http.post(parts.path, data=fields)
    await browser.get(answer.headers["location"])
    assert (await client.tokens(browser))["scope"] == "openid"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", "{}", 400), ("application/x-www-form-urlencoded", "a=b&" * 50, 400),
        ("application/x-www-form-urlencoded", "a=" + "b" * 100_000, 413),
        ("application/x-www-form-urlencoded", "grant_type=authorization_code&code=x", 401),
        ("application/x-www-form-urlencoded", b"\xff\xfe", 400), ("text/plain", "", 400),
    ],
)  # fmt: skip
async def test_the_token_endpoint_refuses_nonsense_in_json(client, kind, body, status):
    async with httpx.AsyncClient() as http:
        answer = await http.post(client.at("token_endpoint"), content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert "error" in answer.json()


async def test_an_unknown_client_is_told_to_the_person_and_not_redirected(client, browser):
    await browser.get(client.address("openid").replace(client.client_id, "nobody"))
    assert browser.answer.status_code == 400
    assert "not known" in browser.page.text


async def trace_of(running, answer):
    """Actor, act and outcome of each row that a request left."""
    conn = await asyncpg.connect(**Address.from_url(running.owner).connect)
    try:
        rows = await conn.fetch(
            "SELECT actor, interaction, outcome FROM record.audit WHERE request = $1 ORDER BY seq",
            answer.headers["x-request-id"],
        )
    finally:
        await conn.close()
    return [tuple(row) for row in rows]


@pytest.mark.requirement("V16.3.2", "V16.3.3")
async def test_each_endpoint_of_programs_leaves_one_row_done_denied_or_wrong(running, client, browser, steps):
    """Keys and metadata, which are public and of nobody, leave none."""
    await steps.register(browser)
    await browser.get(client.address("openid profile", prompt="none"))
    body = await client.tokens(browser)
    own = (client.client_id, client.secret)
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    async with httpx.AsyncClient(base_url=running.origin) as http:
        refreshed = await http.post(
            "/signon/token", auth=own, data={"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
        )
        account = (await http.get("/signon/userinfo", headers=bearer)).json()["sub"]
        for answer, status, row in (
            (refreshed, 200, (account, "token", 0)),
            (await http.post("/signon/token", auth=own, data={"grant_type": "refresh_token", "refresh_token": "x"}),
             400, ("unknown", "token", 4)),
            (await http.post("/signon/token", auth=("nobody", "x"), data={"grant_type": "refresh_token"}),
             401, ("unknown", "open", 4)),
            (await http.post("/signon/token", content=b"\xff"), 400, ("unknown", "open", 4)),
            (await http.get("/signon/userinfo", headers=bearer), 200, (account, "userinfo", 0)),
            (await http.post("/signon/userinfo", headers=bearer), 200, (account, "userinfo", 0)),
            (await http.get("/signon/userinfo", headers={"authorization": "Bearer x"}), 401, ("unknown", "open", 4)),
            (await http.get("/signon/userinfo"), 401, ("unknown", "open", 4)),
            (await http.post("/signon/revoke", auth=own, data={"token": refreshed.json()["refresh_token"]}),
             200, (client.client_id, "revoke", 0)),
            (await http.post("/signon/revoke", auth=("nobody", "x"), data={"token": "x"}), 401, ("unknown", "open", 4)),
            (await http.post("/signon/revoke", auth=own, json={}), 400, ("unknown", "open", 4)),
        ):  # fmt: skip
            assert (answer.status_code, await trace_of(running, answer)) == (status, [row]), answer.request.url
        for path in ("/signon/jwks", "/signon/.well-known/openid-configuration"):
            assert await trace_of(running, await http.get(path)) == []

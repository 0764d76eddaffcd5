"""Signing in by way of another provider: a second installation of this product stands for it, with its own people."""

import json
import os
import socket
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from continuum.identity.federation.asking import Asking, ProviderRefused
from continuum.identity.federation.providers import BadProviders, OtherProvider, read_providers
from continuum.identity.provider import clients
from continuum.kernel.clock import now_us
from continuum.runtime.postgres.address import Address
from tests.browsing import Browser, Page
from tests.live import fresh_database, started
from tests.signon.conftest import PASSWORD, Steps, enlisting

pytestmark = pytest.mark.server


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def installation(orders, app, owner, port, **more):
    """One on a database of its own, with secrets of its own."""
    own = {name: os.urandom(32) for name in ("record_secret", "audit_secret", "token_secret", "identity_secret")}
    orders = replace(orders, database=app, origin=f"http://127.0.0.1:{port}", bulk_folder="", **own, **more)
    with started(orders, owner, port) as running:
        yield running


@pytest.fixture
async def two(running, test_server, template):
    """Here, and elsewhere: `(here, there, provider)`; there knows us as a client, here lists it as a provider."""
    (app, owner), (app_there, owner_there) = [await fresh_database(test_server, template) for _ in range(2)]
    port, port_there = free_port(), free_port()
    conn = await asyncpg.connect(**Address.from_url(owner_there).connect)
    back = f"http://127.0.0.1:{port}/signon/elsewhere/other/back"
    secret = await clients.register(
        conn, "here", "Here", redirect_uris=(back,), post_logout_uris=(), scopes=("openid", "profile"), now=now_us()
    )
    await conn.close()
    provider = OtherProvider(
        "other", "Other Hospital", f"http://127.0.0.1:{port_there}/signon", "here", secret, "openid profile"
    )
    with (
        installation(running.orders, app_there, owner_there, port_there) as there,
        installation(running.orders, app, owner, port, providers=(provider,)) as here,
    ):
        yield here, there, provider


@pytest.fixture
async def people(two):
    """What people do here, and there: `[(connection, steps), …]`."""
    here, there, _ = two
    found = []
    for installed in (here, there):
        conn = await asyncpg.connect(**Address.from_url(installed.owner).connect)
        found.append((conn, Steps(enlisting(conn))))
    yield found
    for conn, _ in found:
        await conn.close()


class Both:
    """One browser at two sites: what a redirect from one to the other does."""

    def __init__(self, here, there):
        self.here, self.there = Browser(here.origin), Browser(there.origin)

    async def through(self, address):
        """To the provider with an address of the first site, and back with whatever it answers."""
        await self.there.get(address)
        if self.there.path.endswith("/notice"):
            await self.there.submit("/notice")
        return self.there

    async def home(self):
        """Follows the provider's redirect back to us."""
        location = self.there.answer.headers["location"]
        assert location.startswith(self.here.origin), location
        await self.here.get(location)
        return self.here

    async def close(self):
        await self.here.http.aclose()
        await self.there.http.aclose()


async def leave(browser, **fields):
    """Presses the button of the other provider: the address to which the page leads."""
    answer = await browser.http.post("/signon/elsewhere/other", data={"csrf": browser.page.csrf, **fields})
    assert answer.status_code == 200, answer.text
    return next(link for link in _links(answer.text) if "code_challenge" in link)


def _links(text):
    return Page(text).links


@pytest.mark.requirement("V10.1.2", "V10.2.1", "V10.5.1", "V10.5.2", "V6.8.1", "V6.8.4")
async def test_somebody_connects_the_other_account_and_comes_in_by_it_at_the_level_that_was_shown(two, people):
    here, there, _ = two
    (_, steps_here), (_, steps_there) = people
    both = Both(here, there)
    _, name_here = await steps_here.register(both.here)
    _, name_there = await steps_there.register(both.there)
    app, _ = await steps_there.add_app(both.there)
    await both.here.get("/signon/account")
    await both.through(await leave(both.here, connect="yes"))
    await both.home()
    assert "Other Hospital · connected since" in both.here.page.text
    assert "A way to sign in was added" in both.here.page.text

    other = Both(here, there)
    await other.here.get("/signon/sign-in")
    await other.here.submit("/notice")
    await other.through(await leave(other.here, next="/signon/account"))
    await other.there.submit("/sign-in", name=name_there, password=PASSWORD)
    await _second(other.there, app)
    await other.home()
    assert other.here.path == "/signon/account"
    assert name_here in other.here.page.text
    conn = people[0][0]
    rows = await conn.fetch(
        "SELECT identity_level, authenticator_level, methods FROM identity.session ORDER BY created_us"
    )
    assert rows[-1]["methods"] == ["fed", "other", "mfa"]
    assert (rows[-1]["identity_level"], rows[-1]["authenticator_level"]) == (1, 2)
    acts = await conn.fetch("SELECT interaction, query FROM record.audit WHERE query LIKE '%other%'")
    assert len(acts) >= 2, "connecting and coming in left their traces"

    await both.here.get("/signon/account")
    await both.here.submit("/account/disconnect", key="other")
    assert "A way to sign in was removed" in both.here.page.text
    await other.here.get("/signon/account")
    assert other.here.path == "/signon/sign-in", "what came by it has ended"
    await both.close()
    await other.close()


async def _second(browser, app):
    """The code of the app there; those that were used are not taken again, so the next one is waited for."""
    for at in (0, 30):
        await browser.submit("/second-step", code=app.at(int(time.time()) + at))
        if browser.answer.status_code == 303 or not browser.path.endswith("second-step"):
            return


@pytest.mark.requirement("V10.5.2", "V6.8.1")
async def test_nobody_comes_in_by_an_account_that_is_not_connected(two, people):
    here, there, _ = two
    both = Both(here, there)
    await people[1][1].register(both.there)
    await both.here.get("/signon/sign-in")
    await both.here.submit("/notice")
    await both.through(await leave(both.here))
    await both.home()
    assert "No account here belongs to that sign-in yet" in both.here.page.text
    await both.here.get("/signon/account")
    assert both.here.path == "/signon/sign-in"
    await both.close()


@pytest.mark.requirement("V10.1.2", "V10.2.1", "V10.2.2")
async def test_an_answer_is_good_once_in_the_browser_that_asked_and_from_the_issuer_that_was_asked(two, people):
    here, there, provider = two
    both = Both(here, there)
    await people[1][1].register(both.there)
    await both.here.get("/signon/sign-in")
    await both.here.submit("/notice")

    async def answer():
        await both.here.get("/signon/sign-in")
        await both.through(await leave(both.here))
        return both.there.answer.headers["location"]

    stranger = Browser(here.origin)
    await stranger.get(await answer())
    assert "did not confirm who you are" in stranger.page.text
    mixed = (await answer()).replace(_issuer(provider), "iss=https%3A%2F%2Fevil.example")
    await both.here.get(mixed)
    assert "did not confirm who you are" in both.here.page.text
    whole = await answer()
    await both.here.get(whole)
    assert "No account here belongs" in both.here.page.text
    await both.here.get(whole)
    assert "took too long or was done already" in both.here.page.text
    changed = (await answer()).replace("code=", "code=x")
    await both.here.get(changed)
    assert "did not confirm who you are" in both.here.page.text
    refusals = await people[0][0].fetchval("SELECT count(*) FROM record.audit WHERE query LIKE '%other: %'")
    assert refusals >= 4
    await stranger.http.aclose()
    await both.close()


def _issuer(provider):
    return f"iss={quote(provider.issuer, safe='')}"


NOW = 1_800_000_000


def said(**changes):
    good = {"iss": "https://a.example", "sub": "s-1", "aud": "c", "iat": NOW, "exp": NOW + 60, "nonce": "n"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


FALSE = {
    "another key": (said(), "RS256", "other"), "no signature": (said(), "none", "own"),
    "a key of ours": (said(), "HS256", "own"), "another issuer": (said(iss="https://b.example"), "RS256", "own"),
    "another client": (said(aud="d"), "RS256", "own"), "several clients": (said(aud=["c", "d"]), "RS256", "own"),
    "another question": (said(nonce="m"), "RS256", "own"), "no question": (said(nonce=None), "RS256", "own"),
    "too old": (said(exp=NOW - 120), "RS256", "own"), "without end": (said(exp=None), "RS256", "own"),
    "nobody": (said(sub=""), "RS256", "own"), "no text": (said(sub=7), "RS256", "own"),
}  # fmt: skip
OWN, OTHER = RSAKey.generate_key(2048, {"kid": "k"}), RSAKey.generate_key(2048, {"kid": "k"})


def provider_that_says(claims, algorithm, which, issuer="https://a.example"):
    """A provider whose token endpoint answers with a token of these claims, without a network."""

    def answer(request):
        at = request.url.path
        if at.endswith("/openid-configuration"):
            ends = {name: f"https://a.example/{name}" for name in (
                "authorization_endpoint", "token_endpoint", "jwks_uri")}  # fmt: skip
            return httpx.Response(200, json={"issuer": issuer, **ends})
        if at == "/jwks_uri":
            return httpx.Response(200, json=KeySet([OWN]).as_dict())
        key = {"own": OWN, "other": OTHER}[which]
        if algorithm == "HS256":
            token = jwt.encode({"alg": "HS256", "kid": "k"}, claims, OctKey.import_key(OWN.as_pem(private=False)))
        elif algorithm == "none":
            parts = ({"alg": "none", "kid": "k"}, claims)
            token = ".".join(urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts) + "."
        else:
            token = jwt.encode({"alg": algorithm, "kid": "k"}, claims, key)
        return httpx.Response(200, json={"id_token": token, "access_token": "x", "token_type": "Bearer"})

    provider = OtherProvider("a", "A", "https://a.example", "c", "s")
    return Asking(provider, clock=lambda: NOW * 1_000_000, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize("what", FALSE)
@pytest.mark.requirement("V10.5.3", "V10.5.4", "V6.8.2")
async def test_an_answer_that_is_not_signed_by_the_provider_is_refused(what):
    asking = provider_that_says(*FALSE[what])
    with pytest.raises(ProviderRefused):
        await asking.claims("code", "https://here.example/back", nonce="n", verifier="v" * 43)


async def test_a_provider_that_calls_itself_something_else_is_refused_and_a_true_one_believed():
    with pytest.raises(ProviderRefused):
        await provider_that_says(said(), "RS256", "own", issuer="https://b.example").claims(
            "code", "https://here.example/back", nonce="n", verifier="v" * 43
        )
    asking = provider_that_says(said(ial=2), "RS256", "own")
    claims = await asking.claims("code", "https://here.example/back", nonce="n", verifier="v" * 43)
    assert (claims["sub"], claims["ial"]) == ("s-1", 2)


async def test_a_provider_that_is_away_is_said_and_there_is_another_way(two):
    here, there, _ = two
    browser = Browser(here.origin)
    await browser.get("/signon/sign-in")
    await browser.submit("/notice")
    there.process.kill()
    there.process.wait()
    answer = await browser.http.post("/signon/elsewhere/other", data={"csrf": browser.page.csrf})
    assert answer.status_code == 502
    assert "Other Hospital did not confirm who you are" in answer.text
    assert "Sign-in name" in answer.text
    answer = await browser.http.post("/signon/elsewhere/nobody", data={"csrf": browser.page.csrf})
    assert answer.status_code == 404
    await browser.http.aclose()


GOOD = {"key": "a", "name": "A", "issuer": "https://a.example", "client_id": "c", "client_secret": "s"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "cannot be read"),
        ({}, "must hold a JSON list"),
        ([3], "must be an object"),
        ([{**GOOD, "secret": "s"}], "means nothing"),
        ([{**GOOD, "name": ""}], "lacks 'name'"),
        ([{**GOOD, "key": "A b"}], "small letters"),
        ([{**GOOD, "issuer": "http://a.example"}], "https address"),
        ([{**GOOD, "scope": "profile"}], "must hold openid"),
        ([GOOD, GOOD], "the same key"),
        ([GOOD] * 11, "at most 10"),
    ],
)
def test_a_list_of_providers_that_does_not_do_is_refused_in_words(tmp_path, said, words):
    path = tmp_path / "providers.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    with pytest.raises(BadProviders, match=words):
        read_providers(path)
    path.write_text(json.dumps([GOOD]))
    assert read_providers(path)[0].issuer == "https://a.example"
    assert read_providers(None) == ()

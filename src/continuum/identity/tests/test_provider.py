"""The OpenID Connect provider as its clients see it: codes, tokens, keys, refusals."""

import asyncio
import base64
import hashlib
from datetime import date

import pytest

from continuum.identity import accounts
from continuum.identity.limits import (
    ACCESS_TOKEN_S,
    AUTHORIZATION_CODE_S,
    SESSION_IDLE_S,
)
from continuum.identity.provider.provider import BadAuthorization, Redirect, SignInNeeded, StepUpNeeded
from continuum.identity.registry import Eligibility, Entry
from continuum.identity.sessions import PREMIUM, Assurance
from continuum.identity.tests.relying import AFTER, BACK, ISSUER, VERIFIER, World, query
from continuum.kernel.errors import NotAuthenticated


@pytest.fixture
async def world(home):
    return World(home)


@pytest.fixture
async def signed_in(world):
    await world.home.account()
    return (await world.home.arrive()).session


async def test_a_client_learns_who_somebody_is_and_how_surely(world, signed_in):
    secret = await world.client()
    decision = await world.authorize(signed_in)
    assert {name: query(decision)[name] for name in ("state", "iss")} == {"state": "s-1", "iss": ISSUER}
    status, body = await world.token(secret, query(decision)["code"])
    assert (status, body["token_type"], body["expires_in"]) == (200, "Bearer", ACCESS_TOKEN_S)
    token = await world.id_token(body)
    assert token.header["kid"] == (await world.provider.jwks())["keys"][0]["kid"]
    now_s = world.home.clock() // 1_000_000
    said = token.claims
    assert (said["iss"], said["aud"], said["sub"], said["nonce"]) == (ISSUER, ["portal"], signed_in.account_id, "n-1")
    assert (said["iat"], said["auth_time"], said["sid"]) == (now_s, now_s, signed_in.session_id)
    assert (said["ial"], said["aal"], said["acr"], said["amr"]) == (1, 1, "basic", ["pwd"])
    assert (said["name"], said["preferred_username"]) == ("Robert", "robert")
    half = hashlib.sha256(body["access_token"].encode()).digest()[:16]
    assert said["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    told = await world.provider.userinfo(body["access_token"], world.home.here)
    assert {name: said[name] for name in told} == told


@pytest.mark.requirement("V16.3.1")
async def test_every_token_leaves_a_trace(world, signed_in):
    secret = await world.client()
    await world.token(secret, await world.code(signed_in))
    await world.token(secret, "no code")
    trail = await world.home.trail("interaction", "actor", "outcome", "query")
    assert trail[-3:] == [
        ("authorize", signed_in.account_id, 0, "portal openid profile"),
        ("token", signed_in.account_id, 0, "portal authorization_code openid profile"),
        ("token", "unknown", 4, "portal invalid_grant"),
    ]


@pytest.mark.requirement("V10.4.6")
async def test_a_public_client_needs_no_secret_but_its_verifier(world, signed_in):
    assert await world.client(confidential=False) is None
    assert (await world.token(None, await world.code(signed_in)))[0] == 200
    for wrong in (None, "w" * 43):
        status, body = await world.token(None, await world.code(signed_in), code_verifier=wrong)
        assert (status, body["error"]) in ((400, "invalid_request"), (400, "invalid_grant"))


@pytest.mark.requirement("V10.4.10")
async def test_a_secret_may_come_in_the_header(world, signed_in):
    secret = await world.client()
    basic = base64.b64encode(f"portal:{secret}".encode()).decode()
    pairs = [("grant_type", "authorization_code"), ("code", await world.code(signed_in)), ("redirect_uri", BACK),
             ("code_verifier", VERIFIER)]  # fmt: skip
    status, _, headers = await world.provider.token(pairs, {"authorization": f"Basic {basic}"}, world.home.here)
    assert status == 200
    assert ("Cache-Control", "no-store") in headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"), ({"client_secret": None}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"), ({"redirect_uri": "https://evil.example/"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"), ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"), ({"code": "x" * 43}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"), ({"grant_type": None}, "unsupported_grant_type"),
    ],
)  # fmt: skip
@pytest.mark.requirement("V10.4.10", "V10.4.4")
async def test_a_token_request_that_is_not_right_is_refused(world, signed_in, changes, error):
    secret = await world.client()
    status, body = await world.token(secret, **{"code": await world.code(signed_in), **changes})
    assert (status >= 400, body["error"]) == (True, error)
    assert "access_token" not in body


@pytest.mark.requirement("V10.4.2")
async def test_a_code_is_good_once_and_a_second_use_ends_what_came_of_the_first(world, signed_in):
    secret = await world.client()
    code = await world.code(signed_in)
    _, first = await world.token(secret, code)
    status, body = await world.token(secret, code)
    assert (status, body["error"]) == (400, "invalid_grant")
    status, body = await world.refresh(secret, first["refresh_token"])
    assert (status, body["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("V10.4.2")
async def test_of_many_who_show_the_same_code_at_once_one_gets_a_token(world, signed_in):
    secret = await world.client()
    code = await world.code(signed_in)
    done = await asyncio.gather(*[world.token(secret, code) for _ in range(10)])
    assert sorted(status for status, _ in done) == [200] + [400] * 9


@pytest.mark.requirement("V10.4.3")
async def test_a_code_holds_a_minute_and_only_for_its_client(world, signed_in):
    secret = await world.client()
    other = await world.client("other")
    code = await world.code(signed_in)
    assert (await world.token(other, code, client_id="other"))[1]["error"] == "invalid_grant"
    late = await world.code(signed_in)
    world.home.clock.pass_s(AUTHORIZATION_CODE_S)
    assert (await world.token(secret, late))[1]["error"] == "invalid_grant"


@pytest.mark.requirement("V10.4.11")
async def test_more_than_was_granted_cannot_be_had_at_the_token_endpoint(world, signed_in):
    secret = await world.client()
    _, body = await world.token(secret, await world.code(signed_in, scope="openid"), scope="openid email staff")
    assert body["scope"] == "openid"
    assert world.verifier.verify(body["access_token"].encode()).openid_scope == "openid"
    assert (await world.refresh(secret, body["refresh_token"], scope="openid email"))[1]["error"] == "invalid_scope"


@pytest.mark.requirement("V10.4.5")
async def test_refresh_tokens_are_used_once_and_a_stolen_one_ends_the_family(world, signed_in):
    secret = await world.client()
    _, first = await world.token(secret, await world.code(signed_in))
    status, second = await world.refresh(secret, first["refresh_token"])
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert (await world.id_token(second)).claims["sub"] == signed_in.account_id
    assert (await world.refresh(secret, first["refresh_token"]))[0] == 400
    assert (await world.refresh(secret, second["refresh_token"]))[0] == 400


@pytest.mark.requirement("V10.4.9")
async def test_a_revoked_refresh_token_is_void_and_only_its_client_revokes_it(world, signed_in):
    secret = await world.client()
    other = await world.client("other")
    _, body = await world.token(secret, await world.code(signed_in))

    async def revoke(client_id, client_secret):
        pairs = [("token", body["refresh_token"]), ("client_id", client_id), ("client_secret", client_secret)]
        return (await world.provider.revoke(pairs, {}, world.home.here))[0]

    assert await revoke("portal", "wrong") == 401
    assert await revoke("other", other) == 200
    status, body = await world.refresh(secret, body["refresh_token"])
    assert status == 200
    assert await revoke("portal", secret) == 200
    assert (await world.refresh(secret, body["refresh_token"]))[0] == 400


@pytest.mark.parametrize("how", ["sign out", "idle", "close"])
@pytest.mark.requirement("V7.4.1", "V7.6.1")
async def test_when_the_session_is_over_nothing_more_comes_of_it(world, signed_in, how):
    secret = await world.client()
    _, body = await world.token(secret, await world.code(signed_in))
    code = await world.code(signed_in)
    if how == "sign out":
        await world.home.on.sign_out_everywhere(signed_in, world.home.here)
    elif how == "idle":
        world.home.clock.pass_s(SESSION_IDLE_S)
    else:
        async with world.home.pool.connection() as conn:
            await accounts.close(conn, signed_in.account_id, world.home.clock())
    assert (await world.token(secret, code))[1]["error"] == "invalid_grant"
    assert (await world.refresh(secret, body["refresh_token"]))[0] == 400
    with pytest.raises(NotAuthenticated):
        await world.provider.userinfo(body["access_token"], world.home.here)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"}, {"client_id": None}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": None},
        {"redirect_uri": BACK + "/"}, {"redirect_uri": BACK + "?a=b"}, {"redirect_uri": BACK.upper()},
        {"request_uri": "https://evil.example/", "redirect_uri": "https://evil.example/"},
    ],
)  # fmt: skip
@pytest.mark.requirement("V10.4.1", "V3.7.2")
async def test_nobody_is_sent_to_an_address_that_is_not_known(world, signed_in, changes):
    await world.client()
    with pytest.raises(BadAuthorization, match="not known"):
        await world.authorize(signed_in, **changes)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"), ({"response_type": "id_token"}, "unsupported"),
        ({"response_type": "code\\'"}, "unsupported_response_type"), ({"response_type": "cödé\0"}, "unsupported"),
        ({"code_challenge": None}, "invalid_request"), ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"), ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "openid world"}, "invalid_scope"), ({"request": "x.y.z"}, "request_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
)  # fmt: skip
async def test_a_request_that_cannot_be_met_is_sent_back_with_its_reason_and_state(world, signed_in, changes, error):
    await world.client()
    said = query(await world.authorize(signed_in, **changes))
    assert said["error"].startswith(error)
    assert (said["state"], said["iss"]) == ("s-1", ISSUER)
    assert "code" not in said


async def test_who_is_not_here_signs_in_unless_that_may_not_be_asked(world, signed_in):
    await world.client()
    assert isinstance(await world.authorize(None), SignInNeeded)
    assert query(await world.authorize(None, prompt="none"))["error"] == "login_required"
    assert "code" in query(await world.authorize(signed_in, prompt="none"))


async def test_a_client_may_want_credentials_to_be_shown_again(world, signed_in):
    await world.client()
    world.home.clock.pass_s(100)
    asked_us = world.home.clock()
    assert isinstance(await world.authorize(signed_in, prompt="login"), SignInNeeded)
    assert isinstance(await world.authorize(signed_in, max_age="99"), SignInNeeded)
    assert isinstance(await world.authorize(signed_in, max_age="100"), Redirect)
    assert isinstance(await world.authorize(signed_in, prompt="login", asked_us=asked_us), SignInNeeded)
    world.home.clock.pass_s(1)
    again = (await world.home.arrive()).session
    assert isinstance(await world.authorize(again, prompt="login", asked_us=asked_us), Redirect)


async def test_a_basic_session_that_asks_for_the_record_is_led_on_and_not_just_refused(world, signed_in):
    await world.client()
    for scope in ("openid patient", "openid staff"):
        decision = await world.authorize(signed_in, scope=scope)
        assert isinstance(decision, StepUpNeeded)
        assert (decision.wanted, decision.present) == (PREMIUM, Assurance(1, 1))
    assert isinstance(await world.authorize(signed_in, acr_values="unknown premium"), StepUpNeeded)
    assert isinstance(await world.authorize(signed_in, acr_values="basic premium"), Redirect)
    said = query(await world.authorize(signed_in, scope="openid patient", prompt="none"))
    assert said["error"] == "interaction_required"


@pytest.mark.requirement("V10.3.4")
async def test_a_client_may_want_every_session_to_be_premium(world, signed_in):
    await world.client(assurance=PREMIUM)
    assert isinstance(await world.authorize(signed_in), StepUpNeeded)


async def premium(world, **options):
    """Robert of the registry at level (2, 2), or with what `options` make of him."""
    home = world.home
    await home.store(Entry(home.robert, (Eligibility("retired", date(2001, 7, 1)),)))
    account = await home.account(**options)
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, account.account_id, 2)
    return account, (await home.with_app())[0].session


async def test_a_premium_patient_gets_a_token_for_their_own_record(world):
    secret = await world.client()
    account, session = await premium(world, person_id="p-1")
    assert session.assurance == PREMIUM
    _, body = await world.token(secret, await world.code(session, scope="openid patient"))
    claims = world.verifier.verify(body["access_token"].encode())
    assert (claims.subject, claims.role, claims.patient) == (account.account_id, "patient", "pat-1")
    assert (await world.id_token(body)).claims["acr"] == "premium"


async def test_staff_get_a_token_for_their_role_and_lose_it_with_the_privilege(world):
    secret = await world.client()
    account, session = await premium(world)
    _, body = await world.token(secret, await world.code(session, scope="openid staff patient"))
    assert world.verifier.verify(body["access_token"].encode()).role == "account"
    await world.home.grant(account, "nurse", facility_id="org-1")
    _, body = await world.refresh(secret, body["refresh_token"])
    claims = world.verifier.verify(body["access_token"].encode())
    assert (claims.role, claims.facility, claims.patient) == ("nurse", "org-1", None)
    async with world.home.pool.connection() as conn:
        await conn.execute("UPDATE identity.privilege SET withdrawn_us = 1")
    _, body = await world.refresh(secret, body["refresh_token"])
    assert world.verifier.verify(body["access_token"].encode()).role == "account"


async def test_a_session_of_recovery_signs_in_nowhere(world):
    await world.client()
    await world.home.account()
    _, _, codes = await world.home.with_app()
    step = await world.home.on.with_password("robert", world.home.password, world.home.here)
    recovered = await world.home.on.with_recovery_code(step.ticket, codes[0], world.home.here)
    assert isinstance(await world.authorize(recovered.session), SignInNeeded)


@pytest.mark.requirement("V9.2.2")
async def test_userinfo_takes_only_its_own_tokens(world, signed_in):
    secret = await world.client()
    _, body = await world.token(secret, await world.code(signed_in))
    for token in ("", "x", "é", body["id_token"], body["access_token"][:-2], body["refresh_token"]):
        with pytest.raises(NotAuthenticated):
            await world.provider.userinfo(token, world.home.here)
    world.home.clock.pass_s(ACCESS_TOKEN_S + 60)
    with pytest.raises(NotAuthenticated):
        await world.provider.userinfo(body["access_token"], world.home.here)


async def test_signing_out_at_a_client_goes_back_only_to_its_own_address(world, signed_in):
    secret = await world.client()
    _, body = await world.token(secret, await world.code(signed_in))
    hint = ("id_token_hint", body["id_token"])
    end = world.provider.end_session
    world.home.clock.pass_s(3600)
    back = ("post_logout_redirect_uri", AFTER)
    assert await end([hint, back, ("state", "s 2")], signed_in) == (False, f"{AFTER}?state=s+2")
    assert await end([hint, ("post_logout_redirect_uri", "https://evil.example/")], signed_in) == (False, None)
    assert await end([back, ("client_id", "portal")], signed_in) == (True, None)
    assert await end([("id_token_hint", body["id_token"][:-4] + "AAAA"), back], signed_in) == (True, None)
    assert await end([hint, back, ("client_id", "other")], signed_in) == (True, None)
    other = (await world.home.arrive()).session
    assert await end([hint, back], other) == (True, AFTER)

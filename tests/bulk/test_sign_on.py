"""Programs sign on by themselves (SMART backend services): with a signed assertion, once, for what they may."""

import base64
import hmac
import json
import time
import uuid

import asyncpg
import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from continuum.identity import clients
from continuum.kernel.errors import Malformed
from tests.api.conftest import outcome, patient
from tests.bulk.jobs import admit, export
from tests.bulk.programs import KINDS, Program

pytestmark = pytest.mark.server


async def test_the_configuration_is_open_and_says_what_is_there(running):
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{running.origin}/fhir/.well-known/smart-configuration")
        assert answer.headers["content-type"] == "application/json"
        said = answer.json()
        statement = (await http.get(f"{running.origin}/fhir/metadata")).json()
    assert said["token_endpoint"] == f"{running.origin}/auth/token"
    assert said["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert set(said["token_endpoint_auth_signing_alg_values_supported"]) == set(KINDS)
    assert "client-confidential-asymmetric" in said["capabilities"]
    security = statement["rest"][0]["security"]
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    (token,) = [one for one in security["extension"][0]["extension"] if one["url"] == "token"]
    assert token["valueUri"] == said["token_endpoint"]


@pytest.mark.parametrize("algorithm", sorted(KINDS))
async def test_a_registered_program_exports_with_a_token_of_five_minutes(running, algorithm):
    program = await Program(running, algorithm=algorithm).register()
    answer = await program.ask()
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("bearer", 300, "system/*.rs")
    assert answer.headers["cache-control"] == "no-store"
    async with running.client() as http:
        _, held = await admit(http)
    async with await program.client() as http:
        found = await export(http, params={"_type": "Patient"})
        assert {place for place in held if place.startswith("Patient/")} <= set(found.addresses)
        assert (await http.post("/Patient", json=patient())).status_code == 403


async def test_a_token_opens_the_types_of_its_scopes_and_no_others(running):
    program = await Program(running, scopes="system/Patient.rs system/Observation.cruds").register()
    async with running.client() as http:
        _, held = await admit(http)
    async with await program.client(scope="system/*.read") as http:
        found = await export(http)
        assert set(found.lines) == {"Patient", "Observation"}
        encounter = next(place for place in held if place.startswith("Encounter/"))
        outcome(await http.get(f"/{encounter}"), 404)
        asked = await export(http, params={"_type": "Patient,Encounter"})
        assert set(asked.lines) == {"Patient"}
        assert any("Encounter" in issue["diagnostics"] for issue in asked.errors)
    async with await program.client(scope="system/Patient.rs") as http:
        assert set((await export(http)).lines) == {"Patient"}


async def test_scopes_that_were_not_registered_are_not_given(running):
    program = await Program(running, scopes="system/Patient.rs").register()
    for scope in ("", "system/Encounter.rs", "patient/Patient.rs", "system/Patient.cud", "system/Patient.r", "launch"):
        answer = await program.ask(scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope
    mixed = await program.ask(scope="system/Patient.rs system/Encounter.rs")
    assert mixed.json()["scope"] == "system/Patient.rs"


def forged(program) -> str:
    """An assertion whose "secret" is the program's public key, which everybody knows."""
    header = base64.urlsafe_b64encode(b'{"alg":"HS384"}').decode().rstrip("=")
    signed = f"{header}.{program.assertion().split('.')[1]}"
    seal = hmac.digest(program.key.as_pem(private=False), signed.encode(), "sha384")
    return f"{signed}.{base64.urlsafe_b64encode(seal).decode().rstrip('=')}"


async def test_what_is_no_right_assertion_opens_nothing(running):
    program = await Program(running, algorithm="RS384").register()
    other = await Program(running).register()
    now_s = int(time.time())
    wrong = {
        "signed by another": program.assertion(key=RSAKey.generate_key(2048)),
        "signed by another program": program.assertion(key=other.key, algorithm="ES384"),
        "a weaker algorithm": program.assertion(algorithm="RS256"),
        "a secret that is our public key": forged(program),
        "for another server": program.assertion(aud="https://elsewhere.example.org/auth/token"),
        "for nobody": program.assertion(aud=None),
        "expired": program.assertion(exp=now_s - 60),
        "valid too long": program.assertion(exp=now_s + 3600),
        "not yet valid": program.assertion(nbf=now_s + 120),
        "without an end": program.assertion(exp=None),
        "without a number": program.assertion(jti=None),
        "about another": program.assertion(sub=other.id),
        "from nobody": program.assertion(iss="nobody-registered", sub="nobody-registered"),
        "no JWT": "nonsense",
        "without a signature": program.assertion().rpartition(".")[0] + ".",
    }
    for what, assertion in wrong.items():
        answer = await program.ask(assertion)
        assert (answer.status_code, answer.json().get("error")) == (401, "invalid_client"), (what, answer.text)
    assert (await program.ask(grant_type="password")).json()["error"] == "unsupported_grant_type"
    assert (await program.ask(client_assertion_type="nonsense")).status_code == 401
    async with httpx.AsyncClient() as http:
        plain = await http.post(f"{running.origin}/auth/token", json={})
        large = await http.post(f"{running.origin}/auth/token", data={"scope": "x" * 20_000})
    assert plain.json()["error"] == large.json()["error"] == "invalid_request"


async def test_an_assertion_is_taken_once(running):
    program = await Program(running).register()
    assertion = program.assertion()
    assert (await program.ask(assertion)).status_code == 200
    again = await program.ask(assertion)
    assert again.status_code == 401
    assert "used before" in again.json()["error_description"]
    named = program.assertion(header={"kid": "a name that we do not know"}, jti=uuid.uuid4().hex)
    assert (await program.ask(named)).status_code == 200


async def test_signing_on_leaves_its_trace_whether_it_succeeds_or_not(running):
    program = await Program(running).register()
    await program.ask()
    await program.ask("nonsense")
    conn = await asyncpg.connect(running.owner)
    try:
        taken = await conn.fetch("SELECT * FROM record.audit WHERE actor = $1 AND interaction = 'login'", program.id)
        refused = await conn.fetch("SELECT * FROM record.audit WHERE outcome = 4 AND interaction = 'login'")
    finally:
        await conn.close()
    assert [(row["outcome"], row["query"]) for row in taken] == [(0, "system/*.rs")]
    assert any("not a signed JWT" in row["detail"] for row in refused)


async def test_a_removed_program_signs_on_no_more(running):
    program = await Program(running).register()
    conn = await asyncpg.connect(running.owner)
    try:
        assert program.id in {client.id for client in await clients.registered(conn)}
        assert await clients.remove(conn, program.id)
        assert not await clients.remove(conn, program.id)
    finally:
        await conn.close()
    assert (await program.ask()).status_code == 401


def test_only_public_keys_that_are_strong_enough_are_registered():
    rsa, ec = RSAKey.generate_key(2048), ECKey.generate_key("P-384")
    for key in (rsa, ec):
        assert '"kid"' in clients.public_keys(key.as_pem(private=False).decode())
    weak = (
        (rsa.as_pem(private=True).decode(), "private"), (json.dumps(ec.as_dict(private=True)), "private"),
        ('{"keys": []}', "1 to"), ("nonsense", "neither"), ("{}", "neither"),
        (ECKey.generate_key("P-256").as_pem(private=False).decode(), "P-384"),
    )  # fmt: skip
    for text, words in weak:
        with pytest.raises(Malformed, match=words):
            clients.public_keys(text)
    for scopes in ("", "system/Nonsense.rs", "user/*.rs", "system/*.everything"):
        with pytest.raises(Malformed):
            clients.checked_scopes(scopes)

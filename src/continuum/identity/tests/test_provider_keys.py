"""The OpenID Connect provider's keys, the clients that it takes on, and what it says of itself."""

import asyncio
import json

import pytest

from continuum.identity.limits import (
    SIGNING_KEY_SHOWN_S,
    SIGNING_KEY_SIGNS_S,
)
from continuum.identity.provider.provider import Provider
from continuum.identity.tests.relying import BACK, ISSUER, KEY, World
from continuum.identity.vault import Vault
from continuum.kernel.errors import Conflict, Invalid


@pytest.fixture
async def world(home):
    return World(home)


@pytest.fixture
async def signed_in(world):
    await world.home.account()
    return (await world.home.arrive()).session


async def test_keys_change_and_old_signatures_can_be_checked_for_a_while(world, signed_in):
    secret = await world.client()
    _, body = await world.token(secret, await world.code(signed_in))
    first = (await world.provider.jwks())["keys"]
    world.home.clock.pass_s(SIGNING_KEY_SIGNS_S + 1)
    second = (await world.provider.jwks())["keys"]
    assert [key["kid"] for key in second][1:] == [first[0]["kid"]]
    assert (await world.id_token(body)).claims["sub"] == signed_in.account_id
    world.home.clock.pass_s(SIGNING_KEY_SHOWN_S)
    assert [key["kid"] for key in (await world.provider.jwks())["keys"]] == [second[0]["kid"]]
    assert all(set(key) == {"kty", "n", "e", "kid", "use", "alg"} for key in (*first, *second))


async def test_workers_that_start_at_once_share_one_key(world):
    workers = [Provider(world.home.on, issuer=ISSUER, token_key=KEY) for _ in range(3)]
    found = await asyncio.gather(*[worker.jwks() for worker in workers])
    assert len({json.dumps(keys) for keys in found}) == 1
    async with world.home.pool.connection() as conn:
        row = await conn.fetchrow("SELECT key_id, sealed_key FROM identity.signing_key")
    assert b'"d"' not in row["sealed_key"]
    plain = json.loads(Vault(bytes(range(32))).unseal(row["sealed_key"], f"signing_key/{row['key_id']}"))
    assert "d" in plain


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": ()}, {"redirect_uris": ("http://portal.example.org/",)}, {"redirect_uris": ("javascript:x",)},
        {"redirect_uris": ("https://*.example.org/",)}, {"redirect_uris": (BACK + "#x",)},
        {"scopes": ("openid", "all")},
        {"redirect_uris": tuple(f"https://x.example/{n}" for n in range(30))},
    ],
)  # fmt: skip
async def test_a_client_with_unsafe_addresses_is_not_taken_on(world, changes):
    with pytest.raises(Invalid):
        await world.client(**changes)


async def test_a_client_is_taken_on_once_and_on_this_machine_also_without_tls(world):
    await world.client(redirect_uris=("http://127.0.0.1:9/back",))
    with pytest.raises(Conflict):
        await world.client()


@pytest.mark.requirement("V10.4.4", "V10.6.1")
def test_discovery_names_what_is_there(home):
    found = Provider(home.on, issuer=ISSUER, token_key=KEY).discovery()
    assert found["issuer"] == ISSUER
    assert all(value.startswith(f"{ISSUER}/") for name, value in found.items() if name.endswith(("_endpoint", "_uri")))
    assert found["code_challenge_methods_supported"] == ["S256"]

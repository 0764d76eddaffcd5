"""A client of the OpenID Connect provider, as tests use it."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from continuum.identity.provider import clients
from continuum.identity.provider.provider import Provider, Redirect
from continuum.identity.tokens import Verifier, signing_key

ISSUER = "https://ehr.example.org/signon"
BACK = "https://portal.example.org/back"
AFTER = "https://portal.example.org/bye"
VERIFIER = "v" * 43
KEY = signing_key(bytes(range(32)))


def challenge(verifier=VERIFIER):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class World:
    """A provider with a client and somebody signed in, and the two ends of a client's talk with it."""

    def __init__(self, home):
        self.home = home
        self.provider = Provider(home.on, issuer=ISSUER, token_key=KEY)
        self.verifier = Verifier(KEY, clock=home.clock)

    async def client(self, client_id="portal", **options):
        options = {"redirect_uris": (BACK,), "post_logout_uris": (AFTER,), "scopes": tuple(clients.SCOPES), **options}
        async with self.home.pool.connection() as conn:
            return await clients.register(conn, client_id, "The portal", now=self.home.clock(), **options)

    async def authorize(self, session, *, scope="openid profile", asked_us=0, **changes):
        said = {
            "response_type": "code", "client_id": "portal", "redirect_uri": BACK, "scope": scope, "state": "s-1",
            "nonce": "n-1", "code_challenge": challenge(), "code_challenge_method": "S256", **changes,
        }  # fmt: skip
        pairs = [(name, value) for name, value in said.items() if value is not None]
        return await self.provider.authorize(pairs, session, self.home.here, asked_us=asked_us)

    async def code(self, session, **changes):
        decision = await self.authorize(session, **changes)
        assert isinstance(decision, Redirect), decision
        return query(decision)["code"]

    async def token(self, secret, code=None, **changes):
        said = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "client_id": "portal",
            "client_secret": secret, "code_verifier": VERIFIER, **changes,
        }  # fmt: skip
        pairs = [(name, value) for name, value in said.items() if value is not None]
        status, body, _ = await self.provider.token(pairs, {}, self.home.here)
        return status, body

    async def refresh(self, secret, token, **changes):
        return await self.token(
            secret, grant_type="refresh_token", refresh_token=token, redirect_uri=None, code_verifier=None, **changes
        )

    async def id_token(self, body):
        keys = KeySet.import_key_set(await self.provider.jwks())
        return jwt.decode(body["id_token"], keys, algorithms=["RS256"])


def query(decision):
    parts = urlsplit(decision.address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
    return {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}

"""Asking one other provider: where to send a browser, and what the code means that it brings back.

OpenID Connect Core §3.1 with PKCE (RFC 7636), `state` and `nonce`, and the issuer in the answer (RFC 9207).
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from continuum.identity.federation.providers import OtherProvider
from continuum.identity.limits import PROVIDER_ANSWER_MAX_BYTES, PROVIDER_FACTS_S, PROVIDER_TIMEOUT_S
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import DomainError

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384"]
"""Signatures that are taken: asymmetric ones only, so that no key of ours can be used to forge."""
_SUBJECT_MAX = 255


class ProviderRefused(DomainError):
    """The other provider did not say, or not in a way that can be believed, who somebody is."""

    status = 502
    code = "login"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} did not confirm who you are. Please try again, or sign in another way.")
        self.why = why


class Asking:
    """Talks to one provider. transport: for tests that stand in for the network; None is the network."""

    def __init__(
        self, provider: OtherProvider, *, clock: Clock = now_us, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.provider = provider
        self._clock = clock
        self._transport = transport
        self._facts: tuple[int, Mapping[str, Any], KeySet] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def address(self, back: str, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser. back: our address that it returns to. Raises ProviderRefused."""
        facts, _ = await self._known()
        said = {
            "response_type": "code", "client_id": self.provider.client_id, "redirect_uri": back,
            "scope": self.provider.scope, "state": state, "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        return str(add_params_to_uri(facts["authorization_endpoint"], list(said.items())))

    async def claims(self, code: str, back: str, *, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the provider says of somebody, for a code that it gave out for this question.

        Raises:
            ProviderRefused: the code, the signature, or what it says, is not right.
        """
        facts, keys = await self._known()
        try:
            said = {
                "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier,
            }  # fmt: skip
            known = httpx.BasicAuth(
                quote(self.provider.client_id, safe=""), quote(self.provider.client_secret, safe="")
            )
            async with self._http() as http:
                answer = await _json(http, facts["token_endpoint"], "POST", data=said, auth=known)
            return self._believed(answer.get("id_token"), keys, nonce)
        except (httpx.HTTPError, JoseError, ValueError, TypeError) as error:
            self._facts = None  # its keys may have changed
            raise ProviderRefused(self.provider.name, type(error).__name__) from error

    def _believed(self, token: Any, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        if not isinstance(token, str):
            raise TypeError("no token")
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            now=lambda: self._clock() // 1_000_000,
            leeway=60,
            iss={"essential": True, "value": self.provider.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self.provider.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self.provider.client_id:
            raise ValueError("meant for others too")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _SUBJECT_MAX:
            raise ValueError("nobody's name")
        return claims

    async def _known(self) -> tuple[Mapping[str, Any], KeySet]:
        """The provider's own document and keys, kept for a while."""
        async with self._one_at_a_time:
            if self._facts is not None and self._clock() - self._facts[0] < PROVIDER_FACTS_S * 1_000_000:
                return self._facts[1], self._facts[2]
            try:
                async with self._http() as http:
                    facts = await _json(http, f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration")
                    self._check(facts)
                    keys = KeySet.import_key_set(await _json(http, facts["jwks_uri"]))
            except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderRefused(self.provider.name, type(error).__name__) from error
            self._facts = self._clock(), facts, keys
            return facts, keys

    def _check(self, facts: Mapping[str, Any]) -> None:
        if facts.get("issuer") != self.provider.issuer:
            raise ValueError("another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not str(facts.get(name)).startswith(("https://", "http://")):
                raise ValueError("no address")

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=PROVIDER_TIMEOUT_S, transport=self._transport, follow_redirects=False)


async def _json(http: httpx.AsyncClient, address: str, method: str = "GET", **more: Any) -> Any:
    async with http.stream(method, address, **more) as answer:
        answer.raise_for_status()
        content = b""
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > PROVIDER_ANSWER_MAX_BYTES:
                raise ValueError("too long")
    found = httpx.Response(200, content=content).json()
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found

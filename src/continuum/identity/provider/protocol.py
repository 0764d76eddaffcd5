"""What Authlib judges: one `Desk` per request, which holds all that the protocol may ask for.

Authlib is synchronous and the database is not. So what a request may need is read before (`Desk.client`, `code`,
`refresh`, `session`), and what was decided (`Desk.kept_code`, `kept_refresh`) is written after.
"""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import OAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from joserfc.jwk import RSAKey

from continuum.identity.limits import (
    ACCESS_TOKEN_S,
    ID_TOKEN_S,
)
from continuum.identity.provider.clients import SCOPES, Client
from continuum.identity.provider.grants import Code, Refresh
from continuum.identity.sessions import Session
from continuum.identity.vault import random_token

Answer = tuple[int, Any, list[tuple[str, str]]]
"""Status, body (a dictionary, or "") and headers."""
Pairs = list[tuple[str, str]]
"""The parameters of a request, in their order, as often as they were given."""
# Authlib refuses addresses that are not https; whether TLS is there is the proxy's matter, not the request's.
_ADDRESS = "https://continuum.invalid/"


class _Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, pairs: Pairs) -> None:
        self._datalist: dict[str, list[str]] = {}
        for name, value in pairs:
            self._datalist.setdefault(name, []).append(value)
        self._data = {name: values[0] for name, values in self._datalist.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> dict[str, list[str]]:
        return self._datalist


class Request(OAuth2Request):  # type: ignore[misc]  # same
    """A request as Authlib wants it; `form` and `args` are the same parameters."""

    def __init__(self, method: str, pairs: Pairs, headers: Mapping[str, str]) -> None:
        super().__init__(method, _ADDRESS, headers={name.title(): value for name, value in headers.items()})
        self.payload = _Payload(pairs)

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the body."""
        found: dict[str, str] = self.payload.data
        return found

    args = form


class Desk(AuthorizationServer):  # type: ignore[misc]  # same
    """What is known of one request, and what was decided about it."""

    def __init__(
        self,
        *,
        issuer: str,
        now_s: int,
        client: Client | None = None,
        session: Session | None = None,
        code: Code | None = None,
        refresh: Refresh | None = None,
        claims: Mapping[str, Any] | None = None,
        access_token: str = "",
        key: RSAKey | None = None,
    ) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.issuer = issuer
        self.now_s = now_s
        self.client = client
        self.session = session
        self.code = code
        self.refresh = refresh
        self.claims = dict(claims or {})
        self.key = key
        self.kept_code: tuple[str, Code] | None = None
        self.kept_refresh: str | None = None
        self.register_token_generator(
            "default",
            BearerTokenGenerator(lambda **_: access_token, self._refresh_token, lambda *_: ACCESS_TOKEN_S),
        )
        openid = _OpenId(self)
        self.register_grant(_CodeGrant, [_S256(required=True), openid])
        self.register_grant(_RefreshGrant, [openid])

    def _refresh_token(self, **_: Any) -> str:
        self.kept_refresh = random_token()
        return self.kept_refresh

    def query_client(self, client_id: str) -> Client | None:
        """The client of the request, if it is the one that was read."""
        return self.client if self.client is not None and self.client.client_id == client_id else None

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        """Nothing: what is kept is the refresh token, after the decision."""

    def create_oauth2_request(self, request: Request) -> Request:
        """It is one already."""
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        """As it is: the pages make HTTP of it."""
        return status, body, headers


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # same
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
    server: Desk

    def generate_authorization_code(self) -> str:
        return random_token()

    def save_authorization_code(self, code: str, request: Request) -> None:
        session: Session = request.user
        said = request.payload.data
        kept = Code(
            request.client.client_id, session.session_id, said["redirect_uri"], request.scope, said.get("nonce"),
            said["code_challenge"],
        )  # fmt: skip
        self.server.kept_code = (code, kept)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:  # noqa: ARG002  read before
        found = self.server.code
        return found if found is not None and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It was used up when it was read."""

    def authenticate_user(self, authorization_code: Code) -> Session | None:  # noqa: ARG002  read before
        return self.server.session


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]  # same
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: Desk

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:  # noqa: ARG002  read before
        return self.server.refresh

    def authenticate_user(self, refresh_token: Refresh) -> Session | None:  # noqa: ARG002  read before
        return self.server.session

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        """It was used up when it was read."""


class _S256(CodeChallenge):  # type: ignore[misc]  # same
    """PKCE for every client, and only with S256 (RFC 9700 §2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        said = grant.request.payload.data
        if not said.get("code_challenge") or said.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required: send code_challenge with code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class _OpenId(OpenIDCode):  # type: ignore[misc]  # same
    """Adds the ID token."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(require_nonce=False)
        self._desk = desk

    def exists_nonce(self, nonce: str, request: Request) -> bool:  # noqa: ARG002  Authlib's signature
        # A nonce protects the client, which checks it; a code works once in any case.
        return False

    def resolve_client_private_key(self, client: Client) -> RSAKey:  # noqa: ARG002  same
        assert self._desk.key is not None, "tokens are made with a key"
        return self._desk.key

    def get_encode_header(self, client: Client) -> dict[str, str]:
        assert self._desk.key is not None, "tokens are made with a key"
        return {"alg": self.get_client_algorithm(client), "kid": str(self._desk.key.kid), "typ": "JWT"}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {
            "iss": self._desk.issuer,
            "aud": [client.client_id],
            "iat": self._desk.now_s,
            "exp": self._desk.now_s + ID_TOKEN_S,
            **self._desk.claims,
        }

    def generate_user_info(self, user: Session, scope: str) -> dict[str, Any]:  # noqa: ARG002  made before
        return {"sub": user.account_id}

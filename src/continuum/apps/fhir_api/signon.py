"""How programs sign on: `.well-known/smart-configuration`, and the token endpoint of SMART backend services."""

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuum.access import Access
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.apps.fhir_api.exchange import parameters
from continuum.identity.clients import ALGORITHMS, OAuthRefused, sign_on
from continuum.identity.tokens import Issuer
from continuum.kernel.errors import Malformed
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import ASSERTION_MAX_BYTES

TOKEN_PATH = "/auth/token"  # noqa: S105  an address, not a secret
CONFIGURATION_PATH = ".well-known/smart-configuration"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FORM = "application/x-www-form-urlencoded"


def token_url(base: str) -> str:
    """The address of the token endpoint beside a FHIR base."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}{TOKEN_PATH}"


def configuration(base: str) -> dict[str, Any]:
    """What SMART App Launch 2.2 asks a server to say of itself: backend services, and nothing more yet."""
    return {
        "token_endpoint": token_url(base),
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "scopes_supported": ["system/*.rs", "system/*.cud", "system/*.cruds", "system/*.read", "system/*.write"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }


class SignOn:
    """The token endpoint of one worker."""

    def __init__(self, access: Access, issuer: Issuer) -> None:
        self._access = access
        self._issuer = issuer

    async def token(self, request: Request, base: str) -> Response:
        """Answers one request for a token (RFC 6749 §5); whatever becomes of it leaves a trace."""
        source = request.client.host if request.client else ""
        client_id = "a program"
        try:
            form = await _form(request)
            async with self._access.connect() as conn:
                found = await sign_on(conn, form, audience=token_url(base), now_us=self._access.clock())
        except OAuthRefused as error:
            await self._note(client_id, source, str(error))
            status = 401 if error.error == "invalid_client" else 400
            return _json({"error": error.error, "error_description": str(error)}, status)
        await self._note(found.claims.subject, source, "", scope=found.scope)
        return _json(
            {
                "access_token": self._issuer.issue(found.claims),
                "token_type": "bearer",
                "expires_in": found.lifetime_s,
                "scope": found.scope,
            }
        )

    async def _note(self, client_id: str, source: str, refused: str, *, scope: str = "") -> None:
        actor = Actor(client_id, "system", scopes=scope)
        await self._access.signed_on(
            actor, USUAL_PURPOSE["system"], source=source, request_id=uuid7(), refused=refused, query=scope
        )


async def _form(request: Request) -> dict[str, str]:
    """The fields of the form, each once. Raises OAuthRefused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise OAuthRefused("invalid_request", f"Send the request as {FORM}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > ASSERTION_MAX_BYTES:
            raise OAuthRefused("invalid_request", f"The request is larger than {ASSERTION_MAX_BYTES} bytes.")
    try:
        pairs = parameters(body)
    except Malformed as error:
        raise OAuthRefused("invalid_request", str(error)) from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise OAuthRefused("invalid_request", "A field is there more than once.")
    return dict(pairs)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(content, status, headers=_HEADERS)

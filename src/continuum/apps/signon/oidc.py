"""The endpoints of OpenID Connect. Those that programs call take no cookies and so need no form protection."""

import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from continuum.access.audit import noted
from continuum.apps.signon.exchange import SECURE, UNWRITTEN, Exchange, log, place, require_text
from continuum.apps.signon.services import BASE, SignonServices
from continuum.identity.acts import Origin
from continuum.identity.limits import (
    FORM_FIELDS_MAX,
    FORM_MAX_BYTES,
)
from continuum.identity.provider.protocol import Pairs
from continuum.identity.provider.provider import Redirect, SignInNeeded
from continuum.identity.sessions import SessionEnded
from continuum.kernel.errors import DomainError, Malformed, NotAuthenticated, TooLarge
from continuum.kernel.ids import uuid7

_AUTHORIZATION = "authorization"


async def authorize(x: Exchange) -> Response:
    """A client sends somebody here to sign in."""
    return await _decide(x, parse_qsl(x.request.url.query, keep_blank_values=True), 0)


async def go_on(x: Exchange) -> Response:
    """The same request once more, after signing in."""
    on = x.services.sign_on
    async with on.connect() as conn:
        ticket = await on.tickets.look(conn, _AUTHORIZATION, x.query.get("ticket", ""))
    pairs = [(str(name), str(value)) for name, value in ticket.content["pairs"]]
    return await _decide(x, pairs, int(ticket.content["asked_us"]))


async def _decide(x: Exchange, pairs: Pairs, asked_us: int) -> Response:
    on = x.services.sign_on
    try:
        await x.load()
    except SessionEnded:
        x.session = None
    decision = await x.services.provider.authorize(pairs, x.session, x.origin, asked_us=asked_us)
    if isinstance(decision, Redirect):
        return RedirectResponse(decision.address, 303, headers=dict(SECURE))
    async with on.connect() as conn:
        ticket = await on.tickets.issue(conn, _AUTHORIZATION, pairs=pairs, asked_us=asked_us or on.clock())
    onward = f"{BASE}/authorize/go-on?ticket={ticket}"
    if isinstance(decision, SignInNeeded):
        return x.go(f"{BASE}/sign-in", next=onward, why="again" if x.session else "")
    return x.go(f"{BASE}/premium", next=onward)


async def end_session(x: Exchange) -> Response:
    """A client wants to sign somebody out."""
    pairs = parse_qsl(x.request.url.query)
    try:
        await x.load()
    except SessionEnded:
        x.session = None
    ask, address = await x.services.provider.end_session(pairs, x.session)
    if ask and x.session is not None:
        return x.page("sign_out.html")
    if x.session is not None:
        await x.services.sign_on.sign_out(x.session, x.origin)
        x.keep_session(None)
    if address:
        return RedirectResponse(address, 303, headers=dict(SECURE))
    return x.go(f"{BASE}/signed-out", why="out")


def program(
    work: Callable[[SignonServices, Request, Origin], Awaitable[Response]], services: SignonServices
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for programs: refusals are JSON, as OAuth writes them, and leave their row in the trail."""

    async def answer(request: Request) -> Response:
        client = request.client.host if request.client else ""
        origin = Origin(client, request.headers.get("user-agent", ""), request_id=uuid7())
        with noted() as outcomes:
            try:
                response = await work(services, request, origin)
            except Exception as error:  # noqa: BLE001  as on the pages
                response = _refusal(error, origin)
            if response.status_code >= HTTPStatus.BAD_REQUEST and not any(outcomes):
                await _turned_away(services, request, origin, response.status_code)
        response.headers["X-Request-Id"] = origin.request_id
        return response

    return answer


def _refusal(error: Exception, origin: Origin) -> Response:
    if isinstance(error, NotAuthenticated):
        body = {"error": "invalid_token", "error_description": str(error)}
        return JSONResponse(body, 401, headers={**SECURE, "WWW-Authenticate": 'Bearer error="invalid_token"'})
    if isinstance(error, DomainError):
        body = {"error": "invalid_request", "error_description": str(error)}
        return JSONResponse(body, error.status, headers=dict(SECURE))
    log.error("an endpoint failed", request_id=origin.request_id, cause=type(error).__name__, at=place(error))
    body = {"error": "server_error", "error_description": f"Quote {origin.request_id}."}
    return JSONResponse(body, 500, headers=dict(SECURE))


async def _turned_away(services: SignonServices, request: Request, origin: Origin, status: int) -> None:
    """Leaves the row of a program that was refused before it was known whom it spoke for."""
    if services.access is None:
        return
    said = DomainError(f"The endpoint said what is wrong ({status}).")
    # Where nothing can be written, a program is still told what is wrong: it is given nothing.
    with contextlib.suppress(*UNWRITTEN):
        await services.access.stranger(
            said, source=origin.source, request_id=origin.request_id, target=request.url.path
        )


async def discovery(services: SignonServices, _: Request, __: Origin) -> Response:
    """The metadata."""
    return JSONResponse(services.provider.discovery(), headers={**SECURE, "Cache-Control": "max-age=3600"})


async def jwks(services: SignonServices, _: Request, __: Origin) -> Response:
    """The keys."""
    return JSONResponse(await services.provider.jwks(), headers={**SECURE, "Cache-Control": "max-age=300"})


async def by_get(_: SignonServices, request: Request, __: Origin) -> Response:
    """A client may also post its wish (OpenID Connect Core §3.1.2.1); it then comes again by GET, with our cookies."""
    address = f"{request.url.path}?{urlencode(await _pairs(request))}"
    return RedirectResponse(address, 303, headers=dict(SECURE))


async def token(services: SignonServices, request: Request, origin: Origin) -> Response:
    """Codes and refresh tokens for tokens."""
    status, body, headers = await services.provider.token(await _pairs(request), request.headers, origin)
    return JSONResponse(body, status, headers={**SECURE, **dict(headers)})


async def revoke(services: SignonServices, request: Request, origin: Origin) -> Response:
    """Makes a refresh token void."""
    status, body, headers = await services.provider.revoke(await _pairs(request), request.headers, origin)
    return JSONResponse(body, status, headers={**SECURE, **dict(headers)})


async def userinfo(services: SignonServices, request: Request, origin: Origin) -> Response:
    """Who the holder of an access token is."""
    scheme, _joint, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise NotAuthenticated("Send Authorization: Bearer and an access token.")
    return JSONResponse(await services.provider.userinfo(value.strip(), origin), headers=dict(SECURE))


async def _pairs(request: Request) -> Pairs:
    """The fields of a body in application/x-www-form-urlencoded, in their order. Raises Malformed, TooLarge."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Malformed("The body must be application/x-www-form-urlencoded.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_MAX_BYTES:
            raise TooLarge("The body is too large.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX)
    except ValueError as error:
        raise Malformed("The body cannot be read.") from error
    require_text(pairs)
    return pairs

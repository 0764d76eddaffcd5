"""The ASGI application: it names the asker, finds the handler, and turns every outcome into HTTP."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from typing import Any

import structlog
from starlette.types import ASGIApp

from continuum.access import Actor, Session
from continuum.access.actor import PURPOSES, USUAL_PURPOSE
from continuum.apps.fhir_api import capability
from continuum.apps.fhir_api.body import Disconnected
from continuum.apps.fhir_api.compression import compress
from continuum.apps.fhir_api.deadlines import Deadlines
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Header, Response, parameters
from continuum.apps.fhir_api.handlers import handle
from continuum.apps.fhir_api.headers import require_json
from continuum.apps.fhir_api.pages import pages
from continuum.apps.fhir_api.presentation import show, view
from continuum.apps.fhir_api.refusals import failed, late, refused
from continuum.apps.fhir_api.routes import METHODS, MethodNotAllowed, resolve
from continuum.apps.fhir_api.services import Services
from continuum.apps.fhir_api.signon import CONFIGURATION_PATH, configuration
from continuum.apps.fhir_api.sockets import Sockets
from continuum.apps.fhir_api.subscribing import SOCKET_PATH
from continuum.apps.fhir_api.traffic import Traffic
from continuum.fhir.json import dump
from continuum.identity.tokens import Claims
from continuum.kernel.errors import DomainError, Forbidden, Malformed, NotAuthenticated
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import (
    HEADERS_MAX_BYTES,
    HOSTS_CACHED_MAX,
    REQUEST_TIMEOUT_S,
    URL_MAX_BYTES,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BASE_PATH = "/fhir"
COMMON: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""On every FHIR answer: nothing of a patient stays in a cache, and no browser makes a page of it."""
OVER_TLS: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""On every answer, pages too, of a server whose address is https: browsers come back by no other way for a year."""
_HOST = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\Z")
_CLIENT_ID = re.compile(rb"[A-Za-z0-9\-._]{1,64}\Z")
_ONCE = frozenset(
    {
        b"authorization", b"content-length", b"content-type", b"host", b"if-match", b"if-modified-since",
        b"if-none-exist", b"x-purpose-of-use",
    }
)  # fmt: skip
"""Headers of which a second one would contradict the first."""

log = structlog.get_logger("continuum.api")


class UriTooLong(DomainError):
    """The address is over its limit."""

    status = 414
    code = "too-long"


class HeadersTooLarge(DomainError):
    """The headers together are over their limit."""

    status = 431
    code = "too-long"


class Application:
    """One per worker. `opening` yields the services for as long as the worker lives."""

    def __init__(
        self,
        opening: Callable[[], AbstractAsyncContextManager[Services]],
        *,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> None:
        self._opening = opening
        self._services: Services | None = None
        self._deadlines = Deadlines(request_timeout_s)
        self._numbers = itertools.count(1)
        self._prefix = uuid7()[:18].replace("-", "")
        self._bases: dict[tuple[str, bytes], bytes] = {}
        self._sockets = Sockets()
        self.traffic = Traffic()
        self._pages = pages(self)
        self.failure: Exception | None = None

    @property
    def services(self) -> Services:
        """What the worker has open."""
        assert self._services is not None, "requests come after start-up"
        return self._services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if self.services.base_url.startswith("https://"):
                send = _over_tls(send)
            if path.startswith(BASE_PATH) and path[5:6] in ("/", ""):
                await self._serve(scope, receive, send, path[6:])
            elif (area := self.services.areas.get(path[1:].partition("/")[0])) is not None:
                await self._area(area, scope, receive, send)
            else:
                await self._pages(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def hurry(self, limit_s: float) -> None:
        """Ends, soon, what is under way: the server is about to stop."""
        self._deadlines.hurry(limit_s)

    async def _area(self, pages: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """The pages of an app, within the time that every request has."""
        with contextlib.suppress(TimeoutError):
            # Whoever has not sent a form by then, or does not take the page, is cut off without an answer.
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await pages(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == f"{BASE_PATH}/{SOCKET_PATH}" and not self.services.read_only:
            await self._sockets.serve(self.services, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._opening() as services:
                self._services = services
                self._deadlines.start()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                self._deadlines.stop()
        except Exception as error:
            if self._services is None:
                self.failure = error
                await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
                return
            log.exception("the worker did not close cleanly", error=type(error).__name__)
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        """Answers one FHIR request within its time, the sending included."""
        began_s = perf_counter()
        request_id = f"{self._prefix}-{next(self._numbers):x}"
        task = self._deadlines.enter()
        interaction, started = "unknown", False
        try:
            interaction, response = await self._answer(scope, receive, path, request_id)
            if notice := self.services.notice:
                response.headers = [*response.headers, (b"warning", b'199 - "%b"' % notice.encode())]
            started = True
            if response.patience_s:
                await _send(self._patiently(send, task, response.patience_s), scope, response, request_id)
            else:
                await _send(send, scope, response, request_id)
        except Disconnected:
            return
        except asyncio.CancelledError:
            if not self._deadlines.expired(task):
                raise
            response = late()
            if not started:
                await _send(send, scope, response, request_id)
            # Else the client does not take its answer: it is left unfinished, and the connection is closed.
        finally:
            self._deadlines.leave(task)
        self.traffic.count(interaction, response.status, perf_counter() - began_s)

    def _patiently(self, send: Send, task: "asyncio.Task[object]", patience_s: float) -> Send:
        """Sends what may take long as a whole, but not in any of its pieces."""
        end_s = perf_counter() + patience_s

        async def sending(message: MutableMapping[str, Any]) -> None:
            if perf_counter() < end_s:
                self._deadlines.renew(task)
            await send(message)

        return sending

    async def _answer(self, scope: Scope, receive: Receive, path: str, request_id: str) -> tuple[str, Response]:
        """The interaction's name and the answer, whatever happens."""
        interaction = "unknown"
        x: Exchange | None = None
        session: Session | None = None
        try:
            headers = _headers(scope)
            base = self.base(scope, headers)
            if path == "metadata" or (scope["method"] == "OPTIONS" and path == ""):
                interaction = "capabilities"
                response = _capabilities(scope, headers, base, path)
            elif path == CONFIGURATION_PATH:
                interaction = "capabilities"
                response = _smart(scope, base)
            else:
                session = await self._session(scope, headers, request_id)
                target = resolve(scope["method"], path)
                interaction = target.route.interaction
                x = Exchange(
                    session=session, target=target, method=scope["method"], query=scope["query_string"],
                    headers=headers, receive=receive, base=base, request_id=request_id, services=self.services,
                    bulk=self.services.bulk,
                )  # fmt: skip
                response = await handle(x)
            await compress(response, headers.get(b"accept-encoding"))
        except DomainError as error:
            try:
                if x is not None:
                    await x.refused(error, path)
                elif session is not None:
                    await session.refused(interaction, path, error)
                elif not isinstance(error, Forbidden):
                    await self._stranger(scope, error, path, request_id)
            except DomainError as worse:
                return interaction, refused(worse)
            except Exception as worse:  # noqa: BLE001  a trace that cannot be left stops the answer too
                return interaction, failed(worse, request_id)
            return interaction, refused(error)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001  the client gets an id, the log the cause
            return interaction, failed(error, request_id)
        return interaction, response

    async def _session(self, scope: Scope, headers: Mapping[bytes, bytes], request_id: str) -> Session:
        """The door, opened for whoever the token names.

        Raises:
            NotAuthenticated: nobody is named. Malformed: the purpose is unknown. Forbidden: the policy.
        """
        services = self.services
        claims = self._claims(headers.get(b"authorization"))
        purpose = claims.purpose or USUAL_PURPOSE.get(claims.role, "")
        asked = headers.get(b"x-purpose-of-use")
        if asked is not None:
            purpose = asked.decode("latin-1").strip()
            if purpose not in PURPOSES:
                known = ", ".join(PURPOSES)
                raise Malformed(f"X-Purpose-Of-Use must be one of {known}; {purpose} is not.")
        client = scope.get("client")
        source = client[0] if client else ""
        actor = Actor(
            claims.subject, claims.role, claims.name, claims.facility, claims.patient, claims.scope,
            claims.practitioner, claims.identity_level, claims.authenticator_level,
        )  # fmt: skip
        try:
            return services.access.open(actor, purpose, source=source, request_id=request_id)
        except Forbidden as error:
            await services.access.turned_away(actor, purpose, error, source=source, request_id=request_id)
            raise

    async def _stranger(self, scope: Scope, error: DomainError, path: str, request_id: str) -> None:
        """The trace of a request for which the door was not even asked; those whom it refuses are traced by it."""
        client = scope.get("client")
        source = client[0] if client else ""
        await self.services.access.stranger(error, source=source, request_id=request_id, target=path)

    def _claims(self, authorization: bytes | None) -> Claims:
        if not authorization:
            raise NotAuthenticated("Say who you are: send Authorization: Bearer and a token.")
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise NotAuthenticated("Only bearer tokens are taken: Authorization: Bearer and a token.")
        return self.services.verifier.verify(token.strip())

    def require_administrator(self, authorization: bytes) -> None:
        """Lets administrators through.

        Raises:
            NotAuthenticated: nobody is named. Forbidden: the role is another.
        """
        if self._claims(authorization).role != "administrator":
            raise Forbidden("This is open to administrators only.")

    def base(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bytes:
        """The URL of the FHIR service as this client sees it.

        Raises:
            Malformed: the Host header cannot be a host.
        """
        key = (scope["scheme"], headers.get(b"host", b""))
        found = self._bases.get(key)
        if found is None:
            found = self.services.base_url.encode()
            if not found:
                host = key[1] or b"%b:%d" % (scope["server"][0].encode(), scope["server"][1])
                if not _HOST.match(host):
                    raise Malformed("The Host header names no host.")
                found = b"%b://%b%b" % (key[0].encode(), host, BASE_PATH.encode())
            if len(self._bases) >= HOSTS_CACHED_MAX:
                self._bases.clear()
            self._bases[key] = found
        return found


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name, within their limits.

    Raises:
        UriTooLong, HeadersTooLarge: over the limit. Malformed: one that must be single is there twice.
    """
    if len(scope["query_string"]) + len(scope["path"]) > URL_MAX_BYTES:
        raise UriTooLong(
            f"The address is longer than {URL_MAX_BYTES // 1024} KiB; send long searches by POST to _search."
        )
    given: list[Header] = scope["headers"]
    headers = dict(given)
    if len(headers) != len(given):
        headers = {}
        for name, value in given:
            if name not in headers:
                headers[name] = value
            elif name in _ONCE:
                raise Malformed(f"The header {name.decode('latin-1')} is there more than once.")
            else:
                headers[name] += b", " + value
    if sum(map(len, headers.values())) > HEADERS_MAX_BYTES:
        raise HeadersTooLarge(f"The headers are larger than {HEADERS_MAX_BYTES // 1024} KiB.")
    return headers


def _capabilities(scope: Scope, headers: Mapping[bytes, bytes], base: bytes, path: str) -> Response:
    """The CapabilityStatement, the one FHIR answer that needs nobody's name."""
    template = "/metadata" if path else "/"
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    if method not in METHODS[template]:
        allowed = ("GET", "HEAD")
        raise MethodNotAllowed(f"{method} is not offered at /metadata; GET is.", allowed)
    params = parameters(scope["query_string"]) if scope["query_string"] else []
    format_ = next((value for name, value in params if name == "_format"), None)
    require_json(headers.get(b"accept", b"").decode("latin-1"), format_)
    wanted = view([pair for pair in params if pair[0] != "mode"])
    return Response(200, show(capability.statement(base.decode()), wanted), [CONTENT_TYPE])


def _smart(scope: Scope, base: bytes) -> Response:
    """The SMART configuration, which needs nobody's name either."""
    if scope["method"] not in ("GET", "HEAD"):
        raise MethodNotAllowed(f"{scope['method']} is not offered here; GET is.", ("GET", "HEAD"))
    return Response(200, dump(configuration(base.decode())), [(b"content-type", b"application/json")])


def _over_tls(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], OVER_TLS]
        await send(message)

    return sending


async def _send(send: Send, scope: Scope, response: Response, request_id: str) -> None:
    """Sends an answer with the headers that every answer has."""
    headers = [*COMMON, *response.headers, (b"x-request-id", request_id.encode())]
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _CLIENT_ID.match(value):
            headers.append((b"x-correlation-id", value))
    if response.stream is not None:
        await _send_stream(send, response, headers)
        return
    body = response.body
    if scope["method"] == "HEAD":
        if not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", b"%d" % len(body)))
        body = b""
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_stream(send: Send, response: Response, headers: list[Header]) -> None:
    """Sends an answer piece by piece; its own content security policy takes the place of the common one."""
    assert response.stream is not None, "only streams are sent as streams"
    if any(name == b"content-security-policy" for name, _ in response.headers):
        headers = [pair for pair in headers if pair not in COMMON or pair[0] != b"content-security-policy"]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    async for chunk in response.stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

"""The pages beside FHIR: start, documentation, health, metrics. Server-rendered, no script, nothing from elsewhere."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from continuum.adoption.pieces import claims
from continuum.apps.design import gallery, static
from continuum.apps.fhir_api import openapi
from continuum.apps.fhir_api.headers import FHIR_JSON
from continuum.apps.fhir_api.outcome import outcome_bytes, refusal
from continuum.apps.fhir_api.routes import ROUTES
from continuum.apps.fhir_api.signon import TOKEN_PATH
from continuum.apps.fhir_api.version import VERSION
from continuum.kernel.errors import DomainError, Issue
from continuum.kernel.limits import READINESS_TIMEOUT_S

if TYPE_CHECKING:
    from continuum.apps.fhir_api.app import Application

SECURE: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""On every page."""

REQUEST_HEADERS: tuple[tuple[str, str], ...] = (
    ("Authorization", "Bearer and a token: who asks, in which role. Needed everywhere but for /metadata."),
    ("X-Purpose-Of-Use", "Why, as a PurposeOfUse code such as TREAT; else what the token says or the role implies."),
    ("Accept", "application/fhir+json or application/json; for a Binary, any other type asks for its content."),
    ("Accept-Encoding", "zstd or gzip; long answers are compressed."),
    ("Content-Type", "application/fhir+json for resources, application/json-patch+json for PATCH, any for a Binary."),
    ("Content-Encoding", "gzip, deflate or zstd: how the body is compressed."),
    ("If-Match", 'A write only goes ahead if this is the present version: W/"3", "3" or 3.'),
    ("If-None-Match", "On a read: answer 304 if this is still the version. On PUT: * creates, but never overwrites."),
    ("If-Modified-Since", "On a read: answer 304 if nothing is newer than this HTTP date."),
    ("If-None-Exist", "On POST: create only if nothing matches these criteria."),
    ("Prefer", "return=minimal, representation or OperationOutcome; handling=lenient ignores unknown parameters; respond-async."),  # noqa: E501  a row of the table
    ("X-Security-Context", "On a raw Binary: the reference that decides who may read it."),
    ("X-Request-Id", "Your own id of the request; comes back as X-Correlation-Id."),
)  # fmt: skip
"""Request headers that mean something here, in plain words."""

STATUSES: tuple[tuple[int, str], ...] = (
    (400, "The request cannot be read: JSON, a header or a parameter is wrong."),
    (401, "Nobody is named: the token is missing, changed or has expired."),
    (403, "The role or purpose does not allow this, or a search would read too much."),
    (404, "There is nothing here, or nothing that you may know of."),
    (405, "The address does not take this method; Allow says which it takes."),
    (406, "Only JSON is offered."),
    (408, "The request took longer than it may."),
    (409, "It contradicts what is stored: others still refer to it, or keep changing it."),
    (410, "It was deleted; its history is still there."),
    (412, "If-Match, If-None-Match or the criteria do not hold."),
    (413, "The body is too large."),
    (414, "The address is too long; search by POST."),
    (415, "The body is of a kind that is not understood."),
    (422, "The resource breaks a rule; expression says where."),
    (431, "The headers are too large."),
    (429, "You have too many exports and imports under way."),
    (500, "Something went wrong here; quote the id."),
    (501, "This server has no folder for exports and imports."),
    (503, "Too busy, or read-only; try again later."),
    (502, "The source of an import could not be reached."),
    (507, "The database is full; reads go on."),
)
"""Statuses of refusals, in plain words."""

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(loader=PackageLoader("continuum.apps.fhir_api"), autoescape=True, undefined=StrictUndefined)


def _page(name: str, **values: Any) -> HTMLResponse:
    text = _environment().get_template(name).render(version=VERSION, **values)
    return HTMLResponse(text, headers=SECURE)


def pages(application: "Application") -> Starlette:
    """The ASGI application of everything that is not FHIR."""

    def base(request: Request) -> str:
        headers = {b"host": request.headers.get("host", "").encode("latin-1")}
        return application.base(request.scope, headers).decode()

    async def ready() -> bool:
        try:
            async with asyncio.timeout(READINESS_TIMEOUT_S):
                await application.services.ready()
        except Exception:  # noqa: BLE001  whatever stops the database from answering, it is not ready
            return False
        return True

    async def start(request: Request) -> Response:
        return _page(
            "start.html", here="start", base=base(request), healthy=await ready(),
            notice=application.services.notice,
        )  # fmt: skip

    async def docs(request: Request) -> Response:
        return _page(
            "docs.html", here="docs", base=base(request), routes=ROUTES, headers=REQUEST_HEADERS,
            statuses=STATUSES,
        )  # fmt: skip

    async def security(_: Request) -> Response:
        return _page("security.html", here="security", claims=claims())

    async def style(_: Request) -> Response:
        css = (files("continuum.apps.fhir_api") / "templates" / "style.css").read_text()
        return Response(css, media_type="text/css", headers={**SECURE, "Cache-Control": "max-age=3600"})

    async def description(request: Request) -> Response:
        return Response(openapi.document(base(request)), media_type="application/json", headers=SECURE)

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive\n", headers=SECURE)

    async def readyz(_: Request) -> Response:
        if await ready():
            notice = application.services.notice
            return PlainTextResponse(f"ready, but: {notice}\n" if notice else "ready\n", headers=SECURE)
        return PlainTextResponse("not ready: the database does not answer\n", 503, headers=SECURE)

    async def metrics(request: Request) -> Response:
        _may_measure(application, request)
        text = application.traffic.text() + application.services.metrics()
        return Response(text, media_type="text/plain; version=0.0.4", headers=SECURE)

    async def token(request: Request) -> Response:
        return await application.services.sign_on.token(request, base(request))

    return Starlette(
        routes=[
            Route("/", start),
            Route("/docs", docs),
            Route("/security", security),
            Route("/style.css", style),
            Route("/openapi.json", description),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route(TOKEN_PATH, token, methods=["POST"]),
            *static.ROUTES,
            *gallery.routes(),
        ],
        exception_handlers={HTTPException: _http, DomainError: _domain, **static.EXCEPTION_HANDLERS},  # type: ignore[dict-item]
    )


def _may_measure(application: "Application", request: Request) -> None:
    """Metrics are for this machine, and for administrators; a proxy on this machine speaks for others."""
    local = request.client is not None and request.client.host in _LOOPBACK
    if local and "x-forwarded-for" not in request.headers and "forwarded" not in request.headers:
        return
    application.require_administrator(request.headers.get("authorization", "").encode("latin-1"))


async def _http(_: Request, error: HTTPException) -> Response:
    text = {
        404: "Nothing is served at this address; FHIR is under /fhir.",
        405: "This address does not take this method.",
    }.get(error.status_code, error.detail)
    code = "not-supported" if error.status_code == 405 else "not-found"
    headers = {**SECURE, **(error.headers or {})}
    body = outcome_bytes((Issue(code, text),))
    return Response(body, error.status_code, headers=headers, media_type=FHIR_JSON.decode())


async def _domain(_: Request, error: DomainError) -> Response:
    headers = dict(SECURE)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="continuum"'
    return Response(refusal(error), error.status, headers=headers, media_type=FHIR_JSON.decode())

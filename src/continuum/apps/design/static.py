"""Style sheet, scripts and icons over HTTP, and the form that says how pages are shown."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from continuum.apps.design.reader import chosen, way_back
from continuum.ui.assets import STATIC_PATH, by_path
from continuum.ui.language import NotBuilt
from continuum.ui.limits import (
    PREFERENCES_KEPT_S,
    PREFERENCES_MAX_BYTES,
    STATIC_CACHE_S,
)
from continuum.ui.render import PAGE_HEADERS

PREFERENCES_PATH = "/ui/preferences"
_HEADERS = {
    "Cache-Control": f"public, max-age={STATIC_CACHE_S}, immutable",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


async def static(request: Request) -> Response:
    """One file; its address has the digest of its content, so browsers keep it."""
    asset = by_path().get(request.url.path)
    if asset is None:
        return PlainTextResponse("There is no such file.\n", 404, headers=dict(PAGE_HEADERS))
    body, encoding = asset.encoded(request.headers.get("accept-encoding", ""))
    headers = {**_HEADERS, "Content-Encoding": encoding} if encoding else dict(_HEADERS)
    return Response(body, media_type=asset.media_type, headers=headers)


async def preferences(request: Request) -> Response:
    """Keeps language, colours and size of text in cookies, and goes back to the page.

    Nothing is done for a form of another site: browsers say where a form comes from (Sec-Fetch-Site).
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return PlainTextResponse("This form belongs to another site.\n", 403, headers=dict(PAGE_HEADERS))
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > PREFERENCES_MAX_BYTES:
            return PlainTextResponse("The form is too large.\n", 413, headers=dict(PAGE_HEADERS))
    fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=16))
    answer = RedirectResponse(way_back(fields.get("back", "/")), 303, headers=dict(PAGE_HEADERS))
    for name, value in chosen(fields).items():
        answer.set_cookie(
            name, value, max_age=PREFERENCES_KEPT_S, httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
    return answer


async def not_built(_: Request, error: Exception) -> Response:
    """The answer of every page when the design system is missing from this clone."""
    return PlainTextResponse(f"{error}\n", 503, headers=dict(PAGE_HEADERS))


ROUTES = [
    Route(STATIC_PATH + "{name}", static),
    Route(PREFERENCES_PATH, preferences, methods=["POST"]),
]
EXCEPTION_HANDLERS = {NotBuilt: not_built}

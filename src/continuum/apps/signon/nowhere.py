"""Addresses that no page has."""

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from continuum.apps.signon.exchange import SECURE, Make, X, endpoint
from continuum.apps.signon.services import SignonServices
from continuum.kernel.errors import NotFound


def not_there(services: SignonServices, make: Make[X]) -> dict[Any, Any]:
    """How the pages of an app say that an address is not theirs: on a page with a way on; 405 in one line."""

    async def nowhere(x: X) -> Response:
        await x.load(activity=False)
        raise NotFound("There is no such page.")

    page = endpoint(nowhere, services, make)

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "it is registered for these"
        if error.status_code == HTTPStatus.NOT_FOUND and request.method in {"GET", "HEAD"}:
            return await page(request)
        text = "This page does not take that." if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else error.detail
        return PlainTextResponse(f"{text}\n", error.status_code, headers={**SECURE, **(error.headers or {})})

    return {HTTPException: answer}

"""SMART Health Links: made and closed by the person, opened by whoever has link and passcode."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from continuum.access import Access
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.area import BASE
from continuum.apps.portal.record import show
from continuum.apps.portal.taking import fhir_base
from continuum.apps.portal.whose import Whose, may_share, shared_until, whose
from continuum.apps.signon.exchange import require_text
from continuum.apps.signon.services import SignonServices
from continuum.chart import ips
from continuum.chart.carrying import take
from continuum.chart.entry import N_
from continuum.chart.limits import (
    LINK_EMBEDDED_MAX_CHARS,
    LINK_PASSCODE_MAX_CHARS,
    LINK_PASSCODE_MIN_CHARS,
    LINK_REQUEST_MAX_BYTES,
    RECIPIENT_MAX_CHARS,
)
from continuum.chart.links import CONTENT_TYPE, Links, Made, Opened, PasscodeWrong
from continuum.chart.section import section
from continuum.identity.standing import NOBODY
from continuum.kernel.clock import instant
from continuum.kernel.errors import DomainError, NotFound
from continuum.kernel.ids import uuid7
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

_DAY_S = 86_400
LIVES = {"1": N_("1 day"), "7": N_("7 days"), "30": N_("30 days"), "90": N_("90 days")}
"""For how long a link can be made, in days."""
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Viewers are pages of others, and no cookie of ours means anything here."""


def _whole(here: Whose) -> None:
    """Raises NotFound where only a part of a record is open: a link would hand on what others gave to one person."""
    if here.limits.closed or here.limits.sections is not None:
        raise NotFound("This part of the record is not open to you.")


def _links(services: SignonServices, access: Access) -> Links:
    return Links(access, services.sign_on.hasher, partial(may_share, services))


async def links(x: Visit) -> Response:
    """The links of a record, and a new one."""
    here = await whose(x)
    _whole(here)
    if x.request.method == "GET":
        return await _page(x, here)
    label = " ".join(x.form.get("label", "").split())
    passcode = x.form.get("passcode", "")
    problems = []
    if not LINK_PASSCODE_MIN_CHARS <= len(passcode) <= LINK_PASSCODE_MAX_CHARS:
        problems.append(Problem("passcode", N_("A passcode has at least 6 letters or digits.")))
    if x.form.get("lives") not in LIVES:
        problems.append(Problem("lives", N_("Choose how long the link lives.")))
    if problems:
        return await _page(x, here, problems=tuple(problems), status=422)
    made = await _made(x, here, label or "Patient summary", passcode, int(x.form["lives"]) * _DAY_S)
    return await _page(x, here, made=made)


async def _made(x: Visit, here: Whose, label: str, passcode: str, lives_s: int) -> Made:
    wanted = [section(part.key) for part in ips.PARTS]
    taken = await take(here.looking, here.patient_id, wanted)
    content = ips.summary(taken, fhir_base(x), uuid7(), instant(x.access.clock()))
    assert x.account is not None, "somebody stands here"
    ends = await shared_until(x, here)
    made = await _links(x.services, x.access).make(
        x.account.account_id, here.patient_id, content, manifest_base=f"{x.services.settings.origin}{BASE}/links",
        label=label, passcode=passcode, lives_s=lives_s, until_us=_begin_us(ends) if ends else None,
    )  # fmt: skip
    await here.session.shared("a health link", here.patient_id, f"its holder, as {made.link_id}")
    return made


def _begin_us(day: date) -> int:
    """When a day begins, in UTC as the days of ages are counted."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


async def _page(
    x: Visit, here: Whose, *, made: Made | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response:
    assert x.account is not None, "somebody stands here"
    found = await _links(x.services, x.access).of(x.account.account_id, here.patient_id)
    qr = segno.make(made.link, error="m").svg_data_uri(scale=4, border=2) if made else ""
    with showing(x.reader):
        lives = [(key, gettext(text)) for key, text in LIVES.items()]
    return show(
        x, here, "portal/links.html", "links", links=found, made=made, qr=qr, problems=problems, lives=lives,
        errors={one.field: one.text for one in problems}, fields=x.form, now_us=x.access.clock(),
        ends=await shared_until(x, here), status=status,
    )  # fmt: skip


async def revoke(x: Visit) -> Response:
    """Closes a link at once."""
    here = await whose(x)
    assert x.account is not None, "somebody stands here"
    await _links(x.services, x.access).revoke(x.account.account_id, x.param("link_id"))
    await here.session.shared("the end of a health link", here.patient_id, x.param("link_id"))
    return x.go(f"{here.base}/links", done="closed")


def viewers(services: SignonServices, access: Access) -> list[Route]:
    """What viewers ask: manifests and files. Nobody is signed in here; link, key and passcode are what counts."""
    kept = _links(services, access)

    async def manifest(request: Request) -> Response:
        asked = await _asked(request)
        opened = await kept.open(request.path_params["address"], str(asked.get("passcode", "")))
        recipient = " ".join(str(asked.get("recipient", "")).split())[:RECIPIENT_MAX_CHARS] or "somebody unnamed"
        await _shared(access, request, opened, "a health link", recipient)
        most = asked.get("embeddedLengthMax")
        limit = most if isinstance(most, int) and most >= 0 else LINK_EMBEDDED_MAX_CHARS
        file: dict[str, Any] = {"contentType": CONTENT_TYPE.partition(";")[0]}
        if len(opened.content) <= min(limit, LINK_EMBEDDED_MAX_CHARS):
            file["embedded"] = opened.content
        else:
            file["location"] = f"{services.settings.origin}{BASE}/links/file/{opened.ticket}"
        return JSONResponse({"files": [file]}, headers=_CORS)

    async def file(request: Request) -> Response:
        opened = await kept.file(request.path_params["ticket"])
        await _shared(access, request, opened, "the file of a health link", f"its holder, as {opened.link_id}")
        return Response(opened.content, media_type="application/jose", headers=_CORS)

    return [
        Route(f"{BASE}/links/file/{{ticket}}", _answered(file, access), methods=["GET", "OPTIONS"]),
        Route(f"{BASE}/links/{{address}}", _answered(manifest, access), methods=["POST", "OPTIONS"]),
    ]


def _source(request: Request) -> str:
    return request.client.host if request.client else ""


async def _shared(access: Access, request: Request, opened: Opened, what: str, to: str) -> None:
    actor = Actor(opened.account_id, "patient", patient_id=opened.patient_id)
    session = access.open(actor, USUAL_PURPOSE["patient"], source=_source(request), request_id=uuid7())
    await session.shared(what, opened.patient_id, to)


def _answered(
    work: Callable[[Request], Awaitable[Response]], access: Access
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_CORS)
        try:
            require_text(request.path_params.items())
            return await work(request)
        except PasscodeWrong as error:
            holder = Actor(f"link {error.link_id}", NOBODY, identity_level=0, authenticator_level=0)
            await access.turned_away(
                holder, USUAL_PURPOSE["patient"], error, source=_source(request), request_id=uuid7(),
                interaction="share-refused", patients=(error.patient_id,),
            )  # fmt: skip
            return JSONResponse({"remainingAttempts": error.left}, error.status, headers=_CORS)
        except DomainError as error:
            await access.stranger(error, source=_source(request), request_id=uuid7(), target=f"{BASE}/links")
            return PlainTextResponse(f"{error}\n", error.status, headers=_CORS)

    return answer


async def _asked(request: Request) -> dict[str, Any]:
    """The request of a viewer; whatever is not JSON is an empty one, which opens nothing."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LINK_REQUEST_MAX_BYTES:
            return {}
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

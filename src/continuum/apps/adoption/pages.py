"""Printed pieces: choosing for whom and in which language, looking at them, downloading them."""

import asyncio
import re
from collections.abc import Callable
from datetime import date, datetime

from starlette.responses import Response

from continuum.adoption.facilities import Resource, described, known
from continuum.adoption.limits import PIECES_AT_ONCE
from continuum.adoption.pieces import LANGUAGES, PIECES, Facility, made, preview
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.chart.entry import N_
from continuum.kernel.errors import Busy, Invalid, NotFound
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.render import PAGE_HEADERS
from continuum.ui.view import showing

HOME = f"{BASE}/leaflets"
TITLES = {
    "system-fact-sheet": N_("Fact sheet on Continuum"),
    "system-brochure": N_("Brochure on Continuum"),
    "system-postcard": N_("Postcard"),
    "system-poster": N_("Poster on Continuum"),
    "portal-poster": N_("Poster on the portal"),
    "portal-brochure": N_("Brochure on the portal"),
    "portal-fact-sheet": N_("Fact sheet on the portal"),
    "cybersecurity-fact-sheet": N_("Fact sheet on cybersecurity"),
}
PAPERS = {
    "letter": N_("Letter, one side"), "landscape": N_("Letter, two sides, folded in three"),
    "postcard": N_("Postcard, 6 by 4 inches"), "tabloid": N_("Poster, 11 by 17 inches"),
}  # fmt: skip
_at_work = 0


async def leaflets(x: Visit) -> Response:
    """The eight pieces for a facility, as pictures, each with its downloads."""
    await staff(x)
    facilities = await known(x.record())
    problems = []
    facility, language, day = _facility(x, facilities), _language(x), _day(x)
    with showing(x.reader):
        if day is None:
            day = _today(x)
            problems.append(Problem("day", gettext("Write the day as 2027-03-31.")))
        pieces = [(one, gettext(TITLES[one.key]), gettext(PAPERS[one.format])) for one in PIECES.values()]
    asked = f"facility={facility['id']}&language={language}&day={day.isoformat()}" if facility else ""
    return x.page(
        "adoption/leaflets.html", facilities=facilities, facility=facility, languages=LANGUAGES, language=language,
        day=x.query.get("day", day.isoformat()) if problems else day.isoformat(), pieces=pieces, asked=asked, home=HOME,
        problems=problems, status=422 if problems else 200,
    )  # fmt: skip


async def piece(x: Visit) -> Response:
    """One piece: `KEY.png` is a picture of it, `KEY.pdf` the piece; `for=printer` with bleed and cut marks."""
    await staff(x)
    key, _, kind = x.request.path_params["piece"].rpartition(".")
    organization, day = _facility(x, await known(x.record())), _day(x)
    if key not in PIECES or kind not in ("png", "pdf") or organization is None or day is None:
        raise NotFound("There is no such piece.")
    facility, language = described(organization, f"{x.services.settings.origin}/portal", day), _language(x)
    printer = x.query.get("for") == "printer"
    chosen = PIECES[key]
    if kind == "png":
        content = await _apart(lambda: preview(chosen, facility, language))
        return Response(content, media_type="image/png", headers=dict(PAGE_HEADERS))
    content = await _apart(lambda: made(chosen, facility, language, printer=printer))
    name = _file_name(key, facility, language, printer=printer)
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/pdf", headers=headers)


async def _apart(work: Callable[[], bytes]) -> bytes:
    """Sets a piece beside the event loop. Raises Busy."""
    global _at_work  # noqa: PLW0603  how many are being set in this process
    if _at_work >= PIECES_AT_ONCE * len(PIECES):
        raise Busy("Too many leaflets are being made at the moment; please try again.")
    _at_work += 1
    try:
        async with _turn:
            return await asyncio.to_thread(work)
    finally:
        _at_work -= 1


_turn = asyncio.Semaphore(PIECES_AT_ONCE)


def _file_name(key: str, facility: Facility, language: str, *, printer: bool) -> str:
    place = re.sub(r"[^a-z0-9]+", "-", facility.name.casefold()).strip("-")[:60]
    return f"{key}-{place}-{language}{'-printer' if printer else ''}.pdf"


def _facility(x: Visit, facilities: list[Resource]) -> Resource | None:
    wanted = x.query.get("facility") or x.standing.facility_id
    fitting = [one for one in facilities if one["id"] == wanted]
    return next(iter(fitting or ([] if x.query.get("facility") else facilities)), None)


def _language(x: Visit) -> str:
    wanted = x.query.get("language", x.reader.language)
    if wanted not in LANGUAGES:
        raise Invalid("Leaflets are in English and in Spanish.")
    return wanted


def _today(x: Visit) -> date:
    return datetime.fromtimestamp(x.access.clock() / 1_000_000, x.zone).date()


def _day(x: Visit) -> date | None:
    said = x.query.get("day")
    if not said:
        return _today(x)
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None

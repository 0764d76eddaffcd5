"""Which pieces there are, what they say, and setting them: one description in each language, one look."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Literal

import segno
import typst
from babel.dates import format_date

from continuum.adoption.limits import PIECES_KEPT
from continuum.adoption.pictures import drawn
from continuum.ui.language import BUILT

LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español"}
_LOCALES = {"en": "en_US", "es": "es_US"}
_HERE = files("continuum.adoption")
_FONTS = BUILT / "fonts"
_PREVIEW_PPI = 72.0


@dataclass(frozen=True, slots=True)
class Piece:
    """One printed piece. format: its paper; layout: how it is set; pages: how many sides it has.

    picture: what it shows, of pictures.py.
    """

    key: str
    title: str
    format: str
    layout: str
    pages: int
    picture: str = "system"


PIECES: Mapping[str, Piece] = {
    one.key: one
    for one in (
        Piece("system-fact-sheet", "Fact sheet on Continuum", "letter", "fact-sheet", 1),
        Piece("system-brochure", "Brochure on Continuum", "landscape", "brochure", 2),
        Piece("system-postcard", "Postcard", "postcard", "postcard", 2),
        Piece("system-poster", "Poster on Continuum", "tabloid", "poster", 1),
        Piece("portal-poster", "Poster on the portal", "tabloid", "poster", 1, "portal"),
        Piece("portal-brochure", "Brochure on the portal", "landscape", "brochure", 2, "portal"),
        Piece("portal-fact-sheet", "Fact sheet on the portal", "letter", "fact-sheet", 1, "portal"),
        Piece("cybersecurity-fact-sheet", "Fact sheet on cybersecurity", "letter", "claims", 1, "shield"),
    )
}
"""The eight pieces by key."""


@dataclass(frozen=True, slots=True)
class Facility:
    """What a piece says of a facility. portal: the address of the portal; day: from when on it works with Continuum."""

    name: str
    address: str
    phone: str
    portal: str
    day: date


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the cybersecurity fact sheet, and the tests that hold it (`path::name`)."""

    key: str
    icon: str
    words: Mapping[str, str]
    tests: tuple[str, ...]


@lru_cache(maxsize=1)
def claims() -> tuple[Claim, ...]:
    """All of them, in their order."""
    listed = tomllib.loads((_HERE / "claims.toml").read_text(encoding="utf-8"))["claim"]
    return tuple(
        Claim(one["key"], one["icon"], {name: one[name] for name in LANGUAGES}, tuple(one["tests"])) for one in listed
    )


@lru_cache(maxsize=4)
def texts(language: str) -> dict[str, dict[str, Any]]:
    """What every piece says in one language, by piece, and `common`."""
    return tomllib.loads((_HERE / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


def made(piece: Piece, facility: Facility, language: str, *, printer: bool = False) -> bytes:
    """A piece as tagged PDF (PDF/UA-1, checked while it is made).

    printer: with bleed and cut marks around it, for a printer's sheet; else for the office's own.
    """
    return _set(_data(piece, facility, language, printer=printer), "pdf")[0]


def preview(piece: Piece, facility: Facility, language: str) -> bytes:
    """The first side of a piece as PNG, a point for a pixel."""
    return _set(_data(piece, facility, language, printer=False), "png")[0]


@lru_cache(maxsize=PIECES_KEPT)
def _set(data: str, kind: Literal["pdf", "png"]) -> tuple[bytes, ...]:
    more: dict[str, Any] = {"pdf_standards": ["ua-1"]} if kind == "pdf" else {"ppi": _PREVIEW_PPI}
    found = typst.compile(
        (_HERE / "pieces.typ").read_bytes(), format=kind, sys_inputs={"piece": data}, ignore_system_fonts=True,
        font_paths=[str(_FONTS)], **more,
    )  # fmt: skip
    return (found,) if isinstance(found, bytes) else tuple(one for one in found if one is not None)


def _data(piece: Piece, facility: Facility, language: str, *, printer: bool) -> str:
    origin = re.sub(r"/portal/?$", "", facility.portal.rstrip("/"))
    portal, site = (address.partition("//")[2].rstrip("/") for address in (facility.portal, origin))
    filled = {
        "facility": facility.name, "day": format_date(facility.day, "long", _LOCALES[language]),
        "phone": facility.phone, "portal": portal, "site": site,
    }  # fmt: skip
    known = texts(language)
    common = _filled(known["common"], filled)
    return json.dumps({
        "piece": piece.key, "format": piece.format, "layout": piece.layout, "language": language, "printer": printer,
        "texts": _filled(known[piece.key], {**filled, "free": common["free"]}), "common": common,
        "facility": {"name": facility.name, "address": facility.address, "phone": facility.phone,
                     "portal_words": portal},
        "claims": [
            {"icon": one.icon, "text": one.words[language], "link": f"{origin}/security#{one.key}",
             "proof": f"/security#{one.key}"}
            for one in claims()
        ] if piece.layout == "claims" else [],
        "proof_link": f"{origin}/security", "qr": _code(facility.portal), "pictures": drawn(piece.picture),
        "mark": (files("continuum.ui") / "styles" / "mark.svg").read_text(encoding="utf-8"), "icons": _icons(),
    })  # fmt: skip


def _filled(said: Any, values: Mapping[str, str]) -> Any:
    if isinstance(said, str):
        return said.format(**values)
    if isinstance(said, list):
        return [_filled(one, values) for one in said]
    if isinstance(said, dict):
        return {name: _filled(one, values) for name, one in said.items()}
    return said


def _code(address: str) -> str:
    drawn = BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", border=2, xmldecl=False, dark="#0d2c52")
    return drawn.getvalue().decode()


@lru_cache(maxsize=1)
def _icons() -> dict[str, str]:
    """The icons that pieces use, each as an SVG of its own whose colour is `currentColor`."""
    sprite = (BUILT / "icons.svg").read_text(encoding="utf-8")
    named = dict(re.findall(r'<symbol id="([a-z_]+)" viewBox="0 0 24 24">(.*?)</symbol>', sprite, re.DOTALL))
    return {
        name: f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="currentColor">{body}</svg>'
        for name, body in named.items()
    }

"""For whom a page is drawn: language, time zone, day and colours. Everything that formats asks here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from continuum.ui.limits import (
    LANGUAGES_ACCEPTED_MAX,
)

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
LANGUAGES = {"en": "English", "es": "Español"}
"""Each language that the pages speak, in its own words."""
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class View:
    """One reader's page.

    Args:
        today: the day at the facility; ages are reckoned to it.
        language: a key of `LANGUAGES`.
        zone: instants are written in this zone.
        theme: colours; `auto` follows the device.
        path: where the page is, for links that change one thing and come back.
        large_text: everything a quarter larger.
    """

    today: date
    language: str = DEFAULT_LANGUAGE
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    theme: Theme = "auto"
    path: str = "/"
    large_text: bool = False

    def __post_init__(self) -> None:
        """A language without translations would show a page of two tongues."""
        assert self.language in LANGUAGES, self.language
        assert self.theme in THEMES, self.theme


_present: ContextVar[View] = ContextVar("continuum_view")


@contextmanager
def showing(view: View) -> Iterator[None]:
    """While this holds, formats are those of the view."""
    token = _present.set(view)
    try:
        yield
    finally:
        _present.reset(token)


def present() -> View:
    """The view that is being drawn."""
    return _present.get()


_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*\Z")


def best_language(accept: str) -> str:
    """The language to speak, of an Accept-Language header (RFC 9110 §12.5.4); English when none of ours is wanted."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept.split(",")[:LANGUAGES_ACCEPTED_MAX]):
        found = _RANGE.match(part)
        if found and found[1].lower() in LANGUAGES:
            wanted.append((-float(found[2] or 1), place, found[1].lower()))
    wanted = [one for one in wanted if one[0] < 0]
    return min(wanted)[2] if wanted else DEFAULT_LANGUAGE

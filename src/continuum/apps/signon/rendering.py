"""Templates to HTML, for one reader, in the frame of the design system."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import segno
from starlette.requests import Request

from continuum.apps.design.reader import view_of
from continuum.apps.design.static import PREFERENCES_PATH
from continuum.chart.roles import ROLES
from continuum.ui import Pages
from continuum.ui.language import gettext
from continuum.ui.view import showing

SPOKEN = ("words", "good", "why")
"""Values that are whole sentences for the reader: they are translated here, where it is known who reads."""


def drawn(link: str) -> str:
    """The QR code of a link as a picture's address; "" for no link."""
    return str(segno.make(link, error="m").svg_data_uri(scale=4, border=4)) if link else ""


def _navigation(home: str, here: str) -> list[tuple[str, str, bool]]:
    return [(gettext("Your account"), home, here == home), (gettext("My record"), "/portal", False)]


@lru_cache(maxsize=1)
def _pages() -> Pages:
    return Pages("continuum.apps.signon")


def render(request: Request, template: str, /, *, home: str, person: str, csrf: str, base: str, **values: Any) -> str:
    """A page for `person`, who is signed in, or for nobody (""). Whatever a template asks for must be given.

    `home` is where a reader who changes language or colors goes back to from the answer to a form.
    """
    view = view_of(request)
    if request.method != "GET":
        view = replace(view, path=home)
    with showing(view):
        if values.get("notices"):
            values["notices"] = [(at, gettext(text)) for at, text in values["notices"]]
        given = {name: gettext(text) if name in SPOKEN and text else text for name, text in values.items()}
        site: dict[str, Any] = {
            "brand": "Continuum",
            "home": "/",
            "navigation": _navigation(home, request.url.path) if person else [],
            "person": person,
            "preferences": PREFERENCES_PATH,
            "footer": gettext("An account costs nothing, and nobody will ever ask you for your password."),
        }
        if person:
            site["sign_out"] = (f"{base}/sign-out", csrf)
        return _pages().render(f"signon/{template}", view, site=site, csrf=csrf, base=base, role_names=ROLES, **given)

"""Every page of every app: which there are, and which one an address belongs to."""

import re
from urllib.parse import urlsplit

from continuum.apps.frame.part import parts
from continuum.apps.portal.app import PAGES as PORTAL
from continuum.apps.signon.app import PAGES as SIGNON
from continuum.apps.workspace.app import PAGES as WORKSPACE

APPS = {
    "signon": SIGNON,
    "portal": [page for part in parts("portal") for page in part.pages] + [*PORTAL],
    "workspace": [page for part in parts("workspace") for page in part.pages] + [*WORKSPACE],
}
"""The pages of each app in the order in which the server asks them, those of domains first."""
ROUTES = [
    (app, method, f"/{app}{path}") for app, pages in APPS.items() for path, _, methods in pages for method in methods
]
"""App, method, path with its names in braces."""


def pattern(path: str) -> re.Pattern[str]:
    """What finds the addresses of a route, as `/workspace/patients/{patient_id}/{section}`."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)) + r"\Z")


_PATTERNS = [(method, path, pattern(path)) for _, method, path in ROUTES]


def route_of(method: str, address: str) -> str | None:
    """The path, with its names in braces, of the page that answers at an address; None for what is no page."""
    asked = urlsplit(address).path
    return next((path for one, path, found in _PATTERNS if one == method and found.match(asked)), None)

"""How a reader wants pages: cookies say it, else the browser does."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from starlette.requests import Request

from continuum.kernel.clock import now_us
from continuum.ui.view import LANGUAGES, THEMES, Theme, View, best_language

COOKIES = {"language": tuple(LANGUAGES), "theme": THEMES, "text": ("usual", "large")}
"""Each preference, which is also its cookie and its field in the form, and what it may be."""


def view_of(request: Request) -> View:
    """The view of whoever asks; what a cookie says and we do not know is as if it were not said."""
    kept = {name: request.cookies.get(name, "") for name in COOKIES}
    known = {name: value for name, value in kept.items() if value in COOKIES[name]}
    return View(
        today=datetime.fromtimestamp(now_us() / 1_000_000, UTC).date(),
        language=known.get("language") or best_language(request.headers.get("accept-language", "")),
        theme=cast("Theme", known.get("theme", "auto")),
        large_text=known.get("text") == "large",
        path=request.url.path,
    )


def chosen(fields: Mapping[str, str]) -> dict[str, str]:
    """Of a posted form, the preferences that we know."""
    return {name: fields[name] for name, values in COOKIES.items() if fields.get(name) in values}


def way_back(path: str) -> str:
    """A path of this server to go back to; anything else is its start page, so that no link leads elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and "\\" not in path else "/"

"""The living page: every macro in every state, beside the template that makes it. Nothing in it is of a real person.

Each example is a template of its own in `templates/design/examples`, shown as it is and run as it stands, so the
page cannot say anything that is not so. The tests in a real browser walk these pages.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from continuum.apps.design import sample
from continuum.apps.design.answer import html
from continuum.apps.design.reader import view_of
from continuum.apps.design.static import PREFERENCES_PATH
from continuum.ui import Pages, View
from continuum.ui.language import gettext
from continuum.ui.limits import (
    PREFERENCES_MAX_BYTES,
)
from continuum.ui.people import Problem
from continuum.ui.render import PAGE_HEADERS
from continuum.ui.view import showing

PATH = "/ui"


def _mark(message: str) -> str:
    """Marks a message for translation where it is written; it is translated where it is shown."""
    return message


N_ = _mark


@dataclass(frozen=True, slots=True)
class Example:
    """One example: the template's name, what it is called, and when to use it."""

    name: str
    title: str
    about: str


GROUPS: dict[str, tuple[str, tuple[Example, ...]]] = {
    "feedback": (
        N_("Feedback"),
        (
            Example("alerts", N_("Alert"), N_("Stands in the page. The kind is told by words and a shape, too.")),
            Example("toasts", N_("Toast"), N_("Says that something was done, without taking the focus.")),
            Example("dialog", N_("Dialog"), N_("Asks before something that cannot be undone. Escape closes it.")),
            Example("progress", N_("Progress"), N_("How far a long task is, or that it goes on.")),
            Example("tags", N_("Tags and states"), N_("A tag is a category; a state has a shape besides its color.")),
            Example("empty", N_("Empty place"), N_("Says what is not there, and what one can do.")),
        ),
    ),
    "forms": (
        N_("Forms"),
        (
            Example("buttons", N_("Buttons"), N_("One main action for each page; what cannot be undone is red.")),
            Example("fields", N_("Fields"), N_("A label above, a hint below it, the unit beside the value.")),
            Example("choices", N_("Choices"), N_("Up to seven choices are shown at once; more go into a list.")),
            Example("dates", N_("Date"), N_("The month is a word, because 03/04 is two days in two countries.")),
            Example("problems", N_("Problems"), N_("A summary takes the focus and leads to each field.")),
        ),
    ),
    "navigation": (
        N_("Navigation"),
        (
            Example("breadcrumbs", N_("Breadcrumbs"), N_("Where this page is.")),
            Example("side", N_("Side navigation"), N_("The parts of a chart; on a telephone it folds.")),
            Example("tabs", N_("Tabs"), N_("Sections one below the other; with script they become tabs.")),
            Example("pagination", N_("Pagination"), N_("Never more than seven places.")),
            Example("steps", N_("Steps"), N_("Where one is in a task of several pages.")),
        ),
    ),
    "content": (
        N_("Content"),
        (
            Example("banner", N_("Patient banner"), N_("Always in view on top of a chart.")),
            Example("cards", N_("Card"), N_("One subject, with its count, its action and where it comes from.")),
            Example("table", N_("Table"), N_("Numbers stand right; on a telephone rows become cards.")),
            Example("facts", N_("Description list"), N_("What is missing says so.")),
            Example("timeline", N_("Timeline"), N_("Newest first, everything with its source.")),
        ),
    ),
    "charts": (
        N_("Charts"),
        (
            Example("vitals", N_("Vital signs"), N_("Lines differ by shape and dash, not only by color.")),
            Example("laboratory", N_("Laboratory"), N_("The reference range is a band; what lies outside is hollow.")),
            Example("spark", N_("Small course"), N_("How something moved, in a cell beside its numbers.")),
            Example("growth", N_("Growth"), N_("Percentiles are thin lines with their number at the end.")),
        ),
    ),
}
"""The pages of the gallery and what is on them."""


@lru_cache(maxsize=1)
def _pages() -> Pages:
    return Pages("continuum.apps.design")


def source(name: str) -> str:
    """The template of an example, without the import that all of them begin with."""
    folder = files("continuum.apps.design") / "templates" / "design" / "examples"
    return (folder / f"{name}.html").read_text(encoding="utf-8").partition("\n")[2].rstrip()


def _site(here: str) -> dict[str, Any]:
    places = [("", gettext("Example chart")), *((key, gettext(title)) for key, (title, _) in GROUPS.items())]
    return {
        "brand": "Continuum",
        "home": "/",
        "navigation": [(title, f"{PATH}/{key}".rstrip("/"), key == here) for key, title in places],
        "person": "",
        "preferences": PREFERENCES_PATH,
        "footer": gettext("Everyone on these pages is synthetic."),
    }


def page(request: Request, name: str, view: View, here: str = "", status: int = 200, **values: Any) -> Response:
    """One page of the gallery as an answer."""
    with showing(view):
        given = {"site": _site(here), "sample": sample.people(view), **values}
        text = _pages().render(name, view, **given)
    return html(request, text, status)


async def overview(request: Request) -> Response:
    """A chart as it might be, made of everything else."""
    return page(request, "design/chart.html", view_of(request))


async def group(request: Request) -> Response:
    """All examples of one kind."""
    name = request.path_params["group"]
    if name not in GROUPS:
        return PlainTextResponse("There is no such page of the design system.\n", 404, headers=dict(PAGE_HEADERS))
    title, examples = GROUPS[name]
    return page(
        request, "design/group.html", view_of(request), name, title=title, examples=examples, source=source,
        problems=(), errors={}, given={}, done=False,
    )  # fmt: skip


async def try_form(request: Request) -> Response:
    """Checks the example form: problems come back with what was typed, a good one with its confirmation."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > PREFERENCES_MAX_BYTES:
            return PlainTextResponse("The form is too large.\n", 413, headers=dict(PAGE_HEADERS))
    given = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=32))
    view = view_of(request)
    with showing(view):
        problems = _problems(given)
    values = {
        "problems": problems,
        "errors": {problem.field: problem.text for problem in problems},
        "given": given,
        "done": not problems,
    }
    status = 422 if problems else 200
    if request.headers.get("hx-request") == "true":
        return page(request, "design/examples/problems.html", view, "forms", status, **values)
    title, examples = GROUPS["forms"]
    return page(
        request, "design/group.html", view, "forms", status, title=title, examples=examples, source=source, **values
    )


def _problems(given: dict[str, str]) -> tuple[Problem, ...]:
    found = []
    if not given.get("systolic", "").isdigit():
        found.append(Problem("systolic", gettext("Enter the systolic pressure as a whole number, such as 120")))
    if given.get("arm") not in {"left", "right"}:
        found.append(Problem("arm", gettext("Choose the arm")))
    return tuple(found)


async def toast(request: Request) -> Response:
    """The toast that the example's button asks for."""
    return page(request, "design/toast.html", view_of(request))


def routes() -> list[Route]:
    """The addresses of the gallery."""
    return [
        Route(PATH, overview),
        Route(f"{PATH}/try/toast", toast),
        Route(f"{PATH}/try/form", try_form, methods=["POST"]),
        Route(f"{PATH}/{{group}}", group),
    ]

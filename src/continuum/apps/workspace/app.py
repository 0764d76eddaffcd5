"""The ASGI application under /workspace."""

from starlette.applications import Starlette

from continuum.access import Access
from continuum.apps.frame import visit
from continuum.apps.frame.part import parts
from continuum.apps.frame.visit import Handler
from continuum.apps.signon.services import SignonServices
from continuum.apps.workspace import chart, corrections, emergency, home, lists, releasing, writing
from continuum.apps.workspace.area import AREA

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
_ONE = "/patients/{patient_id}"
PAGES: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("", home.home, GET),
    ("/find", home.search, GET),
    ("/palette", home.palette, GET),
    ("/unfinished", home.unfinished, GET),
    ("/here", lists.here, GET),
    ("/lists", lists.lists, BOTH),
    ("/emergency", emergency.break_glass, BOTH),
    ("/corrections", corrections.waiting, GET),
    (_ONE, chart.summary, GET),
    (f"{_ONE}/lists", lists.choose, BOTH),
    (f"{_ONE}/timeline", chart.timeline, GET),
    (f"{_ONE}/who-looked", chart.who_looked, GET),
    (f"{_ONE}/{{kind}}/new", writing.new, BOTH),
    (f"{_ONE}/{{kind}}/draft", writing.draft, POST),
    (f"{_ONE}/{{kind}}/{{entry_id}}/wrong", writing.wrong, BOTH),
    (f"{_ONE}/{{kind}}/{{entry_id}}/change", writing.change, BOTH),
    (f"{_ONE}/{{section}}/{{entry_id}}/release", releasing.release, POST),
    (f"{_ONE}/amendments/{{entry_id}}/answer", corrections.answer, BOTH),
    (f"{_ONE}/{{section}}", chart.part, GET),
)
"""Address below the base, handler, methods."""


def application(services: SignonServices, access: Access) -> Starlette:
    """All pages of the workspace."""
    pages = [*(page for part in parts("workspace") for page in part.pages), *PAGES]
    return visit.application(AREA, pages, services, access)

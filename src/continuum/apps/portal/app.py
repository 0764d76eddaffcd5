"""The ASGI application under /portal."""

from starlette.applications import Starlette

from continuum.access import Access
from continuum.apps.frame import visit
from continuum.apps.frame.part import parts
from continuum.apps.frame.visit import Handler
from continuum.apps.portal import disclosed, family, home, looks, own, record, sharing, taking
from continuum.apps.portal.area import AREA, led
from continuum.apps.signon.services import SignonServices

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
OPEN: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/topics", home.topics, GET),
    ("/help", home.help_page, GET),
)
"""Open to everybody, signed in or not; no record is in them."""
SIGNED_IN: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("", home.home, GET),
    ("/premium", home.premium, GET),
)
"""For every account; a Basic one too."""
_ONE = "/record/{who}"
RECORD: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/family", family.family, GET),
    ("/family/grant", family.grant, BOTH),
    ("/family/grant/{entry_id}/back", family.take_back, POST),
    (_ONE, record.overview, GET),
    (f"{_ONE}/timeline", record.timeline, GET),
    (f"{_ONE}/search", record.search, GET),
    (f"{_ONE}/who-looked", looks.who_looked, GET),
    (f"{_ONE}/disclosures", disclosed.page, GET),
    (f"{_ONE}/disclosures/file", disclosed.file, GET),
    (f"{_ONE}/take-along", taking.form, GET),
    (f"{_ONE}/take-along/file", taking.file, GET),
    (f"{_ONE}/links", sharing.links, BOTH),
    (f"{_ONE}/links/{{link_id}}/close", sharing.revoke, POST),
    (f"{_ONE}/own/new/{{kind}}", own.new, BOTH),
    (f"{_ONE}/own/{{entry_id}}/back", own.take_back, POST),
    (f"{_ONE}/{{section}}/{{entry_id}}/correct", own.correct, BOTH),
    (f"{_ONE}/{{section}}", record.part, GET),
)
"""Shows or changes a record: Premium or a card."""
PAGES = (*OPEN, *SIGNED_IN, *RECORD)
"""Address below the base, handler, methods."""


def application(services: SignonServices, access: Access) -> Starlette:
    """All pages of the portal."""
    of_parts = [page for part in parts("portal") for page in part.pages]
    pages = [(path, led(work), methods) for path, work, methods in (*of_parts, *PAGES)]
    return visit.application(AREA, pages, services, access, more=sharing.viewers(services, access))

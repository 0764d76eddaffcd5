"""Messages in the portal: what belongs to a person, and where it is."""

from collections.abc import Sequence

from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Navigation, Visit
from continuum.apps.messages import portal_pages
from continuum.apps.portal.area import BASE
from continuum.ui.language import gettext

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
HOME = "/messages"
_WHO = f"{HOME}/{{who}}"
_ONE = f"{_WHO}/thread/{{thread_id}}"


def _navigation(x: Visit) -> Navigation:
    if x.standing.role != "patient":
        return ()
    here = x.request.url.path.startswith(f"{BASE}{HOME}")
    return ((gettext("Messages"), f"{BASE}{HOME}", here),)


def _cards(x: Visit) -> Sequence[tuple[str, str, str]]:
    if x.standing.role != "patient":
        return ()
    text = gettext("Write to your care team, see who has your question and until when you have an answer.")
    return ((gettext("Messages"), f"{BASE}{HOME}", text),)


PART = Part(
    key="messages",
    order=20,
    navigation=_navigation,
    cards=_cards,
    pages=(
        (HOME, portal_pages.first, GET),
        (_WHO, portal_pages.inbox, GET),
        (f"{_WHO}/before", portal_pages.before, GET),
        (f"{_WHO}/new", portal_pages.new, BOTH),
        (f"{_WHO}/draft/{{draft_id}}", portal_pages.keep_draft, POST),
        (f"{_WHO}/folders", portal_pages.folders, BOTH),
        (_ONE, portal_pages.thread, GET),
        (f"{_ONE}/reply", portal_pages.reply, POST),
        (f"{_ONE}/move", portal_pages.move, POST),
        (f"{_ONE}/file/{{file_id}}", portal_pages.file, GET),
    ),
)

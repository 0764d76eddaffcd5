"""Appointments in the portal: what belongs to a person, and where it is."""

from collections.abc import Sequence

from continuum.apps.appointments import portal_check_in, portal_pages, portal_waiting
from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Navigation, Visit
from continuum.apps.portal.area import BASE
from continuum.ui.language import gettext

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
HOME = "/appointments"
_WHO = f"{HOME}/{{who}}"
_ONE = f"{_WHO}/{{entry_id}}"


def _navigation(x: Visit) -> Navigation:
    if x.standing.role != "patient":
        return ()
    here = x.request.url.path.startswith(f"{BASE}{HOME}")
    return ((gettext("Appointments"), f"{BASE}{HOME}", here),)


def _cards(x: Visit) -> Sequence[tuple[str, str, str]]:
    if x.standing.role != "patient":
        return ()
    text = gettext("Book, move or call off a visit; check in from home; wait for an earlier time.")
    return ((gettext("Appointments"), f"{BASE}{HOME}", text),)


PART = Part(
    key="appointments",
    order=10,
    navigation=_navigation,
    cards=_cards,
    pages=(
        (HOME, portal_pages.first, GET),
        (_WHO, portal_pages.overview, GET),
        (f"{_WHO}/find", portal_pages.find_time, GET),
        (f"{_WHO}/book/{{slot_id}}", portal_pages.book, BOTH),
        (f"{_WHO}/waiting", portal_waiting.join, POST),
        (f"{_WHO}/waiting/{{entry_id}}/leave", portal_waiting.leave, POST),
        (f"{_WHO}/offer/{{entry_id}}", portal_waiting.offer, BOTH),
        (_ONE, portal_pages.detail, GET),
        (f"{_ONE}/cancel", portal_pages.cancel, BOTH),
        (f"{_ONE}/calendar.ics", portal_pages.calendar, GET),
        (f"{_ONE}/check-in", portal_check_in.check_in, BOTH),
        (f"{_ONE}/questions", portal_check_in.again, POST),
    ),
)

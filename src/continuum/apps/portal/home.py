"""The pages that are no record: the first one, the way to Premium, health topics, help."""

from starlette.responses import Response

from continuum.apps.frame.part import parts
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.area import anybody
from continuum.apps.portal.record import newest
from continuum.apps.portal.topics import TOPICS
from continuum.apps.portal.whose import Whose, whose
from continuum.apps.signon.services import CONTACT
from continuum.chart.entry import Entry
from continuum.chart.section import entries, section
from continuum.identity import factors
from continuum.identity.sessions import PREMIUM
from continuum.ui.view import showing

_STEPS_DONE = 5
_NEWEST, _AHEAD = 3, 3
"""Entries of the record and appointments on the first page."""


async def home(x: Visit) -> Response:
    """What somebody can do here, by who they are."""
    await x.stand("patient")
    if x.standing.role != "patient":
        return x.page("portal/home_basic.html", step=await _step(x))
    news = [one for part in parts("portal") for one in await part.news(x)]
    with showing(x.reader):
        cards = [card for part in parts("portal") for card in part.cards(x)]
    here = await whose(x)
    return x.page(
        "portal/home.html",
        cards=cards,
        news=news,
        newest=await newest(here, _NEWEST, among=_NEWEST),
        ahead=await _ahead(x, here),
    )


async def _ahead(x: Visit, here: Whose) -> list[Entry]:
    """The next appointments, the earliest first."""
    today = x.reader.today.isoformat()
    text = f"Appointment?date=ge{today}&status=booked,pending,proposed&_sort=date&_count={_AHEAD}"
    view = await here.looking.view("home", here.patient_id, {"ahead": text})
    return list(entries(section("appointments"), view, "ahead"))


async def premium(x: Visit) -> Response:
    """The way to Premium, step by step, and where on it somebody is."""
    await x.stand("patient")
    return x.page("portal/premium.html", step=await _step(x), contact=x.services.settings.contact or CONTACT)


async def _step(x: Visit) -> int:
    """The step that is next, from 2 on: the first one, an account, is done by everybody who is here."""
    assert x.session is not None, "somebody stands here"
    assert x.account is not None, "somebody stands here"
    if x.session.assurance.reaches(PREMIUM):
        return _STEPS_DONE
    if x.account.identity_level < PREMIUM.identity:
        return 2
    async with x.services.sign_on.connect() as conn:
        present = await factors.of(conn, x.account.account_id)
    return 4 if present.any else 3


async def topics(x: Visit) -> Response:
    """Health topics, for everybody."""
    await anybody(x)
    return x.page("portal/topics.html", topics=TOPICS)


async def help_page(x: Visit) -> Response:
    """What the levels are, and whom to call."""
    await anybody(x)
    return x.page("portal/help.html", contact=x.services.settings.contact or CONTACT)

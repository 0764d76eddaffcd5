"""Where somebody's care is: before a move and after, what works where, and the way over to the older portal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from continuum.apps.frame.part import News
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.area import BASE
from continuum.apps.portal.whose import Whose, now_of, whose
from continuum.chart.entry import N_
from continuum.interop.cutover.exporting import person_file
from continuum.interop.cutover.form import MEDIA_TYPE
from continuum.interop.cutover.moves import Care, care_of
from continuum.interop.cutover.outgoing import travelling
from continuum.interop.cutover.status import Facility
from continuum.kernel.errors import NotFound
from continuum.ui.formats.times import day as written_day
from continuum.ui.language import gettext
from continuum.ui.view import showing

HOME = f"{BASE}/care"
OLDER_NAME = "TRICARE Online"


@dataclass(frozen=True, slots=True)
class Works:
    """One line of what works where: here and on the older portal, each in words; here_kind as a mark."""

    what: str
    here: str
    there: str


WHAT_WORKS = (
    Works(N_("Your record"), N_("Open, as far as it is kept here: nothing is closed when you move."),
          N_("What the new facility writes down while it is there.")),
    Works(N_("Appointments at the new facility"), N_("Not yet: they come over when it goes live."),
          N_("Book, move and cancel them there.")),
    Works(N_("Appointments elsewhere"), N_("Those you have stay yours; you can still move or call them off."), ""),
    Works(N_("Messages to the new teams"), N_("Not yet: they come over when it goes live."),
          N_("Write to them there.")),
    Works(N_("Open conversations with the old team"), N_("You can write on for 45 days after the last message."), ""),
    Works(N_("Refills"), N_("What is prescribed is in your record."),
          N_("Ask the pharmacy of the new facility there.")),
    Works(N_("Sign-in"), N_("Your account here stays, with its second factor."),
          N_("It has its own sign-in, such as DS Logon or a Common Access Card.")),
)  # fmt: skip


async def _care(here: Whose, now: datetime) -> Care:
    patient = (await here.session.view("where the care is", here.patient_id, {})).patient
    return await care_of(here.session, patient, now)


def _older(one: Facility | None) -> bool:
    return one is not None and not one.live


async def news(x: Visit) -> Sequence[News]:
    """What the first page says of a move, before and after, and of a facility that has gone live."""
    if x.standing.role != "patient":
        return ()
    here = await whose(x)
    care = await _care(here, now_of(x))
    with showing(x.reader):
        return [one for one in (_ahead(x, care), _here(care)) if one is not None]


def _day(x: Visit, moment: object) -> str:
    return written_day(str(moment), x.reader.language).text


def _ahead(x: Visit, care: Care) -> News | None:
    if care.moves_to is None or care.day is None:
        return None
    values = {"day": _day(x, care.day), "facility": care.moves_to.name, "portal": OLDER_NAME}
    if _older(care.moves_to):
        text = gettext(N_("From %(day)s your care is at %(facility)s, which still uses the older portal, %(portal)s. "
                          "See what works where, and what you can take along."))  # fmt: skip
        return News("warning", gettext(N_("Your care moves")), text % values, HOME, gettext(N_("What works where")))
    text = gettext(N_("From %(day)s your care is at %(facility)s. It is on Continuum: you go on here as before."))
    return News("info", gettext(N_("Your care moves")), text % values, HOME, gettext(N_("Where your care is")))


def _here(care: Care) -> News | None:
    one = care.here
    if one is None:
        return None
    values = {"facility": one.name, "portal": OLDER_NAME}
    if not one.live:
        if care.since is not None:
            title = gettext(N_("Your care has moved"))
        else:
            title = gettext(N_("Your facility uses the older portal"))
        text = gettext(N_("Your care is at %(facility)s, which still uses the older portal, %(portal)s. "
                          "Appointments and messages there are made on it; your record stays open here."))  # fmt: skip
        return News("warning", title, text % values, f"{HOME}/over", gettext(N_("The way over")))
    if care.just_live and (care.since is None or (one.portal.live_from or care.since) >= care.since):
        text = gettext(N_("%(facility)s is on Continuum now. Your appointments and conversations of the older "
                          "portal are here; nothing has to be done again."))  # fmt: skip
        return News("success", gettext(N_("Your facility is on Continuum now")), text % values,
                    f"{BASE}/appointments/me", gettext(N_("See your appointments")))  # fmt: skip
    if care.since is not None:
        text = gettext(N_("Your care is at %(facility)s now. You go on here as before."))
        return News("success", gettext(N_("Your care has moved")), text % values, HOME,
                    gettext(N_("Where your care is")))  # fmt: skip
    return None


def cards(x: Visit) -> Sequence[tuple[str, str, str]]:
    """The way to the page about it."""
    if x.standing.role != "patient":
        return ()
    return ((gettext("Where your care is"), HOME, gettext("Your facility, a move ahead, and what works where.")),)


async def care(x: Visit) -> Response:
    """Where the care is and where it goes, and what works where."""
    here = await whose(x)
    found = await _care(here, now_of(x))
    older = next((one for one in (found.here, found.moves_to) if _older(one)), None)
    return x.page("cutover/care.html", care=found, older=older, works=WHAT_WORKS, older_name=OLDER_NAME, home=HOME)


async def over(x: Visit) -> Response:
    """The way over: what happens, what to take, and only then the link."""
    here = await whose(x)
    found = await _care(here, now_of(x))
    older = next((one for one in (found.here, found.moves_to) if _older(one)), None)
    return x.page(
        "cutover/over.html", care=found, older=older, works=WHAT_WORKS, older_name=OLDER_NAME, home=HOME,
        address=x.services.settings.older_portal_url,
    )  # fmt: skip


async def file(x: Visit) -> Response:
    """The person's own appointments and conversations, to take along."""
    here = await whose(x)
    now = now_of(x)
    found = await _care(here, now)
    to = next((one for one in (found.here, found.moves_to) if _older(one)), None) or found.here
    if to is None:
        raise NotFound(N_("Your account is not linked to a facility here."))
    mine = await travelling(here.session, here.patient_id)
    await here.session.shared("appointments and conversations", here.patient_id, "the person")
    headers = {"Content-Disposition": 'attachment; filename="continuum-take-along.ndjson"', "Cache-Control": "no-store"}
    return Response(person_file(mine, to, now), media_type=MEDIA_TYPE, headers=headers)

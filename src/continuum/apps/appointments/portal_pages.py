"""A person's appointments: what is ahead, looking for a time, booking, moving, calling off."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from continuum.apps.appointments.booker import Booker, booker
from continuum.apps.appointments.calendar_file import calendar_file
from continuum.apps.appointments.shown import Shown, listed, one
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.area import BASE
from continuum.apps.portal.whose import others
from continuum.chart.entry import N_
from continuum.clinical.scheduling import booking
from continuum.clinical.scheduling.booking import CANCELLED_BY_PERSON, Wish, slot_with_calendar
from continuum.clinical.scheduling.finding import Free, Offer, free_times, kinds, offers
from continuum.clinical.scheduling.limits import CANCEL_MINUTES, HORIZON_DAYS, REASON_MAX_CHARS
from continuum.clinical.scheduling.model import instant
from continuum.clinical.scheduling.offers import waiting_of
from continuum.clinical.scheduling.reading import find, read, zone_of
from continuum.interop.cutover.status import Facility
from continuum.interop.cutover.status import facility as facility_at
from continuum.kernel.errors import Conflict, DomainError, Invalid, NotFound
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

OLDER = N_("This facility still uses the older portal. Appointments there are booked on it.")
LANGUAGES = {"en": "English", "es": "Español", "tl": "Tagalog", "ko": "한국어", "de": "Deutsch"}
"""What clinicians may speak, each in its own words."""
PARTS_OF_DAY = {"": (0, 24), "morning": (0, 12), "afternoon": (12, 24)}
_PAST = 20
_AHEAD = 50
_SHOWN_DAYS = 14
_FACILITIES = 100


async def first(x: Visit) -> Response:
    """Leads to the own appointments."""
    return x.go(f"{BASE}/appointments/me")


def show(x: Visit, here: Booker, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page about somebody's appointments."""
    return x.page(f"appointments/{template}", status=status, here=here, minutes=CANCEL_MINUTES, **values)


async def overview(x: Visit) -> Response:
    """What is ahead, what was offered, what somebody waits for, what is past."""
    here = await booker(x)
    own = f"patient={here.patient_id}"
    ahead = await listed(
        here.session, f"{own}&status=proposed,pending,booked,arrived,checked-in&_sort=date&_count={_AHEAD}",
        here.now, here.zone,
    )  # fmt: skip
    waiting = await listed(here.session, f"{own}&status=waitlist&_count={_AHEAD}", here.now, here.zone)
    past = await listed(
        here.session, f"{own}&status=fulfilled,cancelled,noshow&date=lt2100&_sort=-date&_count={_PAST}",
        here.now, here.zone,
    )  # fmt: skip
    family = [other for other in await others(x) if other.why != "grant"]
    yesterday = here.now - timedelta(days=1)
    return show(
        x, here, "mine.html", family=family, waiting=waiting, past=past,
        offered=[item for item in ahead if item.state == "proposed" and _stands(item, here.now)],
        ahead=[item for item in ahead if item.state != "proposed" and item.starts and item.starts > yesterday],
    )  # fmt: skip


def _stands(item: Shown, now: datetime) -> bool:
    return item.offered_until is not None and item.offered_until > now


async def detail(x: Visit) -> Response:
    """One appointment: when, where, with whom, and what can be done about it."""
    here = await booker(x)
    item = await one(here.session, x.param("entry_id"), here.patient_id, here.now, here.zone)
    waits = {entry.instead_of for entry in await _waiting(here)}
    return show(x, here, "one.html", item=item, waits=item.id in waits, video=_video(x, item))


async def _waiting(here: Booker) -> list[Shown]:
    own = f"patient={here.patient_id}&status=waitlist&_count={_AHEAD}"
    return await listed(here.session, own, here.now, here.zone)


def _video(x: Visit, item: Shown) -> str:
    """Where a visit by video takes place; "" for one that is none, or where the operator has no such service."""
    template = x.services.settings.video_url
    if not template or item.kind is None or not item.kind.remote:
        return ""
    # Nobody can guess a room from an appointment's id.
    return template.format(room=x.services.sign_on.vault.digest("video-room", item.id).hex()[:32])


async def find_time(x: Visit) -> Response:
    """Looks for a free time by need, facility, language, day and part of the day."""
    here = await booker(x)
    facilities, _ = await find(here.session, "Organization", f"type=prov&active=true&_sort=name&_count={_FACILITIES}")
    facility = x.query.get("facility", "") or here.facility_id
    older = next((one for one in map(_status(here), facilities) if one.id == facility and not one.live), None)
    found = await kinds(here.session, facility) if _plain(facility) and older is None else []
    moves = x.query.get("moves", "")
    old = await one(here.session, moves, here.patient_id, here.now, here.zone) if moves else None
    need = x.query.get("need", "") or (old.kind.id if old and old.kind else "")
    chosen = [kind for kind in found if kind.id == need]
    asked = _day(x.query.get("from", ""))
    first_day = max(asked or x.reader.today, x.reader.today)
    part = x.query.get("part", "")
    times: Sequence[Free] = ()
    spoken: Sequence[Offer] = ()
    if chosen:
        spoken = await offers(here.session, [kind.id for kind in chosen], language=x.query.get("language", ""))
        times = await _times(here, spoken, first_day, part)
    waits = {entry["id"] for entry in await waiting_of(here.session, here.patient_id)} if chosen else set()
    with showing(x.reader):
        problems = (
            [] if asked or not x.query.get("from") else [Problem("from", gettext("Write the day as 2027-03-31."))]
        )
    return show(
        x, here, "find.html", facilities=facilities, facility=facility, kinds=found, need=need, chosen=chosen,
        times=_by_day(times), first_day=first_day, later=first_day + timedelta(days=_SHOWN_DAYS),
        last=x.reader.today + timedelta(days=HORIZON_DAYS), part=part, language=x.query.get("language", ""),
        languages=LANGUAGES, moves=moves, old=old, problems=problems, waits=waits, offered=bool(spoken),
        older=older,
    )  # fmt: skip


def _status(here: Booker) -> Callable[[dict[str, Any]], Facility]:
    return lambda organization: facility_at(organization, here.now)


def _plain(name: str) -> bool:
    return bool(name) and len(name) <= 64 and all(sign.isalnum() or sign in "-." for sign in name)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def _times(here: Booker, spoken: Sequence[Offer], first_day: date, part: str) -> list[Free]:
    begin = max(datetime.combine(first_day, time(0), here.zone), here.now)
    until = datetime.combine(first_day + timedelta(days=_SHOWN_DAYS), time(0), here.zone)
    low, high = PARTS_OF_DAY.get(part, (0, 24))
    found = await free_times(here.session, here.claims, spoken, begin, until)
    soon = here.now + timedelta(minutes=30)
    return [item for item in found if low <= item.starts.hour < high and item.starts >= soon]


def _by_day(times: Sequence[Free]) -> list[tuple[date, list[Free]]]:
    days: dict[date, list[Free]] = {}
    for item in times:
        days.setdefault(item.starts.date(), []).append(item)
    return list(days.items())


async def book(x: Visit) -> Response:
    """Books a time, or moves an appointment to it: the rules are said before."""
    here = await booker(x)
    slot_id, moves = x.param("slot_id"), x.query.get("moves", "")
    old = await one(here.session, moves, here.patient_id, here.now, here.zone) if moves else None
    slot, calendar, _ = await slot_with_calendar(here.session, slot_id)
    given = [item for item in await offers(here.session, [calendar.service_id]) if item.calendar.id == calendar.id]
    if not given:
        raise NotFound("There is no such time.")
    # The hour by the clock of the place, wherever the person's own care is.
    starts = instant(slot["start"]).astimezone(zone_of(given[0].zone_location))
    await refuse_older(here, given[0].kind.facility_id if given[0].kind else "")
    problem = ""
    if x.request.method == "POST":
        wish = Wish(slot_id, here.patient_id, by_person=True, comment=x.form.get("comment", ""))
        try:
            made = await booking.book(here.session, wish, here.now, moves=old.resource if old else None)
        except DomainError as refusal:
            if not isinstance(refusal, Invalid) and refusal.status != 409:
                raise
            problem = str(refusal)
        else:
            return x.go(f"{here.base}/{made['id']}", done="moved" if old else "booked")
    held = bool(await here.claims.held([slot_id]))
    return show(
        x, here, "book.html", slot_id=slot_id, offer=given[0], starts=starts, ends=instant(slot["end"]), old=old,
        problem=problem, held=held, comment=x.form.get("comment", ""), most=REASON_MAX_CHARS,
        status=409 if problem else 200,
    )  # fmt: skip


async def refuse_older(here: Booker, facility_id: str) -> None:
    """Raises Conflict for a facility that is still on the older portal: what is there is booked on it."""
    if facility_id and not facility_at(await read(here.session, "Organization", facility_id), here.now).live:
        raise Conflict(OLDER)


async def cancel(x: Visit) -> Response:
    """Calls an appointment off; a time that somebody waits for goes to them."""
    here = await booker(x)
    item = await one(here.session, x.param("entry_id"), here.patient_id, here.now, here.zone)
    if x.request.method == "POST" and not item.why_not:
        await booking.cancel(
            here.session, item.resource, here.now, by=CANCELLED_BY_PERSON, reason=x.form.get("reason", "")
        )
        return x.go(f"{here.base}/{item.id}", done="cancelled")
    return show(x, here, "cancel.html", item=item, status=409 if item.why_not else 200)


async def calendar(x: Visit) -> Response:
    """The calendar file."""
    here = await booker(x)
    item = await one(here.session, x.param("entry_id"), here.patient_id, here.now, here.zone)
    if item.starts is None:
        raise NotFound("There is no such appointment.")
    address = f"{x.services.settings.origin}{here.base}/{item.id}"
    with showing(x.reader):
        text = calendar_file(
            item, summary=gettext("Appointment"), note=gettext("Sign in to see more."), now=here.now, address=address
        )
    return Response(
        text, media_type="text/calendar",
        headers={"Content-Disposition": 'attachment; filename="appointment.ics"', "Cache-Control": "no-store"},
    )  # fmt: skip

"""A visit of several people at one hour: who is in it, and what is done for all who are picked."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from continuum.apps.appointments.clinic import HOME, Clinic, Row, between, calendars_of, clinic, schedule_of, show
from continuum.apps.appointments.clinic_board import STEPS, called_off, may_take
from continuum.apps.appointments.clinic_calendars import KEEPERS, NOT_FOR_YOU, offer_instead
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.chart.reading import version_of
from continuum.clinical.scheduling import offers, visit
from continuum.clinical.scheduling.finding import Offer
from continuum.clinical.scheduling.limits import HORIZON_DAYS, RULES_MAX
from continuum.clinical.scheduling.model import Calendar, Resource, calendar_of, instant, slots_of, with_calendar
from continuum.clinical.scheduling.opening import CLOSED_STATUS, keep_open, present
from continuum.clinical.scheduling.reading import read
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import DomainError, Forbidden, Invalid
from continuum.ui.language import gettext
from continuum.ui.view import showing

PICKED = "who-"
"""Before the id of an appointment, in the name of its checkbox."""
NOBODY = N_("Choose at least one person who can take this step.")
_IN_IT = "proposed,booked,pending,arrived,checked-in,fulfilled,noshow"
_GROUP_STEPS = ("arrived", "started", "finished", "noshow")
"""A group has its place already: nobody is taken to a room."""


@dataclass(frozen=True, slots=True)
class Group:
    """One hour of a calendar.

    rows: those whom the session may see. free: ids of seats that nobody has. seats: how many are open or taken. taken:
    how many of them somebody has, seen or not.
    """

    slot_id: str
    schedule: Resource
    calendar: Calendar
    offer: Offer | None
    starts: datetime
    ends: datetime
    rows: tuple[Row, ...]
    free: tuple[str, ...]
    seats: int
    taken: int

    @property
    def ahead(self) -> tuple[Row, ...]:
        """Those who are still to come."""
        return tuple(row for row in self.rows if row.item.ahead)


async def _group(here: Clinic, slot_id: str) -> Group:
    """The hour that a time belongs to. Raises NotFound."""
    slot = await read(here.session, "Slot", slot_id)
    name = str(slot["schedule"]["reference"]).rpartition("/")[2]
    schedule = await schedule_of(here, name)
    starts = instant(slot["start"]).astimezone(here.zone)
    seats = await present(here.session, (name,), starts, starts + timedelta(seconds=1))
    held = await here.claims.held([one["id"] for one in seats])
    ids = {one["id"] for one in seats}
    hour = await between(here, starts, starts + timedelta(minutes=1), status=_IN_IT)
    rows = [row for row in hour if not ids.isdisjoint(slots_of(row.item.resource))]
    offer = next((one for one in await calendars_of(here) if one.calendar.id == name), None)
    return Group(
        slot_id, schedule, calendar_of(schedule, horizon_days=HORIZON_DAYS), offer, starts,
        instant(slot["end"]).astimezone(here.zone), tuple(rows),
        tuple(one["id"] for one in seats if one["status"] == "free" and one["id"] not in held),
        sum(one["status"] != CLOSED_STATUS or one["id"] in held for one in seats), len(held),
    )  # fmt: skip


async def group(x: Visit) -> Response:
    """Who is in it; one step for everybody who is picked, or calling it off for all."""
    here = await clinic(x)
    found = await _group(here, x.param("slot_id"))
    problem = ""
    if x.request.method == "POST":
        try:
            if x.form.get("act") == "call-off":
                return await _call_off(x, here, found)
            return await _step(x, here, found, x.form.get("act", ""))
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422}:
                raise
            with showing(x.reader):
                problem = gettext(str(refusal))
    may = may_take(x)
    steps = {one: STEPS[one] for one in _GROUP_STEPS if any(may(row.item.resource, one) for row in found.rows)}
    return show(
        x, here, "clinic_group.html", "day", group=found, steps=steps, form=x.form, problem=problem,
        done=x.query.get("done", ""), number=x.query.get("number", ""), missed=x.query.get("missed", ""),
        may_call_off=x.standing.role in KEEPERS, status=422 if problem else 200,
    )  # fmt: skip


async def _step(x: Visit, here: Clinic, found: Group, step: str) -> Response:
    """Each person's step is an act of its own: one who was moved on by a colleague holds nobody else up."""
    if step not in _GROUP_STEPS:
        raise Invalid("There is no such step.")
    may = may_take(x)
    picked = [row for row in found.rows if x.form.get(f"{PICKED}{row.item.id}")]
    able = [row for row in picked if may(row.item.resource, step)]
    if not able:
        raise Invalid(NOBODY)
    missed = len(picked) - len(able)
    for row in able:
        try:
            await visit.take(here.session, row.item.resource, step, here.now, facility_id=here.facility_id)
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422}:
                raise
            missed += 1
    taken = len(picked) - missed
    return x.go(f"{HOME}/group/{found.slot_id}", done=step, number=str(taken), missed=str(missed))


async def _call_off(x: Visit, here: Clinic, found: Group) -> Response:
    """First nothing more is open at this hour, then all who are in it now are called off and wait first in line."""
    if x.standing.role not in KEEPERS:
        raise Forbidden(NOT_FOR_YOU)
    reason = x.form.get("reason", "").strip()
    if not reason:
        raise Invalid(N_("Say why, so that people can be told."))
    hours = {one for one in found.calendar.closed_hours if one > here.now} | {found.starts.astimezone(UTC)}
    if len(hours) > RULES_MAX:
        raise Invalid(N_("A template has no room for more closed hours."))
    closed = replace(found.calendar, closed_hours=frozenset(hours))
    stored = parse(dump(with_calendar(found.schedule, closed)))
    await here.session.update(stored, if_match=version_of(found.schedule))
    await keep_open(here.session, here.claims, closed, here.now)
    called, waiting = 0, []
    for row in (await _group(here, found.slot_id)).rows:
        try:
            if row.item.state == "proposed":
                await offers.withdraw(here.session, row.item.resource)
            elif row.item.ahead:
                waiting.append(await called_off(here, row, reason, wait=True))
                called += 1
        except DomainError as refusal:
            if refusal.status not in {404, 409, 412, 422}:
                raise
    await keep_open(here.session, here.claims, closed, here.now)
    if x.form.get("offer"):
        await offer_instead(here, found.calendar, waiting)
    # Whoever is in it still was changed meanwhile, or is somebody whom this role does not see.
    left = await _group(here, found.slot_id)
    still = left.taken - sum(not row.item.ahead and row.item.state != "proposed" for row in left.rows)
    return x.go(f"{HOME}/group/{found.slot_id}", done="called-off", number=str(called), missed=str(max(still, 0)))

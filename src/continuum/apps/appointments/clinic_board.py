"""The live board of a clinic, and what is done with one appointment: steps, moving, calling off."""

from collections.abc import Callable
from datetime import timedelta

from starlette.responses import Response

from continuum.apps.appointments.clinic import HOME, Clinic, Row, calendars_of, clinic, day_of, one_of, show
from continuum.apps.appointments.limits import TIMES_OFFERED_MAX
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.clinical.scheduling import booking, offers, visit
from continuum.clinical.scheduling.booking import CANCELLED_BY_CLINIC, Wish
from continuum.clinical.scheduling.finding import Free, free_times
from continuum.clinical.scheduling.limits import HORIZON_DAYS
from continuum.clinical.scheduling.model import Resource, actor_of, slots_of
from continuum.kernel.errors import DomainError, Invalid
from continuum.ui.language import gettext
from continuum.ui.view import showing

LONG_MINUTES = 15
"""Who waits longer stands out."""
COLUMNS = (
    ("booked", N_("Expected")), ("arrived", N_("Waiting")), ("roomed", N_("In a room")),
    ("started", N_("With the clinician")), ("finished", N_("Done")),
)  # fmt: skip
STEPS = {
    "arrived": N_("Check in"), "roomed": N_("To a room"), "started": N_("Begin"), "finished": N_("Done"),
    "noshow": N_("Did not come"),
}  # fmt: skip
_AT_THE_DESK = frozenset({"scheduler"})
"""Who checks people in and leaves it to others to take them to a room."""
_ON_BOARD = "booked,pending,arrived,checked-in,fulfilled,noshow"


async def board(x: Visit) -> Response:
    """Who is expected, waiting, in a room, with the clinician, done: today, and fresh again and again."""
    here = await clinic(x, activity=not x.partial)
    rows = await day_of(here, here.today(), status=_ON_BOARD)
    only = x.query.get("with", "")
    clinicians = sorted({row.item.clinician for row in rows if row.item.clinician})
    chosen = [row for row in rows if not only or row.item.clinician == only]
    columns = [(key, title, [row for row in chosen if _column(row) == key]) for key, title in COLUMNS]
    return show(
        x, here, "clinic_board_part.html" if x.partial else "clinic_board.html", "board", columns=columns, only=only,
        clinicians=clinicians, steps=STEPS, may=may_take(x), long=LONG_MINUTES, said=x.query.get("said", ""),
    )  # fmt: skip


def may_take(x: Visit) -> Callable[[Resource, str], bool]:
    """Which steps somebody of this role takes from where an appointment is."""
    closed = visit.IN_CHART if x.standing.role in _AT_THE_DESK else frozenset()
    return lambda appointment, step: step not in closed and visit.may(appointment, step)


def _column(row: Row) -> str:
    return "finished" if row.where.at in {"noshow", "cancelled"} else row.where.at


async def step(x: Visit) -> Response:
    """Takes somebody one step on. Who was second to press is told, and sees the board as it is."""
    here = await clinic(x)
    row = await one_of(here, x.param("entry_id"))
    wanted = x.form.get("step", "")
    if wanted not in STEPS:
        raise Invalid("There is no such step.")
    back = {"with": x.form["with"]} if x.form.get("with") else {}
    try:
        await visit.take(
            here.session, row.item.resource, wanted, here.now, facility_id=here.facility_id,
            room=x.form.get("room", "").strip()[:40],
        )  # fmt: skip
    except DomainError as refusal:
        if refusal.status not in {409, 412, 422}:
            raise
        return x.go(HOME, said="second", **back)
    return x.go(HOME, **back)


async def detail(x: Visit) -> Response:
    """One appointment: who, when, what can be done."""
    here = await clinic(x)
    row = await one_of(here, x.param("entry_id"))
    return show(
        x, here, "clinic_one.html", "board", row=row, steps=STEPS, may=may_take(x), done=x.query.get("done", "")
    )


async def move(x: Visit) -> Response:
    """Moves an appointment to another free time of the same kind; the person is told."""
    here = await clinic(x)
    row = await one_of(here, x.param("entry_id"))
    kind = actor_of(row.item.resource, "HealthcareService")
    chosen = [one for one in await calendars_of(here) if one.kind and one.kind.id == kind]
    problem = ""
    if x.request.method == "POST":
        wish = Wish(x.form.get("slot", ""), row.patient_id, by_person=False, why=x.form.get("why", ""))
        try:
            if not wish.slot_id:
                raise Invalid(N_("Choose a time."))
            await booking.book(here.session, wish, here.now, moves=row.item.resource)
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422}:
                raise
            problem = _words(x, refusal)
        else:
            await here.reminders.changed(row.item.resource, here.now)
            return x.go(f"{HOME}/{row.item.id}", done="moved")
    times = await free_times(here.session, here.claims, chosen, here.now, here.now + timedelta(days=HORIZON_DAYS))
    return show(
        x, here, "clinic_move.html", "board", row=row, times=times, problem=problem, why=x.form.get("why", ""),
        chosen=x.form.get("slot", ""), status=409 if problem else 200,
    )  # fmt: skip


async def cancel(x: Visit) -> Response:
    """Calls an appointment off, with a reason; the person is told, is offered another time, or is the first to be."""
    here = await clinic(x)
    row = await one_of(here, x.param("entry_id"))
    problem, slot = "", x.form.get("slot", "")
    if x.request.method == "POST":
        try:
            waiting = await called_off(here, row, x.form.get("reason", ""), wait=bool(x.form.get("wait") or slot))
            if slot and waiting is not None:
                return await _offered_instead(x, here, row, waiting, slot)
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422}:
                raise
            problem = _words(x, refusal)
        else:
            return x.go(f"{HOME}/{row.item.id}", done="cancelled")
    kind = actor_of(row.item.resource, "HealthcareService")
    return show(
        x, here, "clinic_cancel.html", "board", row=row, problem=problem, reason=x.form.get("reason", ""),
        times=await times_to_offer(here, kind), chosen=slot, status=422 if problem else 200,
    )  # fmt: skip


async def times_to_offer(here: Clinic, kind_id: str) -> list[Free]:
    """The next free times of a kind of visit that somebody can still think about."""
    chosen = [one for one in await calendars_of(here) if one.kind and one.kind.id == kind_id]
    until = here.now + timedelta(days=HORIZON_DAYS)
    times = await free_times(here.session, here.claims, chosen, here.now, until)
    return [one for one in times if offers.offer_ends(one.starts, here.now) is not None][:TIMES_OFFERED_MAX]


async def _offered_instead(x: Visit, here: Clinic, row: Row, waiting: Resource, slot_id: str) -> Response:
    """Somebody may have been quicker with the chosen time: then the person is first in line, and staff see so."""
    try:
        made = await offers.propose(here.session, waiting, slot_id, here.now)
    except DomainError as refusal:
        if refusal.status not in {404, 409, 412, 422}:
            raise
        return x.go(f"{HOME}/waiting/{waiting['id']}", done="taken")
    await here.reminders.offered(made, here.now)
    return x.go(f"{HOME}/{row.item.id}", done="offered")


async def called_off(here: Clinic, row: Row, reason: str, *, wait: bool) -> Resource | None:
    """Calls one off by the clinic. wait: the person waits for another time from now on.

    Returns:
        the place on the waiting list, if there is one. Raises Invalid.
    """
    before = row.item.resource
    await booking.cancel(here.session, before, here.now, by=CANCELLED_BY_CLINIC, reason=reason)
    kind = actor_of(before, "HealthcareService")
    waiting = None
    if wait and kind:
        # Who was called off by the clinic waits as long as the appointment had been booked: before the others.
        # The time itself comes free for others, and is not offered to them again.
        waiting = await offers.join(
            here.session, row.patient_id, kind, here.now, but=slots_of(before), since=str(before.get("created", ""))
        )
    await here.reminders.changed(before, here.now)
    return waiting


def _words(x: Visit, refusal: DomainError) -> str:
    with showing(x.reader):
        if refusal.status == 412:
            return gettext(N_("Somebody has changed this appointment meanwhile. Look at it again."))
        return gettext(str(refusal))

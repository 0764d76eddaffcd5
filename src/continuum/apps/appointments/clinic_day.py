"""A clinic's day and a clinician's week: times as rows, and what is in them; booking for somebody, walk-ins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from starlette.responses import Response

from continuum.apps.appointments.clinic import (
    HOME,
    Clinic,
    Row,
    calendars_of,
    clinic,
    day_of,
    schedule_of,
    show,
    week_of,
)
from continuum.apps.frame.visit import Visit
from continuum.chart.banner import identifiers
from continuum.chart.entry import N_
from continuum.chart.finding import Found, find
from continuum.clinical.scheduling import booking, visit
from continuum.clinical.scheduling.booking import KINDS, Wish
from continuum.clinical.scheduling.finding import Offer
from continuum.clinical.scheduling.limits import HORIZON_DAYS_MAX, WEEK_DAYS
from continuum.clinical.scheduling.model import Resource, calendar_of, instant, slots_of
from continuum.clinical.scheduling.opening import CLOSED_STATUS, add_seat, present
from continuum.clinical.scheduling.reading import read
from continuum.clinical.scheduling.template import holiday
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import DomainError, Invalid
from continuum.ui.language import gettext
from continuum.ui.view import showing


@dataclass(frozen=True, slots=True)
class Cell:
    """What is at one time: appointments, free seats, and whether it is closed."""

    rows: tuple[Row, ...]
    free: tuple[str, ...]
    closed: bool
    may_overbook: bool
    schedule_id: str
    starts: datetime | None
    group: str = ""
    """A time of an hour with several seats; "" for a visit of one person."""


@dataclass(frozen=True, slots=True)
class Column:
    """A clinician, or a day of one."""

    title: str
    line: str
    offer: Offer
    day: date
    closed: str


async def day(x: Visit) -> Response:
    """The day of all clinicians, or of one kind of visit."""
    here = await clinic(x)
    chosen = _date(x.query.get("date", "")) or here.today()
    only = x.query.get("kind", "")
    calendars = await calendars_of(here)
    shown = [one for one in calendars if not only or (one.kind and one.kind.id == only)]
    with showing(x.reader):
        columns = [
            Column(one.clinician or one.place, one.kind.need if one.kind else "", one, chosen, _closed(one, chosen))
            for one in shown
        ]
    return await _table(
        x, here, columns, chosen, days=1, at="day", kinds={one.kind.id: one.kind.need for one in calendars if one.kind},
        only=only, before=chosen - timedelta(days=1), after=chosen + timedelta(days=1), schedule="",
    )  # fmt: skip


async def week(x: Visit) -> Response:
    """The week of one clinician."""
    here = await clinic(x)
    name = x.param("schedule_id")
    await schedule_of(here, name)
    given = [one for one in await calendars_of(here) if one.calendar.id == name]
    if not given:
        raise Invalid("This calendar is closed.")
    offer = given[0]
    chosen = _date(x.query.get("date", "")) or here.today()
    monday = chosen - timedelta(days=chosen.weekday())
    days = [monday + timedelta(days=number) for number in range(WEEK_DAYS)]
    with showing(x.reader):
        columns = [Column("", "", offer, one, _closed(offer, one)) for one in days]
    return await _table(
        x, here, columns, monday, days=WEEK_DAYS, at="calendars", kinds={}, only="", schedule=name,
        before=monday - timedelta(days=WEEK_DAYS), after=monday + timedelta(days=WEEK_DAYS),
    )  # fmt: skip


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _closed(offer: Offer, day: date) -> str:
    closed = offer.calendar.closed_on(day)
    return (closed.reason or gettext(N_("Closed"))) if closed else holiday(day)


_SHOWN = "proposed,booked,pending,arrived,checked-in,fulfilled,noshow"


async def _table(
    x: Visit, here: Clinic, columns: Sequence[Column], first: date, *, days: int, **values: Any
) -> Response:
    names = dict.fromkeys(one.offer.calendar.id for one in columns)
    until = here.instant(first + timedelta(days=days))
    slots = await present(here.session, tuple(names), here.instant(first), until)
    held = await here.claims.held([one["id"] for one in slots])
    whose = columns[0].offer.calendar.practitioner_id if days > 1 else ""
    if whose:
        times_of = [str(one["id"]) for one in slots]
        rows = await week_of(here, first, days=days, status=_SHOWN, whose=whose, slots=times_of)
    else:
        rows = await day_of(here, first, days=days, status=_SHOWN)
    cells = _cells(here, columns, rows, slots, held)
    times = sorted({key[0] for key in cells})
    busy = {number for _, number in cells}
    # Of a day those who work on it are shown; of a week each day, so that it reads as one.
    shown = [number for number, one in enumerate(columns) if days > 1 or number in busy or one.closed]
    table = [(at, [cells.get((at, number)) for number in shown]) for at in times]
    placed = {row.item.id for cell in cells.values() for row in cell.rows}
    loose = [row for row in rows if row.item.id not in placed and (days == 1 or _of(row, columns))]
    return show(
        x, here, "clinic_day.html", values.pop("at"), columns=[columns[one] for one in shown], table=table, first=first,
        loose=loose, week=days > 1, today=here.today(), **values,
    )  # fmt: skip


def _of(row: Row, columns: Sequence[Column]) -> bool:
    return row.item.clinician == columns[0].offer.clinician


def _cells(
    here: Clinic, columns: Sequence[Column], rows: Sequence[Row], slots: Sequence[Resource], held: set[str]
) -> dict[tuple[str, int], Cell]:
    """By wall-clock time and column."""
    by_slot: dict[str, list[Row]] = {}
    for row in rows:
        for name in slots_of(row.item.resource):
            by_slot.setdefault(name, []).append(row)
    where = {(one.offer.calendar.id, one.day): number for number, one in enumerate(columns)}
    found: dict[tuple[str, int], list[Resource]] = {}
    for slot in slots:
        starts = instant(slot["start"]).astimezone(here.zone)
        number = where.get((str(slot["schedule"]["reference"]).rpartition("/")[2], starts.date()))
        if number is not None:
            found.setdefault((f"{starts:%H:%M}", number), []).append(slot)
    cells = {}
    for key, seats in found.items():
        calendar = columns[key[1]].offer.calendar
        limit = max((rule.overbooked_max for rule in calendar.rules), default=0)
        free = tuple(one["id"] for one in seats if one["status"] == "free" and one["id"] not in held)
        extra = sum(bool(one.get("overbooked")) for one in seats)
        cells[key] = Cell(
            tuple(row for one in seats for row in by_slot.get(one["id"], ())), free,
            all(one["status"] == CLOSED_STATUS for one in seats), not free and extra < limit, calendar.id,
            instant(seats[0]["start"]), seats[0]["id"] if len(seats) - extra > 1 else "",
        )  # fmt: skip
    return cells


async def book(x: Visit) -> Response:
    """Books a free time for somebody who is looked for by name; or one more seat at an hour that is full."""
    here = await clinic(x)
    slot_id = x.param("slot_id")
    slot = await read(here.session, "Slot", slot_id)
    await schedule_of(here, str(slot["schedule"]["reference"]).rpartition("/")[2])
    q, problem = x.query.get("q", "").strip(), ""
    if x.request.method == "POST":
        kind = x.form.get("kind", "ROUTINE")
        wish = Wish(
            slot_id, x.form.get("patient", ""), by_person=False, comment=x.form.get("comment", ""),
            kind=kind if kind in KINDS else "ROUTINE",
        )  # fmt: skip
        try:
            if not wish.patient_id:
                raise Invalid(N_("Choose a person."))
            made = await booking.book(here.session, wish, here.now)
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422}:
                raise
            with showing(x.reader):
                problem = gettext(str(refusal))
        else:
            return x.go(f"{HOME}/{made['id']}", done="booked")
    return await _chosen(x, here, "clinic_book.html", problem, q=q, slot=slot,
                         starts=instant(slot["start"]).astimezone(here.zone), slot_id=slot_id)  # fmt: skip


async def _chosen(x: Visit, here: Clinic, template: str, problem: str, *, q: str, **values: Any) -> Response:
    found = await find(x.record(), q) if q else Found()
    with showing(x.reader):
        people = [(one, identifiers(one)) for one in found.patients]
        kinds = [("ROUTINE", gettext(N_("First visit for something"))), ("FOLLOWUP", gettext(N_("Follow-up"))),
                 ("CHECKUP", gettext(N_("Check-up")))]  # fmt: skip
    return show(
        x, here, template, "day", q=q, people=people, problem=problem, kinds=kinds, form=x.form,
        status=409 if problem else 200, **values,
    )  # fmt: skip


async def overbook(x: Visit) -> Response:
    """One more seat at an hour, as far as its rule allows; then to the form that books it."""
    here = await clinic(x)
    schedule = await schedule_of(here, x.form.get("schedule", ""))
    starts = instant(x.form.get("starts", ""))
    slot = await add_seat(here.session, calendar_of(schedule, horizon_days=HORIZON_DAYS_MAX), starts)
    return x.go(f"{HOME}/book/{slot['id']}")


async def walk_in(x: Visit) -> Response:
    """Somebody who has come without an appointment: on the board at once."""
    here = await clinic(x)
    q, problem = x.query.get("q", "").strip(), ""
    calendars = await calendars_of(here)
    if x.request.method == "POST":
        chosen = next((one for one in calendars if one.calendar.id == x.form.get("schedule")), None)
        if chosen is None or not x.form.get("patient"):
            with showing(x.reader):
                problem = gettext(N_("Choose a person and a clinician."))
        else:
            calendar = chosen.calendar
            made = visit.walk_in(
                x.form["patient"], calendar.practitioner_id, calendar.location_id, calendar.service_id, here.now
            )
            await here.session.create(parse(dump(made)))
            return x.go(HOME)
    return await _chosen(x, here, "clinic_walk_in.html", problem, q=q, calendars=calendars)

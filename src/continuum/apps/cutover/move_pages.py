"""People who move, as registrars record them: who, where to, from which day; a family at once."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from starlette.responses import Response

from continuum.access import Session
from continuum.apps.cutover.planner import (
    MOVERS,
    MOVES,
    NOT_A_REGISTRAR,
    day_of,
    now_of,
    server_session,
)
from continuum.apps.cutover.telling import tell_moves
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import staff
from continuum.chart.entry import N_
from continuum.chart.finding import Found, find
from continuum.clinical.scheduling.reading import read
from continuum.identity.family import household
from continuum.interop.cutover import moves as moving
from continuum.interop.cutover.moves import facility_of, moves_of, planned
from continuum.interop.cutover.status import Facility
from continuum.interop.cutover.waves import facilities
from continuum.kernel.errors import DomainError, Forbidden, Invalid
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

_SHOWN = frozenset({400, 409, 412, 422})
NOBODY = N_("Choose who moves.")
NO_FACILITY = N_("Choose where the care goes on.")


async def _registrar(x: Visit) -> Session:
    await staff(x)
    if x.standing.role not in MOVERS:
        raise Forbidden(NOT_A_REGISTRAR)
    return x.record()


async def moves(x: Visit) -> Response:
    """Planned moves of the people of this facility; and looking for somebody who moves."""
    session = await _registrar(x)
    q = x.query.get("q", "").strip()
    found = await find(session, q) if q else Found()
    every = {one.id: one for one in await facilities(session, now_of(x))}
    return x.page("cutover/moves.html", home=MOVES, q=q, found=found.patients, planned=await planned(session),
                  facilities=every)  # fmt: skip


async def plan_move(x: Visit) -> Response:
    """Plans the move of somebody, and of their family with them."""
    session = await _registrar(x)
    now = now_of(x)
    patient = await read(session, "Patient", x.param("patient_id"))
    every = await facilities(session, now)
    family = await _family(x, session, patient)
    present = next((one for one in await moves_of(session, str(patient["id"])) if one.planned), None)
    problems: list[Problem] = []
    if x.request.method == "POST":
        wish, problems = _wish(x, [patient, *family], every)
        if wish is not None:
            try:
                await _planned(x, session, wish)
            except DomainError as refusal:
                if refusal.status not in _SHOWN:
                    raise
                with showing(x.reader):
                    problems = [Problem("to" if str(refusal) == moving.SAME else "day", gettext(str(refusal)))]
            else:
                return x.go(MOVES, done="planned")
    here = next((one for one in every if one.id == facility_of(patient)), None)
    fields = dict(x.form) if problems else {}
    if not fields and present is not None:
        fields = {"to": present.to_id, "day": present.day.isoformat()}
    return x.page(
        "cutover/move.html", home=MOVES, patient=patient, family=family, here=here, present=present, problems=problems,
        facilities=[one for one in every if here is None or one.id != here.id], fields=fields,
        errors={one.field: one.text for one in problems}, status=422 if problems else 200,
    )  # fmt: skip


async def _family(x: Visit, session: Session, patient: dict[str, Any]) -> list[dict[str, Any]]:
    """The family whose care is at the same facility, as far as this session may know of them."""
    on = x.services.sign_on
    async with on.connect() as conn:
        people = await household(conn, str(patient["id"]), on.today())
    found = []
    for one in people:
        try:
            other = await read(session, "Patient", one.patient_id or "")
        except DomainError:
            continue
        if facility_of(other) == facility_of(patient):
            found.append(other)
    return found


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who moves where to, from which day."""

    people: list[dict[str, Any]]
    to: Facility
    day: date


def _wish(x: Visit, people: list[dict[str, Any]], every: list[Facility]) -> tuple[_Wish | None, list[Problem]]:
    """What a form asks for, or all that is missing in it."""
    problems = []
    chosen = [one for one in people if x.form.get(f"who-{one['id']}")]
    to = next((one for one in every if one.id == x.form.get("to", "")), None)
    day = None
    with showing(x.reader):
        problems += [] if chosen else [Problem("who", gettext(NOBODY))]
        problems += [] if to is not None else [Problem("to", gettext(NO_FACILITY))]
        try:
            day = day_of(x.form.get("day", ""))
        except Invalid as refusal:
            problems.append(Problem("day", gettext(str(refusal))))
    return (_Wish(chosen, to, day) if chosen and to and day else None), problems


async def _planned(x: Visit, session: Session, wish: _Wish) -> None:
    now = now_of(x)
    await moving.plan(session, wish.people, wish.to, wish.day)
    server = server_session(x)
    for one in wish.people:
        mine = [each for each in await moves_of(server, str(one["id"])) if each.planned]
        await tell_moves(x.access, mine, now)
        # A move for today is settled at once: nobody waits for the server's next look.
        done = await moving.settle(server, now, patient_id=str(one["id"]))
        await tell_moves(x.access, [replace(each, planned=False) for each in done], now)


async def call_off(x: Visit) -> Response:
    """A planned move does not happen."""
    session = await _registrar(x)
    await moving.call_off(session, x.param("entry_id"))
    return x.go(MOVES, done="off")

"""The waiting list of a clinic: who waits for what, who asked for it, and offering a time to one of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from continuum.apps.appointments.clinic import HOME, NOT_YOURS, Clinic, clinic, show
from continuum.apps.appointments.clinic_board import times_to_offer
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.clinical.scheduling import offers
from continuum.clinical.scheduling.finding import Kind, kind_of, kinds
from continuum.clinical.scheduling.model import Resource, actor_of
from continuum.clinical.scheduling.reading import find, read
from continuum.kernel.errors import DomainError, Invalid, NotFound
from continuum.ui.language import gettext
from continuum.ui.view import showing

_PEOPLE_AT_ONCE = 500
"""Asked for in one search."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody on the list. asked_by: who of the staff asked for it. late: not seen by when it was wanted."""

    resource: Resource
    person: Resource
    asked_by: str
    until: datetime | None
    late: bool


async def waiting(x: Visit) -> Response:
    """Who waits for what since when, and what was offered to whom until when."""
    here = await clinic(x)
    waiting = [
        (kind.need, entries)
        for kind in await kinds(here.session, here.facility_id)
        if (entries := await offers.queue(here.session, kind.id))
    ]
    people = await _people(here, [one for _, entries in waiting for one in entries])
    lists = [(need, _named(here, entries, people)) for need, entries in waiting]
    offered: list[Resource] = []
    included: dict[str, Resource] = {}
    if here.places:
        named = ",".join(f"Location/{one}" for one in here.places)
        offered, included = await find(
            here.session, "Appointment",
            f"status=proposed&location={named}&_sort=date&_count=100&_include=Appointment:patient",
        )  # fmt: skip
    return show(
        x, here, "clinic_waiting.html", "waiting", lists=lists, until=offers.open_until, done=x.query.get("done", ""),
        offered=[(one, included.get(f"Patient/{actor_of(one, 'Patient')}", {})) for one in offered],
    )  # fmt: skip


async def _people(here: Clinic, entries: list[Resource]) -> dict[str, Resource]:
    """Those of the people who wait whom the session may see, by their ids."""
    ids = sorted({actor_of(one, "Patient") for one in entries})
    found: list[Resource] = []
    for first in range(0, len(ids), _PEOPLE_AT_ONCE):
        named = ",".join(ids[first : first + _PEOPLE_AT_ONCE])
        found += (await find(here.session, "Patient", f"_id={named}&_count={_PEOPLE_AT_ONCE}"))[0]
    return {one["id"]: one for one in found}


def _named(here: Clinic, entries: list[Resource], known: dict[str, Resource]) -> list[Waiter]:
    """Of one list: first whom a team asked to be seen, the soonest first, then the longest wait."""
    found = [_waiter(here, one, known[name]) for one in entries if (name := actor_of(one, "Patient")) in known]
    return sorted(found, key=lambda one: (not one.asked_by, one.until or here.now if one.asked_by else here.now))


def _waiter(here: Clinic, entry: Resource, person: Resource) -> Waiter:
    until = offers.wanted_until(entry)
    return Waiter(entry, person, offers.asked_by(entry), until, until is not None and until < here.now)


async def offer(x: Visit) -> Response:
    """Offers a free time to somebody who waits; they are told by mail, and answer in the portal."""
    here = await clinic(x)
    entry, kind = await _entry(here, x.param("entry_id"))
    person = await read(here.session, "Patient", actor_of(entry, "Patient"))
    problem = ""
    if x.request.method == "POST":
        try:
            if not x.form.get("slot"):
                raise Invalid(N_("Choose a time."))
            made = await offers.propose(here.session, entry, x.form["slot"], here.now)
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422}:
                raise
            with showing(x.reader):
                problem = gettext(str(refusal))
        else:
            await here.reminders.offered(made, here.now)
            return x.go(f"{HOME}/waiting", done="offered")
    return _page(x, here, entry, kind, person, problem=problem, times=await times_to_offer(here, kind.id))


def _page(
    x: Visit, here: Clinic, entry: Resource, kind: Kind, person: Resource, *, problem: str, **values: Any
) -> Response:
    return show(
        x, here, "clinic_offer.html", "waiting", waiter=_waiter(here, entry, person), kind=kind, problem=problem,
        chosen=x.form.get("slot", ""), done=x.query.get("done", ""), status=409 if problem else 200, **values,
    )  # fmt: skip


async def _entry(here: Clinic, entry_id: str) -> tuple[Resource, Kind]:
    """A place on the list of this facility. Raises NotFound."""
    entry = await read(here.session, "Appointment", entry_id)
    kind = kind_of(await read(here.session, "HealthcareService", actor_of(entry, "HealthcareService")))
    if kind.facility_id != here.facility_id:
        raise NotFound(NOT_YOURS)
    return entry, kind

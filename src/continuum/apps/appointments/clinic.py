"""A clinic as its staff see it: their facility, its places and calendars, its day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.responses import Response

from continuum.access import Session
from continuum.access.claims import Claims
from continuum.apps.appointments.reminders import Reminders
from continuum.apps.appointments.shown import Shown, shown
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.clinical.scheduling.finding import Offer, kinds, offers
from continuum.clinical.scheduling.limits import DAY_APPOINTMENTS_MAX
from continuum.clinical.scheduling.model import Resource, actor_of, flow_text
from continuum.clinical.scheduling.opening import utc
from continuum.clinical.scheduling.reading import find, read
from continuum.clinical.scheduling.visit import Waiting, stage
from continuum.kernel.errors import Forbidden, NotFound
from continuum.kernel.limits import SEARCH_VALUES_MAX
from continuum.ui.language import gettext
from continuum.ui.view import showing

HOME = f"{BASE}/clinic"
NOT_YOURS = "This belongs to another facility."
NO_FACILITY = "The clinic's pages are for those who work at a facility."


@dataclass(slots=True)
class Clinic:
    """Where somebody works. session: may book and change calendars."""

    session: Session
    claims: Claims
    reminders: Reminders
    facility_id: str
    places: Mapping[str, Resource]
    now: datetime
    zone: ZoneInfo

    def today(self) -> date:
        """The facility's day."""
        return self.now.astimezone(self.zone).date()

    def instant(self, day: date) -> datetime:
        """When a day begins here."""
        return datetime.combine(day, time(0), self.zone)

    def ours(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        """A Schedule or an Appointment, if it is of this facility. Raises NotFound."""
        named = [str(one.get("reference", "")) for one in resource.get("actor", ())]
        named += [str(one.get("actor", {}).get("reference", "")) for one in resource.get("participant", ())]
        if not any(name.removeprefix("Location/") in self.places for name in named if name.startswith("Location/")):
            raise NotFound(NOT_YOURS)
        return resource


async def clinic(x: Visit, *, activity: bool = True) -> Clinic:
    """Lets staff of a facility in. Raises SignInFirst, Forbidden."""
    await staff(x, activity=activity)
    facility = x.standing.facility_id
    if not facility:
        raise Forbidden(NO_FACILITY)
    session = x.record(workflow=True)
    places, _ = await find(session, "Location", f"organization=Organization/{facility}&_count=100")
    now = datetime.fromtimestamp(x.access.clock() / 1_000_000, x.zone)
    return Clinic(
        session, Claims(x.access), Reminders(x.access, lambda: session), facility,
        {str(one["id"]): one for one in places}, now, x.zone,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody on the board."""

    item: Shown
    patient_id: str
    names: Sequence[Any]
    born: str
    where: Waiting
    room: str

    @property
    def minutes(self) -> int:
        """How long the person has waited for the clinician, in minutes."""
        return int(self.where.waited.total_seconds() // 60)


async def day_of(here: Clinic, day: date, *, days: int = 1, status: str = "") -> list[Row]:
    """The appointments of days, in their order; those of people whom the session may see."""
    return await between(here, here.instant(day), here.instant(day + timedelta(days=days)), status=status)


async def week_of(here: Clinic, day: date, *, days: int, status: str, whose: str, slots: Sequence[str]) -> list[Row]:
    """Those of one clinician, and those at some times whomever they are with: a clinic's may be too many to read."""
    first, last = here.instant(day), here.instant(day + timedelta(days=days))
    found = await between(here, first, last, status=status, only=f"&practitioner=Practitioner/{whose}")
    for begin in range(0, len(slots), SEARCH_VALUES_MAX):
        named = ",".join(f"Slot/{one}" for one in slots[begin : begin + SEARCH_VALUES_MAX])
        found += await between(here, first, last, status=status, only=f"&slot={named}")
    once = {row.item.id: row for row in found}
    return sorted(once.values(), key=lambda row: row.item.starts or here.now)


async def between(here: Clinic, first: datetime, last: datetime, *, status: str = "", only: str = "") -> list[Row]:
    """Those that begin from an instant to before another. only: further criteria, beginning with `&`."""
    if not here.places:
        return []
    named = ",".join(f"Location/{one}" for one in here.places)
    criteria = (
        f"location={named}&date=ge{utc(first)}&date=lt{utc(last)}&_sort=date&_count={DAY_APPOINTMENTS_MAX}"
        f"&_include=Appointment:actor{f'&status={status}' if status else ''}{only}"
    )
    found, included = await find(here.session, "Appointment", criteria)
    return [_row(one, included, here) for one in found]


def _row(appointment: Resource, included: Mapping[str, Resource], here: Clinic) -> Row:
    patient_id = actor_of(appointment, "Patient")
    patient = included.get(f"Patient/{patient_id}", {})
    return Row(
        shown(appointment, included, here.now, here.zone), patient_id, patient.get("name", []),
        str(patient.get("birthDate", "")), stage(appointment, here.now), flow_text(appointment, "room"),
    )  # fmt: skip


async def one_of(here: Clinic, appointment_id: str) -> Row:
    """One appointment of this facility. Raises NotFound."""
    safe = appointment_id and all(sign.isalnum() or sign in "-." for sign in appointment_id)
    found, included = ([], {}) if not safe else await find(
        here.session, "Appointment", f"_id={quote(appointment_id)}&_count=1&_include=Appointment:actor"
    )  # fmt: skip
    if not found:
        raise NotFound("There is no such appointment.")
    here.ours(found[0])
    return _row(found[0], included, here)


async def calendars_of(here: Clinic) -> list[Offer]:
    """The facility's calendars with clinician, place and kind of visit, by name."""
    services = await kinds(here.session, here.facility_id)
    found = await offers(here.session, [one.id for one in services])
    return sorted(found, key=lambda one: (one.kind.need if one.kind else "", one.clinician))


async def schedule_of(here: Clinic, schedule_id: str) -> Resource:
    """One Schedule of this facility. Raises NotFound."""
    found = await read(here.session, "Schedule", schedule_id)
    here.ours(found)
    return found


def show(x: Visit, here: Clinic, template: str, at: str, *, status: int = 200, **values: Any) -> Response:
    """A page of the clinic, with the way to its other pages."""
    with showing(x.reader):
        tabs = (
            ("board", gettext("Board"), HOME), ("day", gettext("Day"), f"{HOME}/day"),
            ("calendars", gettext("Calendars"), f"{HOME}/calendars"),
            ("kinds", gettext("Kinds of visit"), f"{HOME}/kinds"),
            ("waiting", gettext("Waiting list"), f"{HOME}/waiting"),
        )  # fmt: skip
    return x.page(f"appointments/{template}", status=status, here=here, home=HOME, at=at, tabs_shown=tabs, **values)

"""Booking, moving and cancelling: load, decide, save. The claim in the record decides who has a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from continuum.access import Session
from continuum.chart.entry import N_
from continuum.clinical.scheduling.changing import rewrite, rewrite_all
from continuum.clinical.scheduling.limits import (
    BOOK_AHEAD_MIN_MINUTES,
    BOOKED_AHEAD_MAX,
    CANCEL_MINUTES,
    REASON_MAX_CHARS,
)
from continuum.clinical.scheduling.model import (
    AHEAD,
    CANCEL_SYSTEM,
    MOVED_FROM,
    TYPE_SYSTEM,
    Calendar,
    Resource,
    calendar_of,
    instant,
    nested,
    reference_of,
    with_extension,
)
from continuum.clinical.scheduling.opening import CLOSED_STATUS, utc
from continuum.clinical.scheduling.reading import body, find, read, zone_at
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Conflict, Invalid, NotFound

KINDS = {
    "ROUTINE": "Routine appointment",
    "FOLLOWUP": "A follow up visit from a previous appointment",
    "WALKIN": "A previously unscheduled walk-in visit",
    "CHECKUP": "A routine check-up, such as an annual physical",
    "EMERGENCY": "Emergency appointment",
}
"""Types of appointments (HL7 v2 table 0276)."""
CANCELLED_BY_PERSON, CANCELLED_BY_CLINIC = "pat", "prov"
"""Who called it off (appointment-cancellation-reason)."""
TOO_LATE = N_("It is too late to change this appointment here. Please call the clinic.")
CLOSED_NOW = N_("The clinic has closed this time. Please choose another one.")
NOT_AHEAD = N_("This appointment is over, or was called off before.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to book. by_person: by themselves, within the rules for it; staff may do more.

    comment: in their own words. kind: of KINDS. why: of a move, as the person reads it.
    """

    slot_id: str
    patient_id: str
    by_person: bool
    comment: str = ""
    kind: str = "ROUTINE"
    remote: bool = False
    why: str = ""


def may_change(appointment: Resource, now: datetime) -> str:
    """Why a person may not cancel or move an appointment by themselves; "" if they may."""
    if appointment.get("status") not in AHEAD:
        return NOT_AHEAD
    if instant(appointment["start"]) - now < timedelta(minutes=CANCEL_MINUTES):
        return TOO_LATE
    return ""


async def slot_with_calendar(session: Session, slot_id: str) -> tuple[Resource, Calendar, Resource]:
    """A time, the calendar it is in and its Schedule. Raises NotFound."""
    slot = await read(session, "Slot", slot_id)
    schedule = await read(session, "Schedule", reference_of(slot.get("schedule")).rpartition("/")[2])
    return slot, calendar_of(schedule, horizon_days=1), schedule


async def is_closed(session: Session, slot: Resource, calendar: Calendar) -> bool:
    """Whether the clinic has closed a time, or the day that it is on: what is taken closes once it is free."""
    if slot.get("status") == CLOSED_STATUS:
        return True
    if not calendar.closed and not calendar.closed_hours:
        return False
    zone = await zone_at(session, calendar)
    return calendar.closes(instant(slot["start"]).astimezone(zone))


async def ahead_of(session: Session, patient_id: str, now: datetime) -> list[Resource]:
    """What a patient has before them, in order."""
    criteria = f"patient={patient_id}&status=booked,pending&date=ge{utc(now)}&_sort=date&_count={BOOKED_AHEAD_MAX + 1}"
    found, _ = await find(session, "Appointment", criteria)
    return found


async def book(session: Session, wish: Wish, now: datetime, *, moves: Resource | None = None) -> Resource:
    """Books a time, or moves an appointment to it, in one act; the appointment as it is in the record then.

    Raises:
        NotFound: there is no such time.
        Conflict: somebody else has it.
        Invalid: a rule stands against it; the words say which.
    """
    slot, calendar, schedule = await slot_with_calendar(session, wish.slot_id)
    starts, ends = instant(slot["start"]), instant(slot["end"])
    if slot.get("status") in {CLOSED_STATUS, "entered-in-error"}:
        raise Conflict(CLOSED_NOW)
    if wish.by_person and await is_closed(session, slot, calendar):
        raise Conflict(CLOSED_NOW)
    if len(wish.comment) > REASON_MAX_CHARS:
        raise Invalid(f"Please say it in {REASON_MAX_CHARS} characters or fewer.")
    if wish.by_person:
        refuse_early(starts, now)
    elif starts < now - timedelta(hours=12):
        raise Invalid(N_("This time is over."))
    await _refuse_double(session, wish, starts, ends, now, moves)
    parts = _participants(wish, calendar)
    if moves is None:
        resource = _fresh(wish, slot, parts, schedule, now)
        written = await session.create(parse(dump(resource)))
    else:
        return await rewrite(session, moves, _moved(moves, wish, slot, parts, now))
    return body(written.stored)


def refuse_early(starts: datetime, now: datetime) -> None:
    """Raises Invalid for a time that begins too soon for people to book it by themselves."""
    if starts - now < timedelta(minutes=BOOK_AHEAD_MIN_MINUTES):
        raise Invalid(N_("This time begins too soon to be booked here. Please call the clinic."))


async def _refuse_double(
    session: Session, wish: Wish, starts: datetime, ends: datetime, now: datetime, moves: Resource | None
) -> None:
    own = [one for one in await ahead_of(session, wish.patient_id, now) if moves is None or one["id"] != moves["id"]]
    if wish.by_person and len(own) >= BOOKED_AHEAD_MAX:
        raise Invalid(N_("You have as many appointments ahead as can be booked here. Please call the clinic."))
    for one in own:
        if instant(one["start"]) < ends and starts < instant(one["end"]):
            raise Conflict(N_("There is another appointment of the same person at this time already."))


def _participants(wish: Wish, calendar: Calendar) -> list[Resource]:
    found = [f"Patient/{wish.patient_id}"]
    found += [f"Practitioner/{calendar.practitioner_id}"] if calendar.practitioner_id else []
    found += [f"Location/{calendar.location_id}"] if calendar.location_id else []
    found += [f"HealthcareService/{calendar.service_id}"] if calendar.service_id else []
    return [{"actor": {"reference": one}, "status": "accepted"} for one in found]


def _fresh(wish: Wish, slot: Resource, parts: list[Resource], schedule: Resource, now: datetime) -> Resource:
    resource: Resource = {
        "resourceType": "Appointment", "status": "booked",
        "appointmentType": {"coding": [{"system": TYPE_SYSTEM, "code": wish.kind, "display": KINDS[wish.kind]}]},
        "start": slot["start"], "end": slot["end"], "slot": [{"reference": f"Slot/{slot['id']}"}],
        "created": now.isoformat(), "participant": parts,
    }  # fmt: skip
    specialty = schedule.get("specialty")
    if specialty:
        resource["specialty"] = specialty
    if wish.comment.strip():
        resource["patientInstruction" if not wish.by_person else "comment"] = wish.comment.strip()
    return resource


def _moved(moves: Resource, wish: Wish, slot: Resource, parts: list[Resource], now: datetime) -> Resource:
    if moves.get("status") not in {*AHEAD, "proposed"}:
        raise Invalid(NOT_AHEAD)
    if wish.by_person and (reason := may_change(moves, now)):
        raise Invalid(reason)
    if not wish.by_person and not wish.why.strip():
        raise Invalid(N_("Say why, so that the person can be told."))
    before = nested(MOVED_FROM, start=str(moves["start"]), at=now, why=wish.why.strip()[:REASON_MAX_CHARS] or None)
    return with_extension(
        {
            **moves, "status": "booked", "start": slot["start"], "end": slot["end"],
            "slot": [{"reference": f"Slot/{slot['id']}"}], "participant": parts,
        },
        before,
    )  # fmt: skip


async def appointment_of(session: Session, appointment_id: str, patient_id: str = "") -> Resource:
    """One appointment; of a patient, if one is named. Raises NotFound."""
    found = await read(session, "Appointment", appointment_id)
    mine = {reference_of(one.get("actor")) for one in found.get("participant", ())}
    if patient_id and f"Patient/{patient_id}" not in mine:
        raise NotFound("There is no such appointment.")
    return found


def called_off(appointment: Resource, *, by: str, reason: str) -> Resource:
    """An appointment that was cancelled. by: CANCELLED_BY_PERSON or CANCELLED_BY_CLINIC. reason: in words."""
    text = reason.strip()[:REASON_MAX_CHARS]
    display = "Patient" if by == CANCELLED_BY_PERSON else "Provider"
    coding = {"system": CANCEL_SYSTEM, "code": by, "display": display}
    return {
        **appointment, "status": "cancelled",
        "cancelationReason": {"coding": [coding], **({"text": text} if text else {})},
    }  # fmt: skip


async def cancel(session: Session, appointment: Resource, now: datetime, *, by: str, reason: str) -> Resource:
    """Calls an appointment off and gives its time back; what the record has then.

    Raises:
        Invalid: it is over, or too near for a person to do so.
    """
    if by == CANCELLED_BY_PERSON and (why := may_change(appointment, now)):
        raise Invalid(why)
    if appointment.get("status") not in {*AHEAD, "proposed", "waitlist", "arrived", "checked-in"}:
        raise Invalid(NOT_AHEAD)
    if by == CANCELLED_BY_CLINIC and not reason.strip():
        raise Invalid(N_("Say why, so that the person can be told."))
    return await rewrite(session, appointment, called_off(appointment, by=by, reason=reason))


async def cancel_all(session: Session, appointments: list[Resource], *, reason: str) -> list[Resource]:
    """Calls several off by the clinic, all or none. Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid(N_("Say why, so that people can be told."))
    changed = [called_off(one, by=CANCELLED_BY_CLINIC, reason=reason) for one in appointments]
    await rewrite_all(session, list(zip(appointments, changed, strict=True)))
    return changed

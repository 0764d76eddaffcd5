"""Waiting lists: what comes free is offered to one person after the other, never to two.

An entry is an Appointment of status `waitlist` that names a kind of visit; an offer is one of status `proposed` that
holds the time, so nobody else can have it, until it is accepted, declined or over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from continuum.access import Operation, Session
from continuum.access.claims import Claims
from continuum.chart.entry import N_
from continuum.chart.reading import version_of
from continuum.clinical.scheduling.booking import (
    CANCELLED_BY_PERSON,
    CLOSED_NOW,
    appointment_of,
    called_off,
    is_closed,
    slot_with_calendar,
)
from continuum.clinical.scheduling.changing import rewrite, rewrite_all
from continuum.clinical.scheduling.finding import Offer, free_times
from continuum.clinical.scheduling.limits import (
    HORIZON_DAYS,
    OFFER_ENDS_BEFORE_MINUTES,
    OFFER_HOURS,
    REASON_MAX_CHARS,
    WAITING_DAYS,
    WAITING_MAX,
)
from continuum.clinical.scheduling.model import (
    AHEAD,
    EXTENSION,
    OFFER,
    PARTICIPATION,
    REFERRER,
    Resource,
    actor_of,
    extension_of,
    instant,
    reference_of,
    slots_of,
    without_extension,
)
from continuum.clinical.scheduling.reading import body, find, read
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Conflict, Invalid

DECLINED = f"{EXTENSION}offer-declined"
OVER = N_("This offer is over.")
TOO_SOON = N_("This time begins too soon to be offered. Please call the person, and book it for them.")
THINKING = N_("This person is thinking about another offer. It has to be answered, or be over, first.")
NOT_WAITING = N_("This person does not wait any more.")


def entry(
    patient_id: str, kind_id: str, now: datetime, *, instead_of: str = "", comment: str = "", since: str = ""
) -> Resource:
    """An entry of the waiting list.

    instead_of: the appointment that an earlier time would take the place of. since: since when somebody waits; "" for
    now.
    """
    resource: Resource = {
        "resourceType": "Appointment", "status": "waitlist", "created": since or now.isoformat(),
        "requestedPeriod": [
            {"start": now.isoformat(), "end": (now + timedelta(days=WAITING_DAYS)).isoformat()},
        ],
        "participant": [
            {"actor": {"reference": f"Patient/{patient_id}"}, "status": "accepted"},
            {"actor": {"reference": f"HealthcareService/{kind_id}"}, "status": "needs-action"},
        ],
    }  # fmt: skip
    if instead_of:
        resource["supportingInformation"] = [{"reference": f"Appointment/{instead_of}"}]
    if comment.strip():
        resource["comment"] = comment.strip()[:REASON_MAX_CHARS]
    return resource


async def waiting_of(session: Session, patient_id: str) -> list[Resource]:
    """What a patient waits for."""
    found, _ = await find(session, "Appointment", f"patient={patient_id}&status=waitlist&_count=50")
    return found


async def join(
    session: Session, patient_id: str, kind_id: str, now: datetime, *, but: Sequence[str] = (), **more: str
) -> Resource:
    """Puts somebody on the waiting list of a kind of visit; who is on it already stays where they are in it.

    but: ids of times that they are not to be offered, such as the one that the clinic has just called off.
    """
    instead_of = more.get("instead_of", "")
    for one in await waiting_of(session, patient_id):
        if actor_of(one, "HealthcareService") == kind_id:
            changed = _without(one, but)
            if instead_of and replaced_by(one) != instead_of:
                changed = {**changed, "supportingInformation": [{"reference": f"Appointment/{instead_of}"}]}
            if changed == one:
                return one
            return await rewrite(session, one, changed)
    made = _without(entry(patient_id, kind_id, now, **more), but)
    return body((await session.create(parse(dump(made)))).stored)


def _without(waiting: Resource, slot_ids: Sequence[str]) -> Resource:
    """A place on the list to which these times are not offered."""
    said = [{"url": DECLINED, "valueString": one} for one in slot_ids if one not in declined(waiting)]
    return {**waiting, "extension": [*waiting.get("extension", ()), *said]} if said else waiting


async def asking(
    session: Session, patient_id: str, kind_id: str, now: datetime, *, by: Resource, note: str, within_days: int
) -> Operation:
    """What puts somebody on the waiting list because their team asked for an appointment, and says by when.

    Who waits for the same kind of visit already keeps their place, and the team's words are added to it.
    by: how FHIR refers to who asks.
    """
    period = [{"start": now.isoformat(), "end": (now + timedelta(days=within_days)).isoformat()}]
    kind = {"coding": [{"system": PARTICIPATION, "code": REFERRER, "display": "referrer"}]}
    asked = {"type": [kind], "actor": by, "status": "accepted"}
    for one in await waiting_of(session, patient_id):
        if actor_of(one, "HealthcareService") == kind_id:
            others = [part for part in one["participant"] if not _asked(part)]
            changed = {
                **one, "comment": note[:REASON_MAX_CHARS], "requestedPeriod": period, "participant": [*others, asked],
            }  # fmt: skip
            return Operation(
                "PUT", "Appointment", id=one["id"], resource=parse(dump(changed)), if_match=version_of(one)
            )
    made = {**entry(patient_id, kind_id, now, comment=note), "requestedPeriod": period}
    made["participant"] = [*made["participant"], asked]
    return Operation("POST", "Appointment", resource=parse(dump(made)))


def asked_by(waiting: Resource) -> str:
    """Who of the staff asked for this appointment; "" where the person joined the list by themselves."""
    return next((str(one["actor"].get("display", "")) for one in waiting["participant"] if _asked(one)), "")


def _asked(participant: Resource) -> bool:
    codes = (coding.get("code") for one in participant.get("type", ()) for coding in one.get("coding", ()))
    return REFERRER in codes


def wanted_until(waiting: Resource) -> datetime | None:
    """Until when somebody wants to be seen."""
    return max((instant(one["end"]) for one in waiting.get("requestedPeriod", ()) if one.get("end")), default=None)


async def queue(session: Session, kind_id: str) -> list[Resource]:
    """Those who wait for a kind of visit, the longest first; at most WAITING_MAX."""
    found, _ = await find(
        session, "Appointment", f"status=waitlist&actor=HealthcareService/{kind_id}&_count={WAITING_MAX}"
    )
    return sorted(found, key=lambda one: (str(one.get("created", "")), str(one["id"])))


def offer_ends(starts: datetime, now: datetime) -> datetime | None:
    """Until when somebody may think about a time; None if it is too late to offer it."""
    ends = min(now + timedelta(hours=OFFER_HOURS), starts - timedelta(minutes=OFFER_ENDS_BEFORE_MINUTES))
    return ends if ends > now else None


def suits(waiting: Resource, slot: Resource, before: Resource | None) -> bool:
    """Whether somebody who waits would want a time. before: the appointment that it would take the place of."""
    starts = instant(slot["start"])
    if slot["id"] in declined(waiting):
        return False
    if before is not None and (before.get("status") not in AHEAD or instant(before["start"]) <= starts):
        return False
    periods = waiting.get("requestedPeriod", ())
    return not periods or any(instant(one["start"]) <= starts <= instant(one["end"]) for one in periods)


def declined(waiting: Resource) -> list[str]:
    """The ids of the times that somebody did not want."""
    return [str(one.get("valueString")) for one in waiting.get("extension", ()) if one.get("url") == DECLINED]


def replaced_by(waiting: Resource) -> str:
    """The id of the appointment that an earlier time would take the place of, or ""."""
    named = (reference_of(one) for one in waiting.get("supportingInformation", ()))
    return next((text.rpartition("/")[2] for text in named if text.startswith("Appointment/")), "")


async def offer(session: Session, slot_id: str, now: datetime) -> Resource | None:
    """Offers a time that came free to whoever waits the longest for it; None if nobody does.

    The session is the server's own: it sees who waits, whoever they are.
    """
    slot, calendar, _ = await slot_with_calendar(session, slot_id)
    ends = offer_ends(instant(slot["start"]), now)
    if ends is None or not calendar.service_id or await is_closed(session, slot, calendar):
        return None
    for waiting in await queue(session, calendar.service_id):
        before = await _before(session, waiting)
        if not suits(waiting, slot, before) or await _has_offer(session, waiting):
            continue
        made = _offered(waiting, slot, calendar.practitioner_id, calendar.location_id, ends, now)
        try:
            return body((await session.create(parse(dump(made)))).stored)
        except Conflict:
            return None
    return None


async def propose(session: Session, waiting: Resource, slot_id: str, now: datetime) -> Resource:
    """Offers a time that staff chose to somebody who waits; nobody else can have it until they have answered.

    Raises:
        Conflict: somebody has it. Invalid: it begins too soon, or the person thinks about another one.
    """
    slot, calendar, _ = await slot_with_calendar(session, slot_id)
    ends = offer_ends(instant(slot["start"]), now)
    if waiting.get("status") != "waitlist":
        raise Invalid(NOT_WAITING)
    if ends is None:
        raise Invalid(TOO_SOON)
    if await is_closed(session, slot, calendar):
        raise Conflict(CLOSED_NOW)
    if await _has_offer(session, waiting):
        raise Invalid(THINKING)
    made = _offered(waiting, slot, calendar.practitioner_id, calendar.location_id, ends, now)
    return body((await session.create(parse(dump(made)))).stored)


async def propose_first(
    session: Session, claims: Claims, calendars: Sequence[Offer], waiting: Resource, now: datetime
) -> Resource | None:
    """Offers the first free time of calendars that suits somebody who waits; None where there is none."""
    before = await _before(session, waiting)
    until = now + timedelta(days=HORIZON_DAYS)
    for one in await free_times(session, claims, calendars, now, until):
        slot = {"id": one.slot_id, "start": one.starts.isoformat()}
        if offer_ends(one.starts, now) is None or not suits(waiting, slot, before):
            continue
        try:
            return await propose(session, waiting, one.slot_id, now)
        except Conflict:
            continue  # somebody booked it a moment ago: the next one
        except Invalid:
            return None
    return None


async def _before(session: Session, waiting: Resource) -> Resource | None:
    name = replaced_by(waiting)
    return await read(session, "Appointment", name) if name else None


async def _has_offer(session: Session, waiting: Resource) -> bool:
    """One offer at a time for a place on a list: who thinks about one is not asked about another.

    A person has one place for each kind of visit; what an offer is about is not shown to those who only schedule.
    """
    patient, kind = actor_of(waiting, "Patient"), actor_of(waiting, "HealthcareService")
    found, _ = await find(session, "Appointment", f"patient={patient}&status=proposed&_count=20")
    return any(actor_of(one, "HealthcareService") == kind for one in found)


def _about(offered: Resource) -> list[Any]:
    return list(offered.get("supportingInformation", ()))


def _offered(
    waiting: Resource, slot: Resource, practitioner_id: str, location_id: str, ends: datetime, now: datetime
) -> Resource:
    actors = [one["actor"] for one in waiting["participant"] if not _asked(one)]
    actors += [{"reference": f"Practitioner/{practitioner_id}"}] if practitioner_id else []
    actors += [{"reference": f"Location/{location_id}"}] if location_id else []
    return {
        "resourceType": "Appointment", "status": "proposed", "start": slot["start"], "end": slot["end"],
        "slot": [{"reference": f"Slot/{slot['id']}"}], "created": now.isoformat(),
        "supportingInformation": [{"reference": f"Appointment/{waiting['id']}"}],
        "extension": [{"url": OFFER, "valueInstant": ends.isoformat()}],
        "participant": [
            {
                "actor": one,
                "status": "needs-action" if reference_of(one).startswith("Patient/") else "accepted",
            }
            for one in actors
        ],
    }  # fmt: skip


def open_until(offered: Resource) -> datetime | None:
    """Until when an offer stands; None for what is none."""
    said = extension_of(offered, OFFER)
    return instant(said["valueInstant"]) if said else None


async def instead_of(session: Session, offered: Resource, patient_id: str) -> str:
    """The id of the appointment that goes when an offer is taken; "" where somebody waits for any time."""
    for info in _about(offered):
        waiting = await appointment_of(session, reference_of(info).rpartition("/")[2], patient_id)
        if name := replaced_by(waiting):
            return name
    return ""


async def accept(session: Session, offer_id: str, patient_id: str, now: datetime) -> Resource:
    """Takes an offered time; the place on the list, and the later appointment if there was one, go in the same act.

    Raises:
        Invalid: the offer is over.
    """
    offered = await appointment_of(session, offer_id, patient_id)
    until = open_until(offered)
    if offered.get("status") != "proposed" or until is None or until < now:
        raise Invalid(OVER)
    for name in slots_of(offered):
        slot, calendar, _ = await slot_with_calendar(session, name)
        if await is_closed(session, slot, calendar):
            raise Invalid(CLOSED_NOW)
    booked = without_extension({**offered, "status": "booked"}, OFFER)
    booked["participant"] = [{**one, "status": "accepted"} for one in offered["participant"]]
    changed = [(offered, booked)]
    for info in _about(offered):
        waiting = await appointment_of(session, reference_of(info).rpartition("/")[2], patient_id)
        if waiting.get("status") == "waitlist":
            changed.append((waiting, called_off(waiting, by=CANCELLED_BY_PERSON, reason="A time was found.")))
        before = await _before(session, waiting)
        if before is not None and before.get("status") in AHEAD:
            changed.append((before, called_off(before, by=CANCELLED_BY_PERSON, reason="Moved to an earlier time.")))
    await rewrite_all(session, changed)
    return booked


async def decline(session: Session, offer_id: str, patient_id: str) -> None:
    """Gives an offered time back; the person stays on the list and is not asked about this one again.

    Raises:
        Invalid: the offer is over.
    """
    offered = await appointment_of(session, offer_id, patient_id)
    if offered.get("status") != "proposed":
        raise Invalid(OVER)
    await _give_back(session, offered, "The offer was declined.")


async def withdraw(session: Session, offered: Resource) -> None:
    """Takes an offer back because the clinic has closed its time; the person stays on the list."""
    await _give_back(session, offered, "The clinic has closed this time.")


async def expire(session: Session, offered: Resource, now: datetime) -> bool:
    """Ends an offer whose time is over; whether it did."""
    until = open_until(offered)
    if until is None or until >= now:
        return False
    await _give_back(session, offered, "Nobody answered the offer in time.")
    return True


async def _give_back(session: Session, offered: Resource, reason: str) -> None:
    changed = [(offered, called_off(offered, by=CANCELLED_BY_PERSON, reason=reason))]
    for info in _about(offered):
        waiting = await read(session, "Appointment", reference_of(info).rpartition("/")[2])
        said = [{"url": DECLINED, "valueString": slot} for slot in slots_of(offered)]
        changed.append((waiting, {**waiting, "extension": [*waiting.get("extension", ()), *said]}))
    await rewrite_all(session, changed)


async def leave(session: Session, entry_id: str, patient_id: str) -> None:
    """Takes somebody off the waiting list. Raises NotFound."""
    waiting = await appointment_of(session, entry_id, patient_id)
    if waiting.get("status") == "waitlist":
        changed = called_off(waiting, by=CANCELLED_BY_PERSON, reason="Does not wait any more.")
        await rewrite(session, waiting, changed)


def overdue(offers: list[Resource], now: datetime) -> list[Resource]:
    """Those offers whose time is over."""
    return [one for one in offers if (until := open_until(one)) is not None and until < now]

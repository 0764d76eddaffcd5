"""Keeping calendars open: the times of a template, as far ahead as it says, whatever was changed in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from continuum.access import Operation, Session
from continuum.access.claims import Claims
from continuum.clinical.scheduling.changing import rewrite
from continuum.clinical.scheduling.limits import (
    DAY_APPOINTMENTS_MAX,
    HORIZON_DAYS,
    HORIZON_DAYS_MAX,
    OPENING_BATCH,
    SCHEDULES_MAX,
)
from continuum.clinical.scheduling.model import Calendar, Resource, actor_of, calendar_of, instant
from continuum.clinical.scheduling.reading import body, find, zone_at
from continuum.clinical.scheduling.template import Time, openings, overbooked
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Conflict, Invalid, PreconditionFailed

CLOSED_STATUS = "busy-unavailable"
_PAGE = 500


async def calendars(session: Session, criteria: str, *, most: int = SCHEDULES_MAX) -> list[Calendar]:
    """The calendars that match, at most `most`."""
    found: list[Resource] = []
    page = await session.search(session.parse("Schedule", f"{criteria}&_count={SCHEDULES_MAX}"))
    while True:
        found += [body(one) for one in page.matches]
        if not page.next_cursor or len(found) >= most:
            return [calendar_of(one, horizon_days=HORIZON_DAYS) for one in found[:most]]
        more = f"{criteria}&_count={SCHEDULES_MAX}&_cursor={quote(page.next_cursor)}"
        page = await session.search(session.parse("Schedule", more))


async def present(session: Session, schedule_ids: Sequence[str], first: datetime, until: datetime) -> list[Resource]:
    """All Slots of some schedules that begin from an instant to before another, in their order."""
    slots: list[Resource] = []
    named, cursor = ",".join(f"Schedule/{one}" for one in schedule_ids), ""
    while named:
        criteria = f"schedule={named}&start=ge{utc(first)}&start=lt{utc(until)}&_sort=start&_count={_PAGE}"
        # Few slots belong to these schedules of the many that all have in these days.
        query = session.parse("Slot", f"{criteria}&_cursor={quote(cursor)}" if cursor else criteria)
        page = await session.search(replace(query, begin="schedule"))
        slots += [body(one) for one in page.matches]
        cursor = page.next_cursor
        if not cursor:
            break
    return slots


def utc(moment: datetime) -> str:
    """An instant as a search says it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def keep_open(session: Session, claims: Claims, calendar: Calendar, now: datetime) -> tuple[int, int]:
    """Opens what the template wants and is not there, closes what it no longer wants and nobody has.

    Returns:
        how many times were opened, and closed. A second run changes nothing.
    """
    zone = await zone_at(session, calendar)
    today = now.astimezone(zone).date()
    last = today + timedelta(days=min(calendar.horizon_days, HORIZON_DAYS_MAX))
    wanted = {one.id: one for one in openings(calendar, zone, today, last) if one.starts > now}
    there = await present(session, (calendar.id,), now, _after(last, zone))
    held = await claims.held([one["id"] for one in there])
    changes = [*_to_open(wanted, there), *_to_close(wanted, there, held)]
    for begin in range(0, len(changes), OPENING_BATCH):
        await session.transaction([
            Operation("PUT", "Slot", id=one["id"], resource=parse(dump(one)))
            for one in changes[begin : begin + OPENING_BATCH]
        ])  # fmt: skip
    closed = sum(one["status"] == CLOSED_STATUS for one in changes)
    if calendar.practitioner_id:
        await _adopt(session, claims, calendar, now, _after(last, zone))
    return len(changes) - closed, closed


async def _adopt(session: Session, claims: Claims, calendar: Calendar, now: datetime, until: datetime) -> None:
    """Gives appointments that came without a time of a calendar theirs: what a clinician has closes the hour.

    Another system or an import says with whom and when, and knows no Slots of ours.
    """
    criteria = (
        f"practitioner=Practitioner/{calendar.practitioner_id}&status=booked,pending&date=ge{utc(now)}"
        f"&date=lt{utc(until)}&_sort=date&_count={DAY_APPOINTMENTS_MAX}"
    )
    found, _ = await find(session, "Appointment", criteria)
    loose = [one for one in found if not one.get("slot")]
    if not loose:
        return
    slots = [one for one in await present(session, (calendar.id,), now, until) if one.get("status") in {"free", "busy"}]
    taken = await claims.held([one["id"] for one in slots])
    for one in loose:
        seats: dict[str, Resource] = {}
        for slot in slots:
            if slot["id"] not in taken and _overlap(slot, one):
                seats.setdefault(str(slot["start"]), slot)
        if not seats:
            continue
        taken.update(slot["id"] for slot in seats.values())
        changed = {**one, "slot": [{"reference": f"Slot/{slot['id']}"} for slot in seats.values()]}
        if calendar.service_id and not actor_of(one, "HealthcareService"):
            actor = {"reference": f"HealthcareService/{calendar.service_id}"}
            changed["participant"] = [*one["participant"], {"actor": actor, "status": "accepted"}]
        try:
            await rewrite(session, one, changed)
        except (Conflict, PreconditionFailed):
            continue  # somebody booked the time, or changed the appointment, a moment ago


def _overlap(slot: Resource, appointment: Resource) -> bool:
    if not appointment.get("start") or not appointment.get("end"):
        return False
    return instant(slot["start"]) < instant(appointment["end"]) and instant(appointment["start"]) < instant(slot["end"])


def _after(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), zone)


def _to_open(wanted: dict[str, Time], there: Sequence[Resource]) -> list[Resource]:
    """What is missing, and what was closed before and is wanted again, with the seats that staff added to its hour."""
    known = {one["id"]: one for one in there}
    hours = {one.starts.astimezone(UTC) for one in wanted.values()}
    found = [one.resource() for name, one in wanted.items() if name not in known]
    found += [
        {**_plain(one), "status": "free"}
        for one in there
        if one.get("status") == CLOSED_STATUS
        and (one["id"] in wanted or (one.get("overbooked") and instant(one["start"]).astimezone(UTC) in hours))
    ]  # fmt: skip
    return found


def _to_close(wanted: dict[str, Time], there: Sequence[Resource], held: set[str]) -> list[Resource]:
    return [
        {**_plain(one), "status": CLOSED_STATUS}
        for one in there
        if one["id"] not in {*wanted, *held} and one.get("status") == "free" and not one.get("overbooked")
    ]  # fmt: skip


def _plain(slot: Resource) -> Resource:
    return {name: value for name, value in slot.items() if name != "meta"}


async def add_seat(session: Session, calendar: Calendar, starts: datetime) -> Resource:
    """One more seat at an hour, beyond what its rule opens.

    Raises:
        Invalid: the rule allows no more.
    """
    zone = await zone_at(session, calendar)
    there = await present(session, (calendar.id,), starts, starts + timedelta(minutes=1))
    number = sum(bool(one.get("overbooked")) for one in there)
    if not there:
        raise Invalid("No rule of this schedule opens that hour.")
    slot = overbooked(calendar, starts, zone, number).resource()
    # Two who add a seat at the same moment mean the same Slot: one of them makes it, and its claim decides.
    await session.update(parse(dump(slot)))
    return slot

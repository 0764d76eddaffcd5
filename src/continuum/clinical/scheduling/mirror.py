"""What follows a booking: its Slot says that it is taken, and what came free is offered on.

Bookings themselves never wait for this. It runs in the server, after each commit and in any case now and then; what
it did not come to is found again at the next turn, by this worker or another.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from continuum.access import Session
from continuum.access.claims import Claim, Claims
from continuum.chart.reading import version_of
from continuum.clinical.scheduling.booking import is_closed, slot_with_calendar
from continuum.clinical.scheduling.limits import MIRROR_BATCH
from continuum.clinical.scheduling.model import Resource
from continuum.clinical.scheduling.offers import expire, offer, overdue
from continuum.clinical.scheduling.opening import CLOSED_STATUS
from continuum.clinical.scheduling.reading import find, read
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Conflict, DomainError, Gone, NotFound

Told = Callable[[Resource, datetime], Awaitable[None]]


async def follow(session: Session, claims: Claims, now: datetime, *, offered: Told | None = None) -> int:
    """Tells Slots whether they are taken, and offers what came free; how many there were.

    offered: is told of each offer.
    """
    found = await claims.unmirrored(MIRROR_BATCH)
    for claim in found:
        await _told(session, claim)
        if not claim.held:
            made = await _offered_on(session, claim, now)
            if made is not None and offered is not None:
                await offered(made, now)
        await claims.mirrored(claim)
    return len(found)


async def _told(session: Session, claim: Claim) -> None:
    """Two workers may tell the same Slot at once: the second finds it told, or its version gone by."""
    try:
        slot = await read(session, "Slot", claim.slot_id)
    except (NotFound, Gone):
        return
    wanted = "busy" if claim.held else await _freed(session, slot)
    if slot.get("status") in {"free", "busy"} and slot["status"] != wanted:
        try:
            await session.update(parse(dump({**slot, "status": wanted})), if_match=version_of(slot))
        except Conflict:
            return


async def _freed(session: Session, slot: Resource) -> str:
    """What comes free in a day or an hour that the clinic has closed is closed with it."""
    try:
        _, calendar, _ = await slot_with_calendar(session, str(slot["id"]))
        return CLOSED_STATUS if await is_closed(session, slot, calendar) else "free"
    except DomainError:
        return "free"  # a calendar that is gone, or half of one


async def _offered_on(session: Session, claim: Claim, now: datetime) -> Resource | None:
    try:
        return await offer(session, claim.slot_id, now)
    except DomainError:
        # A calendar that is gone, or half of one: there is nobody to offer this to.
        return None


async def end_offers(session: Session, now: datetime) -> int:
    """Ends the offers whose time is over; how many there were."""
    found, _ = await find(session, "Appointment", f"status=proposed&_sort=date&_count={MIRROR_BATCH}")
    ended = 0
    for one in overdue(found, now):
        try:
            ended += await expire(session, one, now)
        except Conflict:
            continue
    return ended

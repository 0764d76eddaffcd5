"""Letters about moves: that there is news, and never where to or why."""

from collections.abc import Iterable
from datetime import datetime

from continuum.access import Access, Session
from continuum.identity import notices
from continuum.interop.cutover.moves import Move
from continuum.interop.cutover.outgoing import people_of
from continuum.interop.cutover.status import Facility

KIND = "move-ahead"


def _due_us(now: datetime) -> int:
    return int(now.timestamp() * 1_000_000)


async def tell(access: Access, moves: Iterable[tuple[str, str]], now: datetime) -> int:
    """Queues a letter for each (patient id, what it is about); what was told before is not told again."""
    count = 0
    async with access.connect() as conn:
        for patient_id, about in moves:
            await notices.queue(conn, KIND, about, patient_id=patient_id, due_us=_due_us(now))
            count += 1
    return count


async def tell_moves(access: Access, moves: Iterable[Move], now: datetime) -> int:
    """Letters about moves: one when it is planned, one when it happens."""
    return await tell(
        access, [(one.patient_id, f"{one.id}@{one.day}:{'ahead' if one.planned else 'done'}") for one in moves], now
    )


async def tell_facility(access: Access, session: Session, facility: Facility, now: datetime) -> int:
    """Letters to everybody whose care is at a facility; how many people."""
    day = facility.portal.live_from.isoformat() if facility.portal.live_from else "open"
    state = "live" if facility.live else "ahead"
    people = [str(one["id"]) async for one in people_of(session, facility.id)]
    return await tell(access, [(one, f"{facility.id}@{day}:{state}:{one}") for one in people], now)

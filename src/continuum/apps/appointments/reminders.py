"""What people are told about appointments by mail: one is near, a time is offered, the clinic changed something."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from continuum.access import Access, Session
from continuum.apps.appointments.limits import REMIND_AHEAD_HOURS, REMIND_SWEPT_HOURS
from continuum.clinical.scheduling.limits import REMINDER_BATCH
from continuum.clinical.scheduling.model import Resource, actor_of, instant
from continuum.clinical.scheduling.offers import open_until
from continuum.clinical.scheduling.opening import utc
from continuum.clinical.scheduling.reading import body, read, zone_of
from continuum.identity import notices
from continuum.identity.notices import Notice
from continuum.kernel.errors import Gone, NotFound
from continuum.ui.formats.times import instant as written

AHEAD, OFFERED, CHANGED = "appointment-ahead", "appointment-offered", "appointment-changed"


class Reminders:
    """Queues notices about appointments, and says whether one is still true."""

    def __init__(self, access: Access, session: Callable[[], Session]) -> None:
        self._access, self._session = access, session

    async def sweep(self, now: datetime) -> int:
        """Queues the reminders of what is near; how many appointments were looked at."""
        until = now + timedelta(hours=REMIND_AHEAD_HOURS + REMIND_SWEPT_HOURS)
        criteria = (
            f"status=booked&date=ge{utc(now)}&date=lt{utc(until)}&_sort=date&_count={REMINDER_BATCH}"
            "&_include=Appointment:location"
        )
        session, looked = self._session(), 0
        page = await session.search(session.parse("Appointment", criteria))
        while True:
            places = {f"{one.resource_type}/{one.id}": body(one) for one in page.included}
            for stored in page.matches:
                await self._remind(body(stored), places, now)
            looked += len(page.matches)
            if not page.next_cursor:
                return looked
            more = f"{criteria}&_cursor={quote(page.next_cursor)}"
            page = await session.search(session.parse("Appointment", more))

    async def _remind(self, appointment: Resource, places: dict[str, Resource], now: datetime) -> None:
        starts = instant(appointment["start"])
        due = max(starts - timedelta(hours=REMIND_AHEAD_HOURS), now)
        if starts - now > timedelta(hours=1):
            await self._queue(AHEAD, _key(appointment), appointment, places, starts, due)

    async def offered(self, appointment: Resource, now: datetime) -> None:
        """Somebody was offered a time."""
        until = open_until(appointment)
        if until is not None:
            await self._queue(OFFERED, str(appointment["id"]), appointment, await self._place(appointment), until, now)

    async def changed(self, appointment: Resource, now: datetime) -> None:
        """The clinic called an appointment off or moved it; appointment: as it was before."""
        about = f"{appointment['id']}@{appointment.get('meta', {}).get('versionId', '')}"
        starts = instant(appointment["start"])
        await self._queue(CHANGED, about, appointment, await self._place(appointment), starts, now)

    async def _place(self, appointment: Resource) -> dict[str, Resource]:
        name = actor_of(appointment, "Location")
        return {f"Location/{name}": await read(self._session(), "Location", name)} if name else {}

    async def _queue(
        self, kind: str, about: str, appointment: Resource, places: dict[str, Resource], moment: datetime, due: datetime
    ) -> None:
        zone = zone_of(places.get(f"Location/{actor_of(appointment, 'Location')}", {}))
        words = written(moment, "en", zone).text
        async with self._access.connect() as conn:
            await notices.queue(
                conn, kind, about, patient_id=actor_of(appointment, "Patient"),
                due_us=int(due.astimezone(UTC).timestamp() * 1_000_000), words=words,
            )  # fmt: skip

    async def still(self, notice: Notice) -> bool:
        """Whether an appointment is still what a notice says of it; of other notices it knows nothing against."""
        if notice.kind not in {AHEAD, OFFERED}:
            return True
        try:
            found = await read(self._session(), "Appointment", notice.about.partition("@")[0])
        except (NotFound, Gone):
            return False
        if notice.kind == OFFERED:
            return bool(found.get("status") == "proposed")
        return found.get("status") == "booked" and _key(found) == notice.about


def _key(appointment: Resource) -> str:
    """A reminder is about an appointment at its time: one that was moved is another one."""
    return f"{appointment['id']}@{int(instant(appointment['start']).timestamp())}"

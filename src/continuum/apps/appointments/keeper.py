"""What the server does about appointments by itself: calendars are kept open, times are told, offers end.

Every worker runs it; what two do at once is done once (claims, versions, ids that follow from what they name).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from continuum.access import Access, Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.claims import Claims
from continuum.apps.appointments.limits import (
    CALENDARS_MAX,
    KEEPER_ERROR_WAIT_S,
    KEEPER_OFFERS_EVERY_S,
    KEEPER_OPEN_EVERY_S,
    KEEPER_POLL_S,
    REMIND_EVERY_S,
)
from continuum.apps.appointments.reminders import Reminders
from continuum.clinical.scheduling.limits import MIRROR_BATCH
from continuum.clinical.scheduling.mirror import end_offers, follow
from continuum.clinical.scheduling.opening import calendars, keep_open
from continuum.kernel.errors import DomainError

log = structlog.get_logger("continuum.appointments")


class Keeper:
    """One per worker."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._claims = Claims(access)
        self._woken = asyncio.Event()
        self.reminders = Reminders(access, self._session)

    def wake(self) -> None:
        """Something was written: look at once."""
        self._woken.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Keeper"]:
        """Runs while the context is open."""
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._by_the_clock())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _session(self) -> Session:
        actor = Actor("continuum", "system", "Continuum")
        return self._access.open(
            actor, USUAL_PURPOSE["system"], source="server", request_id=f"appointments-{uuid4()}", sweeping=True
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._access.clock() / 1_000_000, UTC)

    async def _follow(self) -> None:
        """Tells times as soon as something was written, and looks in any case now and then."""
        while True:
            try:
                found = await follow(self._session(), self._claims, self._now(), offered=self.reminders.offered)
            except (DomainError, OSError) as error:
                await self._later(error)
                continue
            if found < MIRROR_BATCH:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), KEEPER_POLL_S)
                self._woken.clear()

    async def _by_the_clock(self) -> None:
        opened, reminded = -KEEPER_OPEN_EVERY_S, -REMIND_EVERY_S
        loop = asyncio.get_running_loop()
        while True:
            try:
                await end_offers(self._session(), self._now())
                if loop.time() - opened >= KEEPER_OPEN_EVERY_S:
                    await self.open_all()
                    opened = loop.time()
                if loop.time() - reminded >= REMIND_EVERY_S:
                    await self.reminders.sweep(self._now())
                    reminded = loop.time()
            except (DomainError, OSError) as error:
                await self._later(error)
                continue
            await asyncio.sleep(KEEPER_OFFERS_EVERY_S)

    async def open_all(self) -> int:
        """Opens the times of every active calendar; how many there were."""
        opened = 0
        for calendar in await calendars(self._session(), "active=true", most=CALENDARS_MAX):
            if calendar.rules:
                more, _ = await keep_open(self._session(), self._claims, calendar, self._now())
                opened += more
        return opened

    async def _later(self, error: Exception) -> None:
        log.warning("appointments.later", error=type(error).__name__)
        await asyncio.sleep(KEEPER_ERROR_WAIT_S)

"""What the server does by itself: moves are settled on their day, and people hear of it when a facility goes live.

Every worker runs it; what two do at once is done once (versions of the Patient, unique letters).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import structlog

from continuum.access import Access, Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.apps.cutover.limits import MOVES_ERROR_WAIT_S, MOVES_EVERY_S
from continuum.apps.cutover.telling import tell_facility, tell_moves
from continuum.interop.cutover.moves import settle
from continuum.interop.cutover.waves import facilities
from continuum.kernel.errors import DomainError

log = structlog.get_logger("continuum.cutover")


class Moves:
    """One per worker."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._told: set[tuple[str, date]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Moves"]:
        """Runs while the context is open."""
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.turn()
            except (DomainError, OSError) as error:
                log.warning("cutover.later", error=type(error).__name__)
                await asyncio.sleep(MOVES_ERROR_WAIT_S)
                continue
            await asyncio.sleep(MOVES_EVERY_S)

    async def turn(self) -> int:
        """Settles what is due and tells people; how many moved."""
        now = datetime.fromtimestamp(self._access.clock() / 1_000_000, UTC)
        done = await settle(self._session(), now)
        await tell_moves(self._access, [replace(one, planned=False) for one in done], now)
        for one in await facilities(self._session(), now):
            if one.live and one.portal.live_from == one.today and (one.id, one.today) not in self._told:
                await tell_facility(self._access, self._session(), one, now)
                self._told.add((one.id, one.today))
        return len(done)

    def _session(self) -> Session:
        actor = Actor("continuum", "system", "Continuum")
        return self._access.open(
            actor, USUAL_PURPOSE["system"], source="server", request_id=f"moves-{uuid4()}", sweeping=True
        )

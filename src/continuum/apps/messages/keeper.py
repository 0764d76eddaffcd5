"""The continuous check in a running server: when it runs, as whom, and what it tells of itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog

from continuum.access import Access, Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.apps.frame.zones import Zones
from continuum.apps.messages.limits import CHECK_ERROR_WAIT_S, CHECK_EVERY_S
from continuum.clinical.messaging.coverage import ROLES, Coverage
from continuum.clinical.messaging.keeping import Keeper, Looked, Roster
from continuum.clinical.messaging.limits import STAFF_MAX
from continuum.identity import staff
from continuum.kernel.errors import DomainError

log = structlog.get_logger("continuum.messages")


class Check:
    """One per worker. today: the day by which privileges are held."""

    def __init__(self, access: Access, today: Callable[[], date]) -> None:
        self._access, self._today = access, today
        self._coverage, self._zones = Coverage(access), Zones()
        self.keeper = Keeper(self._session, self._there, self._zone)
        self.turns = 0
        self.mended = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Check"]:
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
                log.warning("messages.later", error=type(error).__name__)
                await asyncio.sleep(CHECK_ERROR_WAIT_S)
                continue
            await asyncio.sleep(CHECK_EVERY_S)

    async def turn(self) -> Looked:
        """One turn, and its note for `continuum doctor`."""
        now_us = self._access.clock()
        found = await self.keeper.turn(datetime.fromtimestamp(now_us / 1_000_000, UTC))
        self.turns += 1
        self.mended += found.without_work + found.without_owner - found.failed
        if found.without_work or found.without_owner or found.risen or found.failed:
            log.info("messages.mended", without_work=found.without_work, without_owner=found.without_owner,
                     risen=found.risen, failed=found.failed)  # fmt: skip
        async with self._access.connect() as conn:
            await conn.execute(
                "INSERT INTO messages.checked VALUES (true, $1, $2, $3, $4, $5, $6, $7)"
                " ON CONFLICT (one) DO UPDATE SET"
                " checked_us = excluded.checked_us, threads = excluded.threads, tasks = excluded.tasks,"
                " without_work = excluded.without_work, without_owner = excluded.without_owner,"
                " overdue = excluded.overdue, failed = excluded.failed",
                now_us, found.threads, found.tasks, found.without_work, found.without_owner, found.overdue,
                found.failed,
            )  # fmt: skip
        return found

    def figures(self) -> bytes:
        """What the check found, in Prometheus' text."""
        found = self.keeper.latest
        return (
            "# HELP continuum_messages_checks_total Turns of the check that every message has an owner.\n"
            "# TYPE continuum_messages_checks_total counter\n"
            f"continuum_messages_checks_total {self.turns}\n"
            "# HELP continuum_messages_mended_total Messages that had no owner and were given one.\n"
            "# TYPE continuum_messages_mended_total counter\n"
            f"continuum_messages_mended_total {self.mended}\n"
            "# HELP continuum_messages_unowned Messages without an owner that the last turn could not mend.\n"
            "# TYPE continuum_messages_unowned gauge\n"
            f"continuum_messages_unowned {found.failed}\n"
            "# HELP continuum_messages_overdue Messages of the last turn whose promised answer is late.\n"
            "# TYPE continuum_messages_overdue gauge\n"
            f"continuum_messages_overdue {found.overdue}\n"
        ).encode()

    def _session(self) -> Session:
        actor = Actor("continuum", "system", "Continuum")
        return self._access.open(
            actor, USUAL_PURPOSE["system"], source="server", request_id=f"messages-{uuid4()}", sweeping=True
        )

    async def _there(self, facility_id: str) -> Roster:
        async with self._access.connect() as conn:
            found = await staff.at(conn, facility_id, self._today(), roles=ROLES, limit=STAFF_MAX)
        here = frozenset(one.account_id for one in found)
        # A cover who has left is none.
        away = frozenset(one.account_id for one in await self._coverage.at(facility_id) if one.cover_id not in here)
        answering = (one.practitioner_id for one in found if one.account_id not in away)
        return Roster(here, away, frozenset(one for one in answering if one))

    async def _zone(self, session: Session, facility_id: str) -> ZoneInfo:
        return await self._zones.of(session, facility_id)

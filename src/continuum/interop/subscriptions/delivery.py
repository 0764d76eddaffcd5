"""One subscription's deliveries: in order, one at a time, each tried again until its subscriber takes it.

Nothing waits in memory: what is to be delivered is read from the record when its turn comes. So a subscriber that
is slow or dead costs one sleeping task, and whoever takes over after a crash goes on behind the last event that
was acknowledged. A subscriber may see an event twice; its number says so.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import monotonic
from typing import Protocol, TypeVar

import asyncpg
import structlog

from continuum.access.feed import RENEWED, Event, Feed, State
from continuum.interop.subscriptions import notification
from continuum.interop.subscriptions.channels import Undelivered
from continuum.interop.subscriptions.notification import Notification
from continuum.interop.subscriptions.request import Request
from continuum.kernel.clock import now_us
from continuum.kernel.errors import DomainError, Forbidden
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import (
    OUTBOX_RETRY_S,
    SUBSCRIPTION_ATTEMPTS_MAX,
    SUBSCRIPTION_RETRY_WAIT_MAX_S,
    SUBSCRIPTION_RETRY_WAIT_S,
)

T = TypeVar("T")

log = structlog.get_logger("continuum.subscriptions")


class Send(Protocol):
    """Hands a notification to a subscriber, or raises Undelivered."""

    async def __call__(self, request: Request, notification: Notification) -> None:
        """Returns when it is taken."""


class GivenUp(Exception):
    """Every attempt failed; the text says why."""


class Delivery:
    """The deliveries of one subscription as its owner last wrote it.

    base: the URL of the FHIR service. retry_wait_s: the pause after the first failure.
    """

    def __init__(
        self,
        feed: Feed,
        state: State,
        request: Request,
        send: Send,
        *,
        base: Callable[[], str],
        retry_wait_s: float = SUBSCRIPTION_RETRY_WAIT_S,
        attempts_max: int = SUBSCRIPTION_ATTEMPTS_MAX,
    ) -> None:
        self.state = state
        self.request = request
        self._feed = feed
        self._send = send
        self._base = base
        self._retry_wait_s = retry_wait_s
        self._attempts_max = attempts_max
        self._news = asyncio.Event()

    def tell(self, state: State) -> None:
        """The subscription as the record knows it now."""
        now = self.state
        if state.version < now.version or state.numbered < now.numbered:
            return  # read before what is known already
        self.state = replace(state, delivered=now.delivered)
        if state.numbered > now.numbered:
            self._news.set()

    async def run(self) -> None:
        """Delivers until it is cancelled, ends by itself, or the subscriber is given up."""
        try:
            if self.state.status in ("requested", RENEWED):
                await self._begin()
            if self.state.status == "active" and self.request.channel != "websocket":
                await self._deliver()
        except GivenUp as error:
            await self._mark("error", str(error))
        except Forbidden as error:
            await self._mark("error", f"The owner of this subscription may not read any more. {error}")

    async def stream(self) -> None:
        """Shakes hands and delivers until it is cancelled or the subscriber is gone.

        Raises:
            GivenUp: it is gone. Forbidden: the owner may not read any more.
        """
        await self._attempts(lambda: self._bundle(notification.HANDSHAKE))
        await self._deliver()

    async def _begin(self) -> None:
        """The handshake; a websocket has nobody to shake hands with until it is bound."""
        self._feed.session(self.state, "handshake")  # the owner must be one who may ask at all
        if self.request.channel != "websocket":
            await self._attempts(lambda: self._bundle(notification.HANDSHAKE))
        await self._mark("active")

    async def _deliver(self) -> None:
        while True:
            state = self.state
            if state.numbered > state.delivered:
                await self.one(state.delivered + 1)
                continue
            if not await self._wait():
                await self._attempts(lambda: self._bundle(notification.HEARTBEAT))

    async def _wait(self) -> bool:
        """Waits for news; False when it is time for a heartbeat first."""
        self._news.clear()
        if self.state.numbered > self.state.delivered:
            return True
        try:
            async with asyncio.timeout(self.request.heartbeat_s or None):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def one(self, first: int) -> None:
        """Delivers the events from `first` on, as many as one notification takes."""
        found = await self._events(first)
        if not found:
            # What is numbered is there, unless it was removed behind the last that are kept.
            log.error("events of a subscription are not there", subscription=self.state.id, first=first)
            self.state = replace(self.state, delivered=self.state.numbered)
            return
        message = self._bundle(notification.EVENTS, found)
        await self._attempts(lambda: message)
        self.state = replace(self.state, delivered=message.last)
        await self._patiently(lambda: self._feed.delivered(self.state, message.last))

    async def _events(self, first: int) -> list[Event]:
        """What the owner may see of the next events; leaves the trace of the delivery before it begins."""
        request, state = self.request, self.state
        last = min(first + request.count - 1, state.numbered)

        async def look() -> list[Event]:
            session = self._feed.session(state, f"notify-{uuid7()}")
            return await session.notified(
                (state.row_id, state.id), first=first, last=last, count=request.count,
                shown=request.content != "empty",
            )  # fmt: skip

        return notification.fitting(await self._patiently(look))

    def _bundle(self, kind: str, events: list[Event] | None = None) -> Notification:
        return notification.bundle(
            self.state, kind, base=self._base(), topic=self.request.topic.canonical, now_us=now_us(),
            events=events or (), content=self.request.content,
        )  # fmt: skip

    async def _attempts(self, make: Callable[[], Notification]) -> None:
        """Sends until it is taken, with growing pauses.

        Raises:
            GivenUp: the last one failed too.
        """
        wait_s = self._retry_wait_s
        for attempt in range(1, self._attempts_max + 1):
            began_s = monotonic()
            try:
                await self._send(self.request, make())
            except Undelivered as error:
                log.warning(
                    "a notification was not taken", subscription=self.state.id, attempt=attempt,
                    took_s=round(monotonic() - began_s, 3), reason=str(error),
                )  # fmt: skip
                if attempt == self._attempts_max:
                    text = f"{error} That was attempt {attempt}; ask again with the status requested when it is mended."
                    raise GivenUp(text) from error
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, SUBSCRIPTION_RETRY_WAIT_MAX_S)
            else:
                return

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does work on the record, again after a pause while the database fails; a refusal is passed on."""
        while True:
            try:
                return await work()
            except DomainError as error:
                if error.status < 500:
                    raise
                log.warning("the record does not answer", subscription=self.state.id, reason=type(error).__name__)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("the record does not answer", subscription=self.state.id, reason=type(error).__name__)
            await asyncio.sleep(OUTBOX_RETRY_S)

    async def _mark(self, status: str, failure: str | None = None) -> None:
        async def write() -> bool:
            return await self._feed.mark(self.state, status, failure)

        if await self._patiently(write):
            now = await self._patiently(lambda: self._feed.state(self.state.id))
            if now is not None and now.definition == self.state.definition:
                self.state = now

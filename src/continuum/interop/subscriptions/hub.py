"""All subscriptions of one worker: it reads the outbox when it leads, and keeps a delivery for each subscription.

Whoever holds the lock of the outbox leads: files events, shakes hands, calls rest-hooks and sends mail. Websockets
are served by the worker that they are connected to; all that it needs from the leader are the filed events.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

import asyncpg
import structlog

from continuum.access import Access
from continuum.access.feed import Connection, Feed, State, Watch
from continuum.fhir.json import parse
from continuum.interop.subscriptions import request as requests
from continuum.interop.subscriptions.channels import Channels
from continuum.interop.subscriptions.delivery import Delivery
from continuum.interop.subscriptions.endpoints import Allowed
from continuum.interop.subscriptions.request import Request
from continuum.kernel.clock import now_us
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import (
    OUTBOX_CHECK_S,
    OUTBOX_ELECTION_S,
    OUTBOX_GATHER_S,
    OUTBOX_IDLE_POLL_S,
    OUTBOX_POLL_S,
    OUTBOX_REST,
    OUTBOX_RETRY_S,
    SUBSCRIPTION_PRUNE_S,
    SUBSCRIPTION_RETRY_WAIT_S,
    SUBSCRIPTION_STOP_S,
    SUBSCRIPTION_WAITING_MAX,
    SUBSCRIPTIONS_MAX,
)

log = structlog.get_logger("continuum.subscriptions")


@dataclass(slots=True)
class _Running:
    """A delivery and the definition that it follows."""

    definition: int
    delivery: Delivery
    task: asyncio.Task[None]


class Hub:
    """One per worker.

    access: a door of its own, so that its connections are never those of requests. base: the URL of the FHIR
    service as subscribers reach it. allowed: where notifications may go. mail: whether mail can be sent.
    """

    def __init__(
        self,
        access: Access,
        *,
        base: Callable[[], str],
        allowed: Allowed,
        channels: Channels,
        mail: bool,
        retry_wait_s: float = SUBSCRIPTION_RETRY_WAIT_S,
    ) -> None:
        self.feed = Feed(access)
        self.base = base
        self._allowed = allowed
        self._channels = channels
        self._mail = mail
        self._retry_wait_s = retry_wait_s
        self._wake = asyncio.Event()
        self._busy = False
        self._requests: dict[int, tuple[int, Request | None]] = {}
        self._running: dict[int, _Running] = {}
        self._watched: dict[int, set[Callable[[State | None], None]]] = {}
        self._pruned_s = monotonic()

    def wake(self) -> None:
        """Something was committed in this process."""
        if self._busy:
            self._wake.set()

    def read(self, resource: dict[str, object]) -> Request:
        """What a Subscription asks for; raises Invalid."""
        return requests.read(resource, allowed=self._allowed, mail=self._mail, read_filter=self.feed.query)

    def refuse(self, resource: dict[str, object]) -> None:
        """Raises Invalid for a Subscription that cannot be served."""
        self.read(resource)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Hub"]:
        """Works in the background until the context ends."""
        tasks = [asyncio.create_task(self._lead()), asyncio.create_task(self._follow())]
        try:
            yield self
        finally:
            ending = [*tasks, *(one.task for one in self._running.values())]
            for task in ending:
                task.cancel()
            await asyncio.wait(ending, timeout=SUBSCRIPTION_STOP_S)
            await self._channels.close()

    async def _lead(self) -> None:
        """Tries to lead; when the database fails it, stops all deliveries and tries again."""
        while True:
            try:
                async with self.feed.access.connect() as conn:
                    while not await self.feed.leads(conn):  # noqa: ASYNC110  the lock is in the database
                        await asyncio.sleep(OUTBOX_ELECTION_S)
                    await self._drain(conn)
            except (
                DomainError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError,
            ) as error:  # fmt: skip  # the last: the connection was lost in the middle of a statement
                log.warning("the outbox cannot be read", reason=type(error).__name__)
            except Exception as error:
                log.exception("the reader of the outbox failed", error=type(error).__name__)
            finally:
                self._stop()
            await asyncio.sleep(OUTBOX_RETRY_S)

    def _stop(self) -> None:
        """Nobody delivers who does not lead; what was under way is delivered again by whoever leads next."""
        self._busy = False
        for one in self._running.values():
            one.task.cancel()
        self._running.clear()

    async def _drain(self, conn: Connection) -> None:
        states = await self.feed.live()
        await self._serve(states)
        checked_s = monotonic()
        while True:
            self._wake.clear()
            self._busy = bool(states)
            began_s = monotonic()
            acts, full, changed = await self.feed.drain(conn, self._watches)
            if changed is not None:
                states = changed
                await self._serve(states)
            if monotonic() - checked_s >= OUTBOX_CHECK_S:
                checked_s = monotonic()
                await self._check(states)
            if full or (acts and states):
                # The more there is to look through, the more is gathered: most of the worker's time is for requests.
                await asyncio.sleep(max(OUTBOX_GATHER_S, (monotonic() - began_s) * OUTBOX_REST))
                continue
            # While nobody waits for anything, what is committed may lie: its rows go together, not a few at a time.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OUTBOX_POLL_S if states else OUTBOX_IDLE_POLL_S):
                    await self._wake.wait()

    async def _watches(self, states: Sequence[State]) -> Mapping[str, Sequence[Watch]]:
        """What is waited for, by type."""
        found: dict[str, list[Watch]] = {}
        for state in states:
            request = await self.request(state)
            if request is not None:
                kind = request.topic.resource_type
                found.setdefault(kind, []).append(Watch(state, kind, request.wants, request.whole))
        return found

    async def request(self, state: State) -> Request | None:
        """What a subscription asks for, None when that cannot be served."""
        known = self._requests.get(state.row_id)
        if known is not None and known[0] == state.definition:
            return known[1]
        found: Request | None = None
        text = await self.feed.resource(state.id)
        if text is not None:
            try:
                found = self.read(parse(text))
            except DomainError as error:
                await self.feed.mark(state, "error", str(error))
        self._requests[state.row_id] = (state.definition, found)
        return found

    async def _serve(self, states: Sequence[State]) -> None:
        """Brings the deliveries in line with the subscriptions, and tells each what is new."""
        live = {state.row_id: state for state in states[:SUBSCRIPTIONS_MAX]}
        for row_id in [row_id for row_id in self._running if row_id not in live]:
            self._running.pop(row_id).task.cancel()
        for row_id in [row_id for row_id in self._requests if row_id not in live and row_id not in self._watched]:
            del self._requests[row_id]
        for state in live.values():
            self._tell(state)
            running = self._running.get(state.row_id)
            if running is not None and running.definition == state.definition:
                running.delivery.tell(state)
            elif state.status != "error" or running is not None:
                await self._start(state, running)

    async def _start(self, state: State, running: _Running | None) -> None:
        if running is not None:
            running.task.cancel()
            del self._running[state.row_id]
        request = await self.request(state)
        if request is None:
            return
        if request.channel == "websocket" and state.status == "active":
            return
        delivery = Delivery(
            self.feed, state, request, self._channels.send, base=self.base, retry_wait_s=self._retry_wait_s
        )
        task = asyncio.create_task(_logged(delivery))
        self._running[state.row_id] = _Running(state.definition, delivery, task)

    async def _check(self, states: Sequence[State]) -> None:
        """What time brings: subscriptions that end, receivers that left too much lying, old events, failed tasks."""
        for state in states:
            _, request = self._requests.get(state.row_id, (0, None))
            if request is None:
                continue
            if request.end_us is not None and now_us() >= request.end_us:
                await self.feed.mark(state, "off")
            elif state.numbered - state.delivered > SUBSCRIPTION_WAITING_MAX and request.channel != "websocket":
                text = f"More than {SUBSCRIPTION_WAITING_MAX:,} events waited for the subscriber; this has ended."
                await self.feed.mark(state, "off", text)
        for row_id, running in list(self._running.items()):
            if running.task.done() and not running.task.cancelled() and running.task.exception() is not None:
                del self._running[row_id]
                await self._start(running.delivery.state, None)
        if monotonic() - self._pruned_s >= SUBSCRIPTION_PRUNE_S:
            self._pruned_s = monotonic()
            await self.feed.prune()

    @contextlib.contextmanager
    def watching(self, row_id: int, tell: Callable[[State | None], None]) -> Iterator[None]:
        """Calls `tell` with the state of a subscription whenever it may have changed; None when it is gone."""
        self._watched.setdefault(row_id, set()).add(tell)
        try:
            yield
        finally:
            self._watched[row_id].discard(tell)
            if not self._watched[row_id]:
                del self._watched[row_id]

    def _tell(self, state: State) -> None:
        for tell in tuple(self._watched.get(state.row_id, ())):
            tell(state)

    async def _follow(self) -> None:
        """Looks after the watched subscriptions, also where another worker leads."""
        while True:
            await asyncio.sleep(OUTBOX_POLL_S)
            wanted = list(self._watched)
            if not wanted:
                continue
            try:
                states = {state.row_id: state for state in await self.feed.states_of(wanted)}
            except (DomainError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("the record does not answer", reason=type(error).__name__)
                await asyncio.sleep(OUTBOX_RETRY_S)
                continue
            for row_id in wanted:
                for tell in tuple(self._watched.get(row_id, ())):
                    tell(states.get(row_id))


async def _logged(delivery: Delivery) -> None:
    try:
        await delivery.run()
    except Exception as error:
        log.exception("a delivery failed", subscription=delivery.state.id, error=type(error).__name__)
        raise

"""Websockets of subscriptions (backport guide 1.1, "WebSockets").

A client sends `bind-with-token: ` and a token of $get-ws-binding-token; each subscription of the token then
answers with a handshake and its notifications, one JSON text a message. A client that does not take a message in
the subscription's time is cut off; what it has not been sent waits in the record for its next connection.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from continuum.access.feed import State
from continuum.apps.fhir_api.services import Services
from continuum.interop.subscriptions.channels import Undelivered
from continuum.interop.subscriptions.delivery import Delivery, GivenUp
from continuum.interop.subscriptions.notification import Notification
from continuum.interop.subscriptions.request import Request
from continuum.kernel.errors import DomainError, Forbidden
from continuum.kernel.limits import SOCKET_BIND_TIMEOUT_S, SOCKET_CLOSE_TIMEOUT_S, SOCKET_SUBSCRIPTIONS_MAX, SOCKETS_MAX

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BIND = "bind-with-token:"
_NORMAL, _REFUSED, _FULL = 1000, 1008, 1013
"""Close codes (RFC 6455 §7.4.1, and 1013 "try again later" of its registry)."""

log = structlog.get_logger("continuum.subscriptions")


class Sockets:
    """The websockets of one worker."""

    def __init__(self) -> None:
        self.open_count = 0

    async def serve(self, services: Services, receive: Receive, send: Send) -> None:
        """One websocket from its opening to its end."""
        if (await receive())["type"] != "websocket.connect":
            return
        if self.open_count >= SOCKETS_MAX:
            await send({"type": "websocket.close", "code": _FULL})
            return
        self.open_count += 1
        try:
            await send({"type": "websocket.accept"})
            await _Socket(services, receive, send).run()
        finally:
            self.open_count -= 1


class _Socket:
    def __init__(self, services: Services, receive: Receive, send: Send) -> None:
        self._services = services
        self._receive = receive
        self._send = send
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._patience = asyncio.timeout(SOCKET_BIND_TIMEOUT_S)
        self._ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            async with self._patience:
                code, reason = await self._ended
        except TimeoutError:
            code, reason = _REFUSED, "No subscription was bound in time."
        finally:
            for task in (reading, *self._streams.values()):
                task.cancel()
        if code:
            with contextlib.suppress(Exception):  # the other side may be gone by now, or take nothing any more
                async with asyncio.timeout(SOCKET_CLOSE_TIMEOUT_S):
                    await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def _end(self, code: int, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result((code, reason))

    async def _read(self) -> None:
        """Takes bindings until the client goes; code 0 says that there is nobody to say goodbye to."""
        while True:
            try:
                message = await self._receive()
            except Exception:  # noqa: BLE001  however the connection was lost, it is gone
                message = {"type": "websocket.disconnect"}
            if message["type"] == "websocket.disconnect":
                self._end(0, "")
                return
            text = message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
            if not text.startswith(BIND):
                self._end(_REFUSED, f"The only message is {BIND} and a token.")
                return
            try:
                await self._bind(text.removeprefix(BIND).strip())
            except DomainError as error:
                self._end(_REFUSED, str(error)[:120])
                return
            self._patience.reschedule(None)

    async def _bind(self, token: str) -> None:
        hub = self._services.subscriptions
        for subscription_id in self._services.binder.bound(token):
            state = await hub.feed.state(subscription_id)
            request = None if state is None else await hub.request(state)
            if state is None or request is None or request.channel != "websocket" or state.status != "active":
                raise Forbidden(f"Subscription/{subscription_id} is not active.")
            if len(self._streams) >= SOCKET_SUBSCRIPTIONS_MAX:
                raise Forbidden(f"One websocket takes {SOCKET_SUBSCRIPTIONS_MAX} subscriptions.")
            if subscription_id not in self._streams:
                self._streams[subscription_id] = asyncio.create_task(self._stream(state, request))

    async def _stream(self, state: State, request: Request) -> None:
        """The notifications of one subscription, until it is changed or ended."""
        hub = self._services.subscriptions
        delivery = Delivery(hub.feed, state, request, self._text, base=hub.base, attempts_max=1)

        def tell(now: State | None) -> None:
            if now is None or now.definition != state.definition or now.status != "active":
                self._end(_NORMAL, f"Subscription/{state.id} was changed or ended.")
            else:
                delivery.tell(now)

        try:
            with hub.watching(state.row_id, tell):
                await delivery.stream()
        except GivenUp:
            self._end(_NORMAL, "A message was not taken in time.")
        except Forbidden:
            self._end(_REFUSED, "The owner of the subscription may not read any more.")
        except Exception as error:
            log.exception("a websocket failed", subscription=state.id, error=type(error).__name__)
            self._end(1011, "The server failed.")

    async def _text(self, request: Request, notification: Notification) -> None:
        try:
            async with asyncio.timeout(request.timeout_s), self._sending:
                await self._send({"type": "websocket.send", "text": notification.body.decode()})
        except (TimeoutError, OSError, RuntimeError) as error:
            raise Undelivered(f"The websocket took no message ({type(error).__name__}).") from error

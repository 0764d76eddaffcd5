"""One worker: granian inside this process, answering on a socket that was bound before."""

import asyncio
import contextlib
import gc
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]  # re-exported without saying so
from granian.server.embed import Server

from continuum.access import Access
from continuum.access.reindexing import Reindexing
from continuum.access.sign_ons import tracer
from continuum.apps.appointments.keeper import Keeper
from continuum.apps.appointments.limits import SEND_EVERY_S
from continuum.apps.cutover.keeper import Moves
from continuum.apps.fhir_api.app import Application
from continuum.apps.fhir_api.bulk import Bulk
from continuum.apps.fhir_api.bulk_keeper import BulkOrders
from continuum.apps.fhir_api.bulk_keeper import Keeper as BulkKeeper
from continuum.apps.fhir_api.figures import figures
from continuum.apps.fhir_api.orders import Worker
from continuum.apps.fhir_api.services import Services
from continuum.apps.fhir_api.signon import SignOn
from continuum.apps.messages.keeper import Check
from continuum.apps.portal.app import application as portal_pages
from continuum.apps.signon.app import application as signon_pages
from continuum.apps.signon.services import SignonSettings, swept
from continuum.apps.signon.services import services as signon_services
from continuum.apps.workspace.app import application as workspace_pages
from continuum.identity.binding import Binder
from continuum.identity.tokens import Issuer, Verifier, signing_key
from continuum.interop.notices.sending import Sender
from continuum.interop.subscriptions.channels import Channels
from continuum.interop.subscriptions.endpoints import Allowed
from continuum.interop.subscriptions.hub import Hub
from continuum.kernel.limits import (
    CLIENT_CONNECTIONS_MAX,
    HEADERS_BUFFER_BYTES,
    HEADERS_TIMEOUT_S,
    LISTEN_BACKLOG,
    OBJECTS_BETWEEN_COLLECTIONS,
    ORPHAN_END_S,
    REQUESTS_END_S,
    SHUTDOWN_TIMEOUT_S,
    SUBSCRIPTION_CONNECTIONS,
)
from continuum.runtime.mail import Mailer
from continuum.runtime.pool import Pool

_OTHER_FILES = 512
"""Open files that are no clients': the database's connections, spills, what is read and written."""


@contextlib.asynccontextmanager
async def _services(worker: Worker, address: str = "") -> AsyncIterator[Services]:
    """What a worker needs. address: where it listens, as `http://host:port`, for links in notifications."""
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(Pool.open(worker.database, size=worker.connections))
        hub = _hub(worker, address, pool if worker.read_only else await stack.enter_async_context(_own_pool(worker)))
        if not worker.read_only:
            await stack.enter_async_context(hub.open())

        async def ready() -> None:
            async with pool.connection() as conn:
                await conn.fetchrow("SELECT 1")

        access = Access(
            pool.connection,
            key_secret=worker.record_secret,
            audit_secret=worker.audit_secret,
            base_url=worker.base_url,
            judge_subscription=lambda resource, _: hub.refuse(resource),
            spill_folder=Path(worker.audit) if worker.audit else None,
            disk=Path(worker.disk) if worker.disk else None,
            read_only=worker.read_only,
        )
        appointments = Keeper(access)
        access.on_written = _both(hub.wake, appointments.wake)
        key = signing_key(worker.token_secret)
        signon = signon_services(pool.connection, _signon_settings(worker), tracer(access.auditor), access=access)
        reindexing = Reindexing(access)
        messages = Check(access, signon.sign_on.today)
        working = contextlib.nullcontext() if worker.read_only else reindexing.working()
        async with access.watched(), swept(signon), working:
            keeper = None
            if not worker.read_only:
                await stack.enter_async_context(appointments.running())
                await stack.enter_async_context(messages.running())
                await stack.enter_async_context(Moves(access).running())
                await stack.enter_async_context(_sender(worker, access, appointments).running(SEND_EVERY_S))
            if worker.bulk_folder:
                keeper = await stack.enter_async_context(BulkKeeper(access, _bulk(worker)))
            yield Services(
                access=access,
                verifier=Verifier(key),
                subscriptions=hub,
                binder=Binder(key),
                bulk=Bulk(keeper),
                sign_on=SignOn(access, Issuer(key)),
                ready=ready,
                metrics=lambda: figures(pool, access, reindexing.progress) + messages.figures(),
                base_url=worker.base_url,
                read_only=worker.read_only,
                areas={
                    "signon": signon_pages(signon),
                    "workspace": workspace_pages(signon, access),
                    "portal": portal_pages(signon, access),
                },
            )


def _sender(worker: Worker, access: Access, appointments: Keeper) -> Sender:
    mailer = Mailer(smtp_url=worker.smtp_url, mail_from=worker.mail_from)
    return Sender(
        access.connect, mailer, access.clock, address=f"{worker.origin}/portal", still=appointments.reminders.still
    )


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def tell() -> None:
        first()
        second()

    return tell


def _signon_settings(worker: Worker) -> SignonSettings:
    return SignonSettings(
        origin=worker.origin,
        identity_secret=worker.identity_secret,
        token_secret=worker.token_secret,
        password_profile=worker.password_profile,
        password_memory_mib=worker.password_memory_mib,
        contact=worker.contact,
        video_url=worker.video_url,
        older_portal_url=worker.older_portal_url,
        backups=worker.backups,
        clamav=worker.clamav,
        banner=worker.banner,
        breached=worker.breached,
        providers=worker.providers,
    )


def _own_pool(worker: Worker) -> contextlib.AbstractAsyncContextManager[Pool]:
    """Connections of subscriptions, so that deliveries and requests never wait for each other's."""
    return Pool.open(worker.database, size=SUBSCRIPTION_CONNECTIONS, application_name="continuum subscriptions")


def _hub(worker: Worker, address: str, pool: Pool) -> Hub:
    access = Access(
        pool.connection, key_secret=worker.record_secret, audit_secret=worker.audit_secret, base_url=worker.base_url
    )
    base = worker.base_url or f"{address}/fhir"
    hub = Hub(
        access,
        base=lambda: base,
        allowed=Allowed(worker.subscription_endpoints),
        channels=Channels(smtp_url=worker.smtp_url, mail_from=worker.mail_from),
        mail=bool(worker.smtp_url),
        retry_wait_s=worker.subscription_retry_wait_s,
    )
    access.on_written = hub.wake
    return hub


def _bulk(worker: Worker) -> BulkOrders:
    return BulkOrders(
        Path(worker.bulk_folder), worker.database, worker.record_secret, worker.audit_secret,
        worker.bulk_processes, worker.import_sources,
    )  # fmt: skip


def _connections() -> int:
    """How many connections a worker takes: as many as it may have open files, but for those that it needs itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENT_CONNECTIONS_MAX + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(128, min(CLIENT_CONNECTIONS_MAX, soft - _OTHER_FILES))


class _Server(Server):
    """granian on a socket of ours: two programs can then never share a port unnoticed."""

    def __init__(self, listening: socket.socket, application: Application) -> None:
        super().__init__(
            application,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=True,
            log_enabled=False,
            # granian counts connections here, not requests: few would let a few slow clients shut out all others.
            backpressure=_connections(),
            http1_settings=HTTP1Settings(
                header_read_timeout=int(HEADERS_TIMEOUT_S * 1000), max_buffer_size=HEADERS_BUFFER_BYTES
            ),
        )
        self._listening = listening
        self.workers_kill_timeout = SHUTDOWN_TIMEOUT_S

    def _init_shared_socket(self) -> None:
        # granian closes what it is given; the descriptor of ours stays with whoever bound it.
        self._sfd: Any = os.dup(self._listening.fileno())
        self._shd: Any = SocketHolder(self._sfd, False, LISTEN_BACKLOG)  # type: ignore[call-arg]  # its stub is older than itself
        self._ssp = None


def settle() -> None:
    """Tells the collector of cycles, once all is loaded, what it need not look at.

    What is loaded at the start lives as long as the process; and the objects of a request go with it, without a
    cycle, so that looking through them while a large transaction is read is work for nothing. To look for the little
    that loading has left over would take a tenth of a second; it stays too.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 20)


async def serve(
    worker: Worker, listening: socket.socket, stopping: asyncio.Event, *, orphaned: Callable[[], bool] = lambda: False
) -> None:
    """Answers until `stopping` is set; then lets the requests under way end, for REQUESTS_END_S at most.

    orphaned: whether nobody is left who would wait for the end; then it is ORPHAN_END_S, for connections too.

    Raises:
        Exception: what kept the worker from starting.
    """
    host, port = listening.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    served = Application(lambda: _services(worker, address), request_timeout_s=worker.request_timeout_s)
    server = _Server(listening, served)
    running = asyncio.create_task(server.serve())
    settle()
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not running.done():
        served.hurry(ORPHAN_END_S if orphaned() else REQUESTS_END_S)
        if orphaned():
            server.workers_kill_timeout = 2 * ORPHAN_END_S
        server.stop()  # type: ignore[no-untyped-call]  # granian's embedded server has no types
    with contextlib.suppress(TimeoutError):  # somebody keeps a connection open to the last: it ends with the process
        await running
    if served.failure is not None:
        raise served.failure

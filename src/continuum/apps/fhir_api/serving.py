"""One worker: granian inside this process, answering on a socket that was bound before."""

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]  # re-exported without saying so
from granian.server.embed import Server

from continuum.access import Access
from continuum.access.sign_ons import tracer
from continuum.apps.fhir_api.app import Application
from continuum.apps.fhir_api.bulk import Bulk
from continuum.apps.fhir_api.bulk_keeper import BulkOrders, Keeper
from continuum.apps.fhir_api.figures import figures
from continuum.apps.fhir_api.services import Services
from continuum.apps.fhir_api.signon import SignOn
from continuum.apps.signon.app import application
from continuum.apps.signon.services import SignonSettings, swept
from continuum.apps.signon.services import services as signon_services
from continuum.identity.binding import Binder
from continuum.identity.tokens import Issuer, Verifier, signing_key
from continuum.interop.subscriptions.channels import Channels
from continuum.interop.subscriptions.endpoints import Allowed
from continuum.interop.subscriptions.hub import Hub
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import (
    HEADERS_BUFFER_BYTES,
    HEADERS_TIMEOUT_S,
    LISTEN_BACKLOG,
    OBJECTS_BETWEEN_COLLECTIONS,
    REQUEST_TIMEOUT_S,
    SHUTDOWN_TIMEOUT_S,
    SUBSCRIPTION_CONNECTIONS,
    SUBSCRIPTION_RETRY_WAIT_S,
)
from continuum.runtime.pool import Pool


class CannotListen(DomainError):
    """The address or port cannot be had; the text says what to do."""

    status = 503
    code = "exception"


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker is told. database: the URL of the application's role, password included.

    audit: the folder of spill files; "" keeps none. disk: a path on the embedded PostgreSQL's disk; "" for a given one.
    origin: of the sign-on pages, as browsers see them. password_profile, contact, banner: see SignonSettings.
    bulk_folder: where the files of exports and imports lie; "" offers neither.
    """

    database: str = field(repr=False)
    record_secret: bytes = field(repr=False)
    audit_secret: bytes = field(repr=False)
    token_secret: bytes = field(repr=False)
    identity_secret: bytes = field(repr=False)
    connections: int
    base_url: str = ""
    read_only: bool = False
    audit: str = ""
    disk: str = ""
    origin: str = "http://localhost"
    password_profile: str = "nist-63b-4"  # noqa: S105  the name of rules, not a password
    contact: str = ""
    banner: str = ""
    request_timeout_s: float = REQUEST_TIMEOUT_S
    bulk_folder: str = ""
    bulk_processes: int = 2
    import_sources: str = ""
    subscription_endpoints: str = ""
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    subscription_retry_wait_s: float = SUBSCRIPTION_RETRY_WAIT_S


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Port 0 takes any free one.

    Raises:
        CannotListen: it is taken, not ours to take, or not an address of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise CannotListen(f"{host} is not an address of this machine ({error.strerror}).") from error
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(LISTEN_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        reason = "is taken already" if error.errno == 98 else f"cannot be had ({error.strerror})"
        raise CannotListen(f"Port {port} on {host} {reason}; choose another one with --port.") from error
    return listening


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
        )
        access.on_written = hub.wake
        key = signing_key(worker.token_secret)
        signon = signon_services(pool.connection, _signon_settings(worker), tracer(access.auditor), access=access)
        async with access.watched(), swept(signon):
            keeper = None
            if worker.bulk_folder:
                keeper = await stack.enter_async_context(Keeper(access, _bulk(worker)))
            yield Services(
                access=access,
                verifier=Verifier(key),
                subscriptions=hub,
                binder=Binder(key),
                bulk=Bulk(keeper),
                sign_on=SignOn(access, Issuer(key)),
                ready=ready,
                metrics=lambda: figures(pool, access),
                base_url=worker.base_url,
                read_only=worker.read_only,
                signon_pages=application(signon),
            )


def _signon_settings(worker: Worker) -> SignonSettings:
    return SignonSettings(
        origin=worker.origin,
        identity_secret=worker.identity_secret,
        token_secret=worker.token_secret,
        password_profile=worker.password_profile,
        contact=worker.contact,
        banner=worker.banner,
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


class _Server(Server):
    """granian on a socket of ours: two programs can then never share a port unnoticed."""

    def __init__(self, listening: socket.socket, application: Application) -> None:
        super().__init__(
            application,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=True,
            log_enabled=False,
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
    cycle, so that looking through them while a large transaction is read is work for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 20)


async def serve(worker: Worker, listening: socket.socket, stopping: asyncio.Event) -> None:
    """Answers until `stopping` is set; then lets the requests under way end, for SHUTDOWN_TIMEOUT_S at most.

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
        server.stop()  # type: ignore[no-untyped-call]  # granian's embedded server has no types
    await running
    if served.failure is not None:
        raise served.failure

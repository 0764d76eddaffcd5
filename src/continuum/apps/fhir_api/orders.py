"""What a worker is told, and the socket that it answers on.

This imports little: the process that starts the workers has them import the rest while it starts the database.
"""

import asyncio
import json
import socket
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, field
from typing import Any

from continuum.identity.federation.providers import OtherProvider
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import (
    LISTEN_BACKLOG,
    PASSWORD_MEMORY_MIB,
    REQUEST_TIMEOUT_S,
    SUBSCRIPTION_RETRY_WAIT_S,
)


class CannotListen(DomainError):
    """The address or port cannot be had; the text says what to do."""

    status = 503
    code = "exception"


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker is told. database: the URL of the application's role, password included.

    audit: the folder of spill files; "" keeps none. disk: a path on the embedded PostgreSQL's disk; "" for a given one.
    origin: of the sign-on pages, as browsers see them. password_profile, password_memory_mib, contact, banner,
    breached, providers, video_url, clamav, older_portal_url, backups: see SignonSettings.
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
    password_memory_mib: int = PASSWORD_MEMORY_MIB
    contact: str = ""
    video_url: str = ""
    older_portal_url: str = ""
    backups: str = ""
    clamav: str = ""
    banner: str = ""
    breached: str = ""
    providers: tuple[OtherProvider, ...] = ()
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


def told(text: str) -> Worker:
    """The orders from one line of JSON; secrets are in hexadecimal."""
    orders: dict[str, Any] = json.loads(text)
    for name in ("record_secret", "audit_secret", "token_secret", "identity_secret"):
        orders[name] = bytes.fromhex(orders[name])
    orders["providers"] = tuple(OtherProvider(**one) for one in orders["providers"])
    return Worker(**orders)


def tell(worker: Worker) -> str:
    """The same line, from the orders."""
    orders: dict[str, Any] = {name: getattr(worker, name) for name in Worker.__dataclass_fields__}
    orders["providers"] = [asdict(one) for one in worker.providers]
    return json.dumps({name: value.hex() if isinstance(value, bytes) else value for name, value in orders.items()})


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)

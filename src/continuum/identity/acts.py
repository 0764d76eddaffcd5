"""What happened at sign-on, for the trace: named here, written down by whoever holds the audit's seal."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from continuum.record.read import Connect, Connection

__all__ = ["Act", "Connect", "Connection", "Origin", "Trace"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. source: the network address. mark: what a known browser's cookie holds, or ""."""

    source: str
    browser: str = ""
    mark: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `actor` is an account's id, or what was tried as a name; `refused` and `detail` never hold secrets."""

    name: str
    actor: str
    origin: Origin
    refused: bool = False
    detail: str = ""
    patient_id: str | None = None


Trace = Callable[[Connection, Act], Awaitable[None]]
"""Writes one row of the audit trail, in the transaction of the connection."""

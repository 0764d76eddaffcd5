"""What one worker needs to answer requests."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from continuum.access import Access
from continuum.identity.binding import Binder
from continuum.identity.tokens import Verifier
from continuum.interop.subscriptions.hub import Hub

if TYPE_CHECKING:  # both answer exchanges, which know of services
    from continuum.apps.fhir_api.bulk import Bulk
    from continuum.apps.fhir_api.signon import SignOn


@dataclass(frozen=True, slots=True)
class Services:
    """base_url: where FHIR is served as clients see it, with no slash at its end; "" takes the Host header.

    ready: returns when the database answers, else raises. read_only: writes are refused with words.
    metrics: the Prometheus text of this process. subscriptions: at work unless the server is read-only.
    bulk: exports and imports. sign_on: tokens for programs. areas: apps with pages, by the first part of their
    addresses: sign-on, workspace.
    binder: makes and checks the tokens of websockets.
    """

    access: Access
    verifier: Verifier
    ready: Callable[[], Awaitable[None]]
    metrics: Callable[[], bytes]
    bulk: "Bulk"
    sign_on: "SignOn"
    subscriptions: Hub
    binder: Binder
    base_url: str = ""
    read_only: bool = False
    areas: Mapping[str, ASGIApp] = field(default_factory=dict)

    @property
    def notice(self) -> str:
        """What callers are told about writes while none are taken; "" when they are."""
        refusal = self.access.refusal
        return "" if refusal is None else str(refusal)

"""What one worker needs to answer requests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from continuum.access import Access
from continuum.apps.fhir_api.bulk import Bulk
from continuum.apps.fhir_api.signon import SignOn
from continuum.identity.tokens import Verifier


@dataclass(frozen=True, slots=True)
class Services:
    """base_url: where FHIR is served as clients see it, with no slash at its end; "" takes the Host header.

    ready: returns when the database answers, else raises. read_only: writes are refused with words.
    metrics: the Prometheus text of this process. bulk: exports and imports. sign_on: tokens for programs.
    """

    access: Access
    verifier: Verifier
    ready: Callable[[], Awaitable[None]]
    metrics: Callable[[], bytes]
    bulk: Bulk
    sign_on: SignOn
    base_url: str = ""
    read_only: bool = False

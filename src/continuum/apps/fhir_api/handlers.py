"""Which function answers which interaction of `routes.ROUTES`."""

from collections.abc import Awaitable, Callable

from continuum.apps.fhir_api import batching, histories, reading, searching, writing
from continuum.apps.fhir_api.exchange import Exchange, Response
from continuum.apps.fhir_api.services import READ_ONLY_TEXT
from continuum.kernel.errors import ReadOnly

WRITES = frozenset({"create", "update", "update-matching", "patch", "patch-matching", "delete", "delete-matching"})
"""Interactions that change the record; a Bundle's entries are judged one by one."""


async def _bundle(x: Exchange) -> Response:
    return await batching.take(x, handle)


HANDLERS: dict[str, Callable[[Exchange], Awaitable[Response]]] = {
    "bundle": _bundle,
    "create": writing.create,
    "delete": writing.delete,
    "delete-matching": writing.delete_matching,
    "everything": searching.everything,
    "history-instance": histories.history,
    "history-system": histories.history,
    "history-type": histories.history,
    "patch": writing.patch,
    "patch-matching": writing.patch_matching,
    "read": reading.read,
    "search": searching.search,
    "update": writing.update,
    "update-matching": writing.update_matching,
    "vread": reading.vread,
}


async def handle(x: Exchange) -> Response:
    """Answers one request, or one entry of a batch.

    Raises:
        DomainError: the refusal.
    """
    interaction = x.target.route.interaction
    if x.read_only and interaction in WRITES:
        raise ReadOnly(READ_ONLY_TEXT)
    return await HANDLERS[interaction](x)

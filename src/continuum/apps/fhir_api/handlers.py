"""Which function answers which interaction of `routes.ROUTES`."""

from collections.abc import Awaitable, Callable

from continuum.access.door import READ_ONLY_TEXT
from continuum.apps.fhir_api import (
    batching,
    histories,
    identities,
    operations,
    overseeing,
    reading,
    searching,
    subscribing,
    writing,
)
from continuum.apps.fhir_api.exchange import Exchange, Response
from continuum.kernel.errors import NotAllowed, ReadOnly

WRITES = frozenset(
    {
        "create", "update", "update-matching", "patch", "patch-matching", "delete", "delete-matching", "meta-add",
        "meta-delete", "import", "merge", "unmerge", "correct-patient", "revert-correction", "break-the-glass",
    }
)  # fmt: skip
"""Interactions that change the record; a Bundle's entries are judged one by one."""


def _bulk(name: str) -> Callable[[Exchange], Awaitable[Response]]:
    """A handler of bulk work, which is not offered within a Bundle."""

    async def answer(x: Exchange) -> Response:
        if x.bulk is None:
            raise NotAllowed("Exports and imports are requests of their own, not entries of a Bundle.")
        found: Response = await getattr(x.bulk, name)(x)
        return found

    return answer


async def _bundle(x: Exchange) -> Response:
    return await batching.take(x, handle)


HANDLERS: dict[str, Callable[[Exchange], Awaitable[Response]]] = {
    "access-report": overseeing.access_report,
    "break-the-glass": overseeing.break_the_glass,
    "bulkcancel": _bulk("cancel"),
    "bulkfile": _bulk("file"),
    "bulkstatus": _bulk("status"),
    "bundle": _bundle,
    "correct-patient": identities.correct,
    "create": writing.create,
    "delete": writing.delete,
    "delete-matching": writing.delete_matching,
    "emergencies": overseeing.emergencies,
    "encounter-everything": operations.encounter_everything,
    "everything": searching.everything,
    "export": _bulk("export"),
    "history-instance": histories.history,
    "history-system": histories.history,
    "history-type": histories.history,
    "lastn": operations.last_n,
    "match": identities.match,
    "merge": identities.merge,
    "meta": operations.meta,
    "meta-add": operations.meta_add,
    "meta-delete": operations.meta_delete,
    "import": _bulk("import_"),
    "patch": writing.patch,
    "patch-matching": writing.patch_matching,
    "read": reading.read,
    "revert-correction": identities.revert,
    "search": searching.search,
    "search-across": searching.search_across,
    "subscription-binding-token": subscribing.binding_token,
    "subscription-events": subscribing.events,
    "subscription-status": subscribing.status,
    "subscription-topics": subscribing.topics_list,
    "unmerge": identities.unmerge,
    "update": writing.update,
    "update-matching": writing.update_matching,
    "validate": operations.validate,
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

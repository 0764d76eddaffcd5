"""What a writer may not see is answered as if it were not there: resources in the way, and targets of references."""

from collections.abc import Iterable, Mapping, Sequence

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Invalid
from continuum.record.body import decompress
from continuum.record.entry import links_of
from continuum.record.read import Connection
from continuum.record.visibility import Scope, Visibility
from continuum.record.write import Change, Present, broken_references

Address = tuple[int, str]


async def unseen(conn: Connection, addresses: Iterable[Address], visibility: Visibility) -> set[Address]:
    """Those of the addresses, (type number, id), whose resources `visibility` does not show, or that are free."""
    by_scope: dict[Scope, list[Address]] = {}
    for address in addresses:
        scope = visibility.of(TYPE_NAMES[address[0]])
        if scope.limited:
            by_scope.setdefault(scope, []).append(address)
    hidden: set[Address] = set()
    for scope, wanted in by_scope.items():
        hidden.update(wanted)
        if scope.kind == "nothing":
            continue
        arguments: list[object] = [[address[0] for address in wanted], [address[1] for address in wanted]]
        predicate = scope.sql("r", arguments)
        rows = await conn.fetch(
            "SELECT r.type, r.id FROM unnest($1::smallint[], $2::text[]) AS a(type, id)"
            f" JOIN record.resource r ON r.type = a.type AND r.id = a.id WHERE {predicate}",
            *arguments,
        )
        hidden.difference_update((row["type"], row["id"]) for row in rows)
    return hidden


async def hide(conn: Connection, presents: Mapping[Address, Present], visibility: Visibility) -> dict[Address, Present]:
    """The locked resources that may be seen."""
    hidden = await unseen(conn, presents, visibility)
    return {address: present for address, present in presents.items() if address not in hidden}


def links_to_judge(changes: Sequence[Change], visibility: Visibility) -> set[Address]:
    """What the changes newly refer to outside themselves and may not be visible.

    A resource's own patient is left out: whether it may be written about is the guard's question.
    """
    wanted: set[Address] = set()
    for change in changes:
        prepared = change.prepared
        if prepared is None:
            continue
        for target in prepared.links:
            resource_type, _, resource_id = target.partition("/")
            scope = visibility.of(resource_type)
            own = resource_type == "Patient" and resource_id == prepared.patient_id
            if not own and scope.limited:
                wanted.add((TYPE_IDS[resource_type], resource_id))
    wanted.difference_update(change.address for change in changes if change.prepared is not None)
    if wanted:
        for change in changes:
            if change.present is not None and change.present.body is not None:
                for target in links_of(decompress(change.present.body)):
                    resource_type, _, resource_id = target.partition("/")
                    wanted.discard((TYPE_IDS[resource_type], resource_id))
    return wanted


async def refuse_links(
    conn: Connection, wanted: set[Address], changes: Sequence[Change], visibility: Visibility
) -> None:
    """Refuses references to what may not be seen in the words for what is not there.

    Raises:
        Invalid: at least one of `wanted` may not be seen or does not exist.
    """
    hidden = await unseen(conn, wanted, visibility)
    if hidden:
        refusal: Invalid = broken_references(" ".join(f"{kind}/{name}" for kind, name in sorted(hidden)), changes)
        raise refusal

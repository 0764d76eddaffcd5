"""What a write would meet, looked up without writing: for `$validate`."""

from collections.abc import Sequence

from continuum.fhir.types import TYPE_IDS
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.unseen import unseen
from continuum.record.visibility import Visibility


async def absent(conn: Connection, links: Sequence[str], visibility: Visibility) -> set[str]:
    """Those of the references (`Type/id`) that lead to nothing, or to nothing that may be seen."""
    if not links:
        return set()
    by_address = {(TYPE_IDS[kind], name): f"{kind}/{name}" for kind, _, name in (one.partition("/") for one in links)}
    rows = await conn.fetch(
        "SELECT r.type, r.id FROM unnest($1::smallint[], $2::text[]) AS a(type, id)"
        " JOIN record.resource r ON r.type = a.type AND r.id = a.id WHERE NOT r.deleted",
        [address[0] for address in by_address],
        [address[1] for address in by_address],
    )
    there = {(row["type"], row["id"]) for row in rows}
    hidden = await unseen(conn, there, visibility)
    return {text for address, text in by_address.items() if address not in there or address in hidden}


async def referrers(conn: Connection, resource_type: str, resource_id: str, keys: Keys) -> int:
    """How many resources refer to one, counted to three: those keep it from being deleted."""
    rows = await conn.fetch(
        """
        SELECT s.row_id FROM record.search s
        WHERE s.keys @> ARRAY[$1::bigint] AND s.self <> $2 LIMIT 3
        """,
        keys.address(f"{resource_type}/{resource_id}"),
        keys.self_key(resource_type, resource_id),
    )
    return len(rows)

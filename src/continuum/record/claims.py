"""Claims: what one resource alone may hold. A slot belongs to one appointment, through whatever door that came.

A claim is a unique row in the writer's transaction, never a check in code (decision 4 of the architecture): of two
that want the same, the database lets one through, and the other is told so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from continuum.kernel.errors import Conflict
from continuum.record.keys import Keys

if TYPE_CHECKING:
    from continuum.record.entry import Prepared
    from continuum.record.read import Connection
    from continuum.record.write import Change

CLAIMING_TYPES = frozenset({"Appointment"})
"""Types whose resources hold something."""
HOLDING = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "fulfilled"})
"""The states of an Appointment (R4 AppointmentStatus) in which it has its slots; a cancelled one gave them back."""
TAKEN = "This time has just been taken by somebody else. Please choose another one."


def claimed(resource: dict[str, Any], keys: Keys) -> list[tuple[int, str]]:
    """(key, Slot.id) of the slots that a resource holds, each once."""
    if resource["resourceType"] not in CLAIMING_TYPES or resource.get("status") not in HOLDING:
        return []
    references = (str(one.get("reference", "")) for one in resource.get("slot", ()))
    slots = {text.partition("/")[2].partition("/")[0] for text in references if text.startswith("Slot/")}
    return [(_key(slot, keys), slot) for slot in sorted(slots)]


def _key(slot_id: str, keys: Keys) -> int:
    return keys.of("claim", "Slot", slot_id)


async def settle(conn: "Connection", changes: "Sequence[Change]") -> None:
    """Gives back what the changed resources hold no more, and takes what they hold now, in their transaction.

    Raises:
        Conflict: somebody else has it.
    """
    rows = sorted((*claim, change.row_id) for change in changes for claim in _of(change.prepared))
    await conn.execute(
        "UPDATE record.claim c SET row_id = NULL, mirrored = false WHERE c.row_id = ANY ($1::bigint[]) AND NOT EXISTS"
        " (SELECT FROM unnest($2::bigint[], $3::bigint[]) w(key, row_id) WHERE w.key = c.key AND w.row_id = c.row_id)",
        [change.row_id for change in changes if change.present is not None],
        [key for key, _, _ in rows],
        [row_id for _, _, row_id in rows],
    )
    if not rows:
        return
    taken = await conn.fetch(_TAKE, *zip(*rows, strict=True))
    if len({row["key"] for row in taken}) < len(rows):
        raise Conflict(TAKEN)


async def note(conn: "Connection", written: "Sequence[tuple[int, Prepared]]") -> None:
    """Takes what imported resources hold; what is held already stays where it is, and nothing is refused."""
    rows = sorted({key: (key, slot, row_id) for row_id, one in written for key, slot in one.claims}.values())
    if rows:
        await conn.execute(_TAKE, *zip(*rows, strict=True))


_TAKE = (
    "INSERT INTO record.claim AS c (key, what, row_id, mirrored)"
    " SELECT g.key, g.what, g.row_id, false FROM unnest($1::bigint[], $2::text[], $3::bigint[]) g(key, what, row_id)"
    " ORDER BY g.key"
    " ON CONFLICT (key) DO UPDATE SET row_id = excluded.row_id, mirrored = false"
    " WHERE c.row_id IS NULL OR c.row_id = excluded.row_id RETURNING key"
)


def _of(prepared: "Prepared | None") -> list[tuple[int, str]]:
    return prepared.claims if prepared is not None else []


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim whose Slot does not say yet what it is. held: by an appointment, or given back."""

    key: int
    slot_id: str
    held: bool


async def held(conn: "Connection", slot_ids: Sequence[str], keys: Keys) -> set[str]:
    """Which of these Slots somebody holds."""
    wanted = {_key(slot, keys): slot for slot in slot_ids}
    rows = await conn.fetch(
        "SELECT key FROM record.claim WHERE key = ANY ($1::bigint[]) AND row_id IS NOT NULL", list(wanted)
    )
    return {wanted[row["key"]] for row in rows}


async def unmirrored(conn: "Connection", limit: int) -> list[Claim]:
    """Claims whose Slots are to be told."""
    rows = await conn.fetch(
        "SELECT key, what, row_id IS NOT NULL AS held FROM record.claim WHERE NOT mirrored ORDER BY key LIMIT $1", limit
    )
    return [Claim(row["key"], row["what"], row["held"]) for row in rows]


async def mirrored(conn: "Connection", claim: Claim) -> None:
    """The Slot says it now; unless the claim changed meanwhile, which is then told again."""
    if claim.held:
        await conn.execute(
            "UPDATE record.claim SET mirrored = true WHERE key = $1 AND row_id IS NOT NULL AND NOT mirrored", claim.key
        )
    else:
        await conn.execute("DELETE FROM record.claim WHERE key = $1 AND row_id IS NULL", claim.key)

"""The rows of record.relocation: which acts there were, which of them stand, and what they changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from continuum.record.read import Connection
from continuum.record.relations import CARED
from continuum.record.write import Change


@dataclass(frozen=True, slots=True)
class Relocation:
    """One act; `undone_us` is None while it stands."""

    id: str
    merge: bool
    source_id: str
    target_id: str
    at_us: int
    undone_us: int | None


_COLUMNS = "id, merge, source_id, target_id, at, undone"


def _relocation(row: Any) -> Relocation:
    return Relocation(row["id"], row["merge"], row["source_id"], row["target_id"], row["at"], row["undone"])


async def by_id(conn: Connection, relocation_id: str) -> Relocation | None:
    """An act by its id; its row is locked until the transaction ends."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM record.relocation WHERE id = $1 FOR UPDATE", relocation_id)
    return None if row is None else _relocation(row)


async def merge_of(conn: Connection, source_id: str) -> Relocation | None:
    """The standing merge of a chart into another, locked; None for a chart that is its own."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM record.relocation WHERE source_id = $1 AND merge AND undone IS NULL FOR UPDATE",
        source_id,
    )
    return None if row is None else _relocation(row)


async def entries(conn: Connection, relocation_id: str) -> list[tuple[int, int, int]]:
    """What an act changed: (row, version before, version after)."""
    rows = await conn.fetch(
        "SELECT row_id, before, after FROM record.relocation_entry WHERE relocation = $1 ORDER BY row_id",
        relocation_id,
    )
    return [(row["row_id"], row["before"], row["after"]) for row in rows]


async def onward(conn: Connection, act: Relocation) -> Relocation | None:
    """A standing later act that moved some of this act's entries on from its target."""
    row = await conn.fetchrow(
        f"""
        SELECT {", ".join(f"r.{name}" for name in _COLUMNS.split(", "))} FROM record.relocation_entry mine
        JOIN record.relocation_entry theirs ON theirs.row_id = mine.row_id AND theirs.relocation <> mine.relocation
        JOIN record.relocation r ON r.id = theirs.relocation
        WHERE mine.relocation = $1 AND r.source_id = $2 AND r.undone IS NULL AND theirs.before >= mine.after
        ORDER BY r.id DESC LIMIT 1
        """,
        act.id,
        act.target_id,
    )
    return None if row is None else _relocation(row)


async def record(conn: Connection, act: Relocation, changes: Sequence[Change]) -> None:
    """Notes an act and the present resources that it changed."""
    await conn.execute(
        f"INSERT INTO record.relocation ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)",
        act.id, act.merge, act.source_id, act.target_id, act.at_us, act.undone_us,
    )  # fmt: skip
    kept = [change for change in changes if change.present is not None]
    await conn.execute(
        """
        INSERT INTO record.relocation_entry (relocation, row_id, before, after)
        SELECT $1, * FROM unnest($2::bigint[], $3::integer[], $4::integer[])
        """,
        act.id,
        [change.row_id for change in kept],
        [change.version - 1 for change in kept],
        [change.version for change in kept],
    )


async def undone(conn: Connection, relocation_id: str, now_us: int) -> None:
    """Notes that an act was undone."""
    await conn.execute("UPDATE record.relocation SET undone = $2 WHERE id = $1", relocation_id, now_us)


async def share_care(conn: Connection, *, source: int, target: int) -> None:
    """Lets the facilities that care for the source care for the target as long."""
    await conn.execute(
        """
        INSERT INTO record.relation (patient, basis, who, row_id, labels, starts, ends)
        SELECT $2, basis, who, $3, 0, min(starts), max(ends) FROM record.relation
        WHERE patient = $1 AND basis = $4 GROUP BY basis, who
        ON CONFLICT DO NOTHING
        """,
        source,
        target,
        given_by(source),
        CARED,
    )


def given_by(source: int) -> int:
    """In place of a row: what the merge of this chart gave, apart from what other merges and resources say."""
    return -1 - (source & (2**62 - 1))


async def unshare_care(conn: Connection, *, source: int, target: int) -> None:
    """Takes back what `share_care` gave; facilities that came to care for the target by themselves go on."""
    await conn.execute("DELETE FROM record.relation WHERE patient = $1 AND row_id = $2", target, given_by(source))

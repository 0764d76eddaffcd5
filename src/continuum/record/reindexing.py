"""Files again what is there when a release files otherwise: in small batches, beside all other work, to the end.

`settle` compares the rules of this release with those that each type is filed by, and notes what is to be done.
`batch` does a piece of it in one transaction, with how far it has come, so that a killed server goes on where it was.
New writes are filed by the new rules from the first moment; a write to a row of the batch under way waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from continuum.fhir import search_params
from continuum.fhir.json import parse
from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.record.entry import Prepared, arrange
from continuum.record.index_rules import digest_of, percent_of, rules_of, walked
from continuum.record.keys import Keys
from continuum.record.limits import REINDEX_BATCH
from continuum.record.marks import file_marks
from continuum.record.read import COLUMNS, Connection, stored
from continuum.record.units import file_units

LOCK = 7_200_000_005
"""The advisory lock under which rules are compared."""
_SIDES = {
    "string": ("INSERT INTO record.string (row_id, param, value, exact, parts) SELECT * FROM"
               " unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::smallint[])"),
    "date": ("INSERT INTO record.date (row_id, param, low, high) SELECT * FROM"
             " unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[])"),
    "quantity": ("INSERT INTO record.quantity (row_id, key, low, high, unit, system_unit, under, exact_low, exact_high)"
                 " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[], $5::bigint[],"
                 " $6::bigint[], $7::bigint[], $8::numeric[], $9::numeric[])"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a type has come; instants are microseconds since 1970 UTC.

    done: resources filed again. walked, span: of how many row ids, between the type's first and last, all are done. How
    many resources there are nobody has counted, and PostgreSQL's own guess may be of before the last import.
    """

    resource_type: str
    done: int
    walked: int
    span: int
    began_us: int
    moved_us: int | None

    @property
    def percent(self) -> int:
        """At most 99: at 100 it is no longer listed."""
        return percent_of(self.walked, self.span)

    @property
    def total(self) -> int | None:
        """About how many resources there are, if they lie as close everywhere; None before the first are done."""
        return self.done * self.span // self.walked if self.walked else None


async def settle(conn: Connection, now_us: int) -> list[str]:
    """Notes the types whose present resources are not filed by this release's rules; returns what is to be done."""
    async with conn.transaction():
        await conn.fetch("SELECT pg_advisory_xact_lock($1::bigint)", LOCK)
        rows = await conn.fetch("SELECT type, digest, rules, target FROM record.index_state")
        states = {row["type"]: row for row in rows}
        waiting = []
        for name in search_params.FINGERPRINTS:
            state = states.get(TYPE_IDS[name])
            digest = digest_of(rules_of(name))
            if state is None:
                await _file_rules(conn, name)
            elif state["target"] == digest or (
                (state["target"] or state["digest"] != digest) and await _begin(conn, name, state, now_us)
            ):
                waiting.append(name)
        return waiting


async def _file_rules(conn: Connection, name: str) -> None:
    """Says that all resources of a type are filed by this release's rules."""
    rules = rules_of(name)
    await conn.execute(
        "INSERT INTO record.index_state (type, digest, rules) VALUES ($1, $2, $3) ON CONFLICT (type) DO UPDATE"
        " SET digest = excluded.digest, rules = excluded.rules, target = NULL, after = 0, upto = 0, done = 0,"
        " total = 0, began = NULL, moved = NULL",
        TYPE_IDS[name], digest_of(rules), orjson.dumps(rules).decode(),
    )  # fmt: skip


async def _begin(conn: Connection, name: str, state: Any, now_us: int) -> bool:
    """Notes a type as to be filed again, unless there is nothing of it."""
    type_id, rules = TYPE_IDS[name], rules_of(name)
    ends = await conn.fetchrow(
        "SELECT min(row_id) AS first, max(row_id) AS last FROM record.search WHERE type = $1", type_id
    )
    first, last = ends["first"], ends["last"]
    if last is None:
        await _file_rules(conn, name)
        return False
    filed = orjson.loads(state["rules"])
    # Null stands for what is filed by the rules of more than one release, an unfinished one's too.
    mixed = {code: rule if filed.get(code) == rule else None for code, rule in rules.items()}
    await conn.execute(
        "UPDATE record.index_state SET digest = '', rules = $2, target = $3, after = $4, upto = $5, done = 0,"
        " total = $6, began = $7, moved = NULL WHERE type = $1",
        type_id, orjson.dumps(mixed).decode(), digest_of(rules), first - 1, last, last - first + 1, now_us,
    )  # fmt: skip
    return True


async def batch(conn: Connection, keys: Keys, now_us: int, *, size: int = REINDEX_BATCH) -> str | None:
    """Files the next resources of some type again; returns its name, None when nothing is left or others are at it."""
    async with conn.transaction():
        row = await conn.fetchrow(
            "SELECT type, target, after, upto FROM record.index_state WHERE target IS NOT NULL"
            " ORDER BY began, type FOR UPDATE SKIP LOCKED LIMIT 1"
        )
        if row is None:
            return None
        name = TYPE_NAMES[row["type"]]
        if row["target"] != digest_of(rules_of(name)):
            return None  # the work of another release; whoever has its rules goes on with it
        found = await conn.fetch(
            f"SELECT {COLUMNS}, r.labels, r.patient FROM record.search s JOIN record.resource r ON r.row_id = s.row_id"
            " WHERE s.type = $1 AND s.row_id > $2 AND s.row_id <= $3 ORDER BY s.row_id LIMIT $4"
            " FOR NO KEY UPDATE OF r",
            row["type"], row["after"], row["upto"], size,
        )  # fmt: skip
        await _file_again(conn, [one for one in found if not one["deleted"]], name, keys)
        if len(found) < size:
            await _file_rules(conn, name)
        else:
            await conn.execute(
                "UPDATE record.index_state SET after = $2, done = done + $3, moved = $4 WHERE type = $1",
                row["type"], found[-1]["row_id"], len(found), now_us,
            )  # fmt: skip
        return name


async def _file_again(conn: Connection, rows: Sequence[Any], name: str, keys: Keys) -> None:
    if not rows:
        return
    filed: list[tuple[Any, Prepared]] = []
    for row in rows:
        resource = parse(stored(row).body or b"")
        filed.append((row, arrange(resource, name, TYPE_IDS[name], keys)))
    await file_units(conn, [new for _, new in filed], set())
    await file_marks(conn, [new for _, new in filed], set())
    row_ids = [row["row_id"] for row in rows]
    for table in (*_SIDES, "search"):
        await conn.execute(f"DELETE FROM record.{table} WHERE row_id = ANY($1::bigint[])", row_ids)
    await conn.execute(
        "INSERT INTO record.search SELECT c.row_id, c.type, c.self, c.patient, c.date_low, c.date_high, c.updated,"
        " c.present, c.labels, c.ref_params, c.refs, c.keys FROM unnest($1::record.entry[]) c",
        [_entry(row, new) for row, new in filed],
    )
    sides: dict[str, list[tuple[Any, ...]]] = {
        "string": [(row["row_id"], *one) for row, new in filed for one in new.strings],
        "date": [(row["row_id"], *one) for row, new in filed for one in new.dates],
        "quantity": [(row["row_id"], *one) for row, new in filed for one in new.quantities],
    }
    for table, values in sides.items():
        if values:
            await conn.execute(_SIDES[table], *(list(column) for column in zip(*values, strict=True)))


def _entry(row: Any, new: Prepared) -> tuple[Any, ...]:
    """The fields of record.entry in their order; what a search does not ask is left out."""
    return (
        row["row_id"], new.type_id, new.id, row["version"], row["updated"], False, row["labels"], row["patient"],
        row["patient_id"], None, new.self_key, new.date_low, new.date_high, new.present, new.ref_params, new.refs,
        new.keys,
    )  # fmt: skip


async def progress(conn: Connection) -> list[Progress]:
    """What is being filed again."""
    rows = await conn.fetch(
        "SELECT type, after, upto, done, total, began, moved FROM record.index_state"
        " WHERE target IS NOT NULL ORDER BY began, type"
    )
    return [
        Progress(TYPE_NAMES[row["type"]], row["done"], walked(row), row["total"], row["began"], row["moved"])
        for row in rows
    ]


async def waiting(conn: Connection) -> list[str]:
    """The types that are not filed by this release's rules and that no server of it has begun with yet."""
    rows = await conn.fetch(
        "SELECT type, digest FROM record.index_state i WHERE target IS NULL"
        " AND EXISTS (SELECT 1 FROM record.search s WHERE s.type = i.type)"
    )
    filed = {row["type"]: row["digest"] for row in rows}
    return [
        name for name in search_params.FINGERPRINTS
        if filed.get(TYPE_IDS[name]) not in (None, digest_of(rules_of(name)))
    ]  # fmt: skip

"""Writing: one round trip for a batch of resources, with everything that belongs to them (record.write)."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Conflict, DomainError, Forbidden, Invalid, Issue, ReadOnly, StorageFull
from continuum.kernel.limits import LOCK_BUCKETS, ROW_BLOCK
from continuum.record.body import compress
from continuum.record.entry import Prepared, locations
from continuum.record.keys import Keys
from continuum.record.marks import file_marks
from continuum.record.read import Connection
from continuum.record.units import file_units

WRITE = (
    "SELECT record.write($1::record.entry[], $2::record.entry[], "
    + ", ".join(f"${number}" for number in range(3, 38))
    + ", $38::record.audit_entry[], $39, $40)"
)

AuditRow = tuple[Any, ...]
"""The fields of record.audit_entry in their order."""


class RowIds:
    """Row ids handed out from blocks of ROW_BLOCK, so that a batch knows its rows before it is written."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self.units: set[int] = set()
        """Keys.measure of the units that this process needs not file again (record/units.py)."""
        self.marks: set[int] = set()
        """The same of marks (record/marks.py)."""

    async def take(self, conn: Connection, count: int) -> list[int]:
        """`count` row ids in rising order; they are never given twice, whatever fails afterwards."""
        while len(self._free) < count:
            blocks = -(-(count - len(self._free)) // ROW_BLOCK)
            rows = await conn.fetch("SELECT nextval('record.row_block') AS last FROM generate_series(1, $1)", blocks)
            for row in rows:
                self._free.extend(range(row["last"] - ROW_BLOCK + 1, row["last"] + 1))
        taken, self._free = self._free[:count], self._free[count:]
        return taken


@dataclass(frozen=True, slots=True)
class Guard:
    """What must hold in the database for a write to be permitted, decided by `access`.

    any_of: (act, patient, basis, who): of the relations listed for a patient in an act, one must hold. basis:
    EMERGENCY, or one of record/relations.py. care: (patient, facility): who is registered by the write, and where.
    """

    any_of: tuple[tuple[int, int, int, int], ...] = ()
    care: tuple[tuple[int, int], ...] = ()


EMERGENCY = 6
"""The basis of a guard that is not in record.relation: the glass broken by somebody."""
FREE = Guard()
"""Nothing to check: the writer may write everything it was let through to."""


@dataclass(slots=True)
class Present:
    """What is known of a resource that exists and is locked: its row and its present version."""

    row_id: int
    type_id: int
    id: str
    version: int
    updated_us: int
    deleted: bool
    labels: int
    patient: int | None
    patient_id: str | None
    body: bytes | None


@dataclass(slots=True)
class Change:
    """One resource's next version; `prepared` is None for a deletion, `present` None for a new resource."""

    prepared: Prepared | None
    present: Present | None
    now_us: int
    row_id: int = 0

    @property
    def version(self) -> int:
        """The version that this change makes."""
        return self.present.version + 1 if self.present else 1

    @property
    def updated_us(self) -> int:
        """When: now, but always later than the version before, whatever the clock did."""
        return max(self.now_us, self.present.updated_us + 1_000) if self.present else self.now_us

    @property
    def address(self) -> tuple[int, str]:
        """(type number, id)."""
        if self.prepared is not None:
            return self.prepared.type_id, self.prepared.id
        assert self.present is not None, "a change has a resource to write or one to delete"
        return self.present.type_id, self.present.id

    def row(self) -> tuple[Any, ...]:
        """The fields of record.entry in their order."""
        prepared = self.prepared
        if prepared is None:
            gone = self.present
            assert gone is not None, "only what exists can be deleted"
            return (
                gone.row_id, gone.type_id, gone.id, self.version, self.updated_us, True, gone.labels,
                gone.patient, gone.patient_id, None, 0, None, None, 0, [], [], [],
            )  # fmt: skip
        return (
            self.row_id, prepared.type_id, prepared.id, self.version, self.updated_us, False, prepared.labels,
            prepared.patient, prepared.patient_id, compress(prepared.tail), prepared.self_key, prepared.date_low,
            prepared.date_high, prepared.present, prepared.ref_params, prepared.refs, prepared.keys,
        )  # fmt: skip


async def lock(conn: Connection, addresses: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Present]:
    """Locks the resources at these addresses until the transaction ends, and says what they are.

    Rows are locked in the order of their ids, so that two writers cannot wait for each other.
    """
    wanted = sorted(set(addresses))
    rows = await conn.fetch(
        """
        SELECT r.row_id, r.type, r.id, r.version, r.updated, r.deleted, r.labels, r.patient, r.patient_id, r.body
        FROM unnest($1::smallint[], $2::text[]) AS a(type, id)
        JOIN record.resource r ON r.type = a.type AND r.id = a.id
        ORDER BY r.row_id FOR NO KEY UPDATE OF r
        """,
        [address[0] for address in wanted],
        [address[1] for address in wanted],
    )
    return {
        (row["type"], row["id"]): Present(
            row["row_id"], row["type"], row["id"], row["version"], row["updated"], row["deleted"],
            row["labels"], row["patient"], row["patient_id"], row["body"],
        )
        for row in rows
    }  # fmt: skip


async def write(
    conn: Connection,
    changes: Sequence[Change],
    *,
    row_ids: RowIds,
    audits: Sequence[AuditRow] = (),
    guard: Guard = FREE,
) -> None:
    """Writes all changes, their index rows and audit rows, or nothing.

    Raises:
        asyncpg.PostgresError: what `translate` turns into a refusal, or one of RETRY_STATES.
    """
    new = [change for change in changes if change.present is None]
    for change, row_id in zip(new, await row_ids.take(conn, len(new)), strict=True):
        change.row_id = row_id
    for change in changes:
        if change.present is not None:
            change.row_id = change.present.row_id
    written = [(change.row_id, change.prepared) for change in changes if change.prepared is not None]
    strings = [(row_id, *row) for row_id, prepared in written for row in prepared.strings]
    dates = [(row_id, *row) for row_id, prepared in written for row in prepared.dates]
    quantities = [(row_id, *row) for row_id, prepared in written for row in prepared.quantities]
    registered = sorted(set(guard.care))
    await file_units(conn, [prepared for _, prepared in written], row_ids.units)
    await file_marks(conn, [prepared for _, prepared in written], row_ids.marks)
    links = _links(changes)
    # An update releases nothing: only a deletion must be kept apart from those who refer to the resource.
    exclusive = sorted({bucket(*change.address) for change in changes if change.prepared is None})
    shared = sorted({bucket(*link) for link in links})
    await conn.execute(
        WRITE,
        [change.row() for change in new],
        [change.row() for change in changes if change.present is not None],
        *_columns(strings, 5),
        *_columns(dates, 4),
        *_columns(quantities, 9),
        [pair[0] for pair in registered],
        [pair[1] for pair in registered],
        [link[0] for link in links],
        [link[1] for link in links],
        shared,
        exclusive,
        *_columns(list(guard.any_of), 4),
        *_columns(_relations(changes), 7),
        audits,
        linked(audits),
        charts_of(changes),
    )


async def write_audits(conn: Connection, audits: Sequence[AuditRow]) -> None:
    """Writes audit rows alone."""
    await conn.execute("SELECT record.write_audit($1::record.audit_entry[], $2)", audits, linked(audits))


def linked(audits: Sequence[AuditRow]) -> bool:
    """Whether any audit row touches more than one patient."""
    return any(row[-1] for row in audits)


def _relations(changes: Sequence[Change]) -> list[tuple[int | None, ...]]:
    """The rows of record.relation."""
    return [
        (change.row_id, change.prepared.patient, *one.row(change.updated_us))
        for change in changes
        if change.prepared is not None and change.prepared.patient is not None
        for one in change.prepared.relations
        if not one.over(change.updated_us)
    ]


def _columns(rows: list[Any], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _links(changes: Sequence[Change]) -> list[tuple[int, str]]:
    """The distinct addresses that must exist: referred to, and not written by this very batch."""
    wanted: set[tuple[int, str]] = set()
    for change in changes:
        if change.prepared is not None:
            for target in change.prepared.links:
                resource_type, _, resource_id = target.partition("/")
                wanted.add((TYPE_IDS[resource_type], resource_id))
    wanted.difference_update(change.address for change in changes if change.prepared is not None)
    return sorted(wanted)


TRACES = frozenset({"Patient", "Provenance"})
"""Types that may name a chart that was merged away: they say where it went and what became of its entries."""


def charts_of(changes: Sequence[Change]) -> list[str]:
    """The ids of the patients that the changes' entries name; none of them may have been merged away."""
    return sorted(
        {
            target[8:]
            for change in changes
            if change.prepared is not None and change.prepared.resource_type not in TRACES
            for target in change.prepared.links
            if target.startswith("Patient/")
        }
    )


def bucket(type_id: int, resource_id: str) -> int:
    """The advisory lock (class 7201) that keeps references to an address and changes of what it is apart."""
    return zlib.crc32(f"{type_id}/{resource_id}".encode()) % LOCK_BUCKETS


async def refuse_orphans(conn: Connection, changes: Sequence[Change], keys: Keys) -> None:
    """Refuses to delete what others still refer to."""
    for change in changes:
        if change.prepared is None and change.present is not None:
            text = f"{TYPE_NAMES[change.present.type_id]}/{change.present.id}"
            rows = await conn.fetch(
                """
                SELECT r.type, r.id FROM record.search s JOIN record.resource r USING (row_id)
                WHERE s.keys @> ARRAY[$1::bigint] AND s.row_id <> $2 LIMIT 3
                """,
                keys.address(text),
                change.present.row_id,
            )
            if rows:
                raise Conflict(
                    f"{text} cannot be deleted: {len(rows)} or more other"
                    " resources refer to it. Delete or change those first."
                )


def broken_references(detail: str, changes: Sequence[Change]) -> Invalid:
    """The refusal for references to nothing, with the place of each in its resource."""
    absent = set()
    for address in detail.split():
        type_id, _, resource_id = address.partition("/")
        absent.add(f"{TYPE_NAMES[int(type_id)]}/{resource_id}")
    issues = [
        Issue("not-found", f"The reference {target} names a resource that does not exist here.", (location,))
        for change in changes
        if change.prepared is not None
        for target in change.prepared.links
        if target in absent
        for location in locations(change.prepared.resource, target)
    ]
    return Invalid("A reference names a resource that does not exist here.", issues=tuple(issues))


def merged_away(source_id: str, target_id: str) -> Conflict:
    """The refusal of entries for a chart that is another's by now; it says whose."""
    return Conflict(
        f"Patient/{source_id} was merged into Patient/{target_id}: that is where this belongs."
        f" Check that it is the right person, and write it to Patient/{target_id}."
    )


def translate(error: Exception, changes: Sequence[Change] = ()) -> DomainError | None:
    """The refusal in our words for what PostgreSQL reports, or None when it is not an expected one."""
    state = getattr(error, "sqlstate", None)
    if state == "CT404":
        return broken_references(getattr(error, "detail", "") or "", changes)
    if state == "CT403":
        return Forbidden("This patient's record is not open to you for writing.")
    if state == "CT409":
        source, _, target = (getattr(error, "detail", "") or " ").partition(" ")
        return merged_away(source, target)
    if state in ("53100", "53400"):
        return StorageFull("The record has no room for new entries; reading goes on. Tell the operator.")
    if state in ("25006", "57P03"):
        return ReadOnly("The record takes no new entries at present; reading goes on.")
    return None


RETRY_STATES = frozenset({"23505", "40001", "40P01"})
"""A race was lost (unique violation, serialization, deadlock): the whole act is tried again."""

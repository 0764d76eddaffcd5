"""How an export is cut into pieces, so that its cost follows what is wanted and not what the database holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from continuum.fhir.types import TYPE_IDS
from continuum.kernel.clock import now_us
from continuum.kernel.limits import BULK_MEMBERS_IN_PART, BULK_PART_ROWS
from continuum.record.export.selection import FILED_TYPES, Selection
from continuum.record.export.statements import CHANGED, DELETED, MEMBERS, NAMED, PROVENANCE, SCAN, SEARCH
from continuum.record.jobs import Job, Part
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.search.efforts import statistics_of
from continuum.record.visibility import Scope, Visibility

_FEW = 0.1
"""A share of all rows below which an index leads to them faster than a scan."""
_PARTS_MAX = 10_000
_DIRECT, _AFTER_MEMBERS, _LAST = range(3)
"""Phases: what needs nothing else, what members' records name, what points to what was read."""


@dataclass(slots=True)
class _Draft:
    parts: list[Part] = field(default_factory=list)

    def add(self, kind: str, types: Iterable[str], low: int = 0, high: int = 0, *, phase: int = _DIRECT) -> None:
        numbers = tuple(TYPE_IDS[name] for name in types)
        self.parts.append(Part(len(self.parts), phase, kind, numbers, low, high))


async def make(
    conn: Connection,
    job: Job,
    selection: Selection,
    *,
    visibility: Visibility,
    keys: Keys,
    members: Sequence[int] | None,
) -> list[Part]:
    """The pieces of an export; whose records it is about is noted beside the job.

    members: keys of the only patients that are wanted, None for all that may be seen. Runs in the transaction that
    plans the job.
    """
    draft = _Draft()
    filed = _seen(selection.filed, visibility)
    others = _seen(selection.unfiled, visibility)
    if selection.level == "system":
        filed = tuple(name for name in others if name in FILED_TYPES)
        others = tuple(name for name in others if name not in FILED_TYPES)
    narrow = await _narrow(conn, filed, visibility, keys) if members is None else None
    if members is None and narrow is None:
        await _rows(conn, draft, selection, (*filed, *others), keys)
    elif filed or selection.level == "group":
        parts = await _note_members(conn, job, members, narrow)
        for number in range(parts):
            draft.add(MEMBERS, filed, number, number + 1)
        if selection.level == "group":
            if others:
                draft.add(NAMED, others, phase=_AFTER_MEMBERS)
        else:
            await _rows(conn, draft, selection, others, keys)
    else:
        await _rows(conn, draft, selection, others, keys)
    if selection.since_us is not None:
        draft.add(DELETED, (*filed, *others))
    if selection.provenance and "Provenance" not in (*filed, *others):
        draft.add(PROVENANCE, (*filed, *others), phase=_LAST)
    return draft.parts


def _seen(types: Iterable[str], visibility: Visibility) -> tuple[str, ...]:
    return tuple(name for name in types if visibility.of(name).kind != "nothing")


async def _narrow(conn: Connection, filed: Sequence[str], visibility: Visibility, keys: Keys) -> Scope | None:
    """The scope through whose patients the records are found, when these are few among all."""
    scopes = {found for name in filed if (found := visibility.of(name)).kind != "nobody"}
    if any(scope.kind == "all" for scope in scopes):
        return None
    for scope in scopes:
        if scope.kind == "patients":
            return scope
        if scope.kind != "facility":
            return None
        statistics = await statistics_of(conn, keys)
        if len(await _cared_for(conn, scope)) < _FEW * statistics.rows_of(TYPE_IDS["Patient"]):
            return scope
    return None


async def _cared_for(conn: Connection, scope: Scope) -> list[int]:
    """The patients for whom a facility cares."""
    rows = await conn.fetch(
        "SELECT DISTINCT patient FROM record.relation WHERE basis = 0 AND who = $1 AND ends > $2 ORDER BY 1",
        scope.facility, now_us(),
    )  # fmt: skip
    return [row["patient"] for row in rows]


async def _note_members(conn: Connection, job: Job, members: Sequence[int] | None, scope: Scope | None) -> int:
    """Notes whose records are wanted; returns how many pieces that makes."""
    if members is None and scope is not None:
        if scope.kind == "patients":
            members = scope.patients
        else:
            members = await _cared_for(conn, scope)
    found = sorted(set(members or ()))
    await conn.execute(
        "INSERT INTO record.bulk_member (job, patient, part)"
        " SELECT $1, m.patient, (m.place - 1) / $3::bigint FROM unnest($2::bigint[]) WITH ORDINALITY m(patient, place)",
        job.id, found, BULK_MEMBERS_IN_PART,
    )  # fmt: skip
    return -(-len(found) // BULK_MEMBERS_IN_PART)


async def _rows(conn: Connection, draft: _Draft, selection: Selection, types: Sequence[str], keys: Keys) -> None:
    """Pieces of whole types, whoever they belong to."""
    plain = tuple(name for name in types if name not in selection.filters)
    chosen = tuple(name for name in types if name in selection.filters)
    if selection.since_us is not None and await _few_changed(conn, selection.since_us):
        for kind, names in ((CHANGED, plain), (SEARCH, chosen)):
            for name in names:
                draft.add(kind, (name,))
        return
    statistics = await statistics_of(conn, keys)
    share = sum(statistics.types.get(TYPE_IDS[name], 0.0) for name in plain)
    through_index = statistics.rows > BULK_PART_ROWS and share < _FEW
    for low, high in await _ranges(conn):
        if plain:
            draft.add(SEARCH if through_index else SCAN, plain, low, high)
        if chosen:
            draft.add(SEARCH, chosen, low, high)


async def _few_changed(conn: Connection, since_us: int) -> bool:
    """Whether so little changed since an instant that the index of changes leads to it."""
    row = await conn.fetchrow(
        """
        SELECT (SELECT reltuples FROM pg_class WHERE oid = 'record.resource'::regclass) AS rows,
               (SELECT count(*) FROM (
                  SELECT 1 FROM unnest($2::smallint[]) t(type) CROSS JOIN LATERAL (
                    SELECT 1 FROM record.resource r WHERE r.type = t.type AND r.updated > $1 LIMIT $3::bigint) c
                  LIMIT $3::bigint) changed) AS changed
        """,
        since_us,
        list(TYPE_IDS.values()),
        BULK_PART_ROWS,
    )
    return bool(row["changed"] < max(_FEW * row["rows"], 1.0) and row["changed"] < BULK_PART_ROWS)


async def _ranges(conn: Connection) -> list[tuple[int, int]]:
    """Ranges of row ids that together hold every row."""
    row = await conn.fetchrow("SELECT min(row_id) AS low, max(row_id) AS high FROM record.resource")
    if row["low"] is None:
        return []
    low, high = row["low"] - 1, row["high"]
    size = max(BULK_PART_ROWS, -(-(high - low) // _PARTS_MAX))
    return [(start, min(start + size, high)) for start in range(low, high, size)]

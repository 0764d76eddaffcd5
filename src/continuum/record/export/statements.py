"""The statement that reads each kind of piece. Every row is seen as it was at the export's own instant.

Each statement gives (row_id, type, id, patient_id, version, updated, body). A row that changed after the instant is
shown as its history holds it, if it was there; one that was deleted since is left out. A body is NULL when it is
larger than BULK_INLINE_MAX_BYTES, and is then fetched by itself.
"""

from dataclasses import dataclass
from typing import Any

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.limits import BULK_INLINE_MAX_BYTES
from continuum.record.export.selection import FILED_TYPES, Selection, selected
from continuum.record.jobs import Job, Part
from continuum.record.keys import Keys, param_id
from continuum.record.search.bindings import Bindings
from continuum.record.search.everything import TIES
from continuum.record.search.includes import visible_types
from continuum.record.visibility import Visibility

SCAN, SEARCH, CHANGED, MEMBERS, NAMED, PROVENANCE, DELETED = (
    "scan", "search", "changed", "members", "named", "provenance", "deleted",
)  # fmt: skip
"""A range of rows; a range of index rows; what changed; some patients; what those name; Provenance; deletions."""
_TARGET = param_id("Provenance", "target")


@dataclass(frozen=True, slots=True)
class Reading:
    """What every statement of an export shares."""

    job: Job
    selection: Selection
    visibility: Visibility
    keys: Keys


def statement(reading: Reading, part: Part) -> tuple[str, list[Any]]:
    """The text and the values of the statement that reads a piece."""
    bindings = Bindings(reading.keys, reading.visibility)
    types = tuple(TYPE_NAMES[number] for number in part.types)
    source, conditions = _SOURCES[part.kind](reading, part, types, bindings)
    if part.kind == DELETED:
        return f"SELECT r.type, r.id, r.patient_id FROM {source} WHERE {' AND '.join(conditions)}", bindings.values
    as_of = bindings.bind(reading.job.as_of, "bigint")
    there = f"NOT past.deleted AND ({visible_types(types, 'past', bindings)})"
    if reading.selection.since_us is not None:
        there += f" AND past.updated > {bindings.bind(reading.selection.since_us, 'bigint')}"
    return (
        f"""
        SELECT r.row_id, r.type, r.id, r.patient_id,
               CASE WHEN r.updated <= {as_of} THEN r.version ELSE past.version END AS version,
               CASE WHEN r.updated <= {as_of} THEN r.updated ELSE past.updated END AS updated,
               CASE WHEN r.updated <= {as_of}
                    THEN CASE WHEN octet_length(r.body) <= {BULK_INLINE_MAX_BYTES} THEN r.body END
                    ELSE CASE WHEN octet_length(past.body) <= {BULK_INLINE_MAX_BYTES} THEN past.body END END AS body
        FROM {source} LEFT JOIN LATERAL (
          SELECT h.row_id, h.type, h.patient, h.labels, h.version, h.updated, h.deleted, h.body FROM record.history h
          WHERE r.updated > {as_of} AND h.row_id = r.row_id AND h.updated <= {as_of}
          ORDER BY h.version DESC LIMIT 1) past ON true
        WHERE NOT r.deleted AND (r.updated <= {as_of} OR ({there})) AND {" AND ".join(conditions)}
        """,
        bindings.values,
    )


def _range(part: Part, alias: str, bindings: Bindings) -> list[str]:
    if part.low == part.high:
        return []
    low, high = bindings.bind(part.low, "bigint"), bindings.bind(part.high, "bigint")
    return [f"{alias}.row_id > {low} AND {alias}.row_id <= {high}"]


def _filed(reading: Reading, alias: str, bindings: Bindings) -> list[str]:
    """An export of patients leaves out what is of a patient's types and belongs to none."""
    if reading.selection.level == "system":
        return []
    numbers = bindings.bind([TYPE_IDS[name] for name in FILED_TYPES], "smallint[]")
    return [f"({alias}.patient IS NOT NULL OR NOT {alias}.type = ANY({numbers}))"]


Source = tuple[str, list[str]]


def _scan(reading: Reading, part: Part, types: tuple[str, ...], bindings: Bindings) -> Source:
    conditions = [*_range(part, "r", bindings), f"({visible_types(types, 'r', bindings)})"]
    if reading.selection.since_us is not None:
        conditions.append(f"r.updated > {bindings.bind(reading.selection.since_us, 'bigint')}")
    return "record.resource r", [*conditions, *_filed(reading, "r", bindings)]


_INDEXED = "record.search s JOIN record.resource r ON r.row_id = s.row_id"


def _search(reading: Reading, part: Part, types: tuple[str, ...], bindings: Bindings) -> Source:
    conditions = [*_range(part, "s", bindings), *selected(reading.selection, types, "s", bindings)]
    return _INDEXED, [*conditions, *_filed(reading, "s", bindings)]


def member_rows(reading: Reading, part: Part, bindings: Bindings) -> str:
    """The rows of the patients of a piece: their own, and those of nobody in the export that are tied to them.

    What is tied to several is read with the first of them.
    """
    job = bindings.bind(reading.job.id, "text")
    number = bindings.bind(part.low, "integer")
    ties = bindings.bind(TIES, "integer[]")
    return f"""
      SELECT o.row_id FROM record.bulk_member m JOIN record.search o ON o.patient = m.patient
      WHERE m.job = {job} AND m.part = {number}
      UNION ALL
      SELECT o.row_id FROM record.search o
      WHERE o.keys && (SELECT array_agg(m.patient) FROM record.bulk_member m WHERE m.job = {job} AND m.part = {number})
        AND NOT EXISTS (SELECT 1 FROM record.bulk_member m WHERE m.job = {job} AND m.patient = o.patient)
        AND (SELECT min(m.part) FROM unnest(o.ref_params, o.refs) u(p, t)
             JOIN record.bulk_member m ON m.job = {job} AND m.patient = u.t WHERE u.p = ANY({ties})) = {number}
    """


def _members(reading: Reading, part: Part, types: tuple[str, ...], bindings: Bindings) -> Source:
    mine = f"({member_rows(reading, part, bindings)}) mine JOIN record.search s ON s.row_id = mine.row_id"
    source = f"{mine} JOIN record.resource r ON r.row_id = s.row_id"
    return source, selected(reading.selection, types, "s", bindings)


def note_named(reading: Reading, part: Part, outside: tuple[str, ...]) -> tuple[str, list[Any]]:
    """The statement that notes what the records of a piece name outside of patients' types."""
    bindings = Bindings(reading.keys, reading.visibility)
    rows = member_rows(reading, part, bindings)
    seen = visible_types(tuple(name for name in FILED_TYPES if name != "AuditEvent"), "s", bindings)
    wanted = visible_types(outside, "x", bindings)
    job = bindings.bind(reading.job.id, "text")
    return (
        f"""
        INSERT INTO record.bulk_named (job, row_id)
        SELECT DISTINCT {job}, x.row_id
        FROM ({rows}) mine JOIN record.search s ON s.row_id = mine.row_id
        CROSS JOIN LATERAL unnest(s.refs) named(target)
        JOIN record.search x ON x.self = named.target
        WHERE ({seen}) AND ({wanted})
        ON CONFLICT DO NOTHING
        """,
        bindings.values,
    )


def _named(reading: Reading, _: Part, types: tuple[str, ...], bindings: Bindings) -> Source:
    job = bindings.bind(reading.job.id, "text")
    source = (
        "record.bulk_named n JOIN record.search s ON s.row_id = n.row_id JOIN record.resource r ON r.row_id = s.row_id"
    )
    return source, [f"n.job = {job}", *selected(reading.selection, types, "s", bindings)]


def _of_members(reading: Reading, alias: str, bindings: Bindings) -> list[str]:
    """Rows of the patients that the export is about, when it is not about all."""
    if reading.selection.level != "group":
        return _filed(reading, alias, bindings)
    job = bindings.bind(reading.job.id, "text")
    own = f"EXISTS (SELECT 1 FROM record.bulk_member m WHERE m.job = {job} AND m.patient = {alias}.patient)"
    return [own]


def _provenance(reading: Reading, _: Part, types: tuple[str, ...], bindings: Bindings) -> Source:
    """Provenance that points to what is exported: all of it, or of each target the latest."""
    target = ["x.self = u.target", *selected(reading.selection, types, "x", bindings)]
    target += _of_members(reading, "x", bindings)
    if reading.selection.provenance == "latest":
        visible = bindings.visible("Provenance", "n")
        target.append(
            f"NOT EXISTS (SELECT 1 FROM record.search n WHERE n.type = {TYPE_IDS['Provenance']}"
            f" AND n.keys @> ARRAY[u.target] AND n.date_low > s.date_low AND {visible}"
            f" AND EXISTS (SELECT 1 FROM unnest(n.ref_params, n.refs) v(param, target)"
            f" WHERE v.param = {_TARGET} AND v.target = u.target))"
        )
    points = (
        f"EXISTS (SELECT 1 FROM unnest(s.ref_params, s.refs) u(param, target) JOIN record.search x"
        f" ON {' AND '.join(target)} WHERE u.param = {_TARGET})"
    )
    return _INDEXED, [f"({visible_types(('Provenance',), 's', bindings)})", points]


def _deleted(reading: Reading, _: Part, types: tuple[str, ...], bindings: Bindings) -> Source:
    since = bindings.bind(reading.selection.since_us, "bigint")
    as_of = bindings.bind(reading.job.as_of, "bigint")
    gone = [f"r.deleted AND r.updated > {since} AND r.updated <= {as_of}", f"({visible_types(types, 'r', bindings)})"]
    return "record.resource r", [*gone, *_of_members(reading, "r", bindings)]


_SOURCES = {
    SCAN: _scan, SEARCH: _search, CHANGED: _scan, MEMBERS: _members, NAMED: _named, PROVENANCE: _provenance,
    DELETED: _deleted,
}  # fmt: skip

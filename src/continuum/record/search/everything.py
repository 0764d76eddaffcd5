"""`Patient/$everything`: a patient's whole record, and who and what it names (R4 Patient-operation-everything)."""

from collections.abc import Sequence

from continuum.fhir.search_params import COMPARTMENTS
from continuum.fhir.types import TYPE_IDS, TYPES
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import EVERYTHING_MAX
from continuum.record.keys import Keys, param_id
from continuum.record.model import Page
from continuum.record.read import COLUMNS, Connection, read, stored
from continuum.record.search.bindings import Bindings
from continuum.record.search.includes import visible_types
from continuum.record.search.order import BY_ROW, Cursor, read_cursor
from continuum.record.visibility import Visibility

TIES = sorted({param_id(name, code) for name, codes in COMPARTMENTS["Patient"].items() for code in codes})
"""The parameters through which a resource belongs to a patient; others only mention one."""
_MEMBERS = tuple(name for name in TYPES if name in COMPARTMENTS["Patient"] or name == "Patient")


async def everything(
    conn: Connection,
    patient_id: str,
    *,
    visibility: Visibility,
    keys: Keys,
    since_us: int | None = None,
    types: Sequence[str] = (),
    start_us: int | None = None,
    end_us: int | None = None,
    count: int | None = None,
    cursor: str = "",
) -> Page:
    """The compartment of a patient as matches, and what those name outside of it as included.

    since_us: only what changed since. types: only these. start_us, end_us: care in that interval; what has no
    date belongs to every interval. count: a page of that many, in the order in which it was written.

    Raises:
        NotFound, Gone: there is no such patient, or it may not be seen.
        TooCostly: more than EVERYTHING_MAX resources and no `count`.
    """
    await read(conn, "Patient", patient_id, visibility)
    bindings = Bindings(keys, visibility)
    wanted = [name for name in _MEMBERS if not types or name in types]
    person = bindings.bind(keys.self_key("Patient", patient_id), "bigint")
    ties = bindings.bind(TIES, "integer[]")
    filters = [f"({visible_types(wanted, 's', bindings)})"]
    filters += _in_time(since_us, start_us, end_us, bindings)
    named = f"$everything/{patient_id}"
    place = read_cursor(cursor, named, keys)
    if place is not None:
        filters.append(f"s.row_id > {bindings.bind(place.row_id, 'bigint')}")
    limit = EVERYTHING_MAX if count is None else count
    most = bindings.bind(limit + 1, "bigint")
    outside = [name for name in TYPES if name not in _MEMBERS and (not types or name in types)]
    sql = f"""
      WITH m AS MATERIALIZED (
        SELECT s.row_id, s.refs FROM record.search s
        WHERE s.row_id IN (
          SELECT row_id FROM record.search WHERE patient = {person}
          UNION ALL
          SELECT o.row_id FROM record.search o WHERE o.keys @> ARRAY[{person}]
          AND (o.patient IS DISTINCT FROM {person} AND EXISTS (
            SELECT 1 FROM unnest(o.ref_params, o.refs) u(p, t) WHERE u.t = {person} AND u.p = ANY({ties}))) IS TRUE)
        AND {" AND ".join(filters)}
        ORDER BY s.row_id LIMIT {most}
      ), named AS MATERIALIZED (
        SELECT DISTINCT ref FROM m, unnest(m.refs) ref
      ), x AS MATERIALIZED (
        SELECT s.row_id FROM named JOIN record.search s ON s.self = named.ref
        WHERE {visible_types(outside, "s", bindings)}
      )
      SELECT true AS member, {COLUMNS} FROM m JOIN record.resource r ON r.row_id = m.row_id
      UNION ALL
      SELECT false, {COLUMNS} FROM x JOIN record.resource r ON r.row_id = x.row_id
    """
    rows = await conn.fetch(sql, *bindings.values)
    members = sorted((row for row in rows if row["member"]), key=lambda row: int(row["row_id"]))
    if len(members) > limit and count is None:
        raise TooCostly(f"The record has more than {EVERYTHING_MAX} resources; ask for pages with _count.")
    shown = members[:limit]
    on = Cursor(BY_ROW, (), shown[-1]["row_id"]).text(named, keys) if len(members) > limit and shown else ""
    return Page(
        matches=tuple(stored(row) for row in shown),
        included=tuple(stored(row) for row in rows if not row["member"]),
        next_cursor=on,
    )


def _in_time(since_us: int | None, start_us: int | None, end_us: int | None, bindings: Bindings) -> list[str]:
    """The conditions of `_since`, `start` and `end`; the patient's own row belongs to every interval of care."""
    filters = []
    if since_us is not None:
        filters.append(f"s.updated >= {bindings.bind(since_us, 'bigint')}")
    always = f"s.type = {TYPE_IDS['Patient']}"
    if start_us is not None:
        filters.append(f"(s.date_high IS NULL OR {always} OR s.date_high >= {bindings.bind(start_us, 'bigint')})")
    if end_us is not None:
        filters.append(f"(s.date_low IS NULL OR {always} OR s.date_low <= {bindings.bind(end_us, 'bigint')})")
    return filters

"""`Encounter/$everything`: what belongs to an encounter, whose it is, and what that names (R4 §8.11.8)."""

from collections.abc import Sequence

from continuum.fhir.search_params import COMPARTMENTS
from continuum.fhir.types import TYPES
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import EVERYTHING_MAX
from continuum.record.keys import Keys, param_id
from continuum.record.model import Page
from continuum.record.read import COLUMNS, Connection, read, stored
from continuum.record.search.bindings import Bindings
from continuum.record.search.includes import visible_types
from continuum.record.search.order import BY_ROW, Cursor, read_cursor
from continuum.record.visibility import Visibility

_TIES = sorted({param_id(name, code) for name, codes in COMPARTMENTS["Encounter"].items() for code in codes})
_MEMBERS = tuple(name for name in TYPES if name in COMPARTMENTS["Encounter"])


async def encounter_everything(
    conn: Connection,
    encounter_id: str,
    *,
    visibility: Visibility,
    keys: Keys,
    since_us: int | None = None,
    types: Sequence[str] = (),
    count: int | None = None,
    cursor: str = "",
) -> Page:
    """The compartment of an encounter as matches; what those name, the patient among it, as included.

    since_us: only what changed since. types: only these. count: a page of that many, in the order of writing.

    Raises:
        NotFound, Gone: there is no such encounter, or it may not be seen.
        TooCostly: more than EVERYTHING_MAX resources and no `count`.
    """
    await read(conn, "Encounter", encounter_id, visibility)
    bindings = Bindings(keys, visibility)
    self_key = bindings.bind(keys.self_key("Encounter", encounter_id), "bigint")
    ties = bindings.bind(_TIES, "integer[]")
    wanted = [name for name in _MEMBERS if not types or name in types]
    filters = [f"({visible_types(wanted, 's', bindings)})"]
    if since_us is not None:
        filters.append(f"s.updated >= {bindings.bind(since_us, 'bigint')}")
    named = f"Encounter/$everything/{encounter_id}"
    place = read_cursor(cursor, named, keys)
    if place is not None:
        filters.append(f"s.row_id > {bindings.bind(place.row_id, 'bigint')}")
    limit = EVERYTHING_MAX if count is None else count
    most = bindings.bind(limit + 1, "bigint")
    others = [name for name in TYPES if name not in {"AuditEvent", *_MEMBERS} and (not types or name in types)]
    sql = f"""
      WITH c AS MATERIALIZED (
        SELECT row_id FROM record.search WHERE self = {self_key}
        UNION
        SELECT o.row_id FROM record.search o WHERE o.keys @> ARRAY[{self_key}]
        AND (EXISTS (SELECT 1 FROM unnest(o.ref_params, o.refs) u(p, t)
                     WHERE u.t = {self_key} AND u.p = ANY({ties}))) IS TRUE
      ), m AS MATERIALIZED (
        SELECT s.row_id, s.refs FROM c JOIN record.search s USING (row_id)
        WHERE {" AND ".join(filters)} ORDER BY s.row_id LIMIT {most}
      ), named AS MATERIALIZED (
        SELECT DISTINCT ref FROM m, unnest(m.refs) ref
      ), x AS MATERIALIZED (
        SELECT s.row_id FROM named JOIN record.search s ON s.self = named.ref
        WHERE {visible_types(others, "s", bindings)}
      )
      SELECT true AS member, {COLUMNS} FROM m JOIN record.resource r ON r.row_id = m.row_id
      UNION ALL
      SELECT false, {COLUMNS} FROM x JOIN record.resource r ON r.row_id = x.row_id
    """
    rows = await conn.fetch(sql, *bindings.values)
    members = sorted((row for row in rows if row["member"]), key=lambda row: int(row["row_id"]))
    if len(members) > limit and count is None:
        raise TooCostly(f"The encounter has more than {EVERYTHING_MAX} resources; ask for pages with _count.")
    shown = members[:limit]
    on = Cursor(BY_ROW, (), shown[-1]["row_id"]).text(named, keys) if len(members) > limit and shown else ""
    return Page(
        matches=tuple(stored(row) for row in shown),
        included=tuple(stored(row) for row in rows if not row["member"]),
        next_cursor=on,
    )

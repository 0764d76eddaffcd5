"""`_include` and `_revinclude`: what the matches refer to, and what refers to them (R4 §3.1.1.5.4)."""

from collections.abc import Sequence

from continuum.fhir.query import Include
from continuum.fhir.types import TYPE_IDS, TYPES
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import INCLUDE_ITERATIONS_MAX, INCLUDE_MAX
from continuum.record.keys import Keys, param_id
from continuum.record.model import Stored
from continuum.record.read import COLUMNS, Connection, stored
from continuum.record.search.filters import Bindings
from continuum.record.visibility import Scope, Visibility


async def included(
    conn: Connection, includes: Sequence[Include], matches: Sequence[Stored], *, visibility: Visibility, keys: Keys
) -> tuple[Stored, ...]:
    """The resources that the includes add to a page, each once, without the matches themselves.

    Raises:
        TooCostly: more than INCLUDE_MAX.
    """
    seen = {(one.resource_type, one.id) for one in matches}
    added: list[Stored] = []
    fresh: Sequence[Stored] = matches
    for round_number in range(INCLUDE_ITERATIONS_MAX):
        wanted = [include for include in includes if round_number == 0 or include.iterate]
        if not wanted or not fresh:
            break
        found = await _round(conn, wanted, fresh, visibility, keys, seen)
        if len(added) + len(found) > INCLUDE_MAX:
            raise TooCostly(f"The includes add more than {INCLUDE_MAX} resources to one page; ask for a smaller page.")
        added.extend(found)
        fresh = found
    return tuple(added)


async def _round(
    conn: Connection,
    includes: Sequence[Include],
    base: Sequence[Stored],
    visibility: Visibility,
    keys: Keys,
    seen: set[tuple[str, str]],
) -> list[Stored]:
    found: list[Stored] = []
    forward = [include for include in includes if not include.reverse]
    if forward:
        found += await _referred(conn, forward, base, visibility, keys)
    for include in includes:
        if include.reverse:
            found += await _referring(conn, include, base, visibility, keys)
    fresh = []
    for one in found:
        if (one.resource_type, one.id) not in seen:
            seen.add((one.resource_type, one.id))
            fresh.append(one)
    return fresh


async def _referred(
    conn: Connection, includes: Sequence[Include], base: Sequence[Stored], visibility: Visibility, keys: Keys
) -> list[Stored]:
    """What `base` refers to through the parameters of the includes, read from the rows' own references."""
    bindings = Bindings(keys, visibility)
    ways = []
    for include in includes:
        sources = [
            keys.self_key(one.resource_type, one.id)
            for one in base
            if include.param is None or one.resource_type == include.source_type
        ]
        if not sources:
            continue
        parts = [f"m.self = ANY({bindings.bind(sources, 'bigint[]')})"]
        if include.param is not None:
            which = param_id(include.source_type, include.param.code)
            parts.append(f"u.p = {bindings.bind(which, 'integer')}")
        kind = "NULL::smallint" if include.target_type is None else f"{TYPE_IDS[include.target_type]}::smallint"
        ways.append(
            f"SELECT u.t, {kind} AS kind FROM record.search m, unnest(m.ref_params, m.refs) u(p, t)"
            f" WHERE {' AND '.join(parts)}"
        )
    if not ways:
        return []
    most = bindings.bind(INCLUDE_MAX + 1, "bigint")
    rows = await conn.fetch(
        f"WITH t AS MATERIALIZED ({' UNION '.join(ways)}), x AS MATERIALIZED ("
        f" SELECT DISTINCT s.row_id FROM t JOIN record.search s ON s.self = t.t"
        f" WHERE (t.kind IS NULL OR s.type = t.kind) AND {visible_types(TYPES, 's', bindings)} LIMIT {most})"
        f" SELECT {COLUMNS} FROM x JOIN record.resource r ON r.row_id = x.row_id ORDER BY r.row_id",
        *bindings.values,
    )
    return [stored(row) for row in rows]


def visible_types(types: Sequence[str], alias: str, bindings: Bindings) -> str:
    """The visibility predicate over rows of several types; types with one scope share a branch."""
    branches: dict[Scope, list[int]] = {}
    for name in types:
        scope = bindings.visibility.of(name)
        if scope.kind != "nothing":
            branches.setdefault(scope, []).append(TYPE_IDS[name])
    parts = [
        f"({alias}.type = ANY({bindings.bind(members, 'smallint[]')}) AND {scope.sql(alias, bindings.values)})"
        for scope, members in branches.items()
    ]
    return f"({' OR '.join(parts)})" if parts else "false"


async def _referring(
    conn: Connection, include: Include, base: Sequence[Stored], visibility: Visibility, keys: Keys
) -> list[Stored]:
    """The resources that refer to `base`; of one type through one parameter, or through any (`*`)."""
    targets = [one for one in base if include.target_type in {None, one.resource_type}]
    if not targets:
        return []
    bindings = Bindings(keys, visibility)
    addresses = [f"{one.resource_type}/{one.id}" for one in targets]
    if include.param is None:
        wanted = [keys.address(address) for address in addresses]
        types: Sequence[str] = TYPES
        kind = "true"
    else:
        wanted = [keys.reference(include.source_type, include.param.code, address) for address in addresses]
        types = (include.source_type,)
        kind = f"s.type = {TYPE_IDS[include.source_type]}"
    which = bindings.bind(wanted, "bigint[]")
    most = bindings.bind(INCLUDE_MAX + 1, "bigint")
    rows = await conn.fetch(
        f"WITH s AS MATERIALIZED (SELECT * FROM record.search WHERE keys && {which} LIMIT {most})"
        f" SELECT {COLUMNS} FROM s JOIN record.resource r ON r.row_id = s.row_id"
        f" WHERE {kind} AND {visible_types(types, 's', bindings)} ORDER BY r.row_id",
        *bindings.values,
    )
    return [stored(row) for row in rows]

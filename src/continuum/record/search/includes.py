"""`_include` and `_revinclude`: what the matches refer to, and what refers to them (R4 §3.1.1.5.4).

One statement a round, from the references that lie beside the search keys: no body has to be read again.
"""

from collections.abc import Sequence

from continuum.fhir.query import Include
from continuum.fhir.search_params import params
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import INCLUDE_ITERATIONS_MAX, INCLUDE_MAX
from continuum.record.keys import Keys, param_id
from continuum.record.model import Stored
from continuum.record.read import COLUMNS, Connection, stored
from continuum.record.search.bindings import Bindings
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
        found = [one for one in await _round(conn, wanted, fresh, visibility, keys) if _is_new(one, seen)]
        if len(added) + len(found) > INCLUDE_MAX:
            raise _too_many()
        added.extend(found)
        fresh = found
    return tuple(added)


def _is_new(one: Stored, seen: set[tuple[str, str]]) -> bool:
    address = (one.resource_type, one.id)
    if address in seen:
        return False
    seen.add(address)
    return True


def _too_many() -> TooCostly:
    return TooCostly(f"The includes add more than {INCLUDE_MAX} resources to one page; ask for a smaller page.")


async def _round(
    conn: Connection, includes: Sequence[Include], base: Sequence[Stored], visibility: Visibility, keys: Keys
) -> list[Stored]:
    bindings = Bindings(keys, visibility)
    most = bindings.bind(INCLUDE_MAX + len(base) + 1, "bigint")
    types = {one.resource_type for one in base}
    parts = [_named(include, types, most, bindings) for include in includes if not include.reverse]
    steps = ""
    if any(parts):
        own = bindings.bind([keys.self_key(one.resource_type, one.id) for one in base], "bigint[]")
        steps = (
            "b AS MATERIALIZED (SELECT DISTINCT u.p, u.t FROM record.search s, unnest(s.ref_params, s.refs) u(p, t)"
            f" WHERE s.self = ANY({own})), "
        )
    parts += [_referring(include, base, most, bindings) for include in includes if include.reverse]
    found = " UNION ".join(part for part in parts if part)
    if not found:
        return []
    rows = await conn.fetch(
        f"WITH {steps}f AS MATERIALIZED ({found}) SELECT {COLUMNS}"
        " FROM f JOIN record.resource r ON r.row_id = f.row_id ORDER BY r.row_id",
        *bindings.values,
    )
    if len(rows) > INCLUDE_MAX + len(base):
        raise _too_many()
    return [stored(row) for row in rows]


def _named(include: Include, types: set[str], most: str, bindings: Bindings) -> str:
    """SELECT of what the base refers to; empty when the include is about other types."""
    if include.source_type not in types and include.source_type != "*":
        return ""
    which = []
    if include.param is not None:
        which.append(f"b.p = {bindings.bind(param_id(include.source_type, include.param.code), 'integer')}")
    elif include.source_type != "*":
        from_type = _param_ids(include.source_type)
        which.append(f"b.p = ANY({bindings.bind(from_type, 'integer[]')})")
    targets = _targets(include)
    which.append(visible_types(targets, "s", bindings))
    return (
        "(SELECT s.row_id FROM b JOIN record.search s ON s.self = b.t"
        f" WHERE ({' AND '.join(which)}) IS TRUE LIMIT {most})"
    )


def _param_ids(resource_type: str) -> list[int]:
    """The ids of all reference parameters of a type."""
    references = (code for code, one in params(resource_type).items() if one.kind == "reference")
    return sorted(param_id(resource_type, code) for code in references)


def _targets(include: Include) -> Sequence[str]:
    if include.target_type is not None:
        return (include.target_type,)
    if include.param is not None and include.param.targets:
        return include.param.targets
    return tuple(TYPE_IDS)


def _referring(include: Include, base: Sequence[Stored], most: str, bindings: Bindings) -> str:
    """SELECT of what refers to the base: of one type through one parameter, or through any (`*`)."""
    keys = bindings.keys
    addresses = [f"{one.resource_type}/{one.id}" for one in base if include.target_type in {None, one.resource_type}]
    if not addresses:
        return ""
    types: Sequence[str] = tuple(TYPE_IDS) if include.source_type == "*" else (include.source_type,)
    if include.param is not None:
        wanted = [keys.reference(include.source_type, include.param.code, address) for address in addresses]
    else:
        wanted = [keys.address(address) for address in addresses]
    return (
        f"(SELECT s.row_id FROM record.search s WHERE s.keys && {bindings.bind(wanted, 'bigint[]')}"
        f" AND ({visible_types(types, 's', bindings)}) IS TRUE LIMIT {most})"
    )


def visible_types(types: Sequence[str], alias: str, bindings: Bindings) -> str:
    """Rows of these types that may be seen; types with one scope share a branch."""
    branches: dict[Scope, list[int]] = {}
    for name in types:
        scope = bindings.visibility.of(name)
        if scope.kind != "nothing":
            branches.setdefault(scope, []).append(TYPE_IDS[name])
    parts = []
    for scope, members in branches.items():
        kind = "" if len(members) == len(TYPE_IDS) else f"{alias}.type = ANY({bindings.bind(members, 'smallint[]')})"
        holds = scope.sql(alias, bindings.values)
        parts.append(" AND ".join(part for part in (kind, holds) if part and part != "true") or "true")
    return " OR ".join(f"({part})" for part in parts) if parts else "false"

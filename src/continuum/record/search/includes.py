"""`_include` and `_revinclude`: what the matches refer to, and what refers to them (R4 §3.1.1.5.4)."""

from collections.abc import Iterable, Sequence

from continuum.fhir.index import extract
from continuum.fhir.json import parse
from continuum.fhir.query import Include
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import INCLUDE_ITERATIONS_MAX, INCLUDE_MAX
from continuum.record.keys import Keys
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
    addresses = [pair for pair in _targets([i for i in includes if not i.reverse], base) if pair not in seen]
    found = await _by_address(conn, addresses, visibility, keys) if addresses else []
    for include in includes:
        if include.reverse:
            found += await _referring(conn, include, base, visibility, keys)
    fresh = []
    for one in found:
        if (one.resource_type, one.id) not in seen:
            seen.add((one.resource_type, one.id))
            fresh.append(one)
    return fresh


def _targets(includes: Sequence[Include], base: Iterable[Stored]) -> list[tuple[str, str]]:
    """The addresses that forward includes lead to from the bodies of `base`."""
    wanted: dict[tuple[str, str], None] = {}
    for one in base if includes else ():
        if one.body is None:
            continue
        references = extract(parse(one.body)).references
        for include in includes:
            if include.param is not None and include.source_type != one.resource_type:
                continue
            for code, target in references:
                kind, _, target_id = target.partition("/")
                if include.param is not None and code != include.param.code:
                    continue
                if kind in TYPE_IDS and target_id and include.target_type in {None, kind}:
                    wanted[kind, target_id] = None
    return list(wanted)


async def _by_address(
    conn: Connection, addresses: Sequence[tuple[str, str]], visibility: Visibility, keys: Keys
) -> list[Stored]:
    bindings = Bindings(keys, visibility)
    types = bindings.bind([TYPE_IDS[kind] for kind, _ in addresses], "smallint[]")
    ids = bindings.bind([one for _, one in addresses], "text[]")
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM unnest({types}, {ids}) AS a(type, id)"
        f" JOIN record.resource r ON r.type = a.type AND r.id = a.id"
        f" WHERE NOT r.deleted AND {visible_types(sorted({kind for kind, _ in addresses}), 'r', bindings)}",
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
        types = tuple(TYPE_IDS)
        kind = "true"
    else:
        wanted = [keys.reference(include.source_type, include.param.code, address) for address in addresses]
        types = (include.source_type,)
        kind = f"s.type = {TYPE_IDS[include.source_type]}"
    visible = visible_types(types, "s", bindings)
    which = bindings.bind(wanted, "bigint[]")
    most = bindings.bind(INCLUDE_MAX + 1, "bigint")
    rows = await conn.fetch(
        "WITH s AS MATERIALIZED (SELECT s.row_id FROM record.search s"
        f" WHERE s.keys && {which} AND ({kind} AND {visible}) IS TRUE LIMIT {most})"
        f" SELECT {COLUMNS} FROM s JOIN record.resource r ON r.row_id = s.row_id ORDER BY r.row_id",
        *bindings.values,
    )
    if len(rows) > INCLUDE_MAX:
        raise TooCostly(f"The includes add more than {INCLUDE_MAX} resources to one page; ask for a smaller page.")
    return [stored(row) for row in rows]

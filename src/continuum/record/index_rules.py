"""By which rules each parameter is filed, and which parameters a search may not use yet.

A rule is the fingerprint of where a parameter's values are taken from (compiled from R4's definitions) with a number
for how the record files that kind of value. A release that changes either has to file again what is there.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from continuum.fhir import search_params
from continuum.fhir.query import (
    AllOf,
    AnyOf,
    Chain,
    Clause,
    Criterion,
    Has,
    InCompartment,
    Negation,
    Query,
    SearchParam,
)
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import NotYetIndexed
from continuum.record.days import DAYED
from continuum.record.keys import Keys
from continuum.record.limits import REINDEX_READY_AGE_S
from continuum.record.read import Connection

FILING: Mapping[str, int] = dict.fromkeys(
    (
        "MolecularSequence.chromosome-variant-coordinate", "MolecularSequence.chromosome-window-coordinate",
        "MolecularSequence.referenceseqid-variant-coordinate", "MolecularSequence.referenceseqid-window-coordinate",
    ),
    1,
)  # fmt: skip
"""Parameter, or kind of parameter → how often the way in which the record files it has changed since the first release.
"""

MARKS = "$meta"
"""Stands among the parameters for what resources have in their Meta (record/marks.py), which has a rule of its own."""
_MARKS_RULE = "1"
DAYS = "$days"
"""Stands among the parameters of types that are filed by place and day (record/days.py). No search asks for it: until
all resources are filed so, days are found as before."""
_DAYS_RULE = "1"

Rules = Mapping[str, str]
"""Parameter → its rule."""


def rules_of(resource_type: str) -> dict[str, str]:
    """The rules of this release for a type."""
    kinds = search_params.params(resource_type)
    found = {
        code: f"{mark}.{FILING.get(f'{resource_type}.{code}', FILING.get(kinds[code].kind, 0))}"
        for code, mark in search_params.FINGERPRINTS[resource_type].items()
        if code in kinds
    }
    days = {DAYS: _DAYS_RULE} if resource_type in DAYED else {}
    return {**found, **days, MARKS: _MARKS_RULE}


def digest_of(rules: Rules) -> str:
    """What two sets of rules have in common that are the same."""
    return hashlib.sha256(orjson.dumps(dict(sorted(rules.items())))).hexdigest()[:16]


@dataclass(slots=True)
class _Readiness:
    """The parameters that are not ready, with how far each type has come, in percent."""

    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    percent: Mapping[str, int] = field(default_factory=dict)
    read_at: float = float("-inf")


_readiness: dict[Keys, _Readiness] = {}


async def unready(conn: Connection) -> tuple[dict[str, frozenset[str]], dict[str, int]]:
    """Type → the parameters by which not all of its resources are filed yet; type → percent that are.

    A database that has no rules yet was filled by this release alone.
    """
    rows = await conn.fetch("SELECT type, digest, target, after, upto, total FROM record.index_state")
    mine = {TYPE_IDS[name]: name for name in search_params.FINGERPRINTS}
    behind = [
        row
        for row in rows
        if row["type"] in mine and (row["target"] or row["digest"] != digest_of(rules_of(mine[row["type"]])))
    ]
    if not behind:
        return {}, {}
    numbers = [row["type"] for row in behind]
    texts = await conn.fetch("SELECT type, rules FROM record.index_state WHERE type = ANY($1::smallint[])", numbers)
    codes: dict[str, frozenset[str]] = {}
    for row in texts:
        name, filed = mine[row["type"]], orjson.loads(row["rules"])
        codes[name] = frozenset(code for code, rule in rules_of(name).items() if filed.get(code) != rule)
    percent = {mine[row["type"]]: percent_of(walked(row), row["total"]) for row in behind}
    return {name: found for name, found in codes.items() if found}, percent


def walked(state: Mapping[str, int]) -> int:
    """How many of the row ids between the first and the last are done, of a row of record.index_state."""
    return max(state["total"] - (state["upto"] - state["after"]), 0)


def percent_of(done: int, total: int) -> int:
    """At most 99: at 100 nobody asks any more."""
    return min(99, 100 * done // max(total, 1))


async def refuse_unready(conn: Connection, query: Query, keys: Keys) -> None:
    """Refuses a search that would not find all there is, because resources are still being filed again.

    Raises:
        NotYetIndexed: it names a parameter that is not ready.
    """
    known = await _known(conn, keys)
    if not known.codes:
        return
    for one in _named(query):
        if one.code in known.codes.get(one.resource_type, ()):
            raise NotYetIndexed(
                f"{one.resource_type}.{one.code} is new in this release, and what was there before is still being"
                f" indexed by it ({known.percent[one.resource_type]} % done). Search without it, or try again later."
            )


async def refuse_unready_marks(conn: Connection, resource_types: Sequence[str], keys: Keys) -> None:
    """Refuses to say what resources of some types have in their Meta, while not all of it is filed.

    Raises:
        NotYetIndexed: it names one of the types.
    """
    known = await _known(conn, keys)
    for name in resource_types:
        if MARKS in known.codes.get(name, ()):
            raise NotYetIndexed(
                f"Which profiles, security labels and tags {name} resources have is still being looked up in what was"
                f" there before this release ({known.percent[name]} % done). Try again later."
            )


def filed_by_day(resource_type: str, keys: Keys) -> bool:
    """Whether all resources of a type are filed by place and day, as far as this process has asked."""
    known = _readiness.get(keys)
    return known is not None and DAYS not in known.codes.get(resource_type, ())


async def _known(conn: Connection, keys: Keys) -> _Readiness:
    """What is not ready.

    When nothing is behind, this is one lookup: this release's own rules do not fall behind while it runs.
    """
    known = _readiness.get(keys)
    if known is None or (known.codes and time.monotonic() - known.read_at > REINDEX_READY_AGE_S):
        codes, percent = await unready(conn)
        known = _readiness[keys] = _Readiness(codes, percent, time.monotonic())
    return known


def _named(query: Query) -> Iterator[SearchParam]:
    """Every parameter that the answer depends on."""
    for clause in query.where:
        yield from _of_clause(clause)
    for sort in query.sort:
        yield from _whole(sort.param)
    for include in query.includes:
        if include.param is not None:
            yield include.param
        elif include.source_type != "*":
            yield from (one for one in search_params.params(include.source_type).values() if one.kind == "reference")


def _of_clause(clause: Clause) -> Iterator[SearchParam]:
    if isinstance(clause, Criterion):
        yield from _whole(clause.param)
    elif isinstance(clause, Chain):
        yield clause.param
        for _, inner in clause.inner:
            yield from _of_clause(inner)
    elif isinstance(clause, Has):
        yield clause.param
        yield from _of_clause(clause.inner)
    elif isinstance(clause, InCompartment):
        yield from clause.params
    elif isinstance(clause, AllOf | AnyOf):
        for one in clause.clauses:
            yield from _of_clause(one)
    elif isinstance(clause, Negation):
        yield from _of_clause(clause.clause)


def _whole(found: SearchParam) -> Iterator[SearchParam]:
    """The parameter and those that it is made of."""
    yield found
    parts = search_params.UNIONS.get(found.resource_type, {}).get(found.code, ())
    for code in (*parts, *(code for code, _ in found.components)):
        one = search_params.param(found.resource_type, code)
        if one is not None:
            yield one

"""`:in`, `:not-in`, `:below` and `:above` of a token: the codes that a value set or a code system of the record names.

The codes stand in place of what names them before a search is planned. Value sets and code systems are resources of
the record like any others: whoever may not see one cannot ask by it, and a new version counts from the next search on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from continuum.fhir.grammar_values import OF_CODES
from continuum.fhir.json import parse
from continuum.fhir.query import Criterion, Query, Sort, Value
from continuum.fhir.search_params import IMPLIED_SYSTEMS, param
from continuum.fhir.terminology import Hierarchy, Member, Terminology, hierarchy_of, sets_of, systems_of
from continuum.kernel.errors import TooCostly
from continuum.record.keys import Keys
from continuum.record.limits import TERMINOLOGY_CACHED_MAX, VALUE_SET_CODES_MAX, VALUE_SETS_READ_MAX
from continuum.record.read import Connection, stored
from continuum.record.search.clauses import criteria, rewritten
from continuum.record.search.efforts import rows_of, statistics_of
from continuum.record.search.plan import Planner
from continuum.record.visibility import Visibility

_VERSIONS_READ = 50
"""The newest resources with one URL, among which the one that counts is chosen."""
_understood: dict[tuple[Keys, int, int], tuple[bool, Any]] = {}
"""(Database, row id, version) → a parsed ValueSet, or the Hierarchy of a CodeSystem."""


async def coded(conn: Connection, query: Query, visibility: Visibility, keys: Keys) -> Query:
    """The query with codes in place of the value sets and hierarchies that it names.

    Raises:
        UnusableParameter: a value set or code system is not here, or cannot be read.
        TooCostly: it holds more than VALUE_SET_CODES_MAX codes.
    """
    asked = {one for one in criteria(query.where) if one.param.kind == "token" and one.modifier in OF_CODES}
    if not asked:
        return query
    reader = _Reader(conn, visibility, keys)
    known = {one: await _of(one, reader) for one in asked}
    return replace(query, where=tuple(rewritten(clause, lambda one: known.get(one, one)) for clause in query.where))


async def _of(asked: Criterion, reader: "_Reader") -> Criterion:
    implied = IMPLIED_SYSTEMS.get(asked.param.resource_type, {}).get(asked.param.code)
    held: set[Member] = set()
    for value in asked.values:
        if value.code is None:
            members = (await reader.around_set(value.text)).members(value.text)
        else:
            members = frozenset({(value.system or implied or "", value.code)})
        if asked.modifier in {"below", "above"}:
            terminology = await reader.around_systems(system for system, code in members if code is not None)
            members = terminology.below(members) if asked.modifier == "below" else terminology.above(members)
        held |= members
        if len(held) > VALUE_SET_CODES_MAX:
            raise TooCostly(
                f"More than {VALUE_SET_CODES_MAX} codes would be looked for by {asked.param.code}:{asked.modifier}."
            )
    values = tuple(
        Value(f"{system}|{code or ''}", system=system, code=code)
        for system, code in sorted(held, key=lambda one: (one[0], one[1] or ""))
    )
    return replace(asked, modifier="not" if asked.modifier == "not-in" else "", values=values)


@dataclass(slots=True)
class _Reader:
    """Reads value sets and code systems of the record, each once."""

    conn: Connection
    visibility: Visibility
    keys: Keys
    sets: dict[str, Any] = field(default_factory=dict)
    systems: dict[str, Hierarchy] = field(default_factory=dict)
    tried: set[tuple[str, str]] = field(default_factory=set)

    async def around_set(self, url: str) -> Terminology:
        """What has to be known to tell what a value set holds."""
        waiting = [url]
        while waiting:
            one = waiting.pop()
            found = await self._read("ValueSet", one)
            if found is None:
                continue
            self.sets[one] = found
            await self.around_systems(systems_of(found))
            waiting += sets_of(found)
        return Terminology(self.sets, self.systems)

    async def around_systems(self, urls: Iterable[str]) -> Terminology:
        """The same of code systems."""
        for url in sorted(set(urls)):
            found = await self._read("CodeSystem", url)
            if found is not None:
                self.systems[url] = found
        return Terminology(self.sets, self.systems)

    async def _read(self, resource_type: str, canonical: str) -> Any:
        """A resource by its URL, `URL|version` or `Type/id`; None when it is not here or was read before."""
        if (resource_type, canonical) in self.tried:
            return None
        if len(self.tried) >= VALUE_SETS_READ_MAX:
            raise TooCostly(f"The value set is made of more than {VALUE_SETS_READ_MAX} others and code systems.")
        self.tried.add((resource_type, canonical))
        url, _, version = canonical.partition("|")
        if url.startswith(f"{resource_type}/"):
            wanted = [("_id", Value(url.partition("/")[2], code=url.partition("/")[2]))]
        else:
            wanted = [("url", Value(url))]
        if version:
            wanted.append(("version", Value(version, code=version)))
        where = tuple(Criterion(_param(resource_type, code), "", (value,)) for code, value in wanted)
        newest = (Sort(_param(resource_type, "_lastUpdated"), descending=True),)
        query = Query(resource_type, where=where, sort=newest, count=_VERSIONS_READ)
        planner = Planner(query, self.visibility, self.keys, await statistics_of(self.conn, self.keys))
        rows, _ = await rows_of(self.conn, planner, None, _VERSIONS_READ, with_total=False)
        found = [(row["row_id"], one) for row in rows if row["row_id"] is not None and (one := stored(row)).body]
        understood = [(one.updated_us, self._understand(resource_type, row_id, one)) for row_id, one in found]
        if not understood:
            return None
        # What is in use counts before a draft, then the latest.
        _, (_, best) = max(understood, key=lambda one: (one[1][0], one[0]))
        return best

    def _understand(self, resource_type: str, row_id: int, one: Any) -> tuple[bool, Any]:
        """Whether it is active, and what it says."""
        key = (self.keys, row_id, one.version)
        found = _understood.get(key)
        if found is None:
            if len(_understood) >= TERMINOLOGY_CACHED_MAX:
                _understood.clear()
            resource = parse(one.body)
            meaning = resource if resource_type == "ValueSet" else hierarchy_of(resource)
            found = _understood[key] = (resource.get("status") == "active", meaning)
        return found


def _param(resource_type: str, code: str) -> Any:
    found = param(resource_type, code)
    assert found is not None, "both types have these parameters"
    return found

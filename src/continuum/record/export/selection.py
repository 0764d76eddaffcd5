"""What an export is about, as predicates over rows of record.resource and record.search."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from continuum.fhir.query import Query
from continuum.fhir.search_params import COMPARTMENTS
from continuum.fhir.types import TYPE_IDS, TYPES
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.search.bindings import Bindings
from continuum.record.search.filters import clause_sql
from continuum.record.search.includes import visible_types
from continuum.record.search.ready import ready
from continuum.record.visibility import Visibility

UNSTORED = frozenset({"AuditEvent"})
"""Types that are no rows of record.resource."""
FILED_TYPES = tuple(name for name in TYPES if name in COMPARTMENTS["Patient"] or name == "Patient")
"""Types whose resources belong to a patient."""
DIRECTORY_TYPES = (
    "Endpoint", "HealthcareService", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole",
)  # fmt: skip
"""Types that say who, where and what a patient's data names; an export of all patients has them too."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted.

    level: system, patient or group. types: of these types only; all of the level when empty. since_us: only what
    changed after it. filters: for a type the searches of which one must match. provenance: "latest" or "relevant"
    Provenance of what is exported, or "".
    """

    level: str
    types: tuple[str, ...] = ()
    since_us: int | None = None
    filters: Mapping[str, tuple[Query, ...]] = field(default_factory=dict)
    provenance: str = ""

    @property
    def filed(self) -> tuple[str, ...]:
        """The wanted types that belong to patients; of a system everything is wanted, whoever it belongs to."""
        return () if self.level == "system" else tuple(name for name in self._wanted if name in FILED_TYPES)

    @property
    def unfiled(self) -> tuple[str, ...]:
        """The other wanted types: all of a system, the directory beside all patients, what a group's records name."""
        if self.level == "system":
            return self._wanted
        if self.level == "patient":
            return tuple(name for name in self._wanted if name in DIRECTORY_TYPES)
        return tuple(name for name in self._wanted if name not in FILED_TYPES)

    @property
    def _wanted(self) -> tuple[str, ...]:
        return tuple(name for name in self.types or TYPES if name not in UNSTORED)


async def made_ready(conn: Connection, selection: Selection, visibility: Visibility, keys: Keys) -> Selection:
    """The selection with its filters as record/search/ready.py makes them; raises what that does."""
    filters = {
        name: tuple([await ready(conn, query, visibility, keys) for query in queries])
        for name, queries in selection.filters.items()
    }
    return replace(selection, filters=filters)


def filtered(selection: Selection, types: tuple[str, ...], alias: str, bindings: Bindings) -> list[str]:
    """The conditions of `_typeFilter` over rows of record.search of these types."""
    parts = []
    for name in types:
        queries = selection.filters.get(name)
        if queries:
            any_of = [_holds(query, alias, bindings) for query in queries]
            parts.append(f"({alias}.type <> {TYPE_IDS[name]} OR {' OR '.join(any_of)})")
    return parts


def _holds(query: Query, alias: str, bindings: Bindings) -> str:
    clauses = [clause_sql(clause, query.resource_type, alias, bindings) for clause in query.where]
    return f"({' AND '.join(clauses) or 'true'})"


def selected(selection: Selection, types: tuple[str, ...], alias: str, bindings: Bindings) -> list[str]:
    """The conditions over rows of record.search: type, visibility, age, filters."""
    parts = [f"({visible_types(types, alias, bindings)})"]
    if selection.since_us is not None:
        parts.append(f"{alias}.updated > {bindings.bind(selection.since_us, 'bigint')}")
    return [*parts, *filtered(selection, types, alias, bindings)]

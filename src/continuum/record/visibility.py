"""Which rows a session may see, as data that every query of the record compiles in.

`access` decides it once per session; nothing in `record` decides anything about people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# OFFSET 0 keeps PostgreSQL from joining with all of a facility's patients first: a row is asked when it comes.
_CARED_FOR = (
    "EXISTS (SELECT 1 FROM record.care care"
    " WHERE care.patient = {alias}.patient AND care.facility = {facility} OFFSET 0)"
)
_OWNED = (
    "EXISTS (SELECT 1 FROM record.subscription own"
    " WHERE own.row_id = {alias}.row_id AND own.owner_key = {owner} OFFSET 0)"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows of one resource type that may be seen.

    kind: "all", "nothing", "patients" (rows whose `patient` is in `patients`), "facility" (rows whose
    patient has a row in `record.care` with `facility`) or "owned" (Subscriptions that `owner` wrote).
    label_mask: rows with any of these sensitivity bits in `labels` are left out.
    """

    kind: str
    patients: tuple[int, ...] = ()
    facility: int = 0
    owner: int = 0
    label_mask: int = 0

    def sql(self, alias: str, arguments: list[Any]) -> str:
        """The predicate over a row `alias` with columns patient and labels; appends what it binds."""
        if self.kind == "nothing":
            return "false"
        parts = []
        if self.kind == "patients":
            arguments.append(list(self.patients))
            parts.append(f"{alias}.patient = ANY(${len(arguments)}::bigint[])")
        elif self.kind == "facility":
            arguments.append(self.facility)
            bound = f"${len(arguments)}::bigint"
            parts.append(_CARED_FOR.format(alias=alias, facility=bound))
        elif self.kind == "owned":
            arguments.append(self.owner)
            parts.append(_OWNED.format(alias=alias, owner=f"${len(arguments)}::bigint"))
        if self.label_mask:
            arguments.append(self.label_mask)
            parts.append(f"{alias}.labels & ${len(arguments)}::integer = 0")
        return " AND ".join(parts) or "true"


NOTHING = Scope("nothing")
ALL = Scope("all")


@dataclass(frozen=True, slots=True)
class Visibility:
    """A scope per resource type; a type that is not named gets `otherwise`, which is nothing by default."""

    by_type: Mapping[str, Scope] = field(default_factory=dict)
    otherwise: Scope = NOTHING

    def of(self, resource_type: str) -> Scope:
        """The scope of one resource type."""
        return self.by_type.get(resource_type, self.otherwise)


EVERYTHING = Visibility(otherwise=ALL)
"""For maintenance that no person sees: verification after import, reindexing."""

"""Which rows a session may see, as data that the search planner compiles into every hop.

`access` decides it once per session; nothing in `record` decides anything about people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows of one resource type that may be seen.

    kind: "all", "nothing", "patients" (rows whose `patient` is in `patients`) or "facility" (rows whose
    patient has a row in `record.care` with `facility`).
    label_mask: rows with any of these sensitivity bits in `labels` are left out.
    """

    kind: str
    patients: tuple[int, ...] = ()
    facility: int = 0
    label_mask: int = 0


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

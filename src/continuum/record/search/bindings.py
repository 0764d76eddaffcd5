"""The values of a statement while it is put together."""

from dataclasses import dataclass, field
from typing import Any

from continuum.record.keys import Keys
from continuum.record.visibility import Visibility


@dataclass(slots=True)
class Bindings:
    """The values of a statement and the names that its parts have taken."""

    keys: Keys
    visibility: Visibility
    values: list[Any] = field(default_factory=list)
    names: int = 0

    def bind(self, value: Any, cast: str) -> str:
        """Adds a value; returns its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}::{cast}"

    def alias(self, stem: str) -> str:
        """A name that no other part of the statement has."""
        self.names += 1
        return f"{stem}{self.names}"

    def visible(self, resource_type: str, alias: str, patient: str = "") -> str:
        """The visibility predicate of a type over a row; patient: the placeholder of whose all these rows are."""
        return self.visibility.of(resource_type).sql(alias, self.values, patient)

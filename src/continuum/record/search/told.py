"""What a resource is sorted by where only the resource itself says it: its codes, whom it names, its pairs, its place.

A composite is ordered by its components in turn, a position by how far it is from the place that the search names.
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any

from continuum.fhir.index import Component, Index
from continuum.fhir.query import Sort
from continuum.fhir.search_params import UNIONS
from continuum.fhir.text import normalise
from continuum.record.geography import metres_between

_BETWEEN = "\0"
"""Between the components of a composite: before any character that a text may have (no FHIR string holds this one)."""
_TOP_BIT, _ALL_BITS = 1 << 63, (1 << 64) - 1


def told(sort: Sort, index: Index) -> str | float | None:
    """The least value of a resource when the order rises, the greatest when it falls; None when it has none.

    A token is its code, a reference its target, a position its distance to the nearest place in whole metres.
    """
    pick: Callable[[Iterable[Any]], Any] = max if sort.descending else min
    codes = UNIONS.get(sort.param.resource_type, {}).get(sort.param.code, (sort.param.code,))
    if sort.places:
        found: list[Any] = [
            round(min(metres_between(place, (latitude, longitude)) for place in sort.places))
            for code, latitude, longitude in index.positions
            if code in codes
        ]
        return pick(found) if found else None
    found = [code or system for one, system, code in index.tokens if one in codes]
    found += [target for one, target in index.references if one in codes]
    found += [uri for one, uri in index.uris if one in codes]
    found += [_BETWEEN.join(map(_ordered, parts)) for one, *parts in index.composites if one in codes]
    return pick(found) if found else None


def _ordered(component: Component) -> str:
    """A component as a text that is before another where the component is."""
    kind, first, *rest = component
    if kind == "token":
        return str(rest[0] or first)
    if kind in {"quantity", "number"}:
        # The bits of a float, in its own order (minus zero is zero).
        bits = int.from_bytes(struct.pack(">d", float(first) + 0.0), "big")
        return f"{bits ^ (_ALL_BITS if bits & _TOP_BIT else _TOP_BIT):016x}"
    if kind == "date":
        return f"{first + _TOP_BIT:016x}"
    return normalise(first) if kind == "string" else str(first)

"""The search parameters and compartments of R4 4.0.1, from the compiled facts."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from continuum.fhir.query import SearchParam

_FACTS: dict[str, Any] = orjson.loads((files("continuum.fhir") / "facts" / "search.json").read_bytes())

COMPARTMENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    compartment: {name: tuple(codes) for name, codes in members.items()}
    for compartment, members in _FACTS["compartments"].items()
}
"""Compartment type → resource type → the reference parameters that put a resource into it."""

MAIN_DATE: Mapping[str, str] = _FACTS["main_date"]
"""The date parameter of a type that orders its resources for a reader (`record.search.date_low/high`)."""


PATIENT_IMPLIED: Mapping[str, tuple[str, ...]] = {
    name: tuple(codes) for name, codes in _FACTS["patient_implied"].items()
}
"""Reference parameters of which `=Patient/x` implies that the whole resource is filed under patient x."""

UNIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    name: {code: tuple(parts) for code, parts in unions.items()} for name, unions in _FACTS["unions"].items()
}
"""Parameters that are the union of others (`combo-code` is `code` or `component-code`) and are not indexed."""

PARTS: Mapping[str, Mapping[str, tuple[str, int]]] = {
    name: {code: (whole, bit) for code, (whole, bit) in parts.items()} for name, parts in _FACTS["parts"].items()
}
"""String parameters that are a part of another (`family` of `name`) and filed with it: (its code, the part's bit).

A bit of 0 means all of it (`phonetic` asks what `name` asks).
"""
ALONE_SHIFT = 7
"""A part's bit moved up by this says that no other string of the resource is that part."""

TEXTS: frozenset[str] = frozenset(_FACTS["texts"])
"""The names of elements that hold text for people, of which `_content` asks."""

FINGERPRINTS: Mapping[str, Mapping[str, str]] = _FACTS["fingerprints"]
"""Type → parameter → what changes when its values are taken from elsewhere in a resource, or otherwise."""

PRESENCE: Mapping[str, Mapping[str, int]] = {
    name: {code: 1 << number for number, code in enumerate(codes)} for name, codes in _FACTS["presence"].items()
}
"""Type → parameter → the bit that says of a resource that it has a value. What is new comes after what was there."""

IMPLIED_SYSTEMS: Mapping[str, Mapping[str, str]] = _FACTS["implied_systems"]
"""Type → token parameter → the one system of all its codes, which R4 gives and resources do not repeat."""

SUBSETS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    name: {code: (whole, told_by) for code, (whole, told_by) in found.items()}
    for name, found in _FACTS["subsets"].items()
}
"""Type → parameter whose values are all filed with another (`email` of `telecom`): (its code, what tells them there).

That is the system of a token, or how the address of a reference begins.
"""

SINGLE_PAIRS = frozenset(
    {
        ("MolecularSequence", "chromosome-window-coordinate"),
        ("MolecularSequence", "referenceseqid-window-coordinate"),
        ("Observation", "code-value-concept"),
        ("Observation", "code-value-date"),
        ("Observation", "code-value-quantity"),
        ("Observation", "code-value-string"),
    }
)
"""Composites of which a resource has one at most: only there do parts that are looked for apart belong together."""

UNLISTED_URIS = frozenset({"_profile"})
"""Uris that are found by their keys alone: rows of what nearly every resource has would cost every write.

What begins with one is found by way of record.mark (record/search/profiles.py)."""


def has_grams(code: str) -> bool:
    """Whether a string parameter is found by trigrams; addresses, which are long, are found by reading them."""
    return not code.startswith("address")


@lru_cache(maxsize=256)
def params(resource_type: str) -> Mapping[str, SearchParam]:
    """Every search parameter of a type, by its code."""
    return {
        code: SearchParam(
            resource_type=resource_type,
            code=code,
            kind=fact["kind"],
            targets=tuple(fact["targets"]),
            typed=fact.get("typed", False),
            components=tuple((name, kind) for name, kind in fact.get("components", ())),
        )
        for code, fact in _FACTS["params"].get(resource_type, {}).items()
    }


def param(resource_type: str, code: str) -> SearchParam | None:
    """One search parameter, or None when R4 has none of that code for the type."""
    return params(resource_type).get(code)


def definition(resource_type: str, code: str) -> str:
    """The canonical URL of a parameter's definition."""
    url: str = _FACTS["params"][resource_type][code]["url"]
    return url

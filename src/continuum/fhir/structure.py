"""What each type of R4 may hold, from the compiled facts: for views of a resource, and for the reporter."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson


@lru_cache(maxsize=1)
def facts() -> Mapping[str, Any]:
    """The facts as they ship.

    types → elements (types, min, many, summary, modifier, targets, codes); value_sets → codes; concepts → value sets →
    systems → codes, for elements that are concepts; left_out: required value sets whose codes cannot be listed.
    """
    loaded: Mapping[str, Any] = orjson.loads((files("continuum.fhir") / "facts" / "structures.json").read_bytes())
    return loaded


def elements(type_name: str) -> Mapping[str, Any]:
    """The elements of a type or backbone element by name; a choice ends in `[x]`."""
    found: Mapping[str, Any] = facts()["types"][type_name]["elements"]
    return found


def choice_names(name: str, kinds: list[str]) -> dict[str, str]:
    """JSON name → type of each alternative of a choice `value[x]`."""
    stem = name.removesuffix("[x]")
    return {stem + kind[0].upper() + kind[1:]: kind for kind in kinds}


def json_names(type_name: str, name: str) -> tuple[str, ...]:
    """The JSON names of an element, given without its type: `value` of Observation has eleven, and siblings."""
    members = elements(type_name)
    if name in members:
        return name, f"_{name}"
    choice = members.get(f"{name}[x]")
    if choice is None:
        return ()
    return tuple(prefix + one for one in choice_names(f"{name}[x]", choice["types"]) for prefix in ("", "_"))


@lru_cache(maxsize=1_024)
def _flagged(type_name: str, flag: str) -> frozenset[str]:
    return frozenset(
        json_name
        for name, fact in elements(type_name).items()
        if fact.get(flag)
        for json_name in json_names(type_name, name.removesuffix("[x]"))
    )


def mandatory(type_name: str) -> frozenset[str]:
    """The JSON names of elements that must be there (min ≥ 1)."""
    return _flagged(type_name, "min")


def summary(type_name: str) -> frozenset[str]:
    """The JSON names of elements that are part of the summary view (R4 §3.1.1.5.8)."""
    return _flagged(type_name, "summary")


def modifiers(type_name: str) -> frozenset[str]:
    """The JSON names of elements that change the meaning of others."""
    return _flagged(type_name, "modifier")

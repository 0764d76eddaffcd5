"""SMART scopes for programs: `system/Patient.read`, `system/*.rs` (SMART App Launch 2.2, §5 scopes). Pure.

Reading is one permission here and writing is another: a scope that asks for a part of one (`.r`, `.cu`) or for some
resources of a type (`?category=…`) is not understood, so it grants nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

from continuum.fhir.types import TYPE_IDS, TYPES

_READS = frozenset({"read", "rs", "*", "cruds"})
_WRITES = frozenset({"write", "cud", "*", "cruds"})


@dataclass(frozen=True, slots=True)
class ScopeGranted:
    """The types that one scope opens, and what for."""

    types: tuple[str, ...]
    read: bool
    write: bool


@lru_cache(maxsize=1_024)
def scope(text: str) -> ScopeGranted | None:
    """One scope of a program; None when it is not one that we grant."""
    context, _, rest = text.partition("/")
    kind, _, permission = rest.partition(".")
    if context != "system" or permission not in _READS | _WRITES or (kind != "*" and kind not in TYPE_IDS):
        return None
    types = TYPES if kind == "*" else (kind,)
    return ScopeGranted(types, permission in _READS, permission in _WRITES)


def granted(asked: str, allowed: str) -> str:
    """The scopes of a token: those asked for that the registration covers, as they were asked for.

    Of a wildcard that is wider than the registration, the registered scopes that lie within it.
    """
    may = {text: found for text in allowed.split() if (found := scope(text)) is not None}
    given: list[str] = []
    for text in asked.split():
        wanted = scope(text)
        if wanted is None:
            continue
        if _covered(wanted, list(may.values())):
            given.append(text)
        else:
            given += [name for name, one in may.items() if _covered(one, [wanted])]
    return " ".join(dict.fromkeys(given))


def _covered(wanted: ScopeGranted, by: list[ScopeGranted]) -> bool:
    """Whether every type is open, for everything that is wanted."""
    read = {name for one in by if one.read for name in one.types}
    write = {name for one in by if one.write for name in one.types}
    types = set(wanted.types)
    return (not wanted.read or types <= read) and (not wanted.write or types <= write)

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
    """The scopes of a token: what is asked for, as far as the registration covers it.

    What is covered whole is given as it was asked for; of anything wider, the part that is covered.
    """
    may = [found for text in allowed.split() if (found := scope(text)) is not None]
    read = {name for one in may if one.read for name in one.types}
    write = {name for one in may if one.write for name in one.types}
    given: list[str] = []
    for text in asked.split():
        wanted = scope(text)
        if wanted is None:
            continue
        types = set(wanted.types)
        if (not wanted.read or types <= read) and (not wanted.write or types <= write):
            given.append(text)
        else:
            given += _some(types & read, "rs") if wanted.read else []
            given += _some(types & write, "cud") if wanted.write else []
    return " ".join(dict.fromkeys(given))


def _some(types: set[str], permission: str) -> list[str]:
    if len(types) == len(TYPES):
        return [f"system/*.{permission}"]
    return [f"system/{name}.{permission}" for name in sorted(types)]

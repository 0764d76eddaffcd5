"""Whether a resource is structurally right R4: a fast yes, or a slow no with reasons and places.

The generated functions answer "certainly right" in microseconds. Whatever they do not pass is read again by the
reporter, which knows the rare forms too (a null beside an extension) and says what is wrong and where.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from continuum.fhir.report import report
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import Issue

_checkers: dict[str, Callable[[Any], bool]] = {}


def certainly_valid(resource: Any) -> bool:
    """True when the resource is right; False when it is wrong or unusual."""
    if resource.__class__ is not dict:
        return False
    name = resource.get("resourceType")
    if not isinstance(name, str):
        return False
    checker = _checkers.get(name)
    if checker is None:
        if name not in TYPE_IDS:
            return False
        module = import_module(f"continuum.fhir._generated.validate_{name.lower()}")
        checker = _checkers[name] = module.ok
    return checker(resource)


def validate(resource: dict[str, Any]) -> list[Issue]:
    """The structural errors of a resource, at most ISSUES_MAX, each with its FHIRPath location; none when right."""
    if certainly_valid(resource):
        return []
    return report(resource)

"""Says what is wrong in a resource and where, by reading the compiled facts: slow, thorough, in plain words."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import Any

from continuum.fhir import primitives
from continuum.fhir.structure import choice_names, elements, facts
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import Issue
from continuum.kernel.limits import ISSUES_MAX

_WORDS = {
    "boolean": "true or false",
    "string": "text that is not empty, without control characters, of at most 1 MB",
    "markdown": "text that is not empty, without control characters, of at most 1 MB",
    "code": "a code: text without space at its ends and without double spaces",
    "id": "an id: 1 to 64 letters, digits, '-' and '.'",
    "uri": "a URI without spaces",
    "url": "a URL without spaces",
    "canonical": "a canonical URL without spaces",
    "oid": "an OID such as urn:oid:2.16.840.1.113883",
    "uuid": "a UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "integer": "a whole number of 32 bits",
    "unsignedInt": "a whole number from 0",
    "positiveInt": "a whole number from 1",
    "decimal": "a number",
    "base64Binary": "base64",
    "date": "a date of the calendar such as 2026, 2026-11 or 2026-11-23",
    "dateTime": "a date such as 2026-11-23, or an instant with its zone such as 2026-11-23T06:00:00Z",
    "instant": "an instant with its zone such as 2026-11-23T06:00:00.000Z",
    "time": "a time of day such as 06:30:00",
    "xhtml": "a well-formed <div> of simple HTML, without scripts, forms, frames, comments with > or event handlers",
}
_ELEMENT: Mapping[str, Any] = {"id": {"types": ["string"]}, "extension": {"types": ["Extension"], "many": True}}


class _Full(Exception):
    """Enough has been said."""


def report(resource: Any) -> list[Issue]:
    """The structural errors, at most ISSUES_MAX."""
    issues: list[Issue] = []
    with suppress(_Full):
        _resource(resource, "", issues, contained=False)
    return issues


def _say(issues: list[Issue], code: str, text: str, at: str) -> None:
    issues.append(Issue(code, text, (at,) if at else ()))
    if len(issues) >= ISSUES_MAX:
        raise _Full


def _resource(value: Any, at: str, issues: list[Issue], *, contained: bool) -> None:
    name = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(name, str) or name not in TYPE_IDS:
        text = "A resource is an object with a resourceType that FHIR R4 knows."
        _say(issues, "structure", text, at or "resourceType")
        return
    place = at or name
    if contained:
        if "id" not in value:
            _say(issues, "required", "A contained resource needs an id, so that it can be referred to.", f"{place}.id")
        if "contained" in value:
            _say(issues, "structure", "A contained resource cannot contain others.", f"{place}.contained")
    _object(value, name, place, issues, skip="resourceType")


@lru_cache(maxsize=1_024)
def _names(type_name: str) -> tuple[Mapping[str, tuple[str, str, Mapping[str, Any]]], tuple[str, ...]]:
    """JSON name → (element, type, fact) of a type's elements, choices spread out; and those that must be there."""
    members = _ELEMENT if type_name == "Element" else elements(type_name)
    names: dict[str, tuple[str, str, Mapping[str, Any]]] = {}
    for name, fact in members.items():
        if name.endswith("[x]"):
            names.update({one: (name, kind, fact) for one, kind in choice_names(name, fact["types"]).items()})
        else:
            names[name] = (name, fact["types"][0] if fact["types"] else "Resource", fact)
    return names, tuple(name for name, fact in members.items() if fact.get("min"))


def _object(value: Any, type_name: str, at: str, issues: list[Issue], *, skip: str = "") -> None:
    if not isinstance(value, dict):
        _say(issues, "structure", f"Here belongs an object ({type_name}), not {_kind(value)}.", at)
        return
    if not value:
        _say(issues, "structure", "An object cannot be empty; leave the element out.", at)
        return
    names, needed = _names(type_name)
    seen: dict[str, str] = {}
    for json_name, content in value.items():
        if json_name == skip:
            continue
        plain = json_name.removeprefix("_")
        found = names.get(plain)
        if found is None or (json_name != plain and found[1] not in _WORDS):
            _say(issues, "structure", f"{type_name} has no element {json_name}.", f"{at}.{json_name}")
            continue
        group, kind, fact = found
        if group in seen and seen[group] != plain:
            text = f"Only one of {seen[group]} and {plain} can stand here."
            _say(issues, "structure", text, f"{at}.{json_name}")
        seen[group] = plain
        _element(value, json_name, content, kind, fact, f"{at}.{plain}", issues)
    for name in needed:
        if name not in seen:
            _say(issues, "required", f"{type_name}.{name} is missing.", f"{at}.{name.removesuffix('[x]')}")
    if type_name == "Extension" and ("extension" in value) is ("value[x]" in seen):
        _say(issues, "invariant", "An extension has either a value or extensions of its own.", at)


def _element(
    owner: Mapping[str, Any],
    json_name: str,
    content: Any,
    kind: str,
    fact: Mapping[str, Any],
    at: str,
    issues: list[Issue],
) -> None:
    """One member of an object: a value, an array, or the sibling (`_name`) of a primitive."""
    sibling = json_name.startswith("_")
    if fact.get("many"):
        if not isinstance(content, list) or not content:
            _say(issues, "structure", "Here belongs a list with at least one value.", at)
            return
        other = owner.get(json_name[1:] if sibling else f"_{json_name}")
        if sibling and isinstance(other, list) and len(other) != len(content):
            _say(issues, "structure", f"{json_name} must be as long as the list beside it.", at)
        for number, one in enumerate(content):
            place = f"{at}[{number}]"
            if one is None:
                # A null holds the place of a value that has only extensions, or of extensions that are not there.
                beside = other[number] if isinstance(other, list) and number < len(other) else None
                if kind not in _WORDS or beside is None:
                    _say(issues, "structure", "A null stands here with nothing beside it.", place)
            elif sibling:
                _object(one, "Element", place, issues)
            else:
                _value(one, kind, fact, place, issues)
        return
    if isinstance(content, list):
        _say(issues, "structure", "Here belongs one value, not a list.", at)
    elif sibling:
        _object(content, "Element", at, issues)
    else:
        _value(content, kind, fact, at, issues)


def _value(value: Any, kind: str, fact: Mapping[str, Any], at: str, issues: list[Issue]) -> None:
    if kind in _WORDS:
        if not getattr(primitives, f"is_{kind}")(value):
            _say(issues, "value", f"Here belongs {_WORDS[kind]}, not {_shown(value)}.", at)
            return
    elif kind == "Resource":
        contained = at.rpartition(".")[2].startswith("contained[")
        _resource(value, at, issues, contained=contained)
        return
    else:
        _object(value, kind, at, issues)
    if "codes" in fact:
        _bound(value, kind, fact["codes"], at, issues)
    if kind == "Reference" and isinstance(value, dict) and fact.get("targets"):
        _target(value, fact["targets"], at, issues)


def _bound(value: Any, kind: str, url: str, at: str, issues: list[Issue]) -> None:
    codes = facts()["value_sets"][url]
    listed = ", ".join(codes[:20]) + (" …" if len(codes) > 20 else "")
    if kind == "code":
        if value not in codes:
            _say(issues, "code-invalid", f"The code {_shown(value)} is not one of: {listed}.", at)
    elif isinstance(value, dict) and kind in {"Coding", "CodeableConcept"}:
        by_system = facts()["concepts"][url]
        concepts = frozenset((system, code) for system in by_system for code in by_system[system])
        try:
            check = primitives.is_bound_coding if kind == "Coding" else primitives.is_bound_concept
            fits = check(value, concepts)
        except (TypeError, AttributeError, KeyError):
            return  # its structure is wrong, and that has been said
        if not fits:
            systems = ", ".join(by_system)
            _say(issues, "code-invalid", f"A code must be one of: {listed}; with the system {systems}.", at)


def _target(value: Mapping[str, Any], targets: list[str], at: str, issues: list[Issue]) -> None:
    allowed = ", ".join(targets)
    kind = value.get("type")
    if isinstance(kind, str) and kind.removeprefix(primitives.DEFINITIONS) not in targets:
        _say(issues, "structure", f"This names a {_shown(kind)}; allowed are: {allowed}.", f"{at}.type")
    text = value.get("reference")
    if isinstance(text, str):
        named = primitives.target_type(text)
        if named and named not in targets:
            _say(issues, "structure", f"This refers to a {named}; allowed are: {allowed}.", f"{at}.reference")


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"

"""Which codes a value set holds, and which lie above or below a code, from ValueSet and CodeSystem resources. Pure.

What is read: `ValueSet.compose` with concepts, filters, whole systems, other value sets and what is excluded (R4
ValueSet §4.9), else a whole `expansion`; `CodeSystem.concept` nested, and its properties `parent`, `child` and
`subsumedBy` (R4 CodeSystem §4.8). A code is compared with case.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from continuum.fhir.limits import VALUE_SET_DEPTH_MAX
from continuum.kernel.errors import UnusableParameter

Resource = dict[str, Any]
Member = tuple[str, str | None]
"""A code system's URL ("" where there is none) and a code of it, or None: all of its codes."""
Members = frozenset[Member]

_PARENTS = frozenset({"parent", "subsumedBy"})
_NO_MEANING = frozenset({"grouped-by", "part-of"})
"""Of CodeSystem.hierarchyMeaning: what is nested is listed there, or is a part, and is not of that kind."""


@dataclass(slots=True)
class Hierarchy:
    """The concepts of a code system."""

    url: str
    complete: bool
    """Whether all of its codes are here."""
    properties: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Code → (property, value as text); every code is here."""
    parents: dict[str, set[str]] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)

    def below(self, code: str) -> set[str]:
        """The code and all that it subsumes."""
        return _closure(code, self.children)

    def above(self, code: str) -> set[str]:
        """The code and all that subsume it."""
        return _closure(code, self.parents)


def _closure(code: str, steps: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {code}, [code]
    while waiting:
        new = steps.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def hierarchy_of(code_system: Resource) -> Hierarchy:
    """The concepts of a CodeSystem. Codes nested in others are subsumed by them, unless it says that they are not."""
    nests = code_system.get("hierarchyMeaning") not in _NO_MEANING
    found = Hierarchy(code_system.get("url", ""), code_system.get("content") == "complete")
    waiting: list[tuple[str | None, Resource]] = [(None, one) for one in code_system.get("concept", ())]
    while waiting:
        parent, concept = waiting.pop()
        code = concept.get("code", "")
        told = found.properties.setdefault(code, [])
        if parent is not None and nests:
            _link(found, parent, code)
        for one in concept.get("property", ()):
            name, value = one.get("code", ""), _text(one)
            told.append((name, value))
            if name in _PARENTS:
                _link(found, value, code)
            elif name == "child":
                _link(found, code, value)
        waiting += [(code, child) for child in concept.get("concept", ())]
    return found


def _link(hierarchy: Hierarchy, parent: str, child: str) -> None:
    hierarchy.parents.setdefault(child, set()).add(parent)
    hierarchy.children.setdefault(parent, set()).add(child)


def _text(told: Resource) -> str:
    for name, value in told.items():
        if name == "valueCoding":
            return str(value.get("code", ""))
        if name.startswith("value"):
            return str(value).lower() if isinstance(value, bool) else str(value)
    return ""


def systems_of(value_set: Resource) -> Iterator[str]:
    """The code systems whose concepts have to be known to tell what the set holds."""
    compose = value_set.get("compose", {})
    excludes = bool(compose.get("exclude"))
    for part in (*compose.get("include", ()), *compose.get("exclude", ())):
        whole = "concept" not in part and "filter" not in part
        if "system" in part and ("filter" in part or (whole and excludes)):
            yield part["system"]


def sets_of(value_set: Resource) -> Iterator[str]:
    """The canonical URLs of other value sets that it is made of."""
    compose = value_set.get("compose", {})
    for part in (*compose.get("include", ()), *compose.get("exclude", ())):
        yield from part.get("valueSet", ())


@dataclass(frozen=True, slots=True)
class Terminology:
    """What is known: value sets and code systems by the URL that they were asked for."""

    sets: Mapping[str, Resource]
    systems: Mapping[str, Hierarchy]

    def members(self, url: str, depth: int = 1) -> Members:
        """What a value set holds.

        Raises:
            UnusableParameter: it is not here, or what it is made of is not; the words say which.
        """
        if depth > VALUE_SET_DEPTH_MAX:
            raise UnusableParameter(f"The value set {url} is made of others more than {VALUE_SET_DEPTH_MAX} deep.")
        value_set = self.sets.get(url)
        if value_set is None:
            raise UnusableParameter(f"There is no value set {url} here; load it, for instance by `continuum import`.")
        expansion = value_set.get("expansion", {})
        whole = bool(expansion) and "offset" not in expansion
        if "compose" not in value_set:
            if whole:
                return frozenset(_listed(expansion.get("contains", ())))
            raise UnusableParameter(f"The value set {url} does not say what it holds.")
        try:
            return self._composed(value_set["compose"], depth)
        except UnusableParameter:
            if whole:  # its maker knew the code systems that are not here
                return frozenset(_listed(expansion.get("contains", ())))
            raise

    def _composed(self, compose: Resource, depth: int) -> Members:
        held = frozenset[Member]().union(*(self._part(one, depth) for one in compose.get("include", ())))
        for one in compose.get("exclude", ()):
            held = self._without(held, self._part(one, depth))
        return held

    def _part(self, part: Resource, depth: int) -> Members:
        """An include or exclude: what its system says and all of its value sets hold."""
        parts = [self.members(url, depth + 1) for url in part.get("valueSet", ())]
        system = part.get("system")
        if system is not None:
            if "concept" in part:
                parts.append(frozenset((system, one["code"]) for one in part["concept"]))
            elif "filter" in part:
                codes = set(self.system(system).properties)
                for one in part["filter"]:
                    codes &= self._filtered(system, one)
                parts.append(frozenset((system, code) for code in codes))
            else:
                parts.append(frozenset({(system, None)}))
        if not parts:
            return frozenset()
        held, *others = parts
        for other in others:
            held = _both(held, other)
        return held

    def system(self, url: str) -> Hierarchy:
        """The concepts of a code system. Raises UnusableParameter when they are not all here."""
        found = self.systems.get(url)
        if found is None or not found.complete:
            raise UnusableParameter(
                f"The codes of {url} and their order are not here; load its CodeSystem with all concepts,"
                " for instance by `continuum import`."
            )
        return found

    def _filtered(self, system: str, asked: Resource) -> set[str]:
        hierarchy = self.system(system)
        name, operator, value = asked.get("property", ""), asked.get("op", ""), asked.get("value", "")
        form = _FILTERS.get(operator)
        if form is None:
            raise UnusableParameter(f"The filter {operator} of a value set over {system} cannot be read here.")
        return form(hierarchy, name, value)

    def _without(self, held: Members, less: Members) -> Members:
        whole = {system for system, code in less if code is None}
        kept = {member for member in held if member[0] not in whole and member not in less}
        touched = {system for system, _ in less}
        for system in [system for system, code in kept if code is None and system in touched]:
            kept.discard((system, None))
            kept |= {(system, code) for code in self.system(system).properties if (system, code) not in less}
        return frozenset(kept)

    def below(self, members: Iterable[Member]) -> Members:
        """The members and all that they subsume."""
        return self._related(members, lambda hierarchy, code: hierarchy.below(code))

    def above(self, members: Iterable[Member]) -> Members:
        """The members and all that subsume them."""
        return self._related(members, lambda hierarchy, code: hierarchy.above(code))

    def _related(self, members: Iterable[Member], of: Callable[[Hierarchy, str], set[str]]) -> Members:
        found: set[Member] = set()
        for system, code in members:
            if code is None:
                found.add((system, None))
            else:
                found |= {(system, one) for one in of(self.system(system), code)}
        return frozenset(found)


def _listed(contains: Iterable[Resource]) -> Iterator[Member]:
    """What an expansion lists; a heading that cannot be chosen holds only what is under it."""
    waiting = list(contains)
    while waiting:
        one = waiting.pop()
        if "code" in one and not one.get("abstract"):
            yield one.get("system", ""), one["code"]
        waiting += one.get("contains", ())


def _both(one: Members, other: Members) -> Members:
    wide = {system for system, code in one if code is None}
    also_wide = {system for system, code in other if code is None}
    return frozenset(
        {member for member in one if member in other or member[0] in also_wide}
        | {member for member in other if member[0] in wide}
    )


def _having(hierarchy: Hierarchy, name: str, holds: Callable[[str], bool]) -> set[str]:
    """The codes of which a property fulfils something; the code itself is the property `code` (or `concept`)."""
    if name in {"code", "concept"}:
        return {code for code in hierarchy.properties if holds(code)}
    return {code for code, told in hierarchy.properties.items() if any(one == name and holds(v) for one, v in told)}


def _split(value: str) -> set[str]:
    return {one.strip() for one in value.split(",")}


_FILTERS: dict[str, Callable[[Hierarchy, str, str], set[str]]] = {
    "=": lambda hierarchy, name, value: _having(hierarchy, name, lambda found: found == value),
    "in": lambda hierarchy, name, value: _having(hierarchy, name, lambda found: found in _split(value)),
    "not-in": lambda hierarchy, name, value: (
        set(hierarchy.properties) - _having(hierarchy, name, lambda found: found in _split(value))
    ),
    "exists": lambda hierarchy, name, value: (
        _having(hierarchy, name, lambda _: True)
        if value == "true"
        else set(hierarchy.properties) - _having(hierarchy, name, lambda _: True)
    ),
    "is-a": lambda hierarchy, _, value: hierarchy.below(value),
    "descendent-of": lambda hierarchy, _, value: hierarchy.below(value) - {value},
    "is-not-a": lambda hierarchy, _, value: set(hierarchy.properties) - hierarchy.below(value),
    "generalizes": lambda hierarchy, _, value: hierarchy.above(value),
}
"""The filters of R4's FilterOperator but `regex`, which a stranger's pattern could make endless."""

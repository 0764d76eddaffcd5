"""`_filter` (R4 §3.1.3): logic over tests of search parameters, read into the clauses that other criteria become. Pure.

`and` and `or` have no precedence: they are taken from left to right, as R4 says. Names, values and chains are those of
the parameters themselves; tokens are compared as everywhere here, with case.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from continuum.fhir.query import AllOf, AnyOf, Clause, Criterion, Negation, SearchParam
from continuum.fhir.search_params import param, params
from continuum.kernel.errors import Malformed, UnusableParameter
from continuum.kernel.limits import FILTER_DEPTH_MAX, FILTER_TESTS_MAX

Read = Callable[[str, str, str], Clause]
"""Reads one criterion: type, name with modifier, text with escapes."""
Chained = Callable[[SearchParam, str, str, Callable[[str], Clause]], Clause]
"""Follows a reference: parameter, type or "", the name asked of its target, what makes the clause for a type."""

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(?::[A-Za-z_][A-Za-z0-9_\-]*)*")
_WORD = re.compile(r"[A-Za-z]+")
_TOKEN = re.compile(r"[^\s)\]]+")
_ESCAPE_OR_COMMA = re.compile(r"(\\.)|,", re.DOTALL)
_MARKS = ",$|\\"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')

PREFIXED = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb"})
OPERATORS: dict[str, frozenset[str]] = {
    "string": frozenset({"eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le"}),
    "token": frozenset({"eq", "ne", "in", "ni", "sb", "ss"}),
    "reference": frozenset({"re", "eq", "ne"}),
    "date": PREFIXED | {"po", "co"},
    "number": PREFIXED | {"co"},
    "quantity": PREFIXED,
    "uri": frozenset({"eq", "ne", "sw"}),
    "composite": frozenset({"eq", "ne"}),
    "words": frozenset({"eq", "co"}),
    "special": frozenset({"eq"}),
}
"""The operators that each kind of parameter takes; every kind but words also takes `pr`."""
_KINDS = {"words": "searched by words"}
"""How a kind of parameter is called in a sentence, where it is not "a" and its name."""
PRESENT = frozenset({"pr"})
"""Whether there is a value at all."""
_OF_CODES = {"in": "in", "ni": "in", "ss": "above", "sb": "below"}
"""Operators that ask what a value set holds, or which code is above another, as modifiers of a token."""
SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ucum": "http://unitsofmeasure.org",
}
"""Short names that `_filter` gives to code systems."""
PAIRS = {
    ("Group", "characteristic"): ("code", {"value": "characteristic-value"}),
    ("DocumentReference", "relatesTo"): ("code", {"target": "relationship"}),
}
"""Names of `_filter` alone, whose filter and chained name are the two sides of a composite: `a[code eq x].value`."""
_STRING_MODIFIERS = {"eq": "equal", "ne": "unequal", "co": "contains", "sw": "", "ew": "ends"}


@dataclass(frozen=True, slots=True)
class _Test:
    path: "tuple[tuple[str, _Node | None], ...]"
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class _Logic:
    """operator: and, or, not."""

    operator: str
    parts: "tuple[_Node, ...]"


_Node = _Test | _Logic


class _Scanner:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.tests = 0

    def refuse(self, wanted: str) -> UnusableParameter:
        rest = self.text[self.at : self.at + 20] or "its end"
        return UnusableParameter(f"_filter: {wanted} is expected at character {self.at + 1}, before {rest!r}.")

    def take(self, pattern: re.Pattern[str]) -> str:
        """What the pattern matches here, after any space; empty when it does not."""
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches anywhere
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def peek(self, pattern: re.Pattern[str]) -> str:
        at = self.at
        found = self.take(pattern)
        self.at = at
        return found

    def mark(self, char: str) -> bool:
        """Whether the character stands here; it is then passed."""
        return bool(self.take(re.compile(re.escape(char))))

    def filter(self, depth: int) -> _Node:
        if depth > FILTER_DEPTH_MAX:
            raise Malformed(f"A _filter is at most {FILTER_DEPTH_MAX} brackets deep.")
        node = self.term(depth)
        while (word := self.peek(_WORD)) in {"and", "or"}:
            self.take(_WORD)
            right = self.term(depth)
            if isinstance(node, _Logic) and node.operator == word:
                node = _Logic(word, (*node.parts, right))
            else:
                node = _Logic(word, (node, right))
        return node

    def term(self, depth: int) -> _Node:
        if self.mark("("):
            return self.bracketed(depth)
        at = self.at
        if self.take(_NAME) == "not" and self.mark("("):
            return _Logic("not", (self.bracketed(depth),))
        self.at = at
        return self.test(depth)

    def bracketed(self, depth: int) -> _Node:
        node = self.filter(depth + 1)
        if not self.mark(")"):
            raise self.refuse("a closing bracket, `and` or `or`")
        # Brackets keep what is inside together: (a and b) and c is read as it is written.
        return node if isinstance(node, _Test) else _Logic("and", (node,))

    def test(self, depth: int) -> _Test:
        self.tests += 1
        if self.tests > FILTER_TESTS_MAX:
            raise Malformed(f"A _filter has at most {FILTER_TESTS_MAX} tests.")
        path: list[tuple[str, _Node | None]] = []
        while True:
            name = self.take(_NAME)
            if not name:
                raise self.refuse("the name of a search parameter")
            inner = None
            if self.mark("["):
                inner = self.filter(depth + 1)
                if not self.mark("]"):
                    raise self.refuse("a closing ], `and` or `or`")
            path.append((name, inner))
            if not self.mark("."):
                break
        operator = self.take(_WORD)
        if not operator:
            raise self.refuse("an operator such as eq, co or ge")
        return _Test(tuple(path), operator, self.value())

    def value(self) -> str:
        if self.peek(re.compile('"')):
            written = self.take(_STRING)
            try:
                return str(json.loads(written))
            except ValueError as error:
                raise self.refuse("a JSON string with its closing quotes") from error
        found = self.take(_TOKEN)
        if not found:
            raise self.refuse("a value")
        return found


def parse_filter(resource_type: str, text: str, read: Read, chained: Chained) -> Clause:
    """The clause that a `_filter` on a type is.

    Raises:
        UnusableParameter: it is not written as R4 says, or asks what cannot be answered; the words say where.
        Malformed: more than the named limits.
    """
    scanner = _Scanner(text)
    node = scanner.filter(1)
    if scanner.take(re.compile(r".", re.DOTALL)):
        scanner.at -= 1
        raise scanner.refuse("`and`, `or` or the end")
    return _Compiler(read, chained).clause(resource_type, node)


@dataclass(frozen=True, slots=True)
class _Compiler:
    read: Read
    chained: Chained

    def clause(self, resource_type: str, node: _Node) -> Clause:
        if isinstance(node, _Test):
            return self.test(resource_type, node.path, node)
        parts = tuple(self.clause(resource_type, part) for part in node.parts)
        if node.operator == "not":
            return Negation(parts[0])
        if len(parts) == 1:
            return parts[0]
        return AllOf(parts) if node.operator == "and" else AnyOf(parts)

    def test(self, resource_type: str, path: tuple[tuple[str, _Node | None], ...], test: _Test) -> Clause:
        (name, inner), rest = path[0], path[1:]
        if not rest and inner is None:
            return self.compare(resource_type, name, test)
        if (resource_type, name) in PAIRS:
            return self.pair(resource_type, name, inner, rest, test)
        code, _, modifier = name.partition(":")
        found = param(resource_type, code)
        if found is None:
            raise UnusableParameter(_unknown(resource_type, code))
        if not rest:
            raise UnusableParameter(f"_filter: {name}[…] is followed by a dot and what is asked of {name}.")

        def of_target(target: str) -> Clause:
            asked = self.test(target, rest, test)
            return asked if inner is None else AllOf((self.clause(target, inner), asked))

        return self.chained(found, modifier, rest[0][0].partition(":")[0], of_target)

    def pair(
        self,
        resource_type: str,
        name: str,
        inner: _Node | None,
        rest: tuple[tuple[str, _Node | None], ...],
        test: _Test,
    ) -> Clause:
        """`characteristic[code eq x].value eq y` is the composite characteristic-value=x$y."""
        key, names = PAIRS[resource_type, name]
        asked = rest[0][0] if len(rest) == 1 and rest[0][1] is None else ""
        known = isinstance(inner, _Test) and inner.path == ((key, None),) and inner.operator == "eq"
        if not known or asked not in names or test.operator not in {"eq", "re"}:
            (side,) = names
            raise UnusableParameter(f"_filter: {name} is written {name}[{key} eq …].{side} eq ….")
        assert isinstance(inner, _Test), "known says so"
        first, second = _escaped(inner.value, "$,\\"), _escaped(test.value, "$,\\")
        code = names[asked]
        components = [part for part, _ in (param(resource_type, code) or _missing(code)).components]
        both = f"{first}${second}" if components[0] in {"characteristic", "relation"} else f"{second}${first}"
        return self.read(resource_type, code, both)

    def compare(self, resource_type: str, name: str, test: _Test) -> Clause:
        if name.startswith("_has:"):
            head, _, code = name.rpartition(":")
            source = head.split(":")[1]
            kind = (param(source, code) or _missing(code)).kind
            return self.read(resource_type, name, _written(kind, test.operator, test.value))
        name = "_id" if name == "id" else name
        found = param(resource_type, name)
        if found is None:
            raise UnusableParameter(_unknown(resource_type, name))
        operator, value = test.operator, test.value
        valid = ", ".join(sorted(OPERATORS[found.kind] | (PRESENT if found.kind != "words" else set())))
        if operator in PRESENT and found.kind != "words":
            if value not in {"true", "false"}:
                raise UnusableParameter(f"_filter: {name} pr is followed by true or false, not {value!r}.")
            return self.read(resource_type, f"{name}:missing", "false" if value == "true" else "true")
        if operator not in OPERATORS[found.kind]:
            raise UnusableParameter(
                f"_filter: {name} is {_KINDS.get(found.kind, f'a {found.kind}')} and does not take {operator};"
                f" it takes {valid}."
            )
        return self.kinds(resource_type, found, operator, value)

    def kinds(self, resource_type: str, found: SearchParam, operator: str, value: str) -> Clause:
        code, kind = found.code, found.kind
        if kind == "string":
            read = self.read(resource_type, code, _escaped(value, ",$|\\"))
            return _with(read, modifier=_STRING_MODIFIERS.get(operator, operator))
        if kind == "date" and operator in {"po", "co"}:
            return _with(self.read(resource_type, code, value), prefix="ap" if operator == "po" else "co")
        if kind == "number" and operator == "co":
            return _with(self.read(resource_type, code, value), prefix="co")
        if kind == "uri" and operator == "sw":
            return self.read(resource_type, f"{code}:below", _escaped(value, ",$|\\"))
        if kind == "token" and operator in _OF_CODES:
            read = self.codes(resource_type, code, _OF_CODES[operator], value)
            return self.other(resource_type, code, read) if operator == "ni" else read
        read = self.read(resource_type, code, _written(kind, operator, value))
        if operator == "ne" and kind not in {"date", "number", "quantity"}:
            return self.other(resource_type, code, read)
        return read

    def other(self, resource_type: str, code: str, read: Clause) -> Clause:
        """There is a value, and none for which the clause holds."""
        return AllOf((self.read(resource_type, f"{code}:missing", "false"), Negation(read)))

    def codes(self, resource_type: str, code: str, modifier: str, value: str) -> Clause:
        """`sb` and `ss` take a code, written with its system, or a value set: what is below or above any code of it."""
        if modifier == "in" or "|" in value:
            written = _escaped(value, ",$|\\") if modifier == "in" else _written("token", "eq", value)
            return self.read(resource_type, f"{code}:{modifier}", written)
        return _with(self.read(resource_type, f"{code}:in", _escaped(value, ",$|\\")), modifier=modifier)


def _missing(code: str) -> SearchParam:
    raise UnusableParameter(f"_filter: there is no search parameter {code!r} there.")


def _with(clause: Clause, *, modifier: str | None = None, prefix: str | None = None) -> Clause:
    """A criterion asked in a way that only `_filter` knows."""
    assert isinstance(clause, Criterion), "one parameter is one criterion"
    if modifier is not None:
        clause = replace(clause, modifier=modifier)
    if prefix is not None:
        clause = replace(clause, values=tuple(replace(value, prefix=prefix) for value in clause.values))
    return clause


def _written(kind: str, operator: str, value: str) -> str:
    """A value as the parameter itself takes it. In a filter a comma or a backslash is nothing but itself."""
    if kind in {"date", "number", "quantity"}:
        first, bar, rest = value.partition("|")
        if bar and kind == "quantity":
            system, _, unit = rest.partition("|")
            value = f"{first}|{SYSTEMS.get(system, system)}|{unit}"
        return _escaped(f"{operator}{value}", ",\\")
    if kind == "token":
        system, bar, code = value.partition("|")
        if not bar:
            return _escaped(value, ",$\\")
        return f"{_escaped(SYSTEMS.get(system, system), _MARKS)}|{_escaped(code, _MARKS)}"
    if kind == "composite":  # its parts are written as they are without a filter, with their own escapes
        return _ESCAPE_OR_COMMA.sub(lambda found: found[1] or "\\,", value)
    return _escaped(value, ",|\\" if kind == "uri" else ",\\")


def _escaped(text: str, marks: str) -> str:
    return "".join(f"\\{char}" if char in marks else char for char in text)


def _unknown(resource_type: str, code: str) -> str:
    known = ", ".join(sorted(params(resource_type)))
    return f"_filter: {resource_type} has no search parameter {code!r}. It has: {known}."

"""The little FHIRPath that search parameters are written in, compiled to paths of JSON names."""

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from r4_packages import ROOT

sys.path.insert(0, str(ROOT / "src"))
from continuum.fhir.types import TYPES

PACKAGE = "hl7.fhir.r4.examples@4.0.1"
Step = list[Any]
"""[JSON name, is a list, test]; a test is None, ["eq", name, value] or ["ref", type].

A list of which only the first is meant (`entry[0]`) says FIRST. The step WHOLE begins at the resource again."""
WHOLE = "%resource"
FIRST = "first"
Path = list[Any]
"""[steps, data type, system that a code belongs to or ""]."""
Node = tuple[list[Step], str, str, str]
"""(steps, data type, system, where its children are defined)."""

KIND_TYPES = {
    "token": {
        "code", "boolean", "string", "id", "uri", "oid", "Coding", "CodeableConcept", "Identifier", "ContactPoint",
        "canonical", "url", "uuid", "markdown", "integer", "positiveInt",
    },
    "reference": {"Reference", "canonical", "uri", "url"},
    "string": {"string", "markdown", "HumanName", "Address", "code", "id"},
    "date": {"date", "dateTime", "instant", "Period", "Timing"},
    "number": {"integer", "decimal", "positiveInt", "unsignedInt", "Range"},
    "quantity": {"Quantity", "Age", "Duration", "Money", "Count", "Distance", "Range", "SampledData"},
    "uri": {"uri", "url", "canonical", "oid", "uuid"},
    "special": {"BackboneElement"},
}  # fmt: skip
"""The data types from which each kind of parameter takes values."""
WITHOUT_VALUE = {
    ("date", "string"): "an onset or a schedule in words has no place in time",
    ("date", "Age"): "an age is no date",
    ("date", "Range"): "an age is no date",
    ("token", "Quantity"): "the value of a group's characteristic is asked for as a code",
    ("token", "Range"): "as above",
    ("token", "Reference"): "as above",
    ("reference", "Attachment"): "what is attached has no address of ours",
}
"""Data types at the end of an expression from which the kind takes nothing, with the reason."""

_NOT_OURS = re.compile(r"SearchParameter-(example|.*-extensions-|device-|diagnosticreport-genetic|observation-genetic)")
_MISSPELT = {"DateTime": "dateTime"}
"""Names in expressions of R4 that are none of a data type, and those that are meant (Observation code-value-date)."""
_GENERAL_QUANTITIES = {"SimpleQuantity", "Age", "Duration", "Count", "Distance", "Money"}


def resource_types() -> tuple[str, ...]:
    """All concrete resource types."""
    return TYPES


class Definitions:
    """What is needed of the specification's package."""

    def __init__(self, files: Callable[[str], Iterator[tuple[str, Any]]]) -> None:
        self.elements: dict[str, dict[str, Any]] = {}
        self.value_sets: dict[str, Any] = {}
        self.params: list[dict[str, Any]] = []
        self.compartments: dict[str, dict[str, list[str]]] = {}
        structures = []
        for name, resource in files(PACKAGE):
            if name.startswith("StructureDefinition-") and resource.get("derivation") != "constraint":
                structures.append(resource)
            elif name.startswith("ValueSet-"):
                self.value_sets[resource.get("url", "")] = resource
            elif name.startswith("SearchParameter-") and not _NOT_OURS.match(name):
                self.params.append(resource)
            elif name.startswith("CompartmentDefinition-") and "example" not in name:
                self.compartments[resource["code"]] = {
                    entry["code"]: entry["param"] for entry in resource["resource"] if entry.get("param")
                }
        for structure in structures:
            self._read(structure)

    def _read(self, structure: dict[str, Any]) -> None:
        for element in structure.get("snapshot", {}).get("element", []):
            codes = [kind["code"] for kind in element.get("type", [])]
            binding = element.get("binding", {})
            required = binding.get("strength") == "required"
            self.elements[element["path"]] = {
                "types": ["string" if code.startswith("http") else code for code in codes],
                "many": element.get("max") not in {"0", "1"},
                "content": element.get("contentReference", "").lstrip("#"),
                "system": self._system(binding.get("valueSet", "")) if required else "",
            }

    def _system(self, url: str) -> str:
        """The one code system of a value set, or ""."""
        value_set = self.value_sets.get(url.partition("|")[0], {})
        systems = {include.get("system") for include in value_set.get("compose", {}).get("include", [])}
        return (systems.pop() or "") if len(systems) == 1 else ""

    def child(self, base: str, name: str) -> list[tuple[str, str, bool, str, str]]:
        """(JSON name, type, is a list, system, where its children are defined) of an element's alternatives.

        Raises:
            KeyError: there is no such element.
        """
        found = self.elements.get(f"{base}.{name}")
        if found is not None and found["content"]:
            target = self.elements[found["content"]]
            return [(name, (target["types"] or ["BackboneElement"])[0], found["many"], "", found["content"])]
        if found is not None:
            return [
                (name, kind, found["many"], found["system"], f"{base}.{name}" if _backbone(kind) else kind)
                for kind in found["types"]
            ]
        choice = self.elements.get(f"{base}.{name}[x]")
        if choice is None:
            raise KeyError(f"{base} has no element {name}")
        return [
            (name + kind[0].upper() + kind[1:], kind, choice["many"], choice["system"], kind)
            for kind in choice["types"]
        ]


def _backbone(kind: str) -> bool:
    return kind in {"Element", "BackboneElement"}


def _split(text: str, mark: str) -> list[str]:
    """The parts between marks that are not inside parentheses."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == mark and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def _unwrapped(text: str) -> str:
    """The text without parentheses around the whole of it."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for at, char in enumerate(text):
            depth += (char == "(") - (char == ")")
            if depth == 0 and at < len(text) - 1:
                return text
        text = text[1:-1].strip()
    return text


def _of_type(nodes: list[Node], wanted: str) -> list[Node]:
    """The nodes of a data type.

    Raises:
        ValueError: none is, so that the expression would never find anything.
    """
    kind = _MISSPELT.get(wanted, wanted)
    found = [node for node in nodes if node[1] == kind or (kind == "Quantity" and node[1] in _GENERAL_QUANTITIES)]
    if not found:
        raise ValueError(f"of {sorted({node[1] for node in nodes})} none is a {wanted}")
    return found


def _tested(steps: list[Step], test: list[str]) -> list[Step]:
    return [*steps[:-1], [steps[-1][0], steps[-1][1], test]]


class Compiler:
    """Compiles expressions against the definitions."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def values(self, expression: str, root: str, kind: str) -> list[Path]:
        """The paths of an expression that end in a data type from which the kind takes values.

        Raises:
            KeyError, ValueError: as `paths`, or an end is of a data type that is neither taken nor left with a reason.
        """
        found: list[Path] = []
        for steps, datatype, system, _ in self.paths(expression, root):
            path: Path = [steps, datatype, system if datatype == "code" else ""]
            if datatype in KIND_TYPES[kind]:
                if path not in found:
                    found.append(path)
            elif (kind, datatype) not in WITHOUT_VALUE:
                raise ValueError(f"{expression} ends in {datatype}, of which no {kind} is known")
        return found

    def paths(self, expression: str, root: str) -> list[Node]:
        """Where an expression leads from a root.

        Raises:
            KeyError, ValueError: the expression names what is not there, or is written in an unknown way.
        """
        out: list[Node] = []
        for part in _split(expression, "|"):
            branch = _unwrapped(part)
            cast = None
            match = re.fullmatch(r"(.+) as (\w+)", branch)
            if match and _split(branch, " ")[-2] == "as":
                branch, cast = _unwrapped(match.group(1)), match.group(2)
            segments = _split(branch, ".")
            if segments[0] in TYPES or segments[0] in {"Resource", "DomainResource"}:
                if segments[0] not in {root, "Resource", "DomainResource"}:
                    continue
                segments = segments[1:]
            elif segments[0] in {"%resource", "$this"}:
                segments = segments[1:]
            nodes: list[Node] = [([], root, "", root)]
            for segment in segments:
                nodes = self.paths(segment, root) if segment.startswith("(") else self._step(nodes, segment)
            out += nodes if cast is None else _of_type(nodes, cast)
        return out

    def _step(self, nodes: list[Node], segment: str) -> list[Node]:
        if re.fullmatch(r"\w+", segment):
            return self._children(nodes, segment)
        if match := re.fullmatch(r"(?:as|ofType)\((\w+)\)", segment):
            return _of_type(nodes, match.group(1))
        if match := re.fullmatch(r"where\((\w+) ?= ?'([^']*)'\)", segment):
            test = ["eq", match.group(1), match.group(2)]
            return [(_tested(node[0], test), *node[1:]) for node in nodes]
        if match := re.fullmatch(r"where\(resolve\(\) is (\w+)\)", segment):
            test = ["ref", match.group(1)]
            return [(_tested(node[0], test), *node[1:]) for node in nodes if node[1] == "Reference"]
        raise ValueError(f"{segment} is not understood")

    def _children(self, nodes: list[Node], name: str) -> list[Node]:
        out: list[Node] = []
        for steps, _, _, base in nodes:
            try:
                children = self._definitions.child(base, name)
            except KeyError:
                if len(nodes) > 1:
                    continue  # one alternative of a choice has the element, another has not
                raise
            out += [([*steps, [json_name, many, None]], kind, system, below)
                    for json_name, kind, many, system, below in children]  # fmt: skip
        return out

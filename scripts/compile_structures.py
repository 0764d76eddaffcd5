"""Compiles R4's StructureDefinitions and required value sets into facts: what each element may hold.

    python scripts/compile_structures.py

writes `fhir/facts/structures.json` and the validators in `fhir/_generated/`; run twice, it writes the same bytes.
"""

import json
from collections.abc import Iterator
from typing import Any

import generate_validators
from r4_packages import ROOT, files

PACKAGE = "hl7.fhir.r4.examples@4.0.1"
TARGET = ROOT / "src" / "continuum" / "fhir"
CODES_MAX = 1_000
"""A required value set with more codes is not compiled in."""
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
"""The extension that names the FHIR type of what the definitions call a System.String."""

Concept = tuple[str, str]
"""(system, code)."""


class Terminology:
    """The code systems and value sets of the specification."""

    def __init__(self) -> None:
        self.code_systems: dict[str, dict[str, Any]] = {}
        self.value_sets: dict[str, dict[str, Any]] = {}
        for name, resource in files(PACKAGE):
            if name.startswith("CodeSystem-"):
                self.code_systems.setdefault(resource["url"], resource)
            elif name.startswith("ValueSet-") and "url" in resource:
                self.value_sets.setdefault(resource["url"], resource)

    def concepts(self, url: str) -> set[Concept] | None:
        """The (system, code) of a value set, or None when they cannot be listed from the definitions."""
        value_set = self.value_sets.get(url.partition("|")[0])
        if value_set is None or "compose" not in value_set or "exclude" in value_set["compose"]:
            return None
        found: set[Concept] = set()
        for include in value_set["compose"]["include"]:
            part = self._included(include)
            if part is None:
                return None
            found |= part
        return found if 0 < len(found) <= CODES_MAX else None

    def _included(self, include: dict[str, Any]) -> set[Concept] | None:
        """What one include takes: that which its system and each of its value sets have (R4 §4.9.8)."""
        if "filter" in include:
            return None
        parts: list[set[Concept] | None] = [self.concepts(url) for url in include.get("valueSet", ())]
        if "system" in include:
            parts.append(self._of_system(include["system"], include.get("concept")))
        known = [part for part in parts if part is not None]
        return set.intersection(*known) if known and len(known) == len(parts) else None

    def _of_system(self, url: str, listed: list[dict[str, Any]] | None) -> set[Concept] | None:
        if listed is not None:
            return {(url, concept["code"]) for concept in listed}
        system = self.code_systems.get(url)
        if system is None or system.get("content") != "complete":
            return None
        return {(url, code) for code in _codes(system.get("concept", ()))}


def _codes(concepts: Any) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))


def compile_facts() -> dict[str, Any]:
    """The facts: types → elements; required value sets → codes, and → systems → codes; the value sets left out."""
    types: dict[str, Any] = {}
    bound = Bound(Terminology())
    for name, structure in files(PACKAGE, "StructureDefinition-"):
        if structure["kind"] not in {"resource", "complex-type"} or structure.get("abstract"):
            continue
        if structure.get("derivation") == "constraint" or name == "StructureDefinition-example.json":
            continue
        _elements(structure, types, bound)
    return {
        "concepts": dict(sorted(bound.concepts.items())),
        "left_out": sorted(bound.left_out),
        "types": dict(sorted(types.items())),
        "value_sets": dict(sorted(bound.codes.items())),
    }


_QUANTITIES = {"SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity"}


class Bound:
    """The required value sets that elements are bound to: by code alone, by system, and those that are too large."""

    def __init__(self, terminology: Terminology) -> None:
        self.terminology = terminology
        self.codes: dict[str, list[str]] = {}
        self.concepts: dict[str, dict[str, list[str]]] = {}
        self.left_out: set[str] = set()

    def bind(self, url: str, kinds: list[str]) -> bool:
        """Takes a value set in, where its codes can be listed. A plain code has no system, a concept has one."""
        found = self.terminology.concepts(url)
        if found is None:
            self.left_out.add(url)
            return False
        self.codes[url] = sorted({code for _, code in found})
        if {"Coding", "CodeableConcept"} & set(kinds):
            systems = sorted({system for system, _ in found})
            self.concepts[url] = {one: sorted(code for system, code in found if system == one) for one in systems}
        return True


def _elements(structure: dict[str, Any], types: dict[str, Any], bound: Bound) -> None:
    root = structure["type"]
    kind = structure["kind"]
    types[root] = {"resource": kind == "resource", "elements": {}}
    for element in structure["snapshot"]["element"]:
        path: str = element["path"]
        parent, _, name = path.rpartition(".")
        if not parent or element.get("max") == "0":
            continue
        kinds, targets = _types(element, is_resource_id=kind == "resource" and path == f"{root}.id")
        if kinds in (["BackboneElement"], ["Element"]) and path not in types:
            types[path] = {"resource": False, "elements": {}}
            kinds = [path]
        fact: dict[str, Any] = {"types": kinds}
        if element["min"]:
            fact["min"] = element["min"]
        if element["max"] != "1":
            fact["many"] = True
        if element.get("isSummary"):
            fact["summary"] = True
        if element.get("isModifier"):
            fact["modifier"] = True
        if targets:
            fact["targets"] = targets
        binding = element.get("binding", {})
        if binding.get("strength") == "required" and "valueSet" in binding:
            url = binding["valueSet"].partition("|")[0]
            if bound.bind(url, kinds):
                fact["codes"] = url
        types[parent]["elements"][name] = fact


def _types(element: dict[str, Any], *, is_resource_id: bool) -> tuple[list[str], list[str]]:
    if "contentReference" in element:
        return [element["contentReference"].lstrip("#")], []
    kinds = []
    targets: set[str] = set()
    for one in element.get("type", ()):
        code = one["code"]
        if code.startswith("http://hl7.org/fhirpath/System."):
            # Resource.id is an id, though its definition says string.
            code = "id" if is_resource_id else _value_of(one, FHIR_TYPE)
        kinds.append(_QUANTITIES.get(code, code))
        for target in one.get("targetProfile", ()) if code == "Reference" else ():
            targets.add(target.rpartition("/")[2])
    return list(dict.fromkeys(kinds)), [] if "Resource" in targets else sorted(targets)


def _value_of(element: dict[str, Any], url: str) -> str:
    return str(next(one["valueUrl"] for one in element["extension"] if one["url"] == url))


def text_of(facts: dict[str, Any]) -> str:
    """The text of the facts' file."""
    return json.dumps(facts, separators=(",", ":"), sort_keys=True) + "\n"


def compiled() -> dict[str, str]:
    """Path below `fhir/` → text of every file that is made; the validators from the facts just as they ship."""
    text = text_of(compile_facts())
    made = generate_validators.modules(json.loads(text))
    return {"facts/structures.json": text, **{f"_generated/{name}": module for name, module in made.items()}}


def main() -> None:
    """Writes the facts and the validators, and says which required value sets cannot be listed."""
    made = compiled()
    for name, text in made.items():
        (TARGET / name).write_text(text, encoding="utf-8")
    facts = json.loads(made["facts/structures.json"])
    print(f"{len(facts['types'])} types, {len(facts['value_sets'])} value sets; left out: {facts['left_out']}")


if __name__ == "__main__":
    main()

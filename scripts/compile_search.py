"""Compiles R4's search parameters into facts: for each type and parameter, the paths to its values."""

import json
import re
import sys
from typing import Any

from r4_packages import ROOT, files

sys.path.insert(0, str(ROOT / "src"))
from continuum.fhir.types import TYPES

PACKAGE = "hl7.fhir.r4.examples@4.0.1"
PRIMITIVES = {
    "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer",
    "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid",
}
KIND_TYPES = {
    "token": {"code", "boolean", "string", "id", "uri", "oid", "Coding", "CodeableConcept", "Identifier",
              "ContactPoint", "canonical", "url", "uuid", "markdown", "integer", "positiveInt"},
    "reference": {"Reference", "canonical", "uri", "url"},
    "string": {"string", "markdown", "HumanName", "Address", "code", "id"},
    "date": {"date", "dateTime", "instant", "Period", "Timing"},
    "number": {"integer", "decimal", "positiveInt", "unsignedInt", "Range"},
    "quantity": {"Quantity", "SimpleQuantity", "Age", "Duration", "Money", "Count", "Distance", "Range",
                 "MoneyQuantity"},
    "uri": {"uri", "url", "canonical", "oid", "uuid"},
    "special": {"BackboneElement"},
}
SKIPPED_FILES = re.compile(r"SearchParameter-(example|.*-extensions-|device-|diagnosticreport-genetic|observation-genetic|questionnaireresponse-extensions)")
BASE = {"Element", "BackboneElement"}


class Definitions:
    def __init__(self) -> None:
        self.elements: dict[str, dict[str, Any]] = {}
        self.value_sets: dict[str, Any] = {}
        self.params: list[dict[str, Any]] = []
        self.compartments: dict[str, dict[str, list[str]]] = {}
        for name, resource in files(PACKAGE):
            if name.startswith("StructureDefinition-") and resource.get("derivation") != "constraint":
                self._elements(resource)
            elif name.startswith("ValueSet-"):
                self.value_sets[resource.get("url", "")] = resource
            elif name.startswith("SearchParameter-") and not SKIPPED_FILES.match(name):
                self.params.append(resource)
            elif name.startswith("CompartmentDefinition-") and "example" not in name:
                self.compartments[resource["code"]] = {
                    entry["code"]: entry["param"] for entry in resource["resource"] if entry.get("param")
                }
        example = next(r for n, r in files(PACKAGE, "CompartmentDefinition-device"))
        self.compartments.setdefault("Device", {e["code"]: e["param"] for e in example["resource"] if e.get("param")})

    def _elements(self, structure):
        for element in structure.get("snapshot", {}).get("element", []):
            codes = []
            for kind in element.get("type", []):
                code = kind["code"]
                codes.append("string" if code.startswith("http") else code)
            binding = element.get("binding", {})
            self.elements[element["path"]] = {
                "types": codes,
                "many": element.get("max") not in ("0", "1"),
                "content": element.get("contentReference", "").lstrip("#"),
                "system": self._system(binding.get("valueSet", "")) if binding.get("strength") == "required" else "",
            }

    def _system(self, url: str) -> str:
        value_set = self.value_sets.get(url.partition("|")[0])
        if not value_set: return ""
        includes = value_set.get("compose", {}).get("include", [])
        systems = {i.get("system") for i in includes}
        return systems.pop() or "" if len(systems) == 1 else ""

    def child(self, base: str, name: str):
        """[(json name, type, many, system, path for children)] of an element of a path or datatype."""
        found = self.elements.get(f"{base}.{name}")
        if found is not None:
            if found["content"]:
                target = self.elements[found["content"]]
                return [(name, target["types"][0] if target["types"] else "BackboneElement", found["many"], "", found["content"])]
            return [(name, t, found["many"], found["system"], f"{base}.{name}" if t in BASE else t) for t in found["types"]]
        choice = self.elements.get(f"{base}.{name}[x]")
        if choice is None:
            raise KeyError(f"{base}.{name}")
        return [(name + t[0].upper() + t[1:], t, choice["many"], choice["system"], t) for t in choice["types"]]


def split_top(text: str, mark: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += char == "("
        depth -= char == ")"
        if char == mark and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [p.strip() for p in (*parts, text[start:])]


def unwrap(text: str) -> str:
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for at, char in enumerate(text):
            depth += char == "("
            depth -= char == ")"
            if depth == 0 and at < len(text) - 1:
                return text
        text = text[1:-1].strip()
    return text


def same(t, wanted):
    return t == wanted or (wanted == "Quantity" and t in ("SimpleQuantity", "Age", "Duration", "Count", "Distance", "Money"))


class Compiler:
    def __init__(self, d: Definitions):
        self.d = d

    def walk(self, nodes, segment):
        """nodes: [(steps, type, system, base)]"""
        out = []
        m = re.fullmatch(r"(\w+)(\[0\])?", segment)
        if m:
            for steps, _t, _s, base in nodes:
                try:
                    children = self.d.child(base, m.group(1))
                except KeyError:
                    if len(nodes) > 1: continue
                    raise
                for name, t, many, system, b in children:
                    out.append(([*steps, [name, many, None]], t, system, b))
            return out
        m = re.fullmatch(r"(?:as|ofType)\((\w+)\)", segment)
        if m:
            return [n for n in nodes if same(n[1], m.group(1))]
        m = re.fullmatch(r"where\((\w+) ?= ?'([^']*)'\)", segment)
        if m: return [(self.filtered(n[0], ["eq", m.group(1), m.group(2)]), *n[1:]) for n in nodes]
        m = re.fullmatch(r"where\(resolve\(\) is (\w+)\)", segment)
        if m: return [(self.filtered(n[0], ["ref", m.group(1)]), *n[1:]) for n in nodes if n[1] == "Reference"]
        m = re.fullmatch(r"extension\('([^']*)'\)", segment)
        if m: return [([*n[0], ["extension", True, ["eq", "url", m.group(1)]]], "Extension", "", "Extension") for n in nodes]
        raise ValueError(segment)

    def filtered(self, steps, f):
        return [*steps[:-1], [steps[-1][0], steps[-1][1], f]]

    def paths(self, expression, root):
        """Relative or absolute expression from root base -> nodes"""
        out = []
        for branch in split_top(expression, "|"):
            branch = unwrap(branch)
            m = re.fullmatch(r"(.+) as (\w+)", branch)
            cast = None
            if m and split_top(branch, " ")[-2:][0] == "as":
                branch, cast = unwrap(m.group(1)), m.group(2)
            segments = split_top(branch, ".")
            nodes = [([], root, "", root)]
            if segments[0] in TYPES or segments[0] in ("Resource", "DomainResource"):
                if segments[0] not in (root, "Resource", "DomainResource"): continue
                segments = segments[1:]
            elif segments[0] in ("%resource", "$this"): segments = segments[1:]
            for segment in segments:
                nodes = self.paths(segment, root) if segment.startswith("(") else self.walk(nodes, segment)
            if cast: nodes = [n for n in nodes if same(n[1], cast)]
            out.extend(nodes)
        return out


def compile_all():
    d = Definitions()
    c = Compiler(d)
    by_url = {p["url"]: p for p in d.params}
    facts = {}
    skipped = []
    for p in sorted(d.params, key=lambda p: p["url"]):
        bases = TYPES if p["base"][0] in ("Resource", "DomainResource") else p["base"]
        for t in bases:
            if t not in TYPES: continue
            entry = {"kind": p["type"], "url": p["url"], "targets": p.get("target", [])}
            facts.setdefault(t, {})
            if p["type"] == "composite":
                comps = []
                bases_ = c.paths(p["expression"], t)
                try:
                    for comp in p["component"]:
                        cp = by_url[comp["definition"]]
                        comps.append((cp["code"], cp["type"], comp["expression"]))
                    entry["components"] = [[a, b] for a, b, _ in comps]
                    entry["groups"] = []
                    for steps, bt, _s, base in bases_:
                        entry["groups"].append([steps, [[k, leaf(c.paths(e, base), k)] for _, k, e in comps]])
                except (KeyError, ValueError) as error:
                    skipped.append((t, p["code"], repr(error)))
                    continue
                facts[t][p["code"]] = entry
                continue
            expr = p.get("expression")
            if not expr:
                skipped.append((t, p["code"], "no expression")); continue
            if expr.startswith("Patient.deceased"):
                entry["paths"] = [[[["deceased", False, None]], "deceased", ""]]
                facts[t][p["code"]] = entry
                continue
            if expr == "Bundle.entry[0].resource":
                skipped.append((t, p["code"], "a resource in a Bundle, not a reference")); continue
            try:
                entry["paths"] = leaf(c.paths(expr, t), p["type"])
            except (KeyError, ValueError) as error:
                skipped.append((t, p["code"], repr(error))); continue
            if not entry["paths"]:
                skipped.append((t, p["code"], "no path")); continue
            facts[t][p["code"]] = entry
    return facts, skipped, d


def leaf(nodes, kind):
    seen = []
    for steps, t, system, base in nodes:
        if t == "Extension": continue
        if t in KIND_TYPES[kind] and [steps, t, system if t == "code" else ""] not in seen:
            seen.append([steps, t, system if t == "code" else ""])
    return seen


MAIN_DATE_CHOICES = {
    "Condition": "recorded-date", "Patient": "birthdate", "Person": "birthdate", "Practitioner": None,
    "RelatedPerson": "birthdate", "Encounter": "date", "MedicationRequest": "authoredon", "ServiceRequest": "authored",
    "Task": "authored-on", "Claim": "created", "ExplanationOfBenefit": "created", "Communication": "sent",
    "MedicationDispense": "whenhandedover", "MedicationStatement": "effective", "MedicationAdministration": "effective-time",
    "QuestionnaireResponse": "authored", "ImagingStudy": "started", "Goal": "start-date", "Slot": "start",
    "Specimen": "collected", "Media": "created", "DiagnosticReport": "date", "Coverage": None,
}


def main_dates(facts):
    found = {}
    for t, params in facts.items():
        dates = sorted(c for c, e in params.items() if e["kind"] == "date" and not c.startswith("_"))
        if t in MAIN_DATE_CHOICES:
            chosen = MAIN_DATE_CHOICES[t]
            assert chosen is None or chosen in dates, (t, dates)
        else:
            chosen = "date" if "date" in dates else dates[0] if dates else None
        if chosen and any(step[1] for path in params[chosen]["paths"] for step in path[0]):
            chosen = None  # several values: no one date orders the resource
        if chosen: found[t] = chosen
    return found


PREFERRED = ("patient", "subject", "beneficiary")


def ordered(d, t):
    """The parameters that name a resource's patient, the one that counts most first."""
    members = d.compartments["Patient"].get(t, [])
    return sorted(members, key=lambda c: (PREFERRED.index(c) if c in PREFERRED else 9, c))


def patient_implied(params, order):
    """Parameters of which `=Patient/x` implies that the row's patient is x: single, and first in the order."""
    if not order or order[0] not in params:
        return []
    first = params[order[0]]["paths"]
    if len(first) != 1 or any(step[1] for step in first[0][0]):
        return []
    names = [step[0] for step in first[0][0]]
    return sorted(c for c, e in params.items() if e["kind"] == "reference"
                  and [[s[0] for s in p[0]] for p in e["paths"]] == [names])


def main():
    import generate_index
    facts, skipped, d = compile_all()
    slim = {t: {c: {k: v for k, v in e.items() if k not in ("paths", "groups")} for c, e in sorted(p.items())} for t, p in sorted(facts.items())}
    target = ROOT / "src/continuum/fhir"
    (target / "facts").mkdir(exist_ok=True)
    for p in facts.values():
        for code in ("_id", "_lastUpdated"):  # columns of the row, not values in its index
            p[code]["paths"] = []
    unions = {}
    for code in [c for c in facts["Observation"] if c.startswith("combo-")]:
        # combo-x is x or component-x: said once in the facts instead of filed twice in every index
        unions[code] = [code.removeprefix("combo-"), "component-" + code.removeprefix("combo-")]
        assert all(one in facts["Observation"] for one in unions[code]), unions
        facts["Observation"][code].pop("paths", None)
        facts["Observation"][code].pop("groups", None)
    implied = {t: patient_implied(p, ordered(d, t)) for t, p in sorted(facts.items())}
    out = {"unions": {"Observation": unions}, "patient_implied": {t: c for t, c in implied.items() if c}, "compartments": {k: dict(sorted(v.items())) for k, v in sorted(d.compartments.items())}, "main_date": dict(sorted(main_dates(facts).items())), "params": slim}
    (target / "facts/search.json").write_text(json.dumps(out, separators=(",", ":"), sort_keys=True))
    gen = target / "_generated"; gen.mkdir(exist_ok=True); (gen / "__init__.py").write_text('"""Generated code; see scripts/."""\n')
    for t in TYPES:
        order = ordered(d, t)
        (gen / f"index_{t.lower()}.py").write_text(generate_index.module(t, facts[t], order))
    print(len(skipped), main_dates(facts))


if __name__ == "__main__":
    main()

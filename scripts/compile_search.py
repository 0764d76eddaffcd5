"""Compiles R4's search parameters into facts and extractors: for each type and parameter, the paths to its values.

    python scripts/compile_search.py

writes `fhir/facts/search.json` and `fhir/_generated/index_*.py`; run twice, it writes the same bytes.
"""

import hashlib
import json
from typing import Any

import generate_index
from r4_packages import ROOT, files
from search_expressions import FIRST, WHOLE, Compiler, Definitions, Path, resource_types

TARGET = ROOT / "src" / "continuum" / "fhir"

# A date that orders a type's resources for a reader, where it is not the parameter `date`; None: none does.
MAIN_DATE_CHOICES: dict[str, str | None] = {
    "Claim": "created",
    "Communication": "sent",
    "Condition": "recorded-date",  # far more often there than an onset
    "Coverage": None,
    "DiagnosticReport": "date",
    "Encounter": "date",
    "ExplanationOfBenefit": "created",
    "Goal": "start-date",
    "ImagingStudy": "started",
    "Media": "created",
    "MedicationAdministration": "effective-time",
    "MedicationDispense": "whenhandedover",
    "MedicationRequest": "authoredon",
    "MedicationStatement": "effective",
    "Patient": "birthdate",
    "Person": "birthdate",
    "Practitioner": None,
    "QuestionnaireResponse": "authored",
    "RelatedPerson": "birthdate",
    "ServiceRequest": "authored",
    "Slot": "start",
    "Specimen": "collected",
    "Task": "authored-on",
}
PREFERRED_PATIENT = ("patient", "subject", "beneficiary")
FILED_TOO = {"Task": ["patient"]}
"""What the record files under patients beside R4's compartment: a Task is seen by whoever sees its patient's record."""
PARTS = {"family": 1, "given": 2, "city": 4, "state": 8, "postalCode": 16, "country": 32}
"""The parts of a HumanName or Address that have parameters of their own, by the bit that tells them."""
COLUMNS = ("_id", "_lastUpdated")
"""Parameters that are columns of a row in the store, not values in its index."""

WORDS = {"_content": "Resource", "_text": "DomainResource"}
"""Parameters of words anywhere in a resource, or in its narrative: R4 gives them no expression. What has them."""
WITHOUT_NARRATIVE = frozenset({"Binary", "Bundle", "Parameters"})
"""Resources of R4 that are no DomainResource."""
NOT_TEXT = frozenset({
    "code", "color", "condition", "criteria", "data", "definition", "expression", "id", "language", "location",
    "number", "reference", "sequence", "source", "sourceId", "status", "type", "url", "value", "variable", "versionId",
})  # fmt: skip
"""Element names that hold a code, a number, an address, a formula or base64, where R4 does not give them a string."""
NOT_INDEXED = {
    "_filter": "R4 gives it no expression: it is a language of its own",
    "_query": "R4 gives it no expression: it names an operation",
}
"""Parameters of R4 that have no value in a resource. Any other that is not understood stops the compilation."""
SWAPPED = {"http://hl7.org/fhir/SearchParameter/DocumentReference-relationship"}
"""Composites of which R4 4.0.1 gives each component the expression of the other: the kinds say what is meant."""

Facts = dict[str, dict[str, dict[str, Any]]]


def compile_params(definitions: Definitions) -> Facts:
    """Type → code → what is known of the parameter.

    Raises:
        SystemExit: a parameter is written in a way that is not understood.
    """
    compiler = Compiler(definitions)
    by_url = {one["url"]: one for one in definitions.params}
    facts: Facts = {name: {} for name in resource_types()}
    for one in sorted(definitions.params, key=lambda found: str(found["url"])):
        everywhere = one["base"][0] in {"Resource", "DomainResource"}
        for name in resource_types() if everywhere else one["base"]:
            if name not in facts or (everywhere and one["code"] in NOT_INDEXED and "expression" not in one):
                continue
            if one["code"] in WORDS and "expression" not in one:
                if one["code"] != "_text" or name not in WITHOUT_NARRATIVE:
                    facts[name][one["code"]] = {"kind": "words", "url": one["url"], "targets": [], "paths": []}
                continue
            try:
                facts[name][one["code"]] = _fact(one, name, compiler, by_url)
            except (KeyError, ValueError) as error:
                raise SystemExit(f"{one['url']} is not understood for {name}: {error}") from error
    return facts


def _fact(one: dict[str, Any], name: str, compiler: Compiler, by_url: dict[str, Any]) -> dict[str, Any]:
    """Raises KeyError or ValueError with the reason when the parameter cannot be indexed."""
    fact: dict[str, Any] = {"kind": one["type"], "url": one["url"], "targets": one.get("target", [])}
    if one["type"] == "composite":
        written = [part["expression"] for part in one["component"]]
        texts = written[::-1] if one["url"] in SWAPPED else written
        components = [by_url[part["definition"]] for part in one["component"]]
        fact["components"] = [[part["code"], part["type"]] for part in components]
        fact["groups"] = [
            [
                steps,
                [_part(part["type"], text, base, name, compiler) for part, text in zip(components, texts, strict=True)],
            ]
            for steps, _, _, base in compiler.paths(one["expression"], name)
        ]
        return fact
    expression = one["expression"]
    if expression == "Patient.deceased.exists() and Patient.deceased != false":
        fact["paths"] = [[[], "deceased", ""]]
    elif expression == "Bundle.entry[0].resource":
        # The first entry of a document or message is no reference, but what it holds has an address of its own.
        (target,) = fact["targets"]
        steps = [["entry", FIRST, None], ["resource", False, ["eq", "resourceType", target]]]
        fact["paths"] = [[steps, "Resource", ""]]
    else:
        fact["paths"] = compiler.values(expression, name, one["type"])
    if not fact["paths"]:
        raise ValueError("its expression has no value of its kind")
    if one["type"] == "token" and any(path[1] == "Identifier" for path in fact["paths"]):
        fact["typed"] = True
    tests = [steps[-1][2] if steps else None for steps, _, _ in fact["paths"]]
    named = [test[1] for test in tests if test and test[0] == "ref"]
    if len(named) == len(tests):
        # R4 lists types here that the expression itself leaves out.
        fact["targets"] = sorted(set(named))
    return fact


def _part(kind: str, text: str, base: str, name: str, compiler: Compiler) -> list[Any]:
    """[kind, paths] of a component; the paths of one that is asked of the whole resource begin there."""
    if not text.startswith(f"{WHOLE}."):
        paths = compiler.values(text, base, kind)
    else:
        paths = [
            [[[WHOLE, False, None], *steps], datatype, system]
            for steps, datatype, system in compiler.values(text.removeprefix(f"{WHOLE}."), name, kind)
        ]
    if not paths:
        raise ValueError(f"its component {text} has no {kind}")
    return [kind, paths]


def presence(params: dict[str, dict[str, Any]], before: list[str]) -> list[str]:
    """The parameters that a resource has values for, in the order of their bits: what was there stays in its place."""
    codes = [code for code, fact in params.items() if fact.get("paths") or fact.get("groups")]
    found = before + sorted(set(codes) - set(before))
    assert len(found) < 64, "a bigint has no bit for more"
    return found


def implied_systems(params: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Token parameters all of whose values are codes or booleans of one system."""
    found = {}
    for code, fact in params.items():
        if fact["kind"] != "token" or not fact.get("paths"):
            continue
        booleans = {"boolean", "deceased"}
        systems = {generate_index.SPECIAL_VALUES if path[1] in booleans else path[2] for path in fact["paths"]}
        plain = all(path[1] in {*booleans, "code"} for path in fact["paths"])
        if plain and len(systems) == 1 and "" not in systems:
            found[code] = systems.pop()
    return found


def subsets(params: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Parameters whose values all are values of another: code → [the other's code, what tells them among its values].

    That is the system of a ContactPoint (`email` of `telecom`), or how a reference begins (`patient` of `subject`).
    """
    wholes = {json.dumps(fact["paths"]): code for code, fact in sorted(params.items()) if fact.get("paths")}
    found: dict[str, list[str]] = {}
    for code, fact in params.items():
        paths = json.loads(json.dumps(fact.get("paths", [])))
        if len(paths) != 1 or not paths[0][0] or not (test := paths[0][0][-1][2]):
            continue
        paths[0][0][-1][2] = None
        whole = wholes.get(json.dumps(paths))
        if whole and test[:2] == ["eq", "system"] and paths[0][1] == "ContactPoint":
            found[code] = [whole, test[2]]
        if whole and test[0] == "ref":
            found[code] = [whole, f"{test[1]}/"]
    return found


def texts(definitions: Definitions) -> list[str]:
    """The names of elements that hold text for people."""
    found = set()
    for path, element in definitions.elements.items():
        name = path.rpartition(".")[2]
        for kind in {"string", "markdown"} & set(element["types"]):
            found.add(name.removesuffix("[x]") + (kind.capitalize() if name.endswith("[x]") else ""))
    return sorted(found - NOT_TEXT)


def fingerprints(params: dict[str, dict[str, Any]]) -> dict[str, str]:
    """For each parameter what changes when its values are taken from elsewhere or otherwise."""
    return {
        code: hashlib.sha256(json.dumps(fact, sort_keys=True).encode()).hexdigest()[:8] for code, fact in params.items()
    }


def main_dates(facts: Facts) -> dict[str, str]:
    """Type → the date parameter that orders it; a parameter with several values orders nothing."""
    found = {}
    for name, params in facts.items():
        dates = sorted(code for code, fact in params.items() if fact["kind"] == "date" and not code.startswith("_"))
        usual = "date" if "date" in dates else dates[0] if dates else None
        chosen = MAIN_DATE_CHOICES.get(name, usual)
        if chosen is None or any(step[1] for path in params[chosen]["paths"] for step in path[0]):
            continue
        found[name] = chosen
    return found


def patient_params(definitions: Definitions, name: str) -> list[str]:
    """The parameters that name a resource's patient, the one that counts most first."""
    rank = {code: number for number, code in enumerate(PREFERRED_PATIENT)}
    members = definitions.compartments["Patient"].get(name, FILED_TOO.get(name, []))
    return sorted(members, key=lambda code: (rank.get(code, len(rank)), code))


def patient_implied(params: dict[str, dict[str, Any]], order: list[str]) -> list[str]:
    """Parameters of which `=Patient/x` implies that the row's patient is x: single, and first in the order."""
    if not order or order[0] not in params:
        return []
    first: list[Path] = params[order[0]]["paths"]
    if len(first) != 1 or any(step[1] for step in first[0][0]):
        return []
    names = [step[0] for step in first[0][0]]
    return sorted(
        code
        for code, fact in params.items()
        if fact["kind"] == "reference" and [[step[0] for step in path[0]] for path in fact["paths"]] == [names]
    )


def unions_of(params: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """`combo-x` is `x` or `component-x`: said once in the facts instead of filed twice in every index."""
    unions = {}
    for code in sorted(params):
        if code.startswith("combo-"):
            parts = [code.removeprefix("combo-"), "component-" + code.removeprefix("combo-")]
            assert all(part in params for part in parts), f"{code} is no union"
            unions[code] = parts
            params[code].pop("paths", None)
            params[code].pop("groups", None)
    return unions


def parts_of(params: dict[str, dict[str, Any]]) -> dict[str, list[Any]]:
    """String parameters that are a part of another, or all of it: code → [the other's code, the part's bit or 0]."""
    wholes = {
        code: fact["paths"]
        for code, fact in sorted(params.items(), reverse=True)
        if fact["kind"] == "string" and all(path[1] in {"HumanName", "Address"} for path in fact["paths"])
    }
    found: dict[str, list[Any]] = {}
    for code, fact in params.items():
        if fact["kind"] != "string":
            continue
        for whole, paths in wholes.items():
            steps = [path[0] for path in paths]
            if fact["paths"] == paths and whole < code:
                found[code] = [whole, 0]
            last = {path[0][-1][0] for path in fact["paths"]}
            if [path[0][:-1] for path in fact["paths"]] == steps and len(last) == 1 and last <= PARTS.keys():
                found[code] = [whole, PARTS[last.pop()]]
    return found


def compiled() -> dict[str, str]:
    """Path below `fhir/` → text of every file that is made."""
    definitions = Definitions(files)
    facts = compile_params(definitions)
    unions = unions_of(facts["Observation"])
    order = {name: patient_params(definitions, name) for name in facts}
    for params in facts.values():
        for code in COLUMNS:
            params[code]["paths"] = []
    implied = {name: patient_implied(params, order[name]) for name, params in facts.items()}
    shown = {
        name: {
            code: {key: value for key, value in fact.items() if key not in {"paths", "groups"}}
            for code, fact in params.items()
        }
        for name, params in facts.items()
    }
    earlier = TARGET / "facts/search.json"
    before = json.loads(earlier.read_text()).get("presence", {}) if earlier.exists() else {}
    whole = {
        "compartments": definitions.compartments,
        "fingerprints": {name: fingerprints(params) for name, params in facts.items()},
        "implied_systems": {name: found for name, params in facts.items() if (found := implied_systems(params))},
        "main_date": main_dates(facts),
        "not_indexed": NOT_INDEXED,
        "params": shown,
        "parts": {name: parts for name, found in facts.items() if (parts := parts_of(found))},
        "patient_implied": {name: codes for name, codes in implied.items() if codes},
        "presence": {name: presence(params, before.get(name, [])) for name, params in facts.items()},
        "subsets": {name: inner for name, params in facts.items() if (inner := subsets(params))},
        "texts": texts(definitions),
        "unions": {"Observation": unions},
    }
    written = {"facts/search.json": json.dumps(whole, separators=(",", ":"), sort_keys=True) + "\n"}
    for name, params in facts.items():
        written[f"_generated/index_{name.lower()}.py"] = generate_index.module(params, order[name])
    return written


def main() -> None:
    """Writes the facts and the extractors, and says what is not indexed."""
    for name, text in compiled().items():
        (TARGET / name).write_text(text, encoding="utf-8")
    for code, reason in NOT_INDEXED.items():
        print("Not indexed:", code, reason)


if __name__ == "__main__":
    main()

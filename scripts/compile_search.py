"""Compiles R4's search parameters into facts and extractors: for each type and parameter, the paths to its values.

    python scripts/compile_search.py

writes `fhir/facts/search.json` and `fhir/_generated/index_*.py`; run twice, it writes the same bytes.
"""

import json
from typing import Any

import generate_index
from r4_packages import ROOT, files
from search_expressions import Compiler, Definitions, Path, resource_types

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
COLUMNS = ("_id", "_lastUpdated")
"""Parameters that are columns of a row in the store, not values in its index."""

Facts = dict[str, dict[str, dict[str, Any]]]
Skipped = list[tuple[str, str, str]]


def compile_params(definitions: Definitions) -> tuple[Facts, Skipped]:
    """Type → code → what is known of the parameter; and (type, code, reason) of those that cannot be indexed."""
    compiler = Compiler(definitions)
    by_url = {one["url"]: one for one in definitions.params}
    facts: Facts = {name: {} for name in resource_types()}
    skipped: Skipped = []
    for one in sorted(definitions.params, key=lambda found: str(found["url"])):
        everywhere = one["base"][0] in {"Resource", "DomainResource"}
        for name in resource_types() if everywhere else one["base"]:
            if name not in facts:
                continue
            try:
                fact = _fact(one, name, compiler, by_url)
            except (KeyError, ValueError) as error:
                skipped.append((name, one["code"], str(error)))
            else:
                facts[name][one["code"]] = fact
    return facts, skipped


def _fact(one: dict[str, Any], name: str, compiler: Compiler, by_url: dict[str, Any]) -> dict[str, Any]:
    """Raises KeyError or ValueError with the reason when the parameter cannot be indexed."""
    fact: dict[str, Any] = {"kind": one["type"], "url": one["url"], "targets": one.get("target", [])}
    expression = one.get("expression")
    if one["type"] == "composite":
        components = [(by_url[part["definition"]], part["expression"]) for part in one["component"]]
        fact["components"] = [[part["code"], part["type"]] for part, _ in components]
        fact["groups"] = [
            [steps, [[part["type"], compiler.values(text, base, part["type"])] for part, text in components]]
            for steps, _, _, base in compiler.paths(one["expression"], name)
        ]
        return fact
    if not expression:
        raise ValueError("R4 gives it no expression")
    if expression.startswith("Patient.deceased"):
        fact["paths"] = [[[["deceased", False, None]], "deceased", ""]]
        return fact
    if expression == "Bundle.entry[0].resource":
        raise ValueError("it names a resource inside a Bundle, not a reference")
    fact["paths"] = compiler.values(expression, name, one["type"])
    if not fact["paths"]:
        raise ValueError("its expression has no value of its kind")
    return fact


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
    members = definitions.compartments["Patient"].get(name, [])
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


def compiled() -> dict[str, str]:
    """Path below `fhir/` → text of every file that is made."""
    definitions = Definitions(files)
    facts, _ = compile_params(definitions)
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
    whole = {
        "compartments": definitions.compartments,
        "main_date": main_dates(facts),
        "params": shown,
        "patient_implied": {name: codes for name, codes in implied.items() if codes},
        "unions": {"Observation": unions},
    }
    written = {"facts/search.json": json.dumps(whole, separators=(",", ":"), sort_keys=True) + "\n"}
    for name, params in facts.items():
        written[f"_generated/index_{name.lower()}.py"] = generate_index.module(params, order[name])
    return written


def main() -> None:
    """Writes the facts and the extractors, and says what could not be indexed."""
    for name, text in compiled().items():
        (TARGET / name).write_text(text, encoding="utf-8")
    _, skipped = compile_params(Definitions(files))
    for reason in sorted({(code, reason) for _, code, reason in skipped}):
        print("Not indexed:", *reason)


if __name__ == "__main__":
    main()

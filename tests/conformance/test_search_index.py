"""The search index against another evaluation of the same FHIRPath, on R4's own examples."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from fhirpathpy import compile as compile_path
from fhirpathpy.models import models

from continuum.fhir.index import extract
from continuum.fhir.json import parse
from continuum.fhir.search_params import MAIN_DATE, PATIENT_IMPLIED, UNIONS, definition, params
from continuum.fhir.types import TYPE_IDS, TYPES
from continuum.fhir.validate import validate
from continuum.fhir.values import moment, period, timing
from tests.suites import unavailable

ROOT = Path(__file__).resolve().parents[2]
PER_TYPE = 6
SINKS = {"token": "tokens", "reference": "references", "string": "strings", "date": "dates", "number": "numbers",
         "quantity": "quantities", "uri": "uris"}  # fmt: skip
NOT_COMPARED = {"_id", "_lastUpdated", "deceased", "source-uri", "target-uri", "activity-date"}
"""Columns of a row; a truth about two elements; `as uri`, of which it is open whether a canonical is one; and a
date of which one alternative is free text that the other side cannot tell from a date."""


@pytest.fixture(scope="module")
def package() -> Any:
    sys.path.insert(0, str(ROOT / "scripts"))
    import r4_packages

    try:
        r4_packages.fetch("hl7.fhir.r4.examples@4.0.1")
    except (subprocess.CalledProcessError, OSError) as error:
        unavailable(f"the package of R4's definitions cannot be had from npm ({error})")
    yield r4_packages
    sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def expressions(package) -> dict[tuple[str, str], tuple[str, str]]:
    """(type, code) → (kind, FHIRPath) of what is indexed."""
    found = {}
    for _, one in package.files("hl7.fhir.r4.examples@4.0.1", "SearchParameter-"):
        for base in one["base"] if "base" in one and "expression" in one else ():
            for resource_type in TYPES if base in {"Resource", "DomainResource"} else (base,):
                known = params(resource_type).get(one["code"]) if resource_type in TYPE_IDS else None
                if known and one["url"] == definition(resource_type, one["code"]):
                    found[resource_type, one["code"]] = (one["type"], one["expression"])
    return found


@pytest.fixture(scope="module")
def examples(package) -> dict[str, list[dict[str, Any]]]:
    """Valid examples by type."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in TYPES}
    for member, raw in package.texts("hl7.fhir.r4.examples@4.0.1"):
        name = member.partition("-")[0]
        if name in found and len(raw) < 60_000:
            resource = parse(raw)
            if resource.get("resourceType") == name and not validate(resource):
                found[name].append(resource)
    return found


def points_to(references: list[Any], kind: str) -> list[bool]:
    """`resolve() is Type`, of which only the type of the target is asked: it can be read off the reference."""
    found = []
    for node in references:
        one = node.data if hasattr(node, "data") else node
        match = re.search(r"(?:^|/)([A-Z][A-Za-z]+)/[^/#]+$", one.get("reference", "").partition("/_history/")[0])
        found.append((match[1] if match else one.get("type")) == kind)
    return found


OPTIONS = {"userInvocationTable": {"pointsTo": {"fn": points_to, "arity": {1: ["String"]}}}}


@lru_cache(maxsize=4_096)
def evaluator(resource_type: str, expression: str) -> Any:
    """R4 writes `as` where it means `ofType`: of several values it keeps those of the type."""
    mine = rf"\b({resource_type}|Resource|DomainResource)\.|^\s*[a-z]"
    branches = [one for one in expression.split("|") if re.search(mine, one)]
    branches = [re.sub(r"\b(Domain)?Resource\.", f"{resource_type}.", one) for one in branches]
    text = re.sub(r"\(([^()]+) as (\w+)\)", r"\1.ofType(\2)", " | ".join(one.strip() for one in branches))
    text = re.sub(r"resolve\(\) is (\w+)", r"pointsTo('\1')", text)
    text = re.sub(r"\.as\((\w+)\)", r".ofType(\1)", re.sub(r"^([\w.]+) as (\w+)$", r"\1.ofType(\2)", text))
    return compile_path(text, models["r4"], OPTIONS) if branches else lambda _: []


def nodes(resource: dict[str, Any], expression: str) -> list[Any]:
    found = evaluator(resource["resourceType"], expression)(resource)
    return [one for one in found if one is not None]


def expected(kind: str, node: Any) -> Iterator[Any]:
    """What a node of the FHIRPath says to a parameter of a kind, by the words of R4 §3.1.1.4."""
    if kind == "token":
        yield from tokens(node)
    elif kind == "reference" and isinstance(node, dict) and "id" in node and "resourceType" in node:
        yield f"{node['resourceType']}/{node['id']}"
    elif kind == "reference":
        text = node.get("reference", "") if isinstance(node, dict) else node
        if text and not text.startswith("#"):
            yield text.partition("/_history/")[0]
    elif kind == "string":
        yield from texts(node)
    elif kind == "uri":
        yield node
    elif kind == "date":
        if isinstance(node, dict):
            low, high = timing(node) if {"event", "repeat", "code"} & set(node) else period(node)
        else:
            low, high = moment(str(node))
        if low is not None:
            yield low, high
    elif isinstance(node, dict):
        yield from amounts(node)
    else:
        yield Decimal(node), Decimal(node)


def tokens(node: Any) -> Iterator[tuple[str | None, str]]:
    if isinstance(node, bool):
        yield None, "true" if node else "false"
    elif not isinstance(node, dict):
        yield None, str(node)
    elif "coding" in node:
        for coding in node["coding"]:
            yield from tokens({"system": "", "code": "", **coding})
    elif node.get("system") or node.get("code") or node.get("value"):
        yield node.get("system", ""), node.get("code", "") or node.get("value", "")


def texts(node: Any) -> Iterator[str]:
    if not isinstance(node, dict):
        yield str(node)
        return
    for name in (
        "text",
        "family",
        "given",
        "prefix",
        "suffix",
        "line",
        "city",
        "district",
        "state",
        "postalCode",
        "country",
    ):
        value = node.get(name, [])
        yield from value if isinstance(value, list) else [value]


def amounts(node: dict[str, Any]) -> Iterator[tuple[Decimal, Decimal]]:
    """The lowest and the highest number that a Quantity or Range may mean."""
    lowest, highest = Decimal("-Infinity"), Decimal("Infinity")
    if "low" in node or "high" in node:
        low, high = node.get("low", {}).get("value", lowest), node.get("high", {}).get("value", highest)
        yield Decimal(low), Decimal(high)
    elif "data" in node and "origin" in node:
        points = [Decimal(one) for one in node["data"].split() if one not in {"E", "U", "L"}]
        values = [Decimal(node["origin"]["value"]) + one * Decimal(node.get("factor", 1)) for one in points]
        yield min(values), max(values)
    elif "value" in node:
        value, comparator = Decimal(node["value"]), node.get("comparator", "")
        yield lowest if comparator.startswith("<") else value, highest if comparator.startswith(">") else value


def filed(kind: str, value: tuple[Any, ...]) -> Any:
    """A value of our index in the terms of `expected`."""
    if kind in {"date", "number", "quantity"}:
        return value[1:3]
    return value[1:] if kind == "token" else value[1]


def compare(
    resource: dict[str, Any], expressions: dict[tuple[str, str], tuple[str, str]], compared: Counter[str]
) -> None:
    """Holds every parameter of a resource to its FHIRPath; counts the values that were compared by kind."""
    index = extract(resource)
    resource_type = resource["resourceType"]
    for code in params(resource_type):
        kind, expression = expressions.get((resource_type, code), ("", ""))
        if kind not in SINKS or code in NOT_COMPARED or code in UNIONS.get(resource_type, {}):
            continue
        wanted = Counter(one for node in nodes(resource, expression) for one in expected(kind, node))
        if resource_type == "Bundle" and kind == "reference":  # of the first entry only what the parameter is about
            about = params(resource_type)[code].targets
            wanted = Counter({one: n for one, n in wanted.items() if one.partition("/")[0] in about})
        plain = {text for system, text in wanted if system is None} if kind == "token" else set()
        got: Counter[Any] = Counter()
        for value in getattr(index, SINKS[kind]):
            if value[0] == code:
                one = filed(kind, value)
                got[(None, one[1]) if kind == "token" and one[1] in plain else one] += 1
        if "|" in expression:  # a union of FHIRPath has each value once
            got, wanted = Counter(set(got)), Counter(set(wanted))
        assert got == wanted, (resource_type, resource.get("id"), code, expression)
        compared[kind] += wanted.total()


def test_every_parameter_that_is_indexed_has_an_expression_to_be_held_to(expressions):
    for resource_type in TYPES:
        for code, one in params(resource_type).items():
            if one.kind in SINKS and code not in UNIONS.get(resource_type, {}):
                assert (resource_type, code) in expressions


def test_what_is_implied_of_the_patient_and_of_the_main_date_holds_for_every_example(examples):
    implied = 0
    for resource_type, resources in examples.items():
        for resource in resources:
            index = extract(resource)
            for code, target in index.references:
                if code in PATIENT_IMPLIED.get(resource_type, ()) and target.startswith("Patient/"):
                    assert f"Patient/{index.patient_id}" == target, resource["id"]
                    implied += 1
            main = [one for one in index.dates if one[0] == MAIN_DATE.get(resource_type)]
            assert len(main) <= 1, resource["id"]
    assert implied > 500


def test_the_index_of_some_examples_of_every_type_holds_what_their_fhirpath_says(examples, expressions):
    compared = Counter()
    for resource_type in TYPES:
        for resource in examples[resource_type][:PER_TYPE]:
            compare(resource, expressions, compared)
    assert set(compared) == set(SINKS)
    assert compared.total() > 4_000


@pytest.mark.proof
@pytest.mark.parametrize("resource_type", TYPES)
def test_the_index_of_every_example_holds_what_its_fhirpath_says(resource_type, examples, expressions):
    for resource in examples[resource_type]:
        compare(resource, expressions, Counter())

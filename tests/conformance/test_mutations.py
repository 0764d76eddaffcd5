"""Breaks every place of R4's own examples in every way that is wrong there: each is refused, at its place."""

from collections.abc import Iterator
from typing import Any

import pytest

from continuum.fhir.json import parse
from continuum.fhir.report import report
from continuum.fhir.structure import elements
from continuum.fhir.types import TYPES
from continuum.fhir.validate import certainly_valid, validate

EXAMPLE_MAX_BYTES = 12_000
"""A larger example says nothing that a smaller one of its type does not."""


def members(owner: Any, at: str) -> Iterator[tuple[Any, Any, str]]:
    """(container, key, FHIRPath location) of every member below an object."""
    keys = list(owner) if isinstance(owner, dict) else range(len(owner))
    for key in keys:
        if key == "resourceType":
            continue
        place = f"{at}[{key}]" if isinstance(owner, list) else f"{at}.{key.removeprefix('_')}"
        yield owner, key, place
        if isinstance(owner[key], dict | list):
            yield from members(owner[key], place)


def wrong_values(owner: Any, key: Any) -> Iterator[Any]:
    value = owner[key]
    if value is None:
        return  # it holds a place in a list, beside what is said of it
    yield {}
    yield []
    yield [value]
    if isinstance(value, dict):
        yield {**value, "colour": "red"}
    yield True if isinstance(value, str | dict | list) else "zz"
    if isinstance(owner, dict) or not isinstance(value, str):
        yield None


def smallest_by_type(examples: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for raw in sorted(examples.values(), key=len):
        if len(raw) > EXAMPLE_MAX_BYTES:
            break
        resource = parse(raw)
        if resource["resourceType"] not in found and certainly_valid(resource):
            found[resource["resourceType"]] = resource
    return found


@pytest.fixture(scope="module")
def smallest(examples):
    return smallest_by_type(examples)


def test_nearly_every_type_has_an_example_to_break(smallest):
    assert len(smallest) >= 130, sorted(set(TYPES) - set(smallest))


def test_whatever_is_broken_in_an_example_is_refused_at_its_place(smallest):
    count = 0
    for name, resource in smallest.items():
        for owner, key, place in list(members(resource, name)):
            value = owner[key]
            for wrong in list(wrong_values(owner, key)):
                owner[key] = wrong
                assert not certainly_valid(resource), (place, wrong)
                found = validate(resource)
                assert any(issue.at[0].startswith(place) for issue in found), (place, wrong, found)
                count += 1
            owner[key] = value
        assert report(resource) == [], name
    assert count > 20_000


def test_whatever_must_be_there_is_missed_at_its_place(smallest):
    count = 0
    for name, resource in smallest.items():
        for fact_name, fact in elements(name).items():
            if not fact.get("min") or fact_name not in resource:
                continue
            value = resource.pop(fact_name)
            beside = resource.pop(f"_{fact_name}", None)
            found = validate(resource)
            assert ("required", (f"{name}.{fact_name}",)) in [(one.code, one.at) for one in found], (name, fact_name)
            resource[fact_name] = value
            if beside is not None:
                resource[f"_{fact_name}"] = beside
            count += 1
    assert count > 150

"""The examples of R4 and a foreign data set: what is valid passes, and comes back as it was."""

import gzip
import json
import tomllib
from pathlib import Path

import pytest

from continuum.fhir.json import dump, parse
from continuum.fhir.report import report
from continuum.fhir.validate import certainly_valid, validate
from tests.suites import unavailable

ROOT = Path(__file__).resolve().parents[2]
NOT_VALID = tomllib.loads((Path(__file__).parent / "r4_examples_not_valid.toml").read_text(encoding="utf-8"))


def test_every_example_of_r4_is_valid_but_for_a_list_with_reasons(examples):
    assert len(examples) > 5_000
    wrong = {}
    for name, raw in examples.items():
        resource = parse(raw)
        issues = validate(resource)
        if issues:
            wrong[name] = issues[0].text
        elif certainly_valid(resource) and len(raw) < 5_000:
            assert report(resource) == [], name
    assert set(wrong) == set(NOT_VALID), wrong


def test_every_example_of_r4_comes_back_equal(examples):
    for name, raw in examples.items():
        resource = parse(raw)
        assert parse(dump(resource)) == resource, name


@pytest.mark.usefixtures("examples")
def test_the_definitions_compile_to_the_files_that_ship():
    import compile_search
    import compile_structures

    made = compile_search.compiled() | compile_structures.compiled()
    fhir = ROOT / "src" / "continuum" / "fhir"
    shipped = {str(path.relative_to(fhir)) for path in [*fhir.glob("_generated/*.py"), *fhir.glob("facts/*.json")]}
    assert shipped - {"_generated/__init__.py"} == set(made)
    for name, text in made.items():
        assert (fhir / name).read_text(encoding="utf-8") == text, name


@pytest.mark.usefixtures("scripts")
def test_the_shipped_facts_generate_the_shipped_validators():
    import generate_validators

    fhir = ROOT / "src" / "continuum" / "fhir"
    facts = json.loads((fhir / "facts" / "structures.json").read_text(encoding="utf-8"))
    made = generate_validators.modules(facts)
    shipped = {path.name for path in fhir.glob("_generated/*.py") if not path.name.startswith(("index_", "__"))}
    assert shipped == set(made)
    for name, text in made.items():
        assert (fhir / "_generated" / name).read_text(encoding="utf-8") == text, name


def test_a_foreign_data_set_is_valid_and_comes_back_equal(shared_suites):
    folder = shared_suites / "data" / "synthea-r4-100"
    if not folder.is_dir():
        unavailable(f"{folder} is not there")
    count = 0
    for path in sorted(folder.glob("*.ndjson.gz")):
        with gzip.open(path, "rb") as handle:
            for line in handle:
                resource = parse(line)
                assert certainly_valid(resource), resource["id"]
                assert parse(dump(resource)) == resource
                count += 1
    assert count == 26_635

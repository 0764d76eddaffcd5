"""The examples of R4 and a foreign data set: what is valid passes, and comes back as it was."""

import gzip
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from continuum.fhir.json import dump, parse
from continuum.fhir.report import report
from continuum.fhir.validate import certainly_valid, validate
from tests.suites import unavailable

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
NOT_VALID = tomllib.loads((Path(__file__).parent / "r4_examples_not_valid.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, str(SCRIPTS))
    yield SCRIPTS
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def examples(scripts):
    assert scripts.is_dir()
    import r4_packages

    try:
        path = r4_packages.fetch("hl7.fhir.r4.examples@4.0.1")
    except (subprocess.CalledProcessError, OSError) as error:
        unavailable(f"the package of R4's definitions cannot be had from npm ({error})")
    import tarfile

    found = {}
    with tarfile.open(path) as tar:
        for member in tar:
            name = Path(member.name).name
            handle = tar.extractfile(member) if name.endswith(".json") else None
            if handle is not None:
                found[name] = handle.read()
    return {name: raw for name, raw in found.items() if b'"resourceType"' in raw}


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
    import generate_validators

    made = compile_search.compiled()
    facts = compile_structures.compile_facts()
    made["facts/structures.json"] = compile_structures.text_of(facts)
    for name, text in generate_validators.modules(facts).items():
        made[f"_generated/{name}"] = text
    fhir = ROOT / "src" / "continuum" / "fhir"
    shipped = {str(path.relative_to(fhir)) for path in [*fhir.glob("_generated/*.py"), *fhir.glob("facts/*.json")]}
    assert shipped - {"_generated/__init__.py"} == set(made)
    for name, text in made.items():
        assert (fhir / name).read_text(encoding="utf-8") == text, name


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

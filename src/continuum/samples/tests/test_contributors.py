"""A new domain brings its own events by laying a module in its folder."""

import sys
import textwrap

import orjson
import pytest

from continuum.samples import families, world
from continuum.samples.contributors import CORE, discover
from continuum.samples.corpus import core_contributors
from continuum.samples.world import TODAY

OPTOMETRY = """
from continuum.samples.elements import LOCAL, concept
from continuum.samples.observations import observation

_ACUITY = concept(f"{LOCAL}optometry", "visual-acuity", "Visual acuity")


def events(life, draw):
    for visit in life.visits:
        if visit.kind == "checkup":
            acuity = observation(life, draw.id(), category="exam", code=_ACUITY, visit=visit)
            acuity["valueString"] = draw.rng.choice(("20/20", "20/25", "20/40"))
            yield acuity
"""


CHAIRS = """
from continuum.samples.streams import identity


def shared(world, today):
    for site in world.sites.values():
        if site.kind == "dental":
            yield {"resourceType": "Device", "id": identity("device", site.key, "chair"), "status": "active"}
"""


@pytest.fixture
def domains(tmp_path, monkeypatch):
    """A package of clinical domains of which one has samples, one has none and one is a plain module."""
    package = tmp_path / "test_domains"
    for name, text in {
        "__init__.py": "",
        "optometry/__init__.py": "",
        "optometry/samples.py": OPTOMETRY,
        "podiatry/__init__.py": "",
        "words.py": "",
        "dentistry/__init__.py": "",
        "dentistry/samples.py": CHAIRS,
    }.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "test_domains"
    for name in [name for name in sys.modules if name.startswith("test_domains")]:
        del sys.modules[name]
    discover.cache_clear()


def made(contributors):
    household = families.compose(9, 4, TODAY)
    return list(world.lives(household, seed=9, today=TODAY, years=8, keep=1.0, contributors=contributors))


def test_a_module_laid_into_a_domain_is_found_and_its_events_are_in_the_record(domains):
    found = discover(domains=domains)
    assert "test_domains.optometry.samples" in {contributor.name for contributor in found}
    acuity = [r for r in made(found) if r.get("code", {}).get("coding", [{}])[0].get("code") == "visual-acuity"]
    assert len(acuity) >= 3
    assert {r["encounter"]["reference"] for r in acuity} <= {f"Encounter/{r['id']}" for r in made(found)}


def test_a_domain_adds_to_the_facilities_too(domains):
    found = discover(domains=domains)
    chairs = [one for one in world.shared(contributors=found) if one["resourceType"] == "Device"]
    assert len(chairs) >= 3
    assert not [one for one in made(found) if one["resourceType"] == "Device"]


def test_the_calendars_of_the_clinics_come_from_the_domain_that_keeps_them():
    of_domain = [one for one in discover() if one.name == "continuum.clinical.scheduling.samples"]
    assert len(of_domain) == 1
    kinds = {one["resourceType"] for one in world.shared()}
    without = {one["resourceType"] for one in world.shared(contributors=core_contributors())}
    assert kinds - without == {"Schedule", "Questionnaire"}


def test_a_new_contributor_changes_nothing_of_the_others(domains):
    with_it = {orjson.dumps(resource) for resource in made(discover(domains=domains))}
    without = {orjson.dumps(resource) for resource in made(discover(domains="test_domains_that_are_not_there"))}
    assert without < with_it


def test_the_systems_own_contributors_are_found_the_same_way():
    names = {contributor.name.removeprefix(f"{CORE}.") for contributor in discover()}
    assert {"patient", "encounters", "conditions", "vitals", "labs", "dental", "immunizations", "military"} <= names


def test_a_module_without_events_is_refused_by_name(domains, tmp_path):
    (tmp_path / "test_domains" / "podiatry" / "samples.py").write_text("feet = 2\n")
    with pytest.raises(TypeError, match=r"test_domains\.podiatry\.samples"):
        discover(domains=domains)


def test_a_domain_that_is_broken_is_not_passed_over(domains, tmp_path):
    (tmp_path / "test_domains" / "podiatry" / "samples.py").write_text("import a_module_that_is_not_there\n")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        discover(domains=domains)

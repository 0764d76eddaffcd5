"""`:in`, `:not-in`, `:below`, `:above` and the operators of `_filter`, asked of value sets in the record."""

import pytest

from continuum.kernel.errors import TooCostly, UnusableParameter
from continuum.record.search import search_across, terminology
from continuum.record.tests.stock import Stock, coded, observation, patient
from continuum.record.visibility import EVERYTHING, Scope, Visibility

DRUGS = "http://x.org/drugs"
SYSTEM = {
    "resourceType": "CodeSystem", "id": "drugs", "url": DRUGS, "status": "active", "content": "complete",
    "concept": [
        {"code": "antibiotic", "concept": [
            {"code": "penicillin", "concept": [{"code": "amoxicillin"}]}, {"code": "doxycycline"}]},
        {"code": "statin"},
    ],
}  # fmt: skip


def value_set(name, *include, version="1", status="active"):
    return {
        "resourceType": "ValueSet", "id": name, "url": f"http://x.org/sets/{name}", "version": version,
        "status": status, "compose": {"include": list(include)},
    }  # fmt: skip


def listing(*found):
    return {"system": DRUGS, "concept": [{"code": one} for one in found]}


BELOW = {"system": DRUGS, "filter": [{"property": "concept", "op": "is-a", "value": "penicillin"}]}
GIVEN = {"a": "amoxicillin", "d": "doxycycline", "p": "penicillin", "s": "statin", "t": "antibiotic"}


@pytest.fixture
async def stock(pool):
    made = Stock(pool)
    await made.fill(
        SYSTEM, value_set("some", listing("statin", "doxycycline")), value_set("penicillins", BELOW),
        *(observation(one, code=coded(DRUGS, code)) for one, code in GIVEN.items()),
        observation("elsewhere", code=coded("urn:other", "amoxicillin")), observation("none", code={"text": "a drug"}),
        patient("f", gender="female"), patient("m", gender="male"),
        value_set("women", {"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "female"}]}),
        value_set("anyone", {"system": "http://hl7.org/fhir/administrative-gender"}),
        value_set("whole", {"system": DRUGS}), value_set("empty", listing("never-given")),
    )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("code:in=http://x.org/sets/some", "ds"),
        ("code:in=ValueSet/some", "ds"),
        ("code:in=http://x.org/sets/some|1", "ds"),
        ("code:in=http://x.org/sets/penicillins", "ap"),
        ("code:in=http://x.org/sets/some,http://x.org/sets/penicillins", "adps"),
        ("code:in=http://x.org/sets/whole", "adpst"),
        ("code:in=http://x.org/sets/empty", ""),
        ("code:in=http://x.org/sets/empty&subject=Patient/f", ""),
        ("code:not-in=http://x.org/sets/some", ["a", "elsewhere", "none", "p", "t"]),
        (f"code:below={DRUGS}|penicillin", "ap"),
        (f"code:below={DRUGS}|antibiotic", "adpt"),
        (f"code:above={DRUGS}|amoxicillin", "apt"),
        (f"code:below={DRUGS}|amoxicillin,{DRUGS}|statin", "as"),
        ("combo-code:in=http://x.org/sets/some", "ds"),
        ("_filter=code in http://x.org/sets/some", "ds"),
        ("_filter=code ni http://x.org/sets/some", ["a", "elsewhere", "p", "t"]),
        (f"_filter=code sb {DRUGS}|penicillin and status eq final", "ap"),
        (f"_filter=code ss {DRUGS}|doxycycline", "dt"),
        ("_filter=code sb http://x.org/sets/penicillins or code in http://x.org/sets/some", "adps"),
        ("_filter=code ss http://x.org/sets/penicillins", "apt"),
        ("_filter=not (code in http://x.org/sets/some)", ["a", "elsewhere", "none", "p", "t"]),
    ],
)
async def test_a_search_by_a_value_set_or_a_place_in_a_hierarchy(stock, asked, wanted):
    assert sorted(await stock.ids(f"Observation?{asked}")) == sorted(wanted)


async def test_codes_without_a_system_of_their_own_belong_to_that_of_r4(stock):
    assert await stock.ids("Patient?gender:in=http://x.org/sets/women") == ["f"]
    assert sorted(await stock.ids("Patient?gender:in=http://x.org/sets/anyone")) == ["f", "m"]
    assert await stock.ids("Patient?gender:in=http://x.org/sets/some") == []


async def test_value_sets_are_asked_across_a_chain_and_across_types(stock):
    await stock.fill(observation("of-f", subject={"reference": "Patient/f"}, code=coded(DRUGS, "statin")))
    assert await stock.ids("Observation?subject:Patient.gender:in=http://x.org/sets/women") == ["of-f"]
    assert await stock.ids("Patient?_has:Observation:subject:code:in=http://x.org/sets/some") == ["f"]
    query = stock.query("Observation?code:in=http://x.org/sets/some&_sort=_id")
    async with stock.pool.connection() as conn:
        page = await search_across(conn, [query], visibility=EVERYTHING, keys=stock.keys)
    assert [one.id for one in page.matches] == ["d", "of-f", "s"]


async def test_a_new_version_counts_at_once_and_what_is_active_before_a_draft(stock):
    asked = "Observation?code:in=http://x.org/sets/some"
    draft = value_set("some", listing("amoxicillin"), version="2", status="draft") | {"id": "other"}
    await stock.fill(draft)
    assert sorted(await stock.ids(asked)) == ["d", "s"]
    assert await stock.ids(f"{asked}|2") == ["a"]
    await stock.fill(draft | {"id": "third", "status": "active", "version": "3"})
    assert await stock.ids(asked) == ["a"]


async def test_who_may_not_see_a_value_set_cannot_ask_by_it(stock):
    some = Visibility({"Observation": Scope("all")})
    with pytest.raises(UnusableParameter, match=r"There is no value set http://x[.]org/sets/some here; load it"):
        await stock.ids("Observation?code:in=http://x.org/sets/some", visibility=some)
    with pytest.raises(UnusableParameter, match="load its CodeSystem"):
        await stock.ids(f"Observation?code:below={DRUGS}|penicillin", visibility=some)


async def test_a_set_of_too_many_codes_or_of_too_many_sets_is_said(stock, monkeypatch):
    monkeypatch.setattr(terminology, "VALUE_SET_CODES_MAX", 1)
    with pytest.raises(TooCostly, match="More than 1 codes would be looked for by code:in"):
        await stock.ids("Observation?code:in=http://x.org/sets/some")
    monkeypatch.setattr(terminology, "VALUE_SETS_READ_MAX", 1)
    with pytest.raises(TooCostly, match="made of more than 1 others"):
        await stock.ids("Observation?code:in=http://x.org/sets/penicillins")


@pytest.mark.parametrize("asked", ["_id:in=urn:x", "code:below=penicillin", "code:above=urn:x|", "_id:below=urn:x|a"])
async def test_what_names_no_code_of_a_system_is_refused(stock, asked):
    with pytest.raises(UnusableParameter):
        await stock.ids(f"Observation?{asked}")

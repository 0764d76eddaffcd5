"""What value sets hold and what lies below a code."""

import pytest

from continuum.fhir.limits import VALUE_SET_DEPTH_MAX
from continuum.fhir.terminology import Terminology, hierarchy_of, sets_of, systems_of
from continuum.kernel.errors import UnusableParameter

ANIMALS = "http://x.org/animals"
FURRY = {"code": "fur", "valueBoolean": True}
TREE = {
    "resourceType": "CodeSystem", "url": ANIMALS, "content": "complete",
    "concept": [
        {"code": "animal", "concept": [
            {"code": "mammal", "property": [FURRY], "concept": [
                {"code": "cat", "property": [FURRY, {"code": "legs", "valueInteger": 4}]},
                {"code": "whale", "property": [{"code": "legs", "valueInteger": 0}]}]},
            {"code": "bird", "property": [{"code": "legs", "valueInteger": 2}]}]},
        {"code": "lion", "property": [{"code": "parent", "valueCode": "cat"}, {"code": "legs", "valueInteger": 4}]},
        {"code": "pet", "property": [{"code": "child", "valueCode": "cat"}]},
        {"code": "stone"},
    ],
}  # fmt: skip
ALL = {"animal", "mammal", "cat", "whale", "bird", "lion", "pet", "stone"}


def held(*include, exclude=(), others=None, systems=(TREE,), **more):
    value_set = {"resourceType": "ValueSet", "url": "urn:set", "compose": {"include": list(include)}, **more}
    if exclude:
        value_set["compose"]["exclude"] = list(exclude)
    known = {one["url"]: hierarchy_of(one) for one in systems}
    return Terminology({"urn:set": value_set, **(others or {})}, known).members("urn:set")


def codes(members):
    assert {system for system, _ in members} <= {ANIMALS}
    return {code for _, code in members}


def by(name, operator, value):
    return {"property": name, "op": operator, "value": value}


def test_below_and_above_follow_nesting_and_properties():
    tree = hierarchy_of(TREE)
    assert tree.below("mammal") == {"mammal", "cat", "whale", "lion"}
    assert tree.above("lion") == {"lion", "cat", "pet", "mammal", "animal"}
    assert tree.below("stone") == {"stone"} == tree.above("stone")


@pytest.mark.parametrize(
    ("meaning", "below"),
    [
        ("is-a", {"hand", "finger"}),
        ("classified-with", {"hand", "finger"}),
        ("part-of", {"hand"}),
        ("grouped-by", {"hand"}),
    ],
)
def test_what_is_nested_is_subsumed_only_where_the_code_system_means_that(meaning, below):
    nested = [{"code": "hand", "concept": [{"code": "finger"}]}]
    tree = hierarchy_of({"url": "urn:x", "content": "complete", "hierarchyMeaning": meaning, "concept": nested})
    assert (tree.below("hand"), set(tree.properties)) == (below, {"hand", "finger"})


def test_a_loop_of_properties_ends():
    loop = [{"code": one, "property": [{"code": "parent", "valueCode": other}]} for one, other in ("ab", "bc", "ca")]
    assert hierarchy_of({"concept": loop}).below("a") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ([by("concept", "is-a", "mammal")], {"mammal", "cat", "whale", "lion"}),
        ([by("concept", "descendent-of", "mammal")], {"cat", "whale", "lion"}),
        ([by("concept", "is-not-a", "animal")], {"pet", "stone"}),
        ([by("concept", "generalizes", "whale")], {"whale", "mammal", "animal"}),
        ([by("concept", "in", "cat, stone,unheard")], {"cat", "stone"}),
        ([by("legs", "not-in", "4,0")], ALL - {"cat", "whale", "lion"}),
        ([by("legs", "=", "4")], {"cat", "lion"}),
        ([by("fur", "=", "true")], {"mammal", "cat"}),
        ([by("legs", "exists", "true")], {"cat", "whale", "bird", "lion"}),
        ([by("legs", "exists", "false")], {"animal", "mammal", "pet", "stone"}),
        ([by("concept", "is-a", "mammal"), by("legs", "=", "4")], {"cat", "lion"}),
        ([by("concept", "is-a", "unheard")], set()),
    ],
)
def test_filters_choose_among_the_concepts(filters, wanted):
    assert codes(held({"system": ANIMALS, "filter": filters})) == wanted


def test_parts_add_up_and_what_is_excluded_is_taken_away():
    listed = {"system": ANIMALS, "concept": [{"code": "cat"}, {"code": "bird"}]}
    assert held(listed, {"system": "urn:all"}) == {(ANIMALS, "cat"), (ANIMALS, "bird"), ("urn:all", None)}
    assert codes(held(listed, exclude=[{"system": ANIMALS, "concept": [{"code": "bird"}]}])) == {"cat"}
    some = {"system": ANIMALS, "filter": [by("concept", "is-a", "animal")]}
    assert codes(held({"system": ANIMALS}, exclude=[some])) == {"pet", "stone"}
    assert held(listed, {"system": "urn:all"}, exclude=[{"system": "urn:all"}]) == held(listed)


def test_value_sets_are_made_of_others_and_within_one_part_all_must_hold():
    pets = {"compose": {"include": [{"system": ANIMALS, "concept": [{"code": "cat"}, {"code": "stone"}]}]}}
    mammals = {"compose": {"include": [{"system": ANIMALS, "filter": [by("concept", "is-a", "mammal")]}]}}
    others = {"urn:pets": pets, "urn:mammals": mammals}
    assert codes(held({"valueSet": ["urn:pets"]}, others=others)) == {"cat", "stone"}
    assert codes(held({"valueSet": ["urn:pets", "urn:mammals"]}, others=others)) == {"cat"}
    assert codes(held({"system": ANIMALS, "valueSet": ["urn:pets"]}, others=others)) == {"cat", "stone"}
    assert codes(held({"valueSet": ["urn:pets"]}, {"valueSet": ["urn:mammals"]}, others=others)) == {
        "cat", "whale", "lion", "mammal", "stone",
    }  # fmt: skip


def test_an_expansion_says_what_cannot_be_told_otherwise():
    contains = [
        {"abstract": True, "system": ANIMALS, "code": "animal", "contains": [{"system": ANIMALS, "code": "bird"}]},
        {"display": "more", "contains": [{"system": ANIMALS, "code": "cat"}]},
    ]
    unknown = {"system": "urn:unknown", "filter": [by("concept", "is-a", "x")]}
    assert codes(held(unknown, expansion={"contains": contains})) == {"bird", "cat"}
    with pytest.raises(UnusableParameter, match="urn:unknown"):
        held(unknown, expansion={"offset": 0, "contains": contains})  # a page of it only
    alone = Terminology({"urn:set": {"expansion": {"contains": contains}}}, {})
    assert codes(alone.members("urn:set")) == {"bird", "cat"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda: held({"valueSet": ["urn:none"]}), "no value set urn:none here"),
        (lambda: held({"valueSet": ["urn:set"]}), f"more than {VALUE_SET_DEPTH_MAX} deep"),
        (lambda: held({"system": ANIMALS, "filter": [by("code", "regex", "(a+)+")]}), "filter regex"),
        (lambda: held({"system": ANIMALS, "filter": [by("code", "=", "a")]}, systems=()), "load its CodeSystem"),
        (lambda: held({"system": ANIMALS, "filter": [by("code", "=", "a")]}, systems=({**TREE, "content": "example"},)),
         "load its CodeSystem"),
        (lambda: Terminology({"urn:set": {"url": "urn:set"}}, {}).members("urn:set"), "does not say what it holds"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said(asked, words):
    with pytest.raises(UnusableParameter) as refused:
        asked()
    assert words in str(refused.value)


def test_what_has_to_be_read_first_is_known():
    include = [
        {"system": "urn:listed", "concept": [{"code": "a"}]}, {"system": "urn:filtered", "filter": [by("a", "=", "b")]},
        {"system": "urn:whole"}, {"valueSet": ["urn:one", "urn:two"]},
    ]  # fmt: skip
    compose = {"include": include}
    assert list(systems_of({"compose": compose})) == ["urn:filtered"]
    assert list(sets_of({"compose": compose})) == ["urn:one", "urn:two"]
    compose["exclude"] = [{"valueSet": ["urn:three"]}]
    assert list(systems_of({"compose": compose})) == ["urn:filtered", "urn:whole"]
    assert list(sets_of({"compose": compose})) == ["urn:one", "urn:two", "urn:three"]

"""Every element of every type of R4, one by one: right as it should be, and broken in every way that it can be.

The resources are made from the compiled facts, so nothing that R4 defines is left out.
"""

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuum.fhir.report import report
from continuum.fhir.structure import choice_names, elements, facts
from continuum.fhir.types import TYPES
from continuum.fhir.validate import certainly_valid, validate
from continuum.kernel.limits import ISSUES_MAX

RIGHT: dict[str, Any] = {
    "boolean": True, "string": "some text", "markdown": "*some* text", "code": "some-code", "id": "some-id",
    "uri": "urn:some:uri", "url": "https://example.org/x", "canonical": "https://example.org/x|1", "oid": "urn:oid:1.2",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "integer": -7, "unsignedInt": 0, "positiveInt": 1,
    "decimal": Decimal("1.50"), "base64Binary": "AAAA", "date": "2020-02-29", "dateTime": "2020-02-29T10:00:00+14:00",
    "instant": "2020-02-29T10:00:00.123Z", "time": "23:59:59", "xhtml": "<div><p>Text</p></div>",
}  # fmt: skip
WRONG: dict[str, tuple[Any, ...]] = {
    "boolean": ("true", 1), "string": (1, "", " ", "a\x00b"), "markdown": (True, ""), "code": (" a", "a  b", 1, ""),
    "id": ("a b", "é", "x" * 65, 1), "uri": ("a b", 1, ""), "url": ("a b", ""), "canonical": (5, "a b"),
    "oid": ("1.2.3", "urn:oid:x"), "uuid": ("urn:uuid:1", 1), "integer": (2**31, Decimal("1.0"), "1", True),
    "unsignedInt": (-1, True), "positiveInt": (0, "1"), "decimal": ("1.5", True, Decimal("1E+999999")),
    "base64Binary": ("A", "====", "AA=A", 1), "date": ("2021-02-30", "2021-2-1", "2020-01-01T10:00:00Z", 2020),
    "dateTime": ("2021-02-30", "2020-01-01T10:00:00", "2020-01-01T10:00Z"), "instant": ("2020-01-01", 1),
    "time": ("24:00:00", "10:00"), "xhtml": ("text", "<div onclick='x()'></div>", 1),
}  # fmt: skip

Step = str | int


def right_value(kind: str, fact: dict[str, Any], *, contained: bool = False) -> Any:
    """A value of a type that is certainly right where it stands."""
    if kind == "Resource":
        return {"resourceType": "Basic", "id": "in", "code": {"text": "x"}} if contained else minimal("Basic")
    codes = facts()["value_sets"].get(fact.get("codes", ""), ["some-code"])
    if kind == "code":
        return codes[0]
    if kind in RIGHT:
        return RIGHT[kind]
    if kind == "Reference":
        return {"reference": f"{(fact.get('targets') or ['Patient'])[0]}/x"}
    if kind in {"Coding", "CodeableConcept"} and "codes" in fact:
        system, codes = next(iter(facts()["concepts"][fact["codes"]].items()))
        coding = {"system": system, "code": codes[0]}
        return coding if kind == "Coding" else {"coding": [coding]}
    return minimal(kind)


def minimal(type_name: str) -> dict[str, Any]:
    """The smallest right value of a type: what is required, or one element when nothing is."""
    made: dict[str, Any] = {"resourceType": type_name} if facts()["types"][type_name]["resource"] else {}
    members = elements(type_name)
    needed = [name for name, fact in members.items() if fact.get("min")]
    if type_name == "Extension":
        return {"url": "urn:x", "valueString": "some text"}
    if not needed and "resourceType" not in made:
        plain = [name for name, fact in members.items() if (fact["types"] or [""])[0] in RIGHT and name != "id"]
        needed = [plain[0] if plain else next(name for name in members if name not in {"id", "extension"})]
    for name in needed:
        json_name, value = next(alternatives(name, members[name]))
        made[json_name] = value
    return made


def alternatives(name: str, fact: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(JSON name, right content) of each type that an element may have."""
    names = choice_names(name, fact["types"]) if name.endswith("[x]") else {name: (fact["types"] or ["Resource"])[0]}
    for json_name, kind in names.items():
        value = right_value(kind, fact, contained=name == "contained")
        yield json_name, [value] if fact.get("many") else value


def places(root: str) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Each backbone element of a type once, with a way to it."""
    seen = {root}
    waiting: list[tuple[str, tuple[Step, ...]]] = [(root, ())]
    while waiting:
        type_name, way = waiting.pop(0)
        yield type_name, way
        for name, fact in elements(type_name).items():
            kind = (fact["types"] or ["Resource"])[0]
            if kind.startswith(f"{root}.") and kind not in seen:
                seen.add(kind)
                waiting.append((kind, (*way, name, 0) if fact.get("many") else (*way, name)))


def at(resource: dict[str, Any], way: tuple[Step, ...]) -> Any:
    place: Any = resource
    for step in way:
        place = place[step]
    return place


def whole(root: str, way: tuple[Step, ...]) -> dict[str, Any]:
    """A right value of a type in which there is something at the end of the way."""
    made = minimal(root)
    place, type_name = made, root
    for step in way:
        if isinstance(step, int):
            continue
        fact = elements(type_name)[step]
        type_name = fact["types"][0]
        inner = minimal(type_name)
        place[step] = [inner] if fact.get("many") else inner
        place = inner
    return made


def location(root: str, way: tuple[Step, ...]) -> str:
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)


def without_choice(place: dict[str, Any], name: str, fact: dict[str, Any]) -> None:
    names = choice_names(name, fact["types"]) if name.endswith("[x]") else [name]
    for one in names:
        place.pop(one, None)


def named(resource: dict[str, Any]) -> set[str]:
    """Where the report finds something; and that the quick answer is no."""
    assert not certainly_valid(resource)
    return {issue.at[0] for issue in validate(resource)}


def broken_contents(kind: str, fact: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """(broken content, what follows the element's own location in the report's)."""
    wrong = WRONG.get(kind, ("text", 5, True, {}, {"noSuchElement": 1}))
    if kind == "code" and "codes" in fact:
        wrong = (*wrong, "no-such-code")
    if kind == "Resource":
        wrong = ("text", 5, {}, {"resourceType": "Nothing"}, {"resourceType": ["Patient"]})
    for value in wrong:
        below = ".noSuchElement" if value == {"noSuchElement": 1} else ""
        yield ([value], f"[0]{below}") if fact.get("many") else (value, below)
    if fact.get("many"):
        yield [], ""
        yield {}, ""
        yield [None], "[0]"
    else:
        yield [], ""
        yield None, ""
    if kind == "Reference" and fact.get("targets") and "CatalogEntry" not in fact["targets"]:
        value = {"reference": "CatalogEntry/x"}
        yield ([value], "[0].reference") if fact.get("many") else (value, ".reference")


def tried(root: str, type_name: str, way: tuple[Step, ...], name: str, fact: dict[str, Any]) -> int:
    """Breaks one element in every way; returns in how many."""
    count = 0
    names = choice_names(name, fact["types"]) if name.endswith("[x]") else {name: (fact["types"] or ["Resource"])[0]}
    made = whole(root, way)
    for json_name, content in alternatives(name, fact):
        resource = copy.deepcopy(made)
        place = at(resource, way)
        without_choice(place, name, fact)
        place[json_name] = content
        if type_name == "Extension" and name == "extension":
            del place["valueString"]
        assert certainly_valid(resource), (resource, report(resource))
        assert report(resource) == [], resource
        here = location(root, (*way, json_name))
        for broken, below in broken_contents(names[json_name], fact):
            place[json_name] = broken
            assert here + below in named(resource), (resource, validate(resource))
            count += 1
    if fact.get("min"):
        resource = copy.deepcopy(made)
        place = at(resource, way)
        without_choice(place, name, fact)
        place.setdefault("id", "x")
        assert location(root, (*way, name.removesuffix("[x]"))) in named(resource)
        count += 1
    if name.endswith("[x]") and len(fact["types"]) > 1:
        resource = copy.deepcopy(made)
        place = at(resource, way)
        without_choice(place, name, fact)
        both = list(alternatives(name, fact))[:2]
        place.update(both)
        assert location(root, (*way, both[1][0])) in named(resource)
        count += 1
    return count


@pytest.mark.parametrize("root", TYPES)
def test_every_element_is_right_when_right_and_named_when_broken(root):
    count = 0
    for type_name, way in places(root):
        for name, fact in elements(type_name).items():
            if way and name in {"id", "extension", "modifierExtension"}:
                continue  # the same in every element; tested in the resource itself and in the data types
            count += tried(root, type_name, way, name, fact)
        resource = whole(root, way)
        at(resource, way)["noSuchElement"] = 1
        assert location(root, (*way, "noSuchElement")) in named(resource)
    assert count > 30


DATA_TYPES = sorted(name for name, fact in facts()["types"].items() if "." not in name and not fact["resource"])
INSIDE = {
    kind: json_name for json_name, kind in choice_names("value[x]", elements("Extension")["value[x]"]["types"]).items()
}


@pytest.mark.parametrize("kind", [kind for kind in DATA_TYPES if kind in INSIDE])
def test_every_element_of_every_data_type_is_right_when_right_and_named_when_broken(kind):
    for type_name, way in places(kind):
        for name, fact in elements(type_name).items():
            for json_name, content in alternatives(name, fact):
                value = whole(kind, way)
                place = at(value, way)
                without_choice(place, name, fact)
                place[json_name] = content
                resource = {**minimal("Basic"), "extension": [{"url": "urn:x", INSIDE[kind]: value}]}
                assert certainly_valid(resource), report(resource)
                start = f"Basic.extension[0].{INSIDE[kind]}"
                names = choice_names(name, fact["types"]) if name.endswith("[x]") else {}
                one = names.get(json_name, (fact["types"] or ["Resource"])[0])
                for broken, below in broken_contents(one, fact):
                    place[json_name] = broken
                    assert location(start, (*way, json_name)) + below in named(resource), resource


def test_an_extension_has_a_value_or_extensions_and_never_both_or_neither():
    plain = {"url": "urn:x"}
    for wrong in (plain, {**plain, "valueString": "a", "extension": [{"url": "a", "valueCode": "b"}]}):
        assert "Basic.extension[0]" in named({**minimal("Basic"), "extension": [wrong]})


def test_a_contained_resource_has_an_id_and_contains_none():
    inner = {"resourceType": "Patient"}
    assert "Basic.contained[0].id" in named({**minimal("Basic"), "contained": [inner]})
    inner = {"resourceType": "Patient", "id": "a", "contained": [{"resourceType": "Patient", "id": "b"}]}
    assert "Basic.contained[0].contained" in named({**minimal("Basic"), "contained": [inner]})


def full(type_name: str) -> dict[str, Any]:
    """A right value with every element that is no resource, its backbone elements included."""
    made = minimal(type_name)
    for name, fact in elements(type_name).items():
        own = not name.endswith("[x]") or not any(one in made for one in choice_names(name, fact["types"]))
        if own and name not in made and (fact["types"] or ["Resource"])[0] not in {"Resource", type_name}:
            made.update([next(alternatives(name, fact))])
    return made


def inner_places(value: Any) -> Iterator[tuple[Any, Step]]:
    """(holder, step) of everything inside."""
    steps = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        yield value, step
        yield from inner_places(value[step])


def unusual(value: Any) -> bool:
    """Whether there are nulls or siblings of primitives, which only the thorough reader judges."""
    if isinstance(value, dict):
        return any(name.startswith("_") or unusual(one) for name, one in value.items())
    return any(unusual(one) for one in value) if isinstance(value, list) else value is None


SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 2**33) | st.sampled_from([*RIGHT.values(), "", " ", "Patient/x", "#x"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "url", "valueCode", "extension", "_id", "code", "resourceType", "reference"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TYPES), st.data())
def test_the_quick_yes_is_never_wrong_and_a_quick_no_only_for_what_is_wrong_or_unusual(name, data):
    resource = full(name)
    assert certainly_valid(resource)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, step = data.draw(st.sampled_from(list(inner_places(resource))))
        match data.draw(st.sampled_from(["replace", "remove", "sibling", "add", "repeat"])):
            case "replace":
                holder[step] = data.draw(JSON)
            case "remove" if len(resource) > 1:
                del holder[step]
            case "sibling" if isinstance(step, str):
                holder[f"_{step}"] = data.draw(JSON | st.just({"extension": [{"url": "urn:x", "valueCode": "x"}]}))
            case "add" if isinstance(holder, dict):
                holder[data.draw(st.sampled_from(["id", "extension", "value", "name", "text", "contained"]))] = (
                    data.draw(JSON)
                )
            case _ if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[step]))
    found = report(resource)
    assert len(found) <= ISSUES_MAX
    assert all(issue.text and issue.at for issue in found)
    if certainly_valid(resource):
        assert found == []
    elif not found:
        assert unusual(resource), resource

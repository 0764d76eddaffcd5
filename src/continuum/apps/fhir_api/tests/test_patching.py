import base64
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.apps.fhir_api.headers import UnsupportedMedia
from continuum.apps.fhir_api.patching import compiled, from_binary
from continuum.kernel.errors import DomainError, Invalid, Malformed

ROOT = Path(__file__).parents[5]
SHARED = Path(os.environ.get("CONTINUUM_SHARED", ROOT.parent / "shared"))
SUITE = SHARED / "suites" / "fhir-patch" / "json-patch-tests.json"


def cases():
    if not SUITE.exists():
        return [None]
    return json.loads(SUITE.read_text())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["comment"] if case else "missing")
def test_the_public_suite_of_json_patches(case):
    if case is None:
        message = f"the suite {SUITE.name} is missing"
        if os.environ.get("CONTINUUM_REQUIRE_SUITES") == "1":
            pytest.fail(message)
        pytest.skip(message)
    if "error" in case:
        with pytest.raises(DomainError):
            compiled(case["patch"])(case["doc"])
    else:
        assert compiled(case["patch"])(case["doc"]) == case["expected"]


def test_a_patch_leaves_the_resource_it_was_given_alone():
    resource = {"name": [{"given": ["A"]}]}
    patched = compiled([{"op": "add", "path": "/name/0/given/-", "value": "B"}])(resource)
    assert patched == {"name": [{"given": ["A", "B"]}]}
    assert resource == {"name": [{"given": ["A"]}]}


def test_decimals_keep_their_digits():
    resource = {"value": Decimal("1.10")}
    patched = compiled([{"op": "copy", "from": "/value", "path": "/again"}])(resource)
    assert str(patched["again"]) == "1.10"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "array of operations"),
        (["add"], "operation 1 is not a JSON object"),
        ([{"path": "/a"}], "op must be add"),
        ([{"op": "sing", "path": "/a"}], "'sing'"),
        ([{"op": "add", "value": 1}], "has no path"),
        ([{"op": "add", "path": 3, "value": 1}], "has no path"),
        ([{"op": "add", "path": "/a"}], "has no value"),
        ([{"op": "add", "path": "a", "value": 1}], "begins with '/'"),
        ([{"op": "add", "path": "/a~2", "value": 1}], "no JSON Pointer"),
        ([{"op": "move", "path": "/a"}], "has no from"),
        ([{"op": "test", "path": "/a", "value": 1}] * 1001, "may have 1000 operations"),
    ],
)
def test_what_is_no_patch_is_malformed_in_words(document, said):
    with pytest.raises(Malformed, match=said):
        compiled(document)


@pytest.mark.parametrize(
    ("operation", "at"),
    [
        ({"op": "remove", "path": "/name/3"}, "name[3]"),
        ({"op": "remove", "path": "/birthDate"}, "birthDate"),
        ({"op": "replace", "path": "/gender", "value": 1}, "gender"),
        ({"op": "add", "path": "/name/7", "value": {}}, "name[7]"),
        ({"op": "add", "path": "/name/x", "value": {}}, "name.x"),
        ({"op": "add", "path": "/active/deeper", "value": 1}, "active.deeper"),
        ({"op": "move", "from": "/nowhere", "path": "/x"}, "x"),
        ({"op": "move", "from": "/name", "path": "/name/0"}, "name[0]"),
        ({"op": "copy", "from": "/nowhere", "path": "/x"}, "x"),
        ({"op": "test", "path": "/active", "value": False}, "active"),
        ({"op": "test", "path": "/active", "value": 1}, "active"),
        ({"op": "test", "path": "/name/0/use", "value": "official"}, "name[0].use"),
    ],
)
def test_what_cannot_be_done_says_where(operation, at):
    with pytest.raises(Invalid) as refused:
        compiled([operation])({"active": True, "name": [{"family": "A"}]})
    (issue,) = refused.value.issues
    assert issue.at == (at,)
    assert "Patch operation 1" in issue.text


@pytest.mark.parametrize("value", [None, [], 3, "x"])
def test_a_patch_that_leaves_no_object_is_refused(value):
    with pytest.raises(Invalid):
        compiled([{"op": "replace", "path": "", "value": value}])({"a": 1})


@pytest.mark.requirement("V-222612")
def test_copies_of_copies_are_stopped_before_they_fill_the_memory():
    doubling = [{"op": "copy", "from": "", "path": f"/x{number}"} for number in range(60)]
    with pytest.raises(Invalid, match="copies more than"):
        compiled(doubling)({"a": 1})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["op", "path", "from", "value"]), json_values), max_size=3), json_values
)
@pytest.mark.requirement("V-222609", "V1.5.2")
def test_whatever_is_sent_is_done_or_refused(document, value):
    try:
        compiled(document)({"a": value})
    except (Malformed, Invalid):
        return


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
                "path": st.sampled_from(["", "/a", "/a/0", "/a/-", "/a/b", "/~0", "/a/00", "/a/-1", "/a/b/c"]),
                "from": st.sampled_from(["", "/a", "/a/0", "/a/b", "/c"]),
                "value": json_values,
            }
        ),
        max_size=4,
    ),
    json_values,
)
def test_every_well_formed_patch_is_done_or_refused(document, value):
    try:
        result = compiled(document)({"a": value})
    except Invalid:
        return
    assert isinstance(result, dict)


def test_an_entry_of_a_bundle_carries_its_patch_in_a_binary():
    patch = [{"op": "add", "path": "/a", "value": 1}]
    data = base64.b64encode(json.dumps(patch).encode()).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    assert from_binary(binary) == patch
    with pytest.raises(UnsupportedMedia, match="FHIRPath Patch"):
        from_binary({"resourceType": "Parameters"})
    with pytest.raises(Malformed, match="carries a Binary"):
        from_binary({**binary, "contentType": "application/json"})
    with pytest.raises(Malformed, match="not base64"):
        from_binary({**binary, "data": "%%%"})

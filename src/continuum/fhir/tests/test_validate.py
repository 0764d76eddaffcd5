"""Break one thing in a valid resource, and the report names it at its place; leave it whole, and nothing is said."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuum.fhir.primitives import is_xhtml
from continuum.fhir.report import report
from continuum.fhir.structure import elements
from continuum.fhir.types import TYPES
from continuum.fhir.validate import certainly_valid, validate
from continuum.kernel.limits import ISSUES_MAX

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p-1",
    "name": [{"family": "Reyes", "given": ["Ana", "María"]}],
    "gender": "female",
    "birthDate": "1990-02-28",
    "deceasedBoolean": False,
    "managingOrganization": {"reference": "Organization/o-1"},
    "extension": [{"url": "urn:a", "valueString": "b"}],
    "contained": [{"resourceType": "Organization", "id": "in", "name": "Clinic"}],
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
    "valueQuantity": {"value": Decimal("1.80"), "unit": "m"},
}


def changed(resource: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(resource)
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return whole


def test_what_is_right_is_right_at_once():
    assert certainly_valid(PATIENT)
    assert certainly_valid(OBSERVATION)
    assert validate(PATIENT) == validate(OBSERVATION) == []


MANAGED_BY = ("managingOrganization", "reference")
CASES = [
    (PATIENT, ("gender",), "woman", "Patient.gender", "code-invalid"),
    (PATIENT, ("birthDate",), "2021-02-30", "Patient.birthDate", "value"),
    (PATIENT, ("birthDate",), "1990-2-1", "Patient.birthDate", "value"),
    (PATIENT, ("name", 0, "given", 1), "", "Patient.name[0].given[1]", "value"),
    (PATIENT, ("name", 0, "given", 1), None, "Patient.name[0].given[1]", "structure"),
    (PATIENT, ("name", 0, "given"), "Ana", "Patient.name[0].given", "structure"),
    (PATIENT, ("name",), [], "Patient.name", "structure"),
    (PATIENT, ("name", 0), {}, "Patient.name[0]", "structure"),
    (PATIENT, ("name", 0), "Ana", "Patient.name[0]", "structure"),
    (PATIENT, ("colour",), "red", "Patient.colour", "structure"),
    (PATIENT, ("name", 0, "colour"), "red", "Patient.name[0].colour", "structure"),
    (PATIENT, ("active",), "true", "Patient.active", "value"),
    (PATIENT, ("deceasedDateTime",), "2020", "Patient.deceasedDateTime", "structure"),
    (
        PATIENT,
        ("managingOrganization", "reference"),
        "Patient/x",
        "Patient.managingOrganization.reference",
        "structure",
    ),
    (PATIENT, ("extension", 0, "url"), ..., "Patient.extension[0].url", "required"),
    (PATIENT, ("extension", 0, "valueString"), ..., "Patient.extension[0]", "invariant"),
    (PATIENT, ("contained", 0, "id"), ..., "Patient.contained[0].id", "required"),
    (PATIENT, ("contained", 0, "resourceType"), "Nothing", "Patient.contained[0]", "structure"),
    (PATIENT, ("id",), "a b", "Patient.id", "value"),
    (PATIENT, ("text",), {"status": "generated", "div": "<div><script>x</script></div>"}, "Patient.text.div", "value"),
    (PATIENT, ("multipleBirthInteger",), 2**31, "Patient.multipleBirthInteger", "value"),
    (PATIENT, ("_gender",), "x", "Patient.gender", "structure"),
    (OBSERVATION, ("status",), ..., "Observation.status", "required"),
    (OBSERVATION, ("code",), ..., "Observation.code", "required"),
    (OBSERVATION, ("valueString",), "x", "Observation.valueString", "structure"),
    (OBSERVATION, ("valueQuantity", "value"), "1.8", "Observation.valueQuantity.value", "value"),
    (OBSERVATION, ("effectiveDateTime",), "2020-01-01T10:00:00", "Observation.effectiveDateTime", "value"),
    (OBSERVATION, ("issued",), "2020-01-01", "Observation.issued", "value"),
]


@pytest.mark.parametrize(("resource", "path", "value", "location", "code"), CASES)
def test_one_thing_broken_is_named_at_its_place(resource, path, value, location, code):
    broken = changed(resource, path, value)
    assert not certainly_valid(broken)
    found = validate(broken)
    assert (code, location) in [(issue.code, issue.at[0]) for issue in found], found


def test_unusual_but_right_forms_pass():
    with_siblings = changed(PATIENT, ("name", 0, "given"), ["Ana", None])
    with_siblings["name"][0]["_given"] = [None, {"extension": [{"url": "urn:a", "valueCode": "unknown"}]}]
    only_sibling = changed(OBSERVATION, ("status",), ...)
    only_sibling["_status"] = {"extension": [{"url": "urn:a", "valueCode": "unknown"}]}
    assert validate(with_siblings) == []
    assert validate(only_sibling) == []


@pytest.mark.parametrize("name", TYPES)
def test_every_required_element_of_every_type_is_missed(name):
    empty = {"resourceType": name, "id": "x"}
    missing = {issue.at[0] for issue in report(empty) if issue.code == "required"}
    wanted = {f"{name}.{one.removesuffix('[x]')}" for one, fact in elements(name).items() if fact.get("min")}
    assert missing == wanted
    assert certainly_valid(empty) is not bool(wanted)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "given", "extension", "url", "code", "reference", "_x"]), inner
        )
    ),
    max_leaves=12,
)


# No deadline: the first resource of a type loads its validator, which a busy machine may take long for.
@settings(deadline=None)
@given(
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(["id", "name", "code", "subject", "contained", "meta", "_id", "valueX"]), JSON),
)
def test_no_json_makes_the_reporter_fail_and_what_it_passes_is_no_surprise(name, members):
    resource = {"resourceType": name, **members}
    found = validate(resource)
    assert len(found) <= ISSUES_MAX
    if certainly_valid(resource):
        assert report(resource) == []


def test_a_hostile_list_is_reported_within_its_bound():
    assert len(validate({"resourceType": "Patient", "name": [{}] * 10_000})) == ISSUES_MAX


@pytest.mark.parametrize(
    "inside",
    ["<script>x</script>", "<SCRIPT>x</SCRIPT>", "<form/>", "<iframe src='x'></iframe>", "<svg/onload=alert(1)>",
     "<img src='x'onerror='x()'/>", "<img/onerror=x>", "<p ONCLICK = 'x()'>a</p>", "<a href='javascript:x()'>a</a>",
     "<a href='java&#x73;cript:x()'>a</a>", "<a href='java\tscript:x()'>a</a>",
     "<a href='&#106;avascript&colon;x()'>a</a>",
     "<a href='data:text/html,x'>a</a>", "<meta http-equiv='refresh'/>", "<math/>", "<video/>", "<input/>", "<link/>",
     "<style>p {}</style>", "< script>x</script>", "<!DOCTYPE x>", "<?x?>", "\x01", "<divx></divx>"],
)  # fmt: skip
def test_a_narrative_has_nothing_that_runs(inside):
    assert not is_xhtml(f"<div>{inside}</div>")


def test_a_narrative_may_have_tables_lists_images_and_links():
    rows = "<table class='grid'><tr><td colspan='2'>Blood pressure &lt; 140 &amp; &nbsp; on 2020</td></tr></table>"
    links = "<ul><li><a href='https://example.org/x?a=b'>x</a><br/><img src='#pic' alt='x'/></li></ul><!-- a -->"
    assert is_xhtml(f'<div xmlns="http://www.w3.org/1999/xhtml">{rows}{links}<h1>A</h1><hr/></div>')

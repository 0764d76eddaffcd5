import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.access import Operation
from continuum.apps.fhir_api.entries import operation, read_entries, read_entry
from continuum.kernel.errors import DomainError, Malformed, TooLarge

BASE = "http://there/fhir"
PATIENT = {"resourceType": "Patient", "id": "p"}


def entry(method, url, resource=None, **request):
    raw = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        raw["resource"] = resource
    return raw


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (entry("GET", "Patient/p"), Operation("GET", "Patient", id="p")),
        (entry("GET", "/Patient/p"), Operation("GET", "Patient", id="p")),
        (entry("GET", f"{BASE}/Patient/p"), Operation("GET", "Patient", id="p")),
        (entry("GET", "Patient?name=a&_count=1"), Operation("GET", "Patient", query="name=a&_count=1")),
        (entry("POST", "Patient", PATIENT), Operation("POST", "Patient", resource=PATIENT)),
        (
            entry("POST", "Patient", PATIENT, ifNoneExist="Patient?identifier=a|b"),
            Operation("POST", "Patient", resource=PATIENT, if_none_exist="identifier=a|b"),
        ),
        (
            entry("PUT", "Patient/p", PATIENT, ifMatch='W/"3"'),
            Operation("PUT", "Patient", id="p", resource=PATIENT, if_match=3),
        ),
        (
            entry("PUT", "Patient/p", PATIENT, ifNoneMatch="*"),
            Operation("PUT", "Patient", id="p", resource=PATIENT, if_none_match="*"),
        ),
        (
            entry("PUT", "Patient?identifier=1", PATIENT),
            Operation("PUT", "Patient", query="identifier=1", resource=PATIENT),
        ),
        (entry("DELETE", "Patient/p"), Operation("DELETE", "Patient", id="p")),
        (entry("DELETE", "Patient?identifier=1"), Operation("DELETE", "Patient", query="identifier=1")),
        (entry("PATCH", "Patient/p", {"resourceType": "Binary"}), Operation("PATCH", "Patient", id="p")),
    ],
)
def test_an_entry_becomes_an_operation(raw, wanted):
    assert operation(read_entry(0, raw, BASE)) == wanted


@pytest.mark.parametrize(
    ("raw", "at", "said"),
    [
        ({}, "Bundle.entry[4]", "needs a request"),
        ("x", "Bundle.entry[4]", "needs a request"),
        (entry("BREW", "Patient"), "Bundle.entry[4].request.method", "is no method"),
        (entry("GET", None), "Bundle.entry[4].request.url", "needs a url"),
        (entry("GET", "http://elsewhere/fhir/Patient"), "Bundle.entry[4].request.url", "not on this server"),
        (entry("GET", "//elsewhere/Patient"), "Bundle.entry[4].request.url", "not on this server"),
        (entry("GET", "Foo/1"), "Bundle.entry[4]", "no resource type Foo"),
        (entry("POST", ""), "Bundle.entry[4].request.url", "cannot be an entry"),
        (entry("POST", "Patient/_search"), "Bundle.entry[4].request.url", "cannot be an entry"),
        (entry("POST", "Patient"), "Bundle.entry[4].resource", "needs a resource"),
        (entry("POST", "Patient", []), "Bundle.entry[4].resource", "must be a JSON object"),
        (entry("POST", "Observation", PATIENT), "Bundle.entry[4].resource", "is a Patient"),
        (entry("PUT", "Patient/p", PATIENT, ifMatch=3), "Bundle.entry[4].request.ifMatch", "must be a string"),
        ({**entry("POST", "Patient", PATIENT), "fullUrl": 3}, "Bundle.entry[4].fullUrl", "must be a string"),
    ],
)
def test_an_entry_that_cannot_be_read_says_which_and_where(raw, at, said):
    with pytest.raises(DomainError, match=said) as refused:
        read_entry(4, raw, BASE)
    assert refused.value.issues[0].at == (at,)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (entry("GET", "Patient/p/_history"), "put it in a batch"),
        (entry("GET", "Patient/p/Observation"), "put it in a batch"),
        (entry("DELETE", "Patient"), "needs criteria"),
        (entry("PUT", "Patient/other", PATIENT), "must be that of its url"),
        (entry("PUT", "Patient/p", PATIENT, ifNoneMatch='W/"1"'), "only be \\*"),
        (entry("PUT", "Patient/p", PATIENT, ifMatch="x"), "ifMatch must be the ETag"),
    ],
)
def test_what_cannot_be_in_a_transaction_is_refused(raw, said):
    with pytest.raises(DomainError, match=said):
        operation(read_entry(0, raw, BASE))


@pytest.mark.requirement("V2.3.2")
def test_entries_are_a_list_and_not_too_many():
    assert read_entries({}) == []
    with pytest.raises(Malformed, match="array"):
        read_entries({"entry": {}})
    with pytest.raises(TooLarge, match="at most 5000"):
        read_entries({"entry": [{}] * 5001})


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=20) | st.sampled_from(["GET", "PUT", "Patient/1"]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["request", "method", "url", "resource", "fullUrl", "ifMatch"]), inner)
        ),
        max_leaves=12,
    )
)
@pytest.mark.requirement("V-222609")
def test_whatever_an_entry_is_it_is_read_or_refused(raw):
    try:
        operation(read_entry(0, raw, BASE))
    except DomainError:
        return

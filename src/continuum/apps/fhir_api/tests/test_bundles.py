import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.access import Stored
from continuum.apps.fhir_api.bundles import (
    INCLUDE,
    MATCH,
    bundle,
    history_entry,
    issue_entry,
    link,
    resource_entry,
)
from continuum.apps.fhir_api.exchange import parameters
from continuum.kernel.errors import Issue

BASE = b"http://there/fhir"


def stored(version=1, *, deleted=False):
    body = None if deleted else b'{"resourceType":"Patient","id":"p"}'
    return Stored("Patient", "p", version, 1_000_000, deleted=deleted, patient_id="p", body=body)


def test_a_searchset_is_put_together_from_text():
    entries = [
        resource_entry(BASE, stored(), stored().body, MATCH),
        resource_entry(BASE, stored(), stored().body, INCLUDE),
        issue_entry((Issue("not-supported", "x was ignored", severity="warning"),)),
    ]
    shown = json.loads(bundle(b"searchset", entries, links=[(b"self", BASE + b"/Patient")], total=7))
    assert shown["type"] == "searchset"
    assert shown["total"] == 7
    assert shown["link"] == [{"relation": "self", "url": "http://there/fhir/Patient"}]
    assert [entry["search"]["mode"] for entry in shown["entry"]] == ["match", "include", "outcome"]
    assert shown["entry"][0]["fullUrl"] == "http://there/fhir/Patient/p"
    assert shown["entry"][0]["resource"] == {"resourceType": "Patient", "id": "p"}


def test_an_empty_bundle_has_no_entry_at_all():
    assert json.loads(bundle(b"searchset", [], total=0)) == {
        "resourceType": "Bundle", "type": "searchset", "total": 0,
    }  # fmt: skip
    assert json.loads(bundle(b"history", [], subsetted=True))["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_a_history_says_what_made_each_version():
    first, second, gone = (
        json.loads(history_entry(BASE, version, version.body))
        for version in (stored(1), stored(2), stored(3, deleted=True))
    )
    assert first["request"] == {"method": "POST", "url": "Patient"}
    assert first["response"]["status"] == "201"
    assert second["request"] == {"method": "PUT", "url": "Patient/p"}
    assert second["response"] == {
        "status": "200", "etag": 'W/"2"', "lastModified": "1970-01-01T00:00:01.000Z",
    }  # fmt: skip
    assert gone["request"] == {"method": "DELETE", "url": "Patient/p"}
    assert "resource" not in gone


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=20)), max_size=4))
@pytest.mark.requirement("V1.2.2")
def test_a_link_carries_any_parameters_through(params):

    url = link(BASE, "Patient", params)
    shown = json.loads(bundle(b"searchset", [], links=[(b"self", url)]))["link"][0]["url"]
    assert shown.encode() == url
    assert parameters(url.partition(b"?")[2]) == params

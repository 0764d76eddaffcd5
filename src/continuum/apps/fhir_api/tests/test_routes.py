import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.apps.fhir_api.routes import METHODS, ROUTES, MethodNotAllowed, NoSuchAddress, resolve
from continuum.kernel.errors import Malformed, NotFound


@pytest.mark.parametrize(
    ("method", "path", "interaction", "facts"),
    [
        ("GET", "metadata", "capabilities", ("", "", 0)),
        ("POST", "", "bundle", ("", "", 0)),
        ("GET", "_history", "history-system", ("", "", 0)),
        ("GET", "Patient", "search", ("Patient", "", 0)),
        ("GET", "Patient/", "search", ("Patient", "", 0)),
        ("POST", "Patient", "create", ("Patient", "", 0)),
        ("PUT", "Patient", "update-matching", ("Patient", "", 0)),
        ("PATCH", "Patient", "patch-matching", ("Patient", "", 0)),
        ("DELETE", "Patient", "delete-matching", ("Patient", "", 0)),
        ("POST", "Patient/_search", "search", ("Patient", "", 0)),
        ("GET", "Patient/_history", "history-type", ("Patient", "", 0)),
        ("GET", "Patient/a-1.b", "read", ("Patient", "a-1.b", 0)),
        ("HEAD", "Patient/1", "read", ("Patient", "1", 0)),
        ("PUT", "Patient/1", "update", ("Patient", "1", 0)),
        ("PATCH", "Patient/1", "patch", ("Patient", "1", 0)),
        ("DELETE", "Patient/1", "delete", ("Patient", "1", 0)),
        ("GET", "Patient/1/_history", "history-instance", ("Patient", "1", 0)),
        ("GET", "Patient/1/_history/7", "vread", ("Patient", "1", 7)),
        ("GET", "Patient/1/$everything", "everything", ("Patient", "1", 0)),
        ("POST", "Patient/1/$everything", "everything", ("Patient", "1", 0)),
        ("GET", "Patient/1/*", "everything", ("Patient", "1", 0)),
    ],
)
def test_every_address_leads_to_its_interaction(method, path, interaction, facts):
    target = resolve(method, path)
    assert target.route.interaction == interaction
    assert (target.resource_type, target.id, target.version) == facts


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", "/_search")])
def test_a_compartment_stands_before_the_type(method, end):
    target = resolve(method, f"Encounter/e1/Observation{end}")
    assert (target.route.interaction, target.resource_type) == ("search", "Observation")
    assert target.compartment == ("Encounter", "e1")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("patient", "case-sensitive"),
        ("Patient/1/$foo", "\\$foo is not offered on one Patient"),
        ("Patient/$nothing", "\\$nothing is not offered"),
        ("$convert", "\\$convert is not offered"),
        ("Observation/$export", "\\$export is not offered"),
        ("_bulk/a_b", "no bulk job"),
        ("Observation/1/$everything", "\\$everything is not offered"),
        ("Patient/1/2", "Nothing is served"),
        ("Patient/1/_history/1/2", "Nothing is served"),
        ("Observation/1/Patient", "Nothing is served"),
        ("Observation/1/*", "Nothing is served"),
        ("metadata/1", "no resource type"),
        ("../etc/passwd", "no resource type"),
        ("Patient//1", "no Patient/ here"),
    ],
)
def test_unknown_addresses_are_not_found_in_words(path, said):
    with pytest.raises(NotFound, match=said):
        resolve("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "metadata", ("GET", "HEAD")),
        ("PUT", "", ("GET", "HEAD", "OPTIONS", "POST")),
        ("GET", "_search", ("POST",)),
        ("DELETE", "_history", ("GET", "HEAD")),
        ("POST", "Patient/1", ("DELETE", "GET", "HEAD", "PATCH", "PUT")),
        ("GET", "Patient/_search", ("POST",)),
        ("DELETE", "Patient/1/_history", ("GET", "HEAD")),
        ("PUT", "Patient/1/$everything", ("GET", "HEAD", "POST")),
        ("POST", "Patient/1/*", ("GET", "HEAD")),
        ("BREW", "Patient", ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(method, path, allowed):
    with pytest.raises(MethodNotAllowed) as refused:
        resolve(method, path)
    assert refused.value.allowed == allowed


def test_an_id_that_cannot_be_is_not_found_when_read_and_malformed_when_written():
    for text in ("a_b", "a" * 65, "ä", "a b", "%2e%2e"):
        with pytest.raises(NotFound):
            resolve("GET", f"Patient/{text}")
        with pytest.raises(Malformed, match="cannot be an id"):
            resolve("PUT", f"Patient/{text}")


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "abc", "", "9999999999"])
def test_a_version_that_cannot_be_is_not_found(version):
    if version == "":
        assert resolve("GET", "Patient/1/_history/").route.interaction == "history-instance"
    else:
        with pytest.raises(NotFound):
            resolve("GET", f"Patient/1/_history/{version}")


def test_every_route_can_be_reached():
    filled = {
        "{type}": "Observation", "{id}": "x", "{version}": "3", "{compartment}": "Device", "{job}": "x", "{file}": "y",
    }  # fmt: skip
    for route in ROUTES:
        path = route.template
        for name, value in filled.items():
            path = path.replace(name, value)
        assert resolve(route.method, path.removeprefix("/")).route is route
    assert sum(len(methods) for methods in METHODS.values()) == len(ROUTES)


@given(st.text(max_size=80), st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]))
def test_no_path_does_more_than_be_found_or_refused(path, method):
    try:
        target = resolve(method, path)
    except (Malformed, NotFound, MethodNotAllowed):
        return
    assert target.route in ROUTES


def test_addresses_that_nobody_serves_say_not_supported():
    with pytest.raises(NoSuchAddress) as refused:
        resolve("GET", "Foo/1")
    assert refused.value.issues[0].code == "not-supported"

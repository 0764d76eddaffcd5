"""What is written about the interface is held against what it does."""

import re
from pathlib import Path

import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from continuum.access.trace import PARAMETERS
from continuum.apps.fhir_api import capability, handlers, openapi
from continuum.apps.fhir_api.pages import REQUEST_HEADERS, STATUSES
from continuum.apps.fhir_api.routes import COMPARTMENTS, METHODS, ROUTES, TRACE_TYPES
from continuum.fhir import search_params
from continuum.fhir.types import TYPES
from continuum.kernel import errors

ROOT = Path(__file__).parents[5]
REFERENCE = (ROOT / "docs" / "reference" / "rest-api.md").read_text()
BASE = "http://there/fhir"


def test_the_reference_lists_every_route_and_no_other():
    written = set(re.findall(r"^\| `([A-Z]+)` \| `/fhir([^`]*)` \|", REFERENCE, re.MULTILINE))
    assert written == {(route.method, route.template) for route in ROUTES}


def test_the_reference_lists_every_request_header_and_status():
    for name, text in REQUEST_HEADERS:
        assert f"| `{name}` | {text} |" in REFERENCE
    for status, text in STATUSES:
        assert f"| {status} | {text} |" in REFERENCE


def test_every_status_that_a_refusal_can_have_is_explained():
    kinds = [errors.DomainError]
    statuses = set()
    while kinds:
        kind = kinds.pop()
        statuses.add(kind.status)
        kinds.extend(kind.__subclasses__())
    assert statuses - {status for status, _ in STATUSES} == set()


def test_every_route_has_a_handler():
    wanted = {route.interaction for route in ROUTES} - {"capabilities"}
    assert set(handlers.HANDLERS) == wanted
    assert wanted >= handlers.WRITES


@pytest.fixture(scope="module")
def rest():
    statement = orjson.loads(capability.statement(BASE))
    assert statement["implementation"]["url"] == BASE
    (found,) = statement["rest"]
    return found


def test_the_capability_statement_claims_what_is_routed(rest):
    routed = {route.interaction for route in ROUTES}
    assert [resource["type"] for resource in rest["resource"]] == list(TYPES)
    for resource in rest["resource"]:
        codes = {interaction["code"] for interaction in resource["interaction"]}
        assert {"search" if code == "search-type" else code for code in codes} <= routed
    assert {interaction["code"] for interaction in rest["interaction"]} == {
        "transaction", "batch", "search-system", "history-system",
    }  # fmt: skip
    for place in (rest, *rest["resource"]):
        kind = place.get("type", "")
        template = {"": "/$export", "Group": "/Group/{id}/$export"}.get(kind, f"/{kind}/$export")
        claimed = "export" in {operation["name"] for operation in place.get("operation", ())}
        assert claimed == (template in METHODS), template
    assert {operation["name"] for operation in rest["operation"]} == {"emergencies", "export", "import", "meta"}
    compartments = {url.rpartition("/")[2] for url in rest["compartment"]}
    assert compartments == {name.lower() for name in COMPARTMENTS}
    assert set(COMPARTMENTS) == set(search_params.COMPARTMENTS)


def test_the_capability_statement_claims_the_search_parameters_that_are_compiled(rest):
    for resource in rest["resource"]:
        known = search_params.params(resource["type"])
        if resource["type"] in TRACE_TYPES:
            assert {p["name"] for p in resource["searchParam"]} == set(PARAMETERS)
            continue
        assert {(p["name"], p["type"]) for p in resource["searchParam"]} == {
            (param.code, "string" if param.kind == "words" else param.kind) for param in known.values()
        }
        for name in resource.get("searchInclude", ()):
            source, _, code = name.partition(":")
            assert source == resource["type"]
            assert known[code].kind == "reference"
        for name in resource.get("searchRevInclude", ()):
            source, _, code = name.partition(":")
            assert resource["type"] in (search_params.params(source)[code].targets or TYPES)


def test_the_openapi_document_is_valid_and_has_every_route():
    document = orjson.loads(openapi.document(BASE))
    OpenAPIV31SpecValidator(document).validate()
    found = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert found == {(route.method, route.template) for route in ROUTES}
    # What is said more than once is a component, so one more operation costs little.
    assert len(orjson.dumps(document)) < 1_500 * len(ROUTES)
    ids = [
        operation["operationId"]
        for operations in document["paths"].values()
        for method, operation in operations.items()
        if method != "parameters"
    ]
    assert len(ids) == len(set(ids))


def test_the_openapi_document_names_only_statuses_that_are_explained():
    document = orjson.loads(openapi.document(BASE))
    explained = {str(status) for status, _ in STATUSES} | {"200", "201", "202", "204", "304"}
    for operations in document["paths"].values():
        for method, operation in operations.items():
            if method != "parameters":
                assert set(operation["responses"]) <= explained

"""The CapabilityStatement: what is there and nothing more, computed from the routes and the search registry."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from continuum.access.trace import PARAMETERS
from continuum.apps.fhir_api.headers import JSON_PATCH
from continuum.apps.fhir_api.routes import COMPARTMENTS, ROUTES, TRACE_INTERACTIONS, TRACE_TYPES, Route
from continuum.apps.fhir_api.signon import token_url
from continuum.apps.fhir_api.version import VERSION
from continuum.fhir import search_params
from continuum.fhir.functional_lists import LISTS
from continuum.fhir.json import dump
from continuum.fhir.types import TYPES
from continuum.interop.subscriptions.request import GUIDE
from continuum.interop.subscriptions.topics import topics

RELEASED = "2026-11-29"
"""The day on which the statement's content last changed."""

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-"
_BULK = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
_OURS = "https://continuum.example/fhir/OperationDefinition/"
OPERATIONS = {
    "correct-patient": "https://continuum.example/fhir/OperationDefinition/Patient-correct-patient",
    "encounter-everything": "http://hl7.org/fhir/OperationDefinition/Encounter-everything",
    "export": f"{_BULK}export",
    "import": "https://continuum.example/fhir/OperationDefinition/import",
    "access-report": f"{_OURS}Patient-access-report",
    "break-the-glass": f"{_OURS}Patient-break-the-glass",
    "emergencies": f"{_OURS}emergencies",
    "everything": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    "lastn": "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    "match": "http://hl7.org/fhir/OperationDefinition/Patient-match",
    "merge": "http://hl7.org/fhir/OperationDefinition/Patient-merge",
    "meta": "http://hl7.org/fhir/OperationDefinition/Resource-meta",
    "meta-add": "http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    "meta-delete": "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    "revert-correction": "https://continuum.example/fhir/OperationDefinition/Patient-revert-correction",
    "subscription-status": f"{_BACKPORT}status",
    "subscription-events": f"{_BACKPORT}events",
    "subscription-binding-token": f"{_BACKPORT}get-ws-binding-token",
    "unmerge": "https://continuum.example/fhir/OperationDefinition/Patient-unmerge",
    "validate": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    "subscription-topics": "https://continuum.example/fhir/OperationDefinition/Subscription-topics",
}
"""The definition of each operation, by the interaction of its routes."""
TOPIC_EXTENSION = f"{GUIDE}capabilitystatement-subscriptiontopic-canonical"
"""Where the backport guide wants the list of topics in R4."""
_TYPES = {"words": "string"}
"""What R4 calls a kind of search parameter, where we call it otherwise."""
_OF_EVERY_TYPE: tuple[dict[str, str], ...] = (
    {
        "name": "_filter",
        "definition": "http://hl7.org/fhir/SearchParameter/filter",
        "type": "special",
        "documentation": "All operators but in, ni, ss and sb. Tokens are compared with case.",
    },
    {
        "name": "_list",
        "type": "special",
        "documentation": f"The items of a List, by its id; on their types also {', '.join(LISTS)}.",
    },
    {"name": "_has", "type": "special", "documentation": "Reverse chains, of any depth within the limits."},
    {"name": "_type", "type": "special", "documentation": "At the base only: types to search; AuditEvent alone."},
)
"""Parameters of every type that are no element's value."""
_INTERACTIONS = {
    "read": "read",
    "vread": "vread",
    "update": "update",
    "patch": "patch",
    "delete": "delete",
    "history-instance": "history-instance",
    "history-type": "history-type",
    "create": "create",
    "search": "search-type",
}
"""The codes of TypeRestfulInteraction by the names of our routes, in the order of R4."""


def _definition(route: Route) -> str:
    """The definition of a route's operation; exports have one for each level."""
    if route.interaction == "export":
        level = route.template.split("/")[1].lower()
        return f"{_BULK}export" if level == "$export" else f"{_BULK}{level}-export"
    return OPERATIONS[route.interaction]


def _operations(routes: Iterable[Route]) -> list[dict[str, str]]:
    """The operations among these routes, each once."""
    found: list[dict[str, str]] = []
    for route in routes:
        if route.interaction in OPERATIONS and "$" in route.template:
            one = {"name": route.template.rpartition("$")[2], "definition": _definition(route)}
            if one not in found:
                found.append(one)
    return found


@lru_cache(maxsize=8)
def statement(base: str) -> bytes:
    """The statement for a service at `base`, as JSON."""
    offered = {route.interaction for route in ROUTES}
    return dump(
        {
            "resourceType": "CapabilityStatement",
            "id": "continuum",
            "name": "Continuum",
            "title": "Continuum FHIR R4 server",
            "status": "active",
            "date": RELEASED,
            "publisher": "Continuum",
            "kind": "instance",
            "software": {"name": "Continuum", "version": VERSION},
            "implementation": {"description": "Continuum FHIR R4 server", "url": base},
            "fhirVersion": "4.0.1",
            "instantiates": [
                "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data|2.0.0",
                "http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4",
            ],
            "format": ["json", "application/fhir+json"],
            "patchFormat": [JSON_PATCH],
            "rest": [
                {
                    "mode": "server",
                    "documentation": (
                        "Answers are JSON. Unknown search parameters are refused unless Prefer: handling=lenient."
                    ),
                    "security": {
                        "extension": [
                            {
                                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                                "extension": [{"url": "token", "valueUri": token_url(base)}],
                            }
                        ],
                        "cors": False,
                        "service": [
                            {
                                "coding": [
                                    {
                                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                        "code": "SMART-on-FHIR",
                                    }
                                ]
                            }
                        ],
                        "description": "Bearer tokens; nothing but this statement is open to everybody.",
                    },
                    "resource": [_resource(name, offered) for name in TYPES],
                    "interaction": [
                        {"code": code}
                        for code in ("transaction", "batch", "search-system", "history-system")
                        if _has(code, offered)
                    ],
                    "searchParam": [*_OF_EVERY_TYPE],
                    "operation": _operations(route for route in ROUTES if route.template.startswith("/$")),
                    "compartment": [
                        f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in COMPARTMENTS
                    ],
                }
            ],
        }
    )


@lru_cache(maxsize=1)
def _referring() -> dict[str, list[str]]:
    """For each type, the reference parameters that may point to it, as `_revinclude` takes them."""
    found: dict[str, list[str]] = {name: [] for name in TYPES}
    for source in TYPES:
        for param in search_params.params(source).values():
            if param.kind == "reference":
                for target in param.targets or TYPES:
                    found[target].append(f"{source}:{param.code}")
    return found


def _has(code: str, offered: set[str]) -> bool:
    routes = {"transaction": "bundle", "batch": "bundle", "search-system": "search-across"}
    return routes.get(code, code) in offered


def _resource(name: str, offered: set[str]) -> dict[str, Any]:
    trace = name in TRACE_TYPES
    codes = [
        code for route, code in _INTERACTIONS.items() if route in offered and (not trace or route in TRACE_INTERACTIONS)
    ]
    found: dict[str, Any] = {
        "type": name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{name}",
        "interaction": [{"code": code} for code in codes],
        "versioning": "no-version" if trace else "versioned",
    }
    if not trace:
        found |= {
            "readHistory": "vread" in offered,
            "updateCreate": "update" in offered,
            "conditionalCreate": True,
            "conditionalRead": "full-support",
            "conditionalUpdate": "update-matching" in offered,
            "conditionalDelete": "single",
            "referencePolicy": ["literal", "local", "enforced"],
        }
    parameters = [param for param in search_params.params(name).values() if not trace or param.code in PARAMETERS]
    if not trace:
        includes = [f"{name}:{param.code}" for param in parameters if param.kind == "reference"]
        if includes:
            found["searchInclude"] = includes
        found["searchRevInclude"] = list(_referring()[name])
    found["searchParam"] = [
        {
            "name": param.code,
            "definition": search_params.definition(name, param.code),
            "type": _TYPES.get(param.kind, param.kind),
        }
        for param in parameters
    ]
    places = (f"/{name}/",) if trace else (f"/{name}/", "/{type}/")
    found["operation"] = _operations(route for route in ROUTES if route.template.startswith(places))
    if name == "Subscription":
        found["extension"] = [{"url": TOPIC_EXTENSION, "valueCanonical": canonical} for canonical in topics()]
        found["supportedProfile"] = [f"{GUIDE}backport-subscription"]
    return {key: value for key, value in found.items() if value != []}

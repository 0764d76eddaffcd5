"""The OpenAPI 3.1 document: `/{type}` with an enumeration of types, not thousands of copies."""

import re
from functools import lru_cache
from typing import Any

import orjson

from continuum.apps.fhir_api.headers import JSON_PATCH
from continuum.apps.fhir_api.routes import COMPARTMENTS, ROUTES, Route
from continuum.apps.fhir_api.version import VERSION
from continuum.fhir.types import TYPES

_FHIR = "application/fhir+json"
_FORM = "application/x-www-form-urlencoded"
_OUTCOME: dict[str, Any] = {"$ref": "#/components/responses/Outcome"}
_REFUSALS = {
    "always": ("400", "406", "408", "414", "431", "500", "503"),
    "named": ("401", "403"),
    "one": ("404",),
    "present": ("410",),
    "body": ("413", "415", "422"),
    "write": ("409", "412", "507"),
    "bulk": ("410", "429", "501", "507"),
}
"""The statuses of OperationOutcomes, by what brings them about."""

_BODIES: dict[str, tuple[str, ...]] = {
    "break-the-glass": (_FHIR,),
    "bundle": (_FHIR,),
    "import": (_FHIR,),
    "create": (_FHIR,),
    "update": (_FHIR,),
    "update-matching": (_FHIR,),
    "patch": (JSON_PATCH,),
    "patch-matching": (JSON_PATCH,),
}
_POSTED_BODIES = frozenset({"export"})
"""Interactions that have a body when they come by POST."""
_BODY_LEFT_OUT = frozenset({"meta", "everything", "encounter-everything"})
"""Operations that can be asked by POST without saying more."""
_HEADERS: dict[str, tuple[str, ...]] = {
    "export": ("Prefer",),
    "read": ("IfNoneMatch", "IfModifiedSince"),
    "vread": ("IfNoneMatch", "IfModifiedSince"),
    "search": ("Prefer",),
    "encounter-everything": ("Prefer",),
    "search-across": ("Prefer",),
    "everything": ("Prefer",),
    "meta-add": ("Prefer",),
    "meta-delete": ("Prefer",),
    "history-instance": ("Prefer",),
    "history-type": ("Prefer",),
    "history-system": ("Prefer",),
    "create": ("IfNoneExist", "Prefer"),
    "update": ("IfMatch", "IfNoneMatch", "Prefer"),
    "update-matching": ("IfMatch", "Prefer"),
    "patch": ("IfMatch", "Prefer"),
    "patch-matching": ("IfMatch", "Prefer"),
    "delete": ("IfMatch", "Prefer"),
    "delete-matching": ("IfMatch", "Prefer"),
    "bundle": ("Prefer",),
}
_QUERIES: dict[str, tuple[str, ...]] = {
    "search-across": ("_type",),
    "everything": ("_since", "_type", "_count", "start", "end", "_cursor"),
    "encounter-everything": ("_since", "_type", "_count", "_cursor"),
    "lastn": ("max", "patient", "code", "category"),
    "history-instance": ("_since", "_at", "_count", "_cursor"),
    "history-type": ("_since", "_at", "_count", "_cursor"),
    "history-system": ("_since", "_at", "_count", "_cursor"),
    "export": ("_outputFormat", "_since", "_type", "_typeFilter", "includeAssociatedData"),
    "subscription-topics": ("url",),
    "subscription-status": ("ids", "status"),
    "subscription-events": ("eventsSinceNumber", "eventsUntilNumber", "content"),
    "subscription-binding-token": ("ids",),
}
_CHANGING = frozenset({"meta-add", "meta-delete", "merge", "unmerge", "correct-patient", "revert-correction"})
"""Operations that write."""
_BY_IDENTIFIER = frozenset({"merge", "unmerge", "correct-patient", "revert-correction"})
"""Operations whose body names patients, who may not be there."""
_PRESENT = frozenset(
    {"read", "vread", "patch", "meta", "meta-add", "meta-delete", "validate", "everything", "encounter-everything"}
)
_CRITERIA = frozenset({"search", "search-across", "update-matching", "patch-matching", "delete-matching"})
_STATUSES: dict[str, tuple[tuple[str, str], ...]] = {
    "break-the-glass": (("201", "The record is open to you until the time that is said."),),
    "create": (("200", "What If-None-Exist described was there."), ("201", "It was created.")),
    "update": (("200", "The next version was written."), ("201", "It was created under this id.")),
    "update-matching": (("200", "The next version was written."), ("201", "It was created.")),
    "delete": (("200", "It is gone (with Prefer: return=OperationOutcome)."), ("204", "It is gone.")),
    "delete-matching": (("200", "It is gone (with Prefer: return=OperationOutcome)."), ("204", "It is gone.")),
    "export": (("202", "It was started; Content-Location is where to look."),),
    "import": (("202", "It was started; Content-Location is where to look."),),
    "bulkstatus": (("200", "The manifest."), ("202", "It is worked on; X-Progress says how far it is.")),
    "bulkcancel": (("202", "It and its files are removed."),),
    "bulkfile": (("200", "The file, NDJSON."),),
    "read": (("200", "The resource."), ("304", "The client has this version.")),
    "vread": (("200", "The version."), ("304", "The client has this version.")),
}


_BULK = frozenset({"export", "import", "bulkstatus", "bulkcancel", "bulkfile"})
_RESOURCE: dict[str, Any] = {_FHIR: {"schema": {"$ref": "#/components/schemas/Resource"}}}
_CONTENTS: dict[tuple[str, str], dict[str, Any]] = {
    ("export", "202"): _RESOURCE,
    ("import", "202"): _RESOURCE,
    ("bulkcancel", "202"): _RESOURCE,
    ("bulkstatus", "200"): {"application/json": {"schema": {"type": "object"}}},
    ("bulkfile", "200"): {"application/fhir+ndjson": {"schema": {"type": "string"}}},
}
"""What answers that are no resources hold, and which others are."""


@lru_cache(maxsize=8)
def document(base: str) -> bytes:
    """The document for a service at `base`, as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route)
    for template, operations in paths.items():
        names = re.findall(r"\{(\w+)\}", template)
        if names:
            operations["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Continuum FHIR R4",
                "version": VERSION,
                "summary": "The health record of service members, veterans and their families.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": base}],
            "security": [{"bearer": []}],
            "paths": paths,
            "components": _components(),
        }
    )


def _operation(route: Route) -> dict[str, Any]:
    name = route.interaction
    within = "-in-compartment" if "{compartment}" in route.template else ""
    form = "-form" if route.template.endswith("_search") else ""
    star = "-compartment" if route.template.endswith("*") else ""
    options = "-options" if route.method == "OPTIONS" else ""
    place = route.template.split("/")[1].lower() + "-" if name == "export" else ""
    posted = "-posted" if name == "export" and route.method == "POST" else ""
    if "$" in route.template and name != "export":
        one = "-of-one" if "{id}" in route.template else "-of-all" if route.template == "/$meta" else ""
        options = f"{one}-by-post" if route.method == "POST" else one
    if name == "break-the-glass" and "{id}" not in route.template:
        posted = "-by-identifier"
    found: dict[str, Any] = {
        "operationId": f"{place.removeprefix('$export-')}{name}{within}{form}{star}{options}{posted}",
        "summary": route.summary,
        "responses": _responses(route),
    }
    if name == "capabilities":
        found["security"] = []
    parameters = [{"$ref": f"#/components/parameters/{key}"} for key in _HEADERS.get(name, ())]
    parameters += [{"$ref": f"#/components/parameters/{key}"} for key in _QUERIES.get(name, ())]
    parameters += [{"$ref": f"#/components/parameters/{key}"} for key in ("_pretty", "_summary", "_elements")]
    if name in _CRITERIA:
        parameters.append({"$ref": "#/components/parameters/criteria"})
    found["parameters"] = parameters
    if form:
        schema = {"type": "object", "additionalProperties": {"type": "string"}}
        found["requestBody"] = {"required": True, "content": {_FORM: {"schema": schema}}}
    elif "$" in route.template and route.method == "POST":
        found["requestBody"] = {
            "required": name not in _BODY_LEFT_OUT,
            "content": {_FHIR: {"schema": {"$ref": "#/components/schemas/Resource"}}},
        }
    elif _body(route):
        content = {kind: {"schema": {"$ref": f"#/components/schemas/{_schema(kind)}"}} for kind in _body(route)}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _body(route: Route) -> tuple[str, ...]:
    """The media types of the body that a route takes."""
    if route.interaction in _POSTED_BODIES:
        return (_FHIR,) if route.method == "POST" else ()
    return _BODIES.get(route.interaction, ())


def _schema(kind: str) -> str:
    return "JsonPatch" if kind == JSON_PATCH else "Resource"


def _responses(route: Route) -> dict[str, Any]:
    name = route.interaction
    found: dict[str, Any] = {}
    for status, text in _STATUSES.get(name, (("200", "The answer."),)):
        found[status] = {"description": text}
        content = _CONTENTS.get((name, status), _RESOURCE if status in ("200", "201") else {})
        if content:
            found[status]["content"] = content
    groups = ["always"]
    if name != "capabilities":
        groups.append("named")
    if "{id}" in route.template or "{job}" in route.template:
        groups.append("one")
    if name in _PRESENT and "{id}" in route.template:
        groups.append("present")
    if _body(route) or route.template.endswith("_search"):
        groups.append("body")
    if name in _BULK:
        groups.append("bulk")
    elif name in _BODIES or name.startswith("delete") or name in _CHANGING:
        groups.append("write")
    if name in _BY_IDENTIFIER:
        groups += ["one", "present"]
    for group in groups:
        found.update(dict.fromkeys(_REFUSALS[group], _OUTCOME))
    if name == "patch-matching":
        found["404"] = _OUTCOME
    return dict(sorted(found.items()))


def _query(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _header(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}


def _place(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _components() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        "schemas": _schemas(text),
        "responses": {
            "Outcome": {
                "description": "It was refused or failed; an OperationOutcome says why in plain words.",
                "content": {_FHIR: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}}},
            }
        },
        "parameters": _parameters(text),
    }


def _schemas(text: dict[str, Any]) -> dict[str, Any]:
    issue = {
        "type": "object",
        "required": ["severity", "code"],
        "properties": {
            "severity": {"enum": ["fatal", "error", "warning", "information"]},
            "code": text,
            "diagnostics": text,
            "expression": {"type": "array", "items": text},
        },
    }
    step = {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": text,
            "from": text,
            "value": {},
        },
    }
    return {
        "Resource": {
            "type": "object",
            "description": "A FHIR R4 resource (hl7.org/fhir/R4).",
            "required": ["resourceType"],
            "properties": {"resourceType": {"enum": list(TYPES)}, "id": {"$ref": "#/components/schemas/Id"}},
        },
        "Id": {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"},
        "OperationOutcome": {
            "type": "object",
            "required": ["resourceType", "issue"],
            "properties": {
                "resourceType": {"const": "OperationOutcome"},
                "issue": {"type": "array", "minItems": 1, "items": issue},
            },
        },
        "JsonPatch": {"type": "array", "description": "RFC 6902.", "items": step},
    }


def _parameters(text: dict[str, Any]) -> dict[str, Any]:
    summaries = {"enum": ["true", "text", "data", "count", "false"]}
    return {
        "type": _place("type", {"enum": list(TYPES)}),
        "compartment": _place("compartment", {"enum": list(COMPARTMENTS)}),
        "id": _place("id", {"$ref": "#/components/schemas/Id"}),
        "version": _place("version", {"type": "integer", "minimum": 1}),
        "criteria": {
            "name": "criteria",
            "in": "query",
            "description": "Search parameters of the type: modifiers, prefixes, chains, _has, _include, _sort.",
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": text},
        },
        "_pretty": _query("_pretty", "Indented for people.", {"type": "boolean"}),
        "_summary": _query("_summary", "Part of each resource.", summaries),
        "_elements": _query("_elements", "Only these elements, with commas between.", text),
        "_count": _query("_count", "The size of a page.", {"type": "integer", "minimum": 1}),
        "_since": _query("_since", "Only versions made at or after this instant.", text),
        "_at": _query("_at", "Only versions that were the present one at this time.", text),
        "_type": _query("_type", "Only these types, with commas between.", text),
        "_cursor": _query("_cursor", "From the next link of a page; not to be made up.", text),
        "url": _query("url", "Only the topic with this canonical URL.", text),
        "ids": _query("id", "Only these subscriptions, with commas between.", text),
        "status": _query("status", "Only subscriptions of these statuses, with commas between.", text),
        "eventsSinceNumber": _query("eventsSinceNumber", "From this event on.", {"type": "integer", "minimum": 0}),
        "eventsUntilNumber": _query("eventsUntilNumber", "Up to this event.", {"type": "integer", "minimum": 0}),
        "content": _query(
            "content", "How much of the events to show.", {"enum": ["empty", "id-only", "full-resource"]}
        ),
        "max": _query("max", "So many of each kind; 1 if nothing is said.", {"type": "integer", "minimum": 1}),
        "patient": _query("patient", "Whose observations.", text),
        "code": _query("code", "Only observations with these codes, with commas between.", text),
        "category": _query("category", "Only observations of these categories, with commas between.", text),
        "start": _query("start", "Care from this date on.", text),
        "end": _query("end", "Care up to this date.", text),
        "job": _place("job", {"$ref": "#/components/schemas/Id"}),
        "file": _place("file", {"$ref": "#/components/schemas/Id"}),
        "_outputFormat": _query("_outputFormat", "application/fhir+ndjson, the one that is offered.", text),
        "_typeFilter": _query("_typeFilter", "Searches that resources of their types must match.", text),
        "includeAssociatedData": _query("includeAssociatedData", "Provenance of what is exported.", text),
        "IfMatch": _header("If-Match", 'Only if this is the present version: W/"3".'),
        "IfNoneMatch": _header("If-None-Match", 'On reads: not if I have it (W/"3"). On writes: * creates only.'),
        "IfModifiedSince": _header("If-Modified-Since", "Only if newer than this HTTP date."),
        "IfNoneExist": _header("If-None-Exist", "Create only if nothing matches these criteria."),
        "Prefer": _header("Prefer", "return=minimal, representation or OperationOutcome; handling=strict or lenient."),
    }

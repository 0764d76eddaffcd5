"""What a kick-off asks: the parameters of `$export` (Bulk Data Access 2.0) and of `$import`, read and judged. Pure."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from continuum.access.bulk import Asked
from continuum.apps.fhir_api.instants import parse_instant
from continuum.apps.fhir_api.routes import ID
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import Forbidden, Malformed, UnknownParameter
from continuum.kernel.limits import BULK_FILTERS_MAX, BULK_INPUTS_MAX, BULK_MEMBERS_MAX
from continuum.runtime.sources import Allowed

NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
PROVENANCE = {"LatestProvenanceResources": "latest", "RelevantProvenanceResources": "relevant"}
PARAMETERS = ("_outputFormat", "_since", "_type", "_typeFilter", "_elements", "includeAssociatedData", "patient")
"""What `$export` understands; `patient` by POST only, and not for the whole system."""
_ELSEWHERE = frozenset({"_format", "_pretty"})
_FILTERS = re.compile(r",(?=[A-Z][A-Za-z]+\?)")
"""A comma between two filters, as against one between the values of a criterion."""

Pairs = list[tuple[str, str]]


def parameters_of(resource: dict[str, Any]) -> Pairs:
    """The pairs of a Parameters resource: each parameter with its value, as a query would have them.

    Raises:
        Malformed: it is no Parameters resource, or a value is of a kind that no parameter has.
    """
    found: Pairs = []
    for parameter in _entries(resource):
        values = [value for name, value in parameter.items() if name.startswith("value")]
        value = values[0] if len(values) == 1 else None
        if isinstance(value, dict):
            value = value.get("reference")
        if not isinstance(value, str):
            raise Malformed(f"The parameter {parameter['name']} needs one value: a text, an instant or a reference.")
        found.append((parameter["name"], value))
    return found


def _entries(resource: dict[str, Any]) -> list[dict[str, Any]]:
    if resource.get("resourceType") != "Parameters":
        raise Malformed("The body must be a Parameters resource.")
    entries = resource.get("parameter", [])
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries
    ):
        raise Malformed("Parameters.parameter must be a list of objects, each with a name.")
    return entries


def export(asked: Asked, params: Pairs, *, lenient: bool, posted: bool) -> Asked:
    """What an export asks.

    Raises:
        UnknownParameter: a parameter or value that is not understood (unless `lenient`). Malformed: a wrong value.
    """
    ignored: list[str] = []
    found: dict[str, list[str]] = {}
    for name, value in params:
        allowed = name in PARAMETERS and (name != "patient" or (posted and asked.level != "system"))
        if allowed:
            found.setdefault(name, []).append(value)
        elif name in _ELSEWHERE:
            continue
        elif lenient:
            ignored.append(name)
        else:
            words = f"$export does not know the parameter {name} here; it knows {', '.join(PARAMETERS)}."
            raise UnknownParameter(words)
    format_ = found.get("_outputFormat", [NDJSON])[-1].replace(" ", "+")
    if format_ not in FORMATS:
        raise UnknownParameter(f"_outputFormat must be {NDJSON}; {format_} is not offered.")
    types = _types(_split(found.get("_type", ())), ignored, lenient=lenient)
    since = found.get("_since")
    return replace(
        asked,
        patients=_patients(found.get("patient", ())),
        types=types,
        since_us=parse_instant(since[-1], "_since")[0] if since else None,
        elements=tuple(_split(found.get("_elements", ()))),
        filters=_filters(found.get("_typeFilter", ()), types),
        provenance=_provenance(_split(found.get("includeAssociatedData", ())), ignored, lenient=lenient),
        warnings=tuple(f"{name} is not known here and was ignored." for name in ignored),
    )


def _split(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _types(names: list[str], ignored: list[str], *, lenient: bool) -> tuple[str, ...]:
    known = []
    for name in dict.fromkeys(names):
        if name in TYPE_IDS:
            known.append(name)
        elif lenient:
            ignored.append(f"_type={name}")
        else:
            raise UnknownParameter(f"_type names {name}, which is no resource type of R4.")
    if names and not known:
        raise UnknownParameter("_type names no resource type of R4.")
    return tuple(known)


def _filters(values: Iterable[str], types: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    filters = []
    for text in (part for value in values for part in _FILTERS.split(value) if part):
        kind, mark, criteria = text.partition("?")
        if not mark or kind not in TYPE_IDS:
            raise UnknownParameter(f"_typeFilter is a type and criteria, such as Patient?active=true; {text} is not.")
        if types and kind not in types:
            raise UnknownParameter(f"_typeFilter is about {kind}, which _type leaves out.")
        filters.append((kind, criteria))
    if len(filters) > BULK_FILTERS_MAX:
        raise Malformed(f"An export takes at most {BULK_FILTERS_MAX} filters.")
    return tuple(filters)


def _provenance(values: list[str], ignored: list[str], *, lenient: bool) -> str:
    wanted = ""
    for value in values:
        if value in PROVENANCE:
            wanted = "relevant" if "relevant" in (wanted, PROVENANCE[value]) else "latest"
        elif lenient:
            ignored.append(f"includeAssociatedData={value}")
        else:
            raise UnknownParameter(f"includeAssociatedData must be one of {', '.join(PROVENANCE)}; {value} is not.")
    return wanted


def _patients(references: Iterable[str]) -> tuple[str, ...]:
    found = []
    for reference in references:
        kind, _, patient_id = reference.rpartition("/")
        if kind.rpartition("/")[2] != "Patient" or not ID.match(patient_id):
            raise Malformed(f"patient must be a reference such as Patient/1; {reference} is not.")
        found.append(patient_id)
    if len(found) > BULK_MEMBERS_MAX:
        raise Malformed(f"An export of named patients takes at most {BULK_MEMBERS_MAX} of them.")
    return tuple(dict.fromkeys(found))


def import_(asked: Asked, resource: dict[str, Any], allowed: Allowed) -> Asked:
    """What an import asks: `inputFormat`, and for each file an `input` with `type` and `url` as its parts.

    Raises:
        Malformed, UnknownParameter: it cannot be read. Forbidden: a URL that the operator has not allowed.
    """
    inputs = []
    for entry in _entries(resource):
        name = entry["name"]
        if name == "inputFormat":
            values = [value for key, value in entry.items() if key.startswith("value")]
            if values not in ([NDJSON], ["application/ndjson"]):
                raise UnknownParameter(f"inputFormat must be {NDJSON}.")
        elif name == "input":
            inputs.append(_input(entry, allowed))
        else:
            raise UnknownParameter(f"$import does not know the parameter {name}; it knows inputFormat and input.")
    if not inputs:
        raise Malformed("Name at least one file: a parameter input with the parts type and url.")
    if len(inputs) > BULK_INPUTS_MAX:
        raise Malformed(f"An import takes at most {BULK_INPUTS_MAX} files.")
    return replace(asked, inputs=tuple(inputs))


def _input(entry: dict[str, Any], allowed: Allowed) -> tuple[str, str]:
    parts: dict[str, Any] = {}
    for part in entry.get("part", ()):
        if isinstance(part, dict):
            parts[str(part.get("name"))] = next((value for key, value in part.items() if key.startswith("value")), None)
    kind, url = parts.get("type"), parts.get("url")
    if kind not in TYPE_IDS:
        raise UnknownParameter(f"An input's type must be a resource type of R4, not {kind}.")
    if not isinstance(url, str):
        raise Malformed("An input needs a part url.")
    if not allowed.covers(url):
        raise Forbidden(
            f"The operator of this server has not allowed imports from {url}; CONTINUUM_IMPORT_SOURCES says from where."
        )
    return str(kind), url

"""Every address under the FHIR base, as data: the router, the CapabilityStatement and the reference read it."""

import re
from dataclasses import dataclass

from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import DomainError, Malformed, NotFound

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
"""R4 §2.24.0.1 `id`."""
_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z")
COMPARTMENTS = ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")
"""The compartments of R4 (§2.45) that may stand before a type in an address."""


@dataclass(frozen=True, slots=True)
class Route:
    """One interaction at one address; `interaction` names its handler."""

    method: str
    template: str
    interaction: str
    summary: str


ROUTES: tuple[Route, ...] = (
    Route("GET", "/metadata", "capabilities", "What this server can do, as a CapabilityStatement."),
    Route("OPTIONS", "/", "capabilities", "The same as /metadata."),
    Route("POST", "/", "bundle", "A batch or a transaction."),
    Route("GET", "/", "search-across", "Search several types, or all (_type)."),
    Route("POST", "/_search", "search-across", "Search several types, or all, with the criteria in a form."),
    Route("GET", "/_history", "history-system", "All versions of everything, newest first."),
    Route("GET", "/{type}", "search", "Search a type."),
    Route("POST", "/{type}", "create", "Create a resource, or only if nothing matches (If-None-Exist)."),
    Route("PUT", "/{type}", "update-matching", "Conditional update: the one that matches, else a new one."),
    Route("PATCH", "/{type}", "patch-matching", "Conditional JSON Patch of the one that matches."),
    Route("DELETE", "/{type}", "delete-matching", "Conditional delete of the one that matches."),
    Route("POST", "/{type}/_search", "search", "Search a type with the criteria in a form."),
    Route("GET", "/{type}/_history", "history-type", "All versions of a type's resources, newest first."),
    Route("POST", "/{type}/$validate", "validate", "What would be said against a resource; nothing is written."),
    Route("GET", "/{type}/{id}", "read", "The present version of a resource."),
    Route("PUT", "/{type}/{id}", "update", "Write the next version, or create under this id."),
    Route("PATCH", "/{type}/{id}", "patch", "JSON Patch of the present version."),
    Route("DELETE", "/{type}/{id}", "delete", "Delete; the versions stay in the history."),
    Route("GET", "/{type}/{id}/_history", "history-instance", "All versions of one resource, newest first."),
    Route("GET", "/{type}/{id}/_history/{version}", "vread", "One version of a resource."),
    Route("GET", "/$meta", "meta", "The profiles, tags and labels that are in use."),
    Route("POST", "/$meta", "meta", "The same."),
    Route("GET", "/{type}/$meta", "meta", "The profiles, tags and labels that resources of a type have."),
    Route("POST", "/{type}/$meta", "meta", "The same."),
    Route("GET", "/{type}/{id}/$meta", "meta", "The profiles, tags and labels of a resource."),
    Route("POST", "/{type}/{id}/$meta", "meta", "The same."),
    Route("POST", "/{type}/{id}/$meta-add", "meta-add", "Add profiles, tags and labels."),
    Route("POST", "/{type}/{id}/$meta-delete", "meta-delete", "Remove profiles, tags and labels."),
    Route("GET", "/{type}/{id}/$validate", "validate", "What would be said against a stored resource."),
    Route("POST", "/{type}/{id}/$validate", "validate", "The same, or against its next version, or its deletion."),
    Route("POST", "/Patient/$match", "match", "Who of the registered may be this person, with reasons."),
    Route("POST", "/Patient/$merge", "merge", "Merge one patient's chart into another's, or preview it."),
    Route("POST", "/Patient/$unmerge", "unmerge", "Undo a merge, or preview that."),
    Route("POST", "/Patient/$correct-patient", "correct-patient", "Move entries written for the wrong person."),
    Route("POST", "/Patient/$revert-correction", "revert-correction", "Undo such a correction, or preview that."),
    Route("GET", "/Observation/$lastn", "lastn", "The latest observations of each kind of a patient."),
    Route("POST", "/Observation/$lastn", "lastn", "The same, with the parameters in a body."),
    Route("GET", "/Encounter/{id}/$everything", "encounter-everything", "All that belongs to an encounter."),
    Route("POST", "/Encounter/{id}/$everything", "encounter-everything", "The same, with the parameters in a body."),
    Route("GET", "/$export", "export", "Export everything that you may see, as files."),
    Route("POST", "/$export", "export", "The same with Parameters in the body."),
    Route("GET", "/Patient/$export", "export", "Export the records of all patients that you may see, as files."),
    Route("POST", "/Patient/$export", "export", "The same with Parameters in the body, for named patients too."),
    Route("GET", "/Group/{id}/$export", "export", "Export the records of a Group's patients, as files."),
    Route("POST", "/Group/{id}/$export", "export", "The same with Parameters in the body, for named patients too."),
    Route("POST", "/$import", "import", "Load NDJSON files from URLs that the operator allows."),
    Route("GET", "/_bulk/{job}", "bulkstatus", "How far an export or import is; at its end, its files."),
    Route("DELETE", "/_bulk/{job}", "bulkcancel", "Stop an export or import, or remove its files."),
    Route("GET", "/_bulk/{job}/{file}", "bulkfile", "One file of an export or import."),
    Route("GET", "/Patient/{id}/$everything", "everything", "All that belongs to a patient."),
    Route("POST", "/Patient/{id}/$everything", "everything", "The same, with the parameters in a body."),
    Route("POST", "/Patient/{id}/$break-the-glass", "break-the-glass", "Open one patient's record in an emergency."),
    Route("POST", "/Patient/$break-the-glass", "break-the-glass", "The same, for a patient known by an identifier."),
    Route("GET", "/$emergencies", "emergencies", "For whom the glass was broken, by whom and why."),
    Route("GET", "/Patient/{id}/$access-report", "access-report", "Who looked at a record, when and why."),
    Route("GET", "/Patient/{id}/*", "everything", "All resources of a patient's compartment."),
    Route("GET", "/Subscription/$topics", "subscription-topics", "The topics that can be subscribed to."),
    Route("GET", "/Subscription/$status", "subscription-status", "Where subscriptions stand."),
    Route("POST", "/Subscription/$status", "subscription-status", "The same, with the parameters in a body."),
    Route("GET", "/Subscription/{id}/$status", "subscription-status", "Where one subscription stands."),
    Route("POST", "/Subscription/{id}/$status", "subscription-status", "The same, with the parameters in a body."),
    Route("GET", "/Subscription/{id}/$events", "subscription-events", "Events of a subscription again."),
    Route("POST", "/Subscription/{id}/$events", "subscription-events", "The same, with the parameters in a body."),
    Route(
        "GET",
        "/Subscription/$get-ws-binding-token",
        "subscription-binding-token",
        "A token that binds a websocket to subscriptions.",
    ),
    Route(
        "POST",
        "/Subscription/$get-ws-binding-token",
        "subscription-binding-token",
        "The same, with the parameters in a body.",
    ),
    Route(
        "GET",
        "/Subscription/{id}/$get-ws-binding-token",
        "subscription-binding-token",
        "A token that binds a websocket to one subscription.",
    ),
    Route(
        "POST",
        "/Subscription/{id}/$get-ws-binding-token",
        "subscription-binding-token",
        "The same, with the parameters in a body.",
    ),
    Route("GET", "/{compartment}/{id}/{type}", "search", "Search a type within a compartment."),
    Route(
        "POST",
        "/{compartment}/{id}/{type}/_search",
        "search",
        "Search a type within a compartment with the criteria in a form.",
    ),
)

TRACE_TYPES = frozenset({"AuditEvent"})
"""Types that the server writes by itself: they are only read and searched."""
TRACE_INTERACTIONS = frozenset({"read", "search"})

METHODS: dict[str, dict[str, Route]] = {}
for _route in ROUTES:
    METHODS.setdefault(_route.template, {})[_route.method] = _route


class MethodNotAllowed(DomainError):
    """The address is known, but not with this method; `allowed` goes into the Allow header."""

    status = 405
    code = "not-supported"

    def __init__(self, text: str, allowed: tuple[str, ...]) -> None:
        super().__init__(text)
        self.allowed = allowed


class NoSuchAddress(NotFound):
    """Nothing is served at this address, whoever asks."""

    code = "not-supported"


@dataclass(slots=True)
class Target:
    """What an address names. compartment: (type, id) of the compartment before the type."""

    route: Route
    resource_type: str = ""
    id: str = ""
    version: int = 0
    compartment: tuple[str, str] | None = None
    file: str = ""


def resolve(method: str, path: str) -> Target:
    """Finds the route of a path relative to the FHIR base (no leading slash), such as `Patient/1/_history/2`.

    Raises:
        NoSuchAddress: nothing is served there.
        MethodNotAllowed: something is, but not by this method, or not for this type.
        Malformed: the id cannot be an id, in a request that would write.
    """
    target = _resolve(method, path)
    if target.resource_type in TRACE_TYPES:
        if target.route.interaction not in TRACE_INTERACTIONS:
            raise MethodNotAllowed(
                f"{target.resource_type} is written by the server itself; it can be read and searched only.",
                ("GET", "HEAD"),
            )
        if target.compartment is not None and target.compartment[0] != "Patient":
            raise NoSuchAddress(f"{target.resource_type} is searched within the compartment of a Patient only.")
    return target


def _resolve(method: str, path: str) -> Target:
    segments = path.split("/")
    if segments[-1] == "" and len(segments) > 1:
        segments.pop()
    first = segments[0]
    count = len(segments)
    if first in TYPE_IDS:
        if count == 1:
            return Target(_method(method, "/{type}", path), first)
        second = segments[1]
        if count == 2:
            if second in ("_search", "_history"):
                return Target(_method(method, f"/{{type}}/{second}", path), first)
            if second[:1] == "$":
                for template in (f"/{first}/{second}", f"/{{type}}/{second}"):
                    if template in METHODS:
                        return Target(_method(method, template, path), first)
                raise NoSuchAddress(f"The operation {second} is not offered on {first}.")
            route = _method(method, "/{type}/{id}", path)
            return Target(route, first, _id(second, method, first))
        return _within(method, path, segments)
    if first == "metadata" and count == 1:
        return Target(_method(method, "/metadata", path))
    if first == "_history" and count == 1:
        return Target(_method(method, "/_history", path))
    if first == "_search" and count == 1:
        return Target(_method(method, "/_search", path))
    if first == "" and count == 1:
        return Target(_method(method, "/", path))
    if count == 1 and f"/{first}" in METHODS and first[:1] == "$":
        return Target(_method(method, f"/{first}", path))
    if first == "_bulk" and count in (2, 3):
        return _bulk(method, path, segments)
    if first[:1] == "$":
        raise NoSuchAddress(f"The operation {first} is not offered.")
    raise NoSuchAddress(f"There is no resource type {first} in FHIR R4; names are case-sensitive.")


def _bulk(method: str, path: str, segments: list[str]) -> Target:
    """An address of a bulk job or of one of its files."""
    if not all(ID.match(segment) for segment in segments[1:]):
        raise NotFound(f"There is no bulk job {segments[1]} here.")
    if len(segments) == 2:
        return Target(_method(method, "/_bulk/{job}", path), id=segments[1])
    return Target(_method(method, "/_bulk/{job}/{file}", path), id=segments[1], file=segments[2])


def _within(method: str, path: str, segments: list[str]) -> Target:
    """An address below `{type}/{id}`."""
    first, second, third = segments[:3]
    resource_id = _id(second, method, first)
    count = len(segments)
    if third == "_history":
        if count == 3:
            return Target(_method(method, "/{type}/{id}/_history", path), first, resource_id)
        if count == 4:
            route = _method(method, "/{type}/{id}/_history/{version}", path)
            if not _VERSION.match(segments[3]):
                raise NotFound(f"There is no {first}/{second}/_history/{segments[3]} here.")
            return Target(route, first, resource_id, int(segments[3]))
    elif third[:1] == "$":
        for template in (f"/{first}/{{id}}/{third}", f"/{{type}}/{{id}}/{third}"):
            if count == 3 and template in METHODS:
                return Target(_method(method, template, path), first, resource_id)
        raise NoSuchAddress(f"The operation {third} is not offered on one {first}.")
    elif third == "*" and count == 3 and first == "Patient":
        return Target(_method(method, "/Patient/{id}/*", path), first, resource_id)
    elif third in TYPE_IDS and first in COMPARTMENTS:
        if count == 3:
            route = _method(method, "/{compartment}/{id}/{type}", path)
            return Target(route, third, compartment=(first, resource_id))
        if count == 4 and segments[3] == "_search":
            route = _method(method, "/{compartment}/{id}/{type}/_search", path)
            return Target(route, third, compartment=(first, resource_id))
    raise NoSuchAddress(f"Nothing is served at {path}.")


def _method(method: str, template: str, path: str) -> Route:
    known = METHODS[template]
    route = known.get("GET" if method == "HEAD" else method)
    if route is None:
        allowed = tuple(sorted({*known, *(("HEAD",) if "GET" in known else ())}))
        raise MethodNotAllowed(f"{method} is not offered at /{path}; {', '.join(allowed)} is.", allowed)
    return route


def _id(text: str, method: str, resource_type: str) -> str:
    if ID.match(text):
        return text
    if method in ("PUT", "PATCH"):
        raise Malformed(f"{text} cannot be an id: 1 to 64 letters, digits, '-' and '.' are allowed.")
    raise NotFound(f"There is no {resource_type}/{text} here.")

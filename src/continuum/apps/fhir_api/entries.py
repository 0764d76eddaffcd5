"""The entries of a batch or transaction Bundle, read and held to what R4 §3.1.0.11 allows. Pure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from continuum.access import Operation
from continuum.apps.fhir_api.headers import version_of
from continuum.apps.fhir_api.routes import Target, resolve
from continuum.kernel.errors import DomainError, Invalid, Issue, Malformed, NotAllowed, TooLarge
from continuum.kernel.limits import BUNDLE_ENTRIES_MAX, URL_MAX_BYTES

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_IN_TRANSACTION = frozenset(
    {
        "read", "search", "create", "update", "update-matching", "patch", "patch-matching", "delete",
        "delete-matching",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. path and query are relative to the FHIR base."""

    number: int
    method: str
    path: str
    query: str
    target: Target
    full_url: str | None
    resource: dict[str, Any] | None
    request: dict[str, Any]


def read_entries(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The raw entries of a Bundle.

    Raises:
        Malformed: they are no list of objects. TooLarge: there are too many.
    """
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Malformed("Bundle.entry must be an array.")
    if len(entries) > BUNDLE_ENTRIES_MAX:
        raise TooLarge(f"The Bundle has {len(entries)} entries; at most {BUNDLE_ENTRIES_MAX} are taken.")
    return entries


def read_entry(number: int, raw: Any, base: str) -> Entry:
    """One entry, located by its request.

    Raises:
        DomainError: it cannot be read, or nothing is served at its URL; the issue says which entry.
    """
    at = f"Bundle.entry[{number}]"
    try:
        return _read(number, raw, base)
    except DomainError as error:
        error.issues = tuple(
            Issue(issue.code, issue.text, tuple(f"{at}.{place}" for place in issue.at) or (at,), issue.severity)
            for issue in error.issues
        )
        raise


def _read(number: int, raw: Any, base: str) -> Entry:
    if not isinstance(raw, dict) or not isinstance(raw.get("request"), dict):
        raise Malformed("An entry of a batch or transaction needs a request with a method and a url.")
    request: dict[str, Any] = raw["request"]
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in _METHODS:
        raise _wrong("request.method", f"{method!r} is no method; GET, POST, PUT, PATCH and DELETE are.")
    if not isinstance(url, str) or len(url) > URL_MAX_BYTES:
        raise _wrong("request.url", "An entry needs a url that is not longer than a request's own.")
    for name in ("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince"):
        if not isinstance(request.get(name, ""), str):
            raise _wrong(f"request.{name}", f"{name} must be a string.")
    parts = urlsplit(url.removeprefix(base))
    if parts.scheme or parts.netloc:
        raise _wrong("request.url", f"The url {url} is not on this server; it must be relative to the base.")
    path = unquote(parts.path).lstrip("/")
    resource = raw.get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise _wrong("resource", "An entry's resource must be a JSON object.")
    target = resolve(method, path)
    if target.route.interaction in ("bundle", "capabilities") or path.endswith("_search"):
        raise _wrong("request.url", f"{method} {url} cannot be an entry of a Bundle.")
    if method in ("POST", "PUT", "PATCH") and resource is None:
        raise _wrong("resource", f"An entry with {method} needs a resource.")
    if method in ("POST", "PUT"):
        _typed(resource or {}, target.resource_type)
    full_url = raw.get("fullUrl")
    if full_url is not None and not isinstance(full_url, str):
        raise _wrong("fullUrl", "fullUrl must be a string.")
    return Entry(number, method, path, parts.query, target, full_url, resource, request)


def _typed(resource: dict[str, Any], wanted: str) -> None:
    found = resource.get("resourceType")
    if found != wanted:
        raise _wrong("resource", f"The resource is a {found}, but the url is that of a {wanted}.")


def _wrong(place: str, text: str) -> Malformed:
    return Malformed(text, issues=(Issue(Malformed.code, text, (place,)),))


def operation(entry: Entry) -> Operation:
    """The entry as one operation of a transaction.

    Raises:
        NotAllowed, Malformed, Invalid: it cannot be part of one.
    """
    at = (f"Bundle.entry[{entry.number}].request",)
    target, request = entry.target, entry.request
    if target.route.interaction not in _IN_TRANSACTION or target.compartment is not None:
        text = f"{entry.method} {entry.path} cannot be part of a transaction here; put it in a batch."
        raise NotAllowed(text, issues=(Issue("not-supported", text, at),))
    if target.route.interaction.endswith("-matching") and not entry.query:
        text = f"{entry.method} {entry.path} needs criteria or an id."
        raise Malformed(text, issues=(Issue(Malformed.code, text, at),))
    resource = entry.resource
    if target.route.interaction == "update" and (resource or {}).get("id") != target.id:
        text = f"The resource's id must be that of its url, {target.id}."
        raise Invalid(text, issues=(Issue("invalid", text, (f"Bundle.entry[{entry.number}].resource.id",)),))
    none_match = request.get("ifNoneMatch")
    if none_match is not None and entry.method == "PUT" and none_match != "*":
        text = "On a write, ifNoneMatch can only be *."
        raise Malformed(text, issues=(Issue(Malformed.code, text, at),))
    criteria = request.get("ifNoneExist")
    return Operation(
        entry.method,
        target.resource_type,
        id=target.id or None,
        query=entry.query or None,
        resource=resource if entry.method in ("POST", "PUT") else None,
        if_match=version_of(request["ifMatch"], "ifMatch") if "ifMatch" in request else None,
        if_none_match=none_match,
        if_none_exist=criteria.rpartition("?")[2] if criteria and entry.method == "POST" else None,
        full_url=entry.full_url,
    )

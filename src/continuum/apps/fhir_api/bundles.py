"""Bundles put together from stored text, without reading a body again (R4 §3.1.1.4). Pure."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlencode

import orjson

from continuum.access import Stored
from continuum.apps.fhir_api.outcome import outcome_bytes
from continuum.kernel.clock import instant
from continuum.kernel.errors import Issue

MATCH = b',"search":{"mode":"match"}}'
INCLUDE = b',"search":{"mode":"include"}}'
OUTCOME = b',"search":{"mode":"outcome"}}'
CURSOR = "_cursor"
"""The parameter that carries the way on from one page to the next."""

STATUS_TEXT = {
    200: "200 OK", 201: "201 Created", 204: "204 No Content", 304: "304 Not Modified",
    400: "400 Bad Request", 401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found",
    405: "405 Method Not Allowed", 406: "406 Not Acceptable", 408: "408 Request Timeout",
    409: "409 Conflict", 410: "410 Gone", 412: "412 Precondition Failed", 413: "413 Content Too Large",
    414: "414 URI Too Long", 415: "415 Unsupported Media Type", 422: "422 Unprocessable Content",
    431: "431 Request Header Fields Too Large", 500: "500 Internal Server Error",
    503: "503 Service Unavailable", 507: "507 Insufficient Storage",
}  # fmt: skip
"""Status lines as they stand in the entries of a response Bundle."""


def link(base: bytes, path: str, params: Iterable[tuple[str, str]]) -> bytes:
    """A URL of ours under the base."""
    text = urlencode(list(params), safe=":,|$/", quote_via=quote)
    return b"%b/%b%b%b" % (base, path.encode(), b"?" if text else b"", text.encode())


def resource_entry(base: bytes, stored: Stored, body: bytes, end: bytes) -> bytes:
    """One entry with its full URL; `end` closes it, with the search mode."""
    return b'{"fullUrl":"%b/%b/%b","resource":%b%b' % (
        base,
        stored.resource_type.encode(),
        stored.id.encode(),
        body,
        end,
    )


def issue_entry(issues: Sequence[Issue]) -> bytes:
    """An entry that says what was ignored."""
    return b'{"resource":%b%b' % (outcome_bytes(issues), OUTCOME)


def history_entry(base: bytes, stored: Stored, body: bytes | None) -> bytes:
    """One version: what it is and what made it (R4 §3.1.0.9)."""
    address = b"%b/%b" % (stored.resource_type.encode(), stored.id.encode())
    if stored.deleted:
        method, url, status = b"DELETE", address, b"204"
    elif stored.version == 1:
        method, url, status = b"POST", stored.resource_type.encode(), b"201"
    else:
        method, url, status = b"PUT", address, b"200"
    shown = b"" if body is None else b'"resource":%b,' % body
    return (
        b'{"fullUrl":"%b/%b",%b"request":{"method":"%b","url":"%b"},'
        b'"response":{"status":"%b","etag":"W/\\"%d\\"","lastModified":"%b"}}'
    ) % (base, address, shown, method, url, status, stored.version, instant(stored.updated_us).encode())


def bundle(
    kind: bytes,
    entries: Sequence[bytes],
    *,
    links: Sequence[tuple[bytes, bytes]] = (),
    total: int | None = None,
    subsetted: bool = False,
) -> bytes:
    """A Bundle around entries that are JSON text already. links: (relation, URL)."""
    head = [b'{"resourceType":"Bundle","type":"%b"' % kind]
    if subsetted:
        head.append(_SUBSETTED)
    if total is not None:
        head.append(b',"total":%d' % total)
    if links:
        shown = b",".join(b'{"relation":"%b","url":%b}' % (name, orjson.dumps(url.decode())) for name, url in links)
        head.append(b',"link":[%b]' % shown)
    if entries:
        return b'%b,"entry":[%b]}' % (b"".join(head), b",".join(entries))
    return b"".join((*head, b"}"))


_SUBSETTED = (
    b',"meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}'
)

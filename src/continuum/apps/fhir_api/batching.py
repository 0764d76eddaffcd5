"""batch and transaction at the base of the service (R4 §3.1.0.11)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from continuum.access import Operation, Page, Stored, Written
from continuum.apps.fhir_api import patching
from continuum.apps.fhir_api.bundles import MATCH, STATUS_TEXT, bundle, resource_entry
from continuum.apps.fhir_api.entries import Entry, operation, read_entries, read_entry
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Response
from continuum.apps.fhir_api.headers import Preferences
from continuum.apps.fhir_api.outcome import refusal
from continuum.fhir.json import dump_pretty, parse
from continuum.kernel.clock import instant
from continuum.kernel.errors import DomainError, Malformed, ReadOnly

Handle = Callable[[Exchange], Awaitable[Response]]
_EMPTY: Mapping[bytes, bytes] = {}


async def take(x: Exchange, handle: Handle) -> Response:
    """A batch or a transaction; `handle` carries out one entry of a batch.

    Raises:
        Malformed: the body is no Bundle of either kind.
        DomainError: the refusal of a transaction's first entry that cannot be done.
    """
    x.negotiate()
    wanted = x.view()
    posted = await x.resource()
    kind = posted.get("type")
    if posted["resourceType"] != "Bundle" or kind not in ("batch", "transaction"):
        said = f"a Bundle of type {kind}" if posted["resourceType"] == "Bundle" else f"a {posted['resourceType']}"
        raise Malformed(f"The base takes Bundles of type batch or transaction; this is {said}.")
    raw = read_entries(posted)
    entries = await (_transaction(x, raw) if kind == "transaction" else _batch(x, raw, handle))
    body = bundle(b"transaction-response" if kind == "transaction" else b"batch-response", entries)
    return Response(200, dump_pretty(parse(body)) if wanted.pretty else body, [CONTENT_TYPE])


async def _batch(x: Exchange, raw: list[Any], handle: Handle) -> list[bytes]:
    """Each entry by itself, in its order; one that fails leaves the others alone."""
    answers = []
    for number, item in enumerate(raw):
        try:
            entry = read_entry(number, item, x.base.decode())
        except DomainError as error:
            await x.session.refused("batch", f"entry {number}", error)
            answers.append(_refused(error))
            continue
        part = _part(x, entry)
        try:
            response = await handle(part)
        except DomainError as error:
            await part.refused(error, entry.path)
            answers.append(_refused(error))
            continue
        answers.append(_answered(entry, response))
    return answers


def _part(x: Exchange, entry: Entry) -> Exchange:
    """An entry as a request of its own."""
    headers: dict[bytes, bytes] = {}
    for name, header in _CONDITIONS.items():
        if name in entry.request:
            headers[header] = entry.request[name].encode("utf-8", "replace")
    if entry.target.resource_type == "Binary":
        headers[b"accept"] = b"application/fhir+json"
    part = Exchange(
        session=x.session,
        target=entry.target,
        method=entry.method,
        query=entry.query.encode("utf-8", "replace"),
        headers=headers,
        receive=_nothing,
        base=x.base,
        request_id=x.request_id,
        services=x.services,
        resource_given=entry.resource,
    )
    part.prefer = Preferences(x.prefer.returned or "minimal", x.prefer.lenient)
    return part


_CONDITIONS = {
    "ifMatch": b"if-match",
    "ifNoneMatch": b"if-none-match",
    "ifNoneExist": b"if-none-exist",
    "ifModifiedSince": b"if-modified-since",
}


async def _nothing() -> Mapping[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _answered(entry: Entry, response: Response) -> bytes:
    headers = dict(response.headers)
    said: dict[str, Any] = {"status": STATUS_TEXT[response.status]}
    for name, header in (("location", b"location"), ("etag", b"etag")):
        if header in headers:
            said[name] = headers[header].decode()
    shown = b""
    if response.body and entry.method != "HEAD":
        if response.body.startswith(b'{"resourceType":"OperationOutcome"'):
            return b'{"response":%b,"outcome":%b}}' % (orjson.dumps(said)[:-1], response.body)
        shown = b'"resource":%b,' % response.body
    return b'{%b"response":%b}' % (shown, orjson.dumps(said))


def _refused(error: DomainError) -> bytes:
    return b'{"response":{"status":"%b","outcome":%b}}' % (STATUS_TEXT[error.status].encode(), refusal(error))


async def _transaction(x: Exchange, raw: list[Any]) -> list[bytes]:
    """All entries or none."""
    entries = [read_entry(number, item, x.base.decode()) for number, item in enumerate(raw)]
    if x.read_only and any(entry.method not in ("GET", "HEAD") for entry in entries):
        raise ReadOnly("This server is read-only at present; a transaction that writes must wait.")
    operations: list[Operation] = []
    patches = []
    for entry in entries:
        operations.append(operation(entry))
        if entry.method == "PATCH":
            patches.append(patching.compiled(patching.from_binary(entry.resource or {})))
    results = await x.session.transaction(operations, patches)
    return [_result(x, entry, result) for entry, result in zip(entries, results, strict=True)]


def _result(x: Exchange, entry: Entry, result: Written | Page | Stored) -> bytes:
    if isinstance(result, Page):
        found = [resource_entry(x.base, stored, stored.body or b"", MATCH) for stored in result.matches]
        links = [(b"self", b"%b/%b?%b" % (x.base, entry.path.encode(), entry.query.encode()))]
        return b'{"resource":%b,"response":{"status":"200 OK"}}' % bundle(
            b"searchset", found, links=links, total=result.total
        )
    stored = result if isinstance(result, Stored) else result.stored
    status = 200 if isinstance(result, Stored) else result.status
    if status == 204:
        return b'{"response":{"status":"204 No Content"}}'
    address = b"%b/%b" % (stored.resource_type.encode(), stored.id.encode())
    shown = b""
    if isinstance(result, Stored) or x.prefer.returned == "representation":
        shown = b'"resource":%b,' % (stored.body or b"{}")
    return (
        b'{"fullUrl":"%b/%b",%b"response":{"status":"%b","location":"%b/_history/%d",'
        b'"etag":"W/\\"%d\\"","lastModified":"%b"}}'
    ) % (
        x.base, address, shown, STATUS_TEXT[status].encode(), address, stored.version, stored.version,
        instant(stored.updated_us).encode(),
    )  # fmt: skip

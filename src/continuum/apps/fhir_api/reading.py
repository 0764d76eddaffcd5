"""read and vread (R4 §3.1.0.1, §3.1.0.2), and the headers that every single resource is sent with."""

from continuum.access import Stored
from continuum.apps.fhir_api import binary
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Header, Response
from continuum.apps.fhir_api.headers import etag, http_date, modified_since, none_match
from continuum.apps.fhir_api.presentation import show


def validators(stored: Stored) -> list[Header]:
    """ETag and Last-Modified of a version."""
    return [(b"etag", etag(stored.version)), (b"last-modified", http_date(stored.updated_us))]


def unchanged(x: Exchange, stored: Stored) -> bool:
    """Whether the client has this version already; If-None-Match outranks If-Modified-Since (RFC 9110 §13.2.2)."""
    tag = x.headers.get(b"if-none-match")
    if tag is not None:
        return none_match(tag.decode("latin-1"), stored.version)
    since = x.headers.get(b"if-modified-since")
    return since is not None and not modified_since(since.decode("latin-1"), stored.updated_us)


async def read(x: Exchange) -> Response:
    """The present version."""
    target = x.target
    if target.resource_type == "Binary" and binary.wants_raw(x):
        return binary.send(x, await x.session.read("Binary", target.id))
    x.negotiate()
    wanted = x.view()
    stored = await x.session.read(target.resource_type, target.id)
    headers = [CONTENT_TYPE, *validators(stored)]
    if unchanged(x, stored):
        return Response(304, headers=headers[1:])
    return Response(200, show(stored.body or b"", wanted), headers)


async def vread(x: Exchange) -> Response:
    """One version."""
    target = x.target
    if target.resource_type == "Binary" and binary.wants_raw(x):
        return binary.send(x, await x.session.vread("Binary", target.id, target.version))
    x.negotiate()
    wanted = x.view()
    stored = await x.session.vread(target.resource_type, target.id, target.version)
    headers = [CONTENT_TYPE, *validators(stored)]
    if unchanged(x, stored):
        return Response(304, headers=headers[1:])
    return Response(200, show(stored.body or b"", wanted), headers)

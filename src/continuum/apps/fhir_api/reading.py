"""read and vread (R4 §3.1.0.1, §3.1.0.2), and the headers that every single resource is sent with."""

import re

from continuum.access import Stored
from continuum.apps.fhir_api import binary
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Header, Response
from continuum.apps.fhir_api.headers import etag, http_date, unchanged
from continuum.apps.fhir_api.presentation import show
from continuum.fhir.json import parse

_REPLACED = b'"replaced-by"'
_PATIENT = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}\Z")


def validators(stored: Stored) -> list[Header]:
    """ETag and Last-Modified of a version."""
    return [(b"etag", etag(stored.version)), (b"last-modified", http_date(stored.updated_us))]


async def read(x: Exchange) -> Response:
    """The present version."""
    target = x.target
    if target.resource_type == "Binary" and binary.wants_raw(x):
        return binary.send(x, await x.session.read("Binary", target.id))
    x.negotiate()
    wanted = x.view()
    stored = await x.session.read(target.resource_type, target.id)
    headers = [CONTENT_TYPE, *validators(stored)]
    if target.resource_type == "Patient" and _REPLACED in (stored.body or b""):
        headers += _went_to(x, stored)
    if unchanged(x.headers, stored.version, stored.updated_us):
        return Response(304, headers=headers[1:])
    return Response(200, show(stored.body or b"", wanted), headers)


def _went_to(x: Exchange, stored: Stored) -> list[Header]:
    """Where the chart of a patient went who was merged into another; the resource says it too, in its link."""
    for one in parse(stored.body or b"{}").get("link", ()):
        other = one.get("other", {}).get("reference", "")
        if one.get("type") == "replaced-by" and _PATIENT.match(other):
            words = f"Patient/{stored.id} was merged into {other}; its entries are there."
            return [
                (b"link", b'<%b/%b>; rel="canonical"' % (x.base, other.encode())),
                (b"warning", b'299 - "%b"' % words.encode()),
            ]
    return []


async def vread(x: Exchange) -> Response:
    """One version."""
    target = x.target
    if target.resource_type == "Binary" and binary.wants_raw(x):
        return binary.send(x, await x.session.vread("Binary", target.id, target.version))
    x.negotiate()
    wanted = x.view()
    stored = await x.session.vread(target.resource_type, target.id, target.version)
    headers = [CONTENT_TYPE, *validators(stored)]
    if unchanged(x.headers, stored.version, stored.updated_us):
        return Response(304, headers=headers[1:])
    return Response(200, show(stored.body or b"", wanted), headers)

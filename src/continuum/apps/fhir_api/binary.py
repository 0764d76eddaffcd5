"""Binary: as the thing itself or as a resource, sent and taken in pieces (R4 §2.36.2)."""

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Any

from continuum.access import Stored, Written
from continuum.apps.fhir_api.exchange import Exchange, Header, Response, as_resource
from continuum.apps.fhir_api.headers import accepted, etag, http_date, media_type, unchanged
from continuum.fhir.json import parse
from continuum.kernel.errors import Gone, Malformed, NotFound
from continuum.kernel.limits import BINARY_CHUNK_BYTES, BINARY_MAX_BYTES

_RESOURCE_NAMES = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_JSON_MAX_BYTES = BINARY_MAX_BYTES * 4 // 3 + 64 * 1024
"""A full Binary in base64, with room for its other elements."""
_GUARDED: list[Header] = [
    (b"content-disposition", b"attachment"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
]
"""What was uploaded is shown by nobody's browser as a page of this server."""


def wants_raw(x: Exchange) -> bool:
    """Whether the content itself is asked for: Accept names something that is not FHIR's own JSON."""
    if any(name == "_format" for name, _ in x.params()):
        return False
    accept = x.header(b"accept")
    kinds = accepted(accept) if accept else ()
    return not (kinds and kinds[0].name in _RESOURCE_NAMES)


def is_raw(x: Exchange) -> bool:
    """Whether the body is the content itself rather than a Binary resource."""
    return media_type(x.header(b"content-type") or "").name not in _RESOURCE_NAMES


async def received(x: Exchange) -> dict[str, Any]:
    """The Binary that a POST or PUT carries, raw or as a resource.

    Raises:
        Malformed, TooLarge: it cannot be read.
    """
    if not is_raw(x):
        resource = as_resource(await x.raw_body(_JSON_MAX_BYTES))
        if resource["resourceType"] != "Binary":
            raise Malformed(f"The body is a {resource['resourceType']}, but the address is that of a Binary.")
        return resource
    content_type = x.header(b"content-type")
    if not content_type:
        raise Malformed("A Binary needs a Content-Type, which says what it is.")
    if x.headers.get(b"content-encoding", b"identity") != b"identity":
        raise Malformed("A raw Binary is taken without Content-Encoding.")
    resource = {"resourceType": "Binary", "contentType": content_type}
    context = x.header(b"x-security-context")
    if context:
        resource["securityContext"] = {"reference": context.removeprefix(f"{x.base.decode()}/")}
    resource["data"] = await _encoded(x.body_chunks(BINARY_MAX_BYTES))
    return resource


async def _encoded(chunks: AsyncIterator[bytes]) -> str:
    """Base64 made as the bytes arrive, so that content and text are never both held whole."""
    text = bytearray()
    rest = b""
    async for chunk in chunks:
        joined = rest + chunk if rest else chunk
        cut = len(joined) - len(joined) % 3
        text += binascii.b2a_base64(joined[:cut], newline=False)
        rest = joined[cut:]
    text += binascii.b2a_base64(rest, newline=False)
    return text.decode()


async def replace(x: Exchange, resource: dict[str, Any], *, if_match: int | None, if_none_match_any: bool) -> Written:
    """A raw PUT: the content changes; the security context stays unless the request names another."""
    resource_id = x.target.id
    named = {**resource, "id": resource_id}

    def apply(present: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in present.items() if name not in ("contentType", "data")}
        return {**kept, **named}

    if not if_none_match_any:
        try:
            return await x.session.patch("Binary", resource_id, apply, if_match=if_match)
        except (NotFound, Gone):
            if if_match is not None:
                raise
    return await x.session.update(named, if_match=if_match, if_none_match_any=if_none_match_any)


def send(x: Exchange, stored: Stored) -> Response:
    """The content itself, in pieces, under its own media type."""
    headers: list[Header] = [(b"etag", etag(stored.version)), (b"last-modified", http_date(stored.updated_us))]
    if unchanged(x.headers, stored.version, stored.updated_us):
        return Response(304, headers=headers)
    resource = parse(stored.body or b"{}")
    text: str = resource.get("data", "")
    # R4 lets base64 carry white space; without it four characters are three bytes exactly.
    text = "".join(text.split())
    length = len(text) // 4 * 3 - text[-2:].count("=")
    reference = resource.get("securityContext", {}).get("reference")
    if reference:
        headers.append((b"x-security-context", _header_text(reference)))
    headers += [
        (b"content-type", _header_text(resource.get("contentType", "application/octet-stream"))),
        (b"content-length", b"%d" % length),
        *_GUARDED,
    ]
    if x.method == "HEAD":
        return Response(200, headers=headers)
    return Response(200, headers=headers, stream=_decoded(text))


async def _decoded(text: str) -> AsyncIterator[bytes]:
    step = BINARY_CHUNK_BYTES // 3 * 4
    for start in range(0, len(text), step):
        yield base64.b64decode(text[start : start + step])


def _header_text(text: str) -> bytes:
    """Text that may stand in a header: a media type with a line break would be a second header."""
    if not text.isascii() or not text.isprintable():
        return b"application/octet-stream"
    return text.encode()

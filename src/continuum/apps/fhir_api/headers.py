"""What request headers say: media types, preferences, versions and instants (R4 §3.1.0, RFC 9110). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from continuum.kernel.clock import EPOCH
from continuum.kernel.errors import DomainError, Malformed

FHIR_JSON = b"application/fhir+json; charset=utf-8"
JSON_NAMES = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
"""The names of the one representation that we offer, as `_format` and as media types."""
JSON_PATCH = "application/json-patch+json"

_ETAG = re.compile(r'(?:W/)?"?([0-9]{1,9})"?\Z')
_FHIR_VERSIONS = frozenset({"", "4.0", "4.0.1"})


class NotAcceptable(DomainError):
    """No representation that the client accepts is offered."""

    status = 406
    code = "not-supported"


class UnsupportedMedia(DomainError):
    """The body is of a kind that is not understood here."""

    status = 415
    code = "not-supported"


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type with the parameters that matter here; `name` is in lower case."""

    name: str
    charset: str = ""
    fhir_version: str = ""
    quality: float = 1.0


@lru_cache(maxsize=256)
def media_type(text: str) -> MediaType:
    """Reads one media type (RFC 9110 §8.3.1), such as `application/fhir+json; fhirVersion=4.0`."""
    name, *parameters = text.split(";")
    found = {"charset": "", "fhirversion": "", "q": "1"}
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        found[key.strip().lower()] = value.strip().strip('"').lower()
    try:
        quality = float(found["q"])
    except ValueError:
        quality = 0.0
    return MediaType(name.strip().lower(), found["charset"], found["fhirversion"], quality)


@lru_cache(maxsize=256)
def accepted(accept: str) -> tuple[MediaType, ...]:
    """The media types of an Accept header, most wanted first; what has q=0 is left out."""
    wanted = [media_type(part) for part in accept.split(",") if part.strip()]
    return tuple(sorted((kind for kind in wanted if kind.quality > 0), key=lambda kind: -kind.quality))


@lru_cache(maxsize=256)
def accepts_json(accept: str) -> bool:
    """Whether an Accept header allows R4 as JSON."""
    if not accept.strip():
        return True
    return any(
        kind.name in JSON_NAMES | {"*/*", "application/*", "text/*"} and kind.fhir_version in _FHIR_VERSIONS
        for kind in accepted(accept)
    )


def require_json(accept: str, format_: str | None) -> None:
    """Holds the request to what we can answer with; `_format` outranks Accept (R4 §3.1.0.1.11).

    Raises:
        NotAcceptable: neither allows JSON.
    """
    if format_ is not None:
        name = media_type(format_.replace(" ", "+")).name
        if name not in JSON_NAMES:
            raise NotAcceptable(f"This server answers in JSON only; _format={format_} is not offered.")
    elif not accepts_json(accept):
        raise NotAcceptable(
            f"This server answers R4 in JSON only (application/fhir+json); Accept: {accept} rules that out."
        )


@lru_cache(maxsize=64)
def require_content(content_type: str, allowed: frozenset[str]) -> str:
    """The name of a body's media type.

    Raises:
        UnsupportedMedia: it is not one of `allowed`, or its text is not UTF-8.
    """
    offered = " or ".join(sorted(allowed - {"json", "text/json"}))
    if not content_type:
        raise UnsupportedMedia(f"The body has no Content-Type; send {offered}.")
    kind = media_type(content_type)
    if kind.name not in allowed:
        raise UnsupportedMedia(f"A body of type {kind.name} is not understood here; send {offered}.")
    if kind.charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMedia(f"The body's charset is {kind.charset}; send UTF-8.")
    if kind.fhir_version not in _FHIR_VERSIONS:
        raise UnsupportedMedia(f"The body is of FHIR version {kind.fhir_version}; this server speaks 4.0.")
    return kind.name


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header: `returned` is minimal, representation, OperationOutcome or ""."""

    returned: str = ""
    lenient: bool = False


@lru_cache(maxsize=64)
def preferences(prefer: str) -> Preferences:
    """Reads Prefer (RFC 7240); what is not known is ignored, as the RFC asks."""
    returned, lenient = "", False
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name == "return" and value.lower() in ("minimal", "representation", "operationoutcome"):
            returned = value.lower()
        elif name == "handling":
            lenient = value.lower() == "lenient"
    return Preferences(returned, lenient)


def etag(version: int) -> bytes:
    """The weak ETag of a version."""
    return b'W/"%d"' % version


def version_of(tag: str, header: str = "If-Match") -> int:
    """The version in `W/"3"`, `"3"` or `3`.

    Raises:
        Malformed: it is none of these.
    """
    found = _ETAG.match(tag.strip())
    if found is None:
        raise Malformed(f'{header} must be the ETag of one version, such as W/"3"; {tag!r} is not.')
    return int(found.group(1))


def none_match(header: str, version: int) -> bool:
    """Whether If-None-Match names this version: then nothing new need be sent."""
    if header.strip() == "*":
        return True
    found = (_ETAG.match(part.strip()) for part in header.split(","))
    return any(tag is not None and int(tag.group(1)) == version for tag in found)


def unchanged(headers: Mapping[bytes, bytes], version: int, updated_us: int) -> bool:
    """Whether the client has this version already; If-None-Match outranks If-Modified-Since (RFC 9110 §13.2.2)."""
    tag = headers.get(b"if-none-match")
    if tag is not None:
        return none_match(tag.decode("latin-1"), version)
    since = headers.get(b"if-modified-since")
    return since is not None and not modified_since(since.decode("latin-1"), updated_us)


def http_date(us: int) -> bytes:
    """An instant in microseconds as an HTTP date, which has whole seconds."""
    return _http_date_s(us // 1_000_000)


@lru_cache(maxsize=4096)
def _http_date_s(seconds: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True).encode()


def modified_since(header: str, updated_us: int) -> bool:
    """Whether something newer than If-Modified-Since is there; an unreadable date counts as absent (RFC 9110)."""
    try:
        since = parsedate_to_datetime(header)
    except ValueError:
        return True
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return updated_us // 1_000_000 > int((since - EPOCH).total_seconds())

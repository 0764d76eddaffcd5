"""From where files may be fetched: only from addresses that the operator has named, and nowhere by default.

The server asks no other address for anybody: not through a redirect, not through `..`, not through another port.
"""

import gzip
import http.client
import posixpath
import ssl
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import (
    BULK_CHUNK_BYTES,
    BULK_INPUT_MAX_BYTES,
    BULK_INPUT_TIMEOUT_S,
    BULK_INPUT_TOTAL_S,
)

_PORTS = {"http": 80, "https": 443}


class CannotFetch(DomainError):
    """A file that cannot be had; the text says why."""

    status = 502
    code = "transient"


@dataclass(frozen=True, slots=True)
class Allowed:
    """URL prefixes.

    Scheme, host and port of a URL must be equal to a prefix's, and its path begin with the prefix's whole segments.
    """

    prefixes: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Allowed":
        """From a setting: prefixes with commas between.

        Raises:
            ValueError: one is no http or https URL.
        """
        prefixes = tuple(part.strip() for part in text.split(",") if part.strip())
        for prefix in prefixes:
            if _place(prefix) is None:
                raise ValueError("must be URLs such as https://files.example.org/exports/, with commas between")
        return cls(prefixes)

    def covers(self, url: str) -> bool:
        """Whether a URL lies under one of the prefixes."""
        place = _place(url)
        if place is None:
            return False
        for prefix in self.prefixes:
            home = _place(prefix)
            if home is not None and home[:3] == place[:3] and (place[3] + "/").startswith(home[3].rstrip("/") + "/"):
                return True
        return False


def _place(url: str) -> tuple[str, str, int, str] | None:
    """(scheme, host, port, path) of a plain URL; None for one that is anything else or could be read in two ways."""
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in " \\#@"):
        return None
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    path = parts.path or "/"
    plain = unquote(path)
    if "%" in plain or "\\" in plain or posixpath.normpath(plain).rstrip("/") != plain.rstrip("/"):
        return None
    return parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme], path


def fetch(url: str, target: Path, allowed: Allowed) -> Path:
    """Gets a file; returns its path, `target` with .gz at its end when that is what it is.

    Raises:
        CannotFetch: it may not be fetched, is not there, is too large, or its source is silent.
    """
    if not allowed.covers(url):
        raise CannotFetch(f"{url} is not among the sources that the operator allows.")
    place = _place(url)
    assert place is not None, "what is covered is a plain URL"
    scheme, host, port, path = place
    query = urlsplit(url).query
    connection: http.client.HTTPConnection
    if scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=BULK_INPUT_TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=BULK_INPUT_TIMEOUT_S)
    try:
        headers = {"Accept": "application/fhir+ndjson", "Accept-Encoding": "gzip, identity"}
        connection.request("GET", f"{path}?{query}" if query else path, headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise CannotFetch(f"{url} answered with status {answer.status}; redirects are not followed.")
        return _save(answer, url, target)
    except (OSError, http.client.HTTPException, zlib.error, gzip.BadGzipFile) as error:
        raise CannotFetch(f"{url} could not be fetched: {type(error).__name__}: {error}.") from error
    finally:
        connection.close()


def _save(answer: http.client.HTTPResponse, url: str, target: Path) -> Path:
    began_s = time.monotonic()
    size = 0
    packed = False
    with target.open("xb") as file:
        while block := answer.read(BULK_CHUNK_BYTES):
            if not size:
                packed = block[:2] == b"\x1f\x8b"
            size += len(block)
            if size > BULK_INPUT_MAX_BYTES:
                raise CannotFetch(f"{url} is larger than {BULK_INPUT_MAX_BYTES >> 30} GiB; split it.")
            if time.monotonic() - began_s > BULK_INPUT_TOTAL_S:
                raise CannotFetch(f"{url} took longer than {BULK_INPUT_TOTAL_S / 3600:.0f} hours.")
            file.write(block)
    declared = answer.headers.get("Content-Length")
    if declared is not None and declared.isdecimal() and size < int(declared):
        raise CannotFetch(f"{url} ended before all of it had come.")
    return target.rename(target.with_name(target.name + ".gz")) if packed else target

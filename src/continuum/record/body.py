"""How a resource's JSON text lies in the store.

Stored is the *tail*: the text after `meta.lastUpdated`, compressed with zstd. The head (type, id, version,
lastUpdated) is made from the row's columns, so that a version number can be given inside the transaction
without serialising anything again, and reading is a decompression and one concatenation.
"""

import threading
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import zstandard

from continuum.fhir.json import dump
from continuum.kernel.clock import instant
from continuum.kernel.limits import STORED_BODY_MAX_BYTES
from continuum.record.limits import INSTANTS_KNOWN_MAX

LEVEL = 3


@lru_cache(maxsize=1)
def _dictionary() -> zstandard.ZstdCompressionDict:
    """The dictionary that new bodies are compressed with; its id is in every frame's header."""
    raw = (files("continuum.record") / "body.zdict").read_bytes()
    trained = zstandard.ZstdCompressionDict(raw)
    trained.precompute_compress(level=LEVEL)
    return trained


_local = threading.local()


def _compressor() -> zstandard.ZstdCompressor:
    found: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if found is None:
        found = _local.compressor = zstandard.ZstdCompressor(dict_data=_dictionary(), write_checksum=False)
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    found: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if found is None:
        found = _local.decompressor = zstandard.ZstdDecompressor(dict_data=_dictionary())
    return found


def tail(resource: dict[str, Any]) -> bytes:
    """The JSON text after `meta.lastUpdated`: the rest of meta, then every other element in its order."""
    meta = resource.get("meta")
    rest = resource.copy()
    for name in ("resourceType", "id", "meta"):
        rest.pop(name, None)
    head = b"}"
    if meta:
        kept = {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated")}
        if kept:
            head = b"," + dump(kept)[1:]
    return head + (b"," + dump(rest)[1:] if rest else b"}")


def compress(text: bytes) -> bytes:
    """The stored form of a tail."""
    return _compressor().compress(text)


_HEAD = b'{"resourceType":"%b","id":"%b","meta":{"versionId":"%d","lastUpdated":"%b"%b'


def whole(resource_type: str, resource_id: str, version: int, updated_us: int, text: bytes) -> bytes:
    """The whole JSON text (UTF-8) of a version whose tail is `text`."""
    return _HEAD % (resource_type.encode(), resource_id.encode(), version, _instant(updated_us), text)


@lru_cache(maxsize=INSTANTS_KNOWN_MAX)
def _instant(updated_us: int) -> bytes:
    """What was written together has one instant, and is most often read together."""
    return instant(updated_us).encode()


def decode(resource_type: str, resource_id: str, version: int, updated_us: int, body: bytes) -> bytes:
    """The whole JSON text (UTF-8) of a stored version."""
    # As `whole` of `decompress`, without their calls: a page of a chart reads a thousand.
    found = getattr(_local, "decompressor", None) or _decompressor()
    text: bytes = found.decompress(body, STORED_BODY_MAX_BYTES)
    return _HEAD % (resource_type.encode(), resource_id.encode(), version, _instant(updated_us), text)


def decompress(body: bytes) -> bytes:
    """The tail of a stored body."""
    return _decompressor().decompress(body, max_output_size=STORED_BODY_MAX_BYTES)


class Decoder:
    """Whole JSON texts of many stored versions, each type named by its number.

    What neighbours share (the type, most often the instant) is written once.
    """

    def __init__(self, type_ids: Mapping[str, int]) -> None:
        self._heads = {
            number: b'{"resourceType":"%b","id":"' % resource_type.encode()
            for resource_type, number in type_ids.items()
        }
        self._decompress = _decompressor().decompress
        self._updated_us: int | None = None
        self._instant = b""

    def whole(self, type_id: int, resource_id: str, version: int, updated_us: int, body: bytes) -> bytes:
        """The whole JSON text (UTF-8) of a stored version."""
        if updated_us != self._updated_us:
            self._instant = instant(updated_us).encode()
            self._updated_us = updated_us
        return b'%b%b","meta":{"versionId":"%d","lastUpdated":"%b"%b' % (
            self._heads[type_id],
            resource_id.encode(),
            version,
            self._instant,
            self._decompress(body, STORED_BODY_MAX_BYTES),
        )

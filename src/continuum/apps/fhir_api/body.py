"""Request bodies: read within their bound, decompressed within it too, and never trusted about their size."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import zstandard

from continuum.apps.fhir_api.headers import UnsupportedMedia
from continuum.kernel.errors import Malformed, TooLarge
from continuum.kernel.limits import COMPRESSED_INLINE_MAX_BYTES, ZSTD_WINDOW_MAX_BYTES

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
_DEFLATE_RATIO_MAX = 1032
"""How much longer than its deflated form a text can be (258 bytes of two bits)."""
_ZLIB_BITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


class Disconnected(Exception):
    """The client went away before its request was whole."""


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit // (1024 * 1024)} MiB, which is the most that is taken here.")


def declared_length(headers: Mapping[bytes, bytes], limit: int) -> int | None:
    """The Content-Length, held to the limit before a byte is read.

    Raises:
        Malformed: it is not a number. TooLarge: it is over the limit.
    """
    text = headers.get(b"content-length")
    if text is None:
        return None
    if not text.isdigit():
        raise Malformed("Content-Length must be a number of bytes.")
    length = int(text) if len(text) < 20 else limit + 1
    if length > limit:
        raise _too_large(limit)
    return length


async def chunks(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> AsyncIterator[bytes]:
    """The body as it arrives.

    The server says of every piece that more may come: to be told that none does takes as long as the piece did, so
    what came is held to the length that was declared.

    Raises:
        Malformed: Content-Length is not a number. TooLarge: the body is over `limit`. Disconnected: the client left.
    """
    declared = declared_length(headers, limit)
    if b"transfer-encoding" in headers:
        declared = None  # which then says where the body ends (RFC 9112 §6.3)
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if chunk:
            yield chunk
        if size == declared or not message.get("more_body", False):
            return


async def whole(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The whole body, decompressed if Content-Encoding says so; `limit` holds before and after.

    Raises:
        TooLarge, Malformed, UnsupportedMedia, Disconnected.
    """
    parts = [chunk async for chunk in chunks(receive, headers, limit)]
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    if encoding in (b"", b"identity"):
        return body
    if len(body) <= COMPRESSED_INLINE_MAX_BYTES:
        with contextlib.suppress(TooLarge):
            return expand(body, encoding, min(limit, COMPRESSED_INLINE_MAX_BYTES))
    # A few bytes can become many: others are answered meanwhile.
    return await asyncio.to_thread(expand, body, encoding, limit)


def expand(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Decompresses a body to at most `limit` bytes.

    Raises:
        TooLarge: it would be larger. Malformed: it is cut or damaged. UnsupportedMedia: another encoding.
    """
    try:
        if encoding in _ZLIB_BITS:
            return _inflate(body, _ZLIB_BITS[encoding], limit)
        if encoding == b"zstd":
            return _unzstd(body, limit)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Malformed(f"The body is not whole {encoding.decode('latin-1')} data.") from error
    raise UnsupportedMedia("Content-Encoding may be gzip, deflate or zstd; send one of these or none.")


def _inflate(body: bytes, bits: int, limit: int) -> bytes:
    stream = zlib.decompressobj(bits)
    most = limit
    if bits == _ZLIB_BITS[b"gzip"]:
        # gzip ends with the length of what it holds (RFC 1952 §2.3.1): a bomb says so itself, or is cut where it lies.
        most = int.from_bytes(body[-4:], "little")
        if most > len(body) * _DEFLATE_RATIO_MAX:
            raise zlib.error("cut")
        if most > limit:
            raise _too_large(limit)
    text = stream.decompress(body, most + 1)
    if len(text) > limit:
        raise _too_large(limit)
    if not stream.eof or stream.unused_data:
        raise zlib.error("cut, or followed by something")
    return text


def _unzstd(body: bytes, limit: int) -> bytes:
    stream = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX_BYTES).decompressobj()
    parts: list[bytes] = []
    size = 0
    # A run-length block makes 128 KiB of 4 bytes, so a bomb is fed in small pieces and met early.
    step = 256
    for start in range(0, len(body), step):
        part = stream.decompress(body[start : start + step])
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if stream.eof:
            break
    if not stream.eof:
        raise zstandard.ZstdError("cut")
    return b"".join(parts)

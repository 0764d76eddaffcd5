"""Answers made smaller when that pays: only beyond one flight of packets, at the cheapest level."""

import asyncio
import threading
import zlib

import zstandard

from continuum.apps.fhir_api.exchange import Response
from continuum.apps.fhir_api.headers import accepted
from continuum.kernel.limits import COMPRESS_INLINE_MAX_BYTES, COMPRESS_MIN_BYTES

_local = threading.local()


def choose(accept_encoding: bytes) -> bytes:
    """zstd, gzip or b"": the cheapest that the client takes."""
    names = {kind.name for kind in accepted(accept_encoding.decode("latin-1"))}
    if "zstd" in names:
        return b"zstd"
    if names & {"gzip", "*"}:
        return b"gzip"
    return b""


def squeeze(body: bytes, encoding: bytes) -> bytes:
    """The body under that encoding."""
    if encoding == b"zstd":
        compressor: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
        if compressor is None:
            compressor = _local.compressor = zstandard.ZstdCompressor(level=1)
        return compressor.compress(body)
    stream = zlib.compressobj(level=1, wbits=31)
    return stream.compress(body) + stream.flush()


async def compress(response: Response, accept_encoding: bytes | None) -> None:
    """Compresses an answer in place if the client takes that and it pays."""
    if accept_encoding is None or len(response.body) < COMPRESS_MIN_BYTES:
        return
    encoding = choose(accept_encoding)
    if not encoding:
        return
    if len(response.body) > COMPRESS_INLINE_MAX_BYTES:
        response.body = await asyncio.to_thread(squeeze, response.body, encoding)
    else:
        response.body = squeeze(response.body, encoding)
    response.headers += [(b"content-encoding", encoding), (b"vary", b"accept, accept-encoding")]

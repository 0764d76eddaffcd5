"""Sends a file of a bulk job piece by piece, compressed on its way if the client takes that."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from continuum.kernel.limits import BULK_CHUNK_BYTES


async def pieces(path: Path, size: int, encoding: bytes) -> AsyncIterator[bytes]:
    """The first `size` bytes of a file. encoding: zstd, gzip or b""."""
    compressor: Any = None
    if encoding == b"zstd":
        compressor = zstandard.ZstdCompressor(level=1).compressobj()
    elif encoding == b"gzip":
        compressor = zlib.compressobj(level=1, wbits=31)
    with path.open("rb") as file:
        left = size
        while left:
            piece, taken = await asyncio.to_thread(_next, file, left, compressor)
            left -= taken
            if piece:
                yield piece
    if compressor is not None:
        yield compressor.flush()


def _next(file: BinaryIO, left: int, compressor: Any) -> tuple[bytes, int]:
    block = file.read(min(left, BULK_CHUNK_BYTES))
    if not block:
        raise EOFError("a file of a bulk job is shorter than was noted")
    return (block if compressor is None else compressor.compress(block)), len(block)

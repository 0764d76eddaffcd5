"""Identifiers made by the writer: UUIDv7, so that new rows land beside each other in every index."""

import os
import time

_FIXED = 0xF << 76 | 0x3 << 62
_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62


def uuid7(now_ms: int | None = None) -> str:
    """Returns a UUIDv7 (RFC 9562 §5.7) as lower-case text; `now_ms` is milliseconds since 1970 UTC."""
    stamp_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    random = int.from_bytes(os.urandom(10), "big")
    text = f"{(stamp_ms & 0xFFFF_FFFF_FFFF) << 80 | random & ~_FIXED | _VERSION_AND_VARIANT:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

"""A virus scanner, asked over ClamAV's protocol (clamd(8), INSTREAM): pieces with their length in front, then 0."""

import asyncio
import contextlib
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit

from continuum.kernel.errors import DomainError

_PIECE_BYTES = 256 * 1024
_ANSWER_MAX_BYTES = 4096
_PORT = 3310


class ScanUnavailable(DomainError):
    """The scanner cannot be reached, or did not say what it found."""

    status = 503
    code = "transient"


@dataclass(frozen=True, slots=True)
class Scanner:
    """One clamd. address: `tcp://host:port` or `unix:///run/clamav/clamd.ctl`."""

    address: str
    timeout_s: float

    async def found(self, content: bytes) -> str:
        """The name of what was found in a file; "" for nothing.

        Raises:
            ScanUnavailable: it could not be looked at.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await self._asked(content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise ScanUnavailable("Files cannot be checked for viruses at present. Please try again later.") from error
        text = answer.rstrip(b"\0\n").decode("utf-8", "replace").removeprefix("stream: ")
        if text == "OK":
            return ""
        if text.endswith(" FOUND"):
            return text.removesuffix(" FOUND")
        raise ScanUnavailable("Files cannot be checked for viruses at present. Please try again later.")

    async def _asked(self, content: bytes) -> bytes:
        parts = urlsplit(self.address)
        if parts.scheme == "unix":
            reader, writer = await asyncio.open_unix_connection(parts.path)
        else:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or _PORT)
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(content), _PIECE_BYTES):
                piece = content[start : start + _PIECE_BYTES]
                writer.write(struct.pack("!I", len(piece)) + piece)
                await writer.drain()
            writer.write(struct.pack("!I", 0))
            await writer.drain()
            answer = await reader.readuntil(b"\0")
            return answer[:_ANSWER_MAX_BYTES]
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

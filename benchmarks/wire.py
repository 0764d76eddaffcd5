"""A client that costs nearly nothing, so that the time of an answer is that of the server."""

import socket
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

ANSWER_MOST_BYTES = 10_000_000
_AT_ONCE_BYTES = 65_536
_TIMEOUT_S = 60


class Answer(NamedTuple):
    """The status, and the bytes of the body as they were sent."""

    status: int
    size_bytes: int


class Wire:
    """One connection to an HTTP/1.1 server on which the same things are asked again and again."""

    def __init__(self, origin: str, headers: Mapping[str, str]) -> None:
        where = urlsplit(origin)
        assert where.hostname, origin
        self._socket = socket.create_connection((where.hostname, where.port or 80), timeout=_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        told = {"host": where.netloc, **headers}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in told.items())

    def request(self, address: str) -> bytes:
        """What is sent for a page, made before the time begins."""
        return f"GET {address} HTTP/1.1\r\n{self._headers}\r\n".encode()

    def answer(self, request: bytes) -> Answer:
        """Sends it and waits for the last byte."""
        self._socket.sendall(request)
        got = self._socket.recv(_AT_ONCE_BYTES)
        while got and b"\r\n\r\n" not in got:
            got += self._more()
        head, _, body = got.partition(b"\r\n\r\n")
        fields = dict(line.lower().partition(b": ")[::2] for line in head.split(b"\r\n")[1:])
        if fields.get(b"transfer-encoding") == b"chunked":
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more()
                assert len(body) < ANSWER_MOST_BYTES, "an answer ends"
            length = _unchunked(body)
        else:
            length = int(fields[b"content-length"])
            while len(body) < length:
                body += self._more()
        return Answer(int(head[9:12]), length)

    def _more(self) -> bytes:
        more = self._socket.recv(_AT_ONCE_BYTES)
        assert more, "the server keeps the connection open"
        return more

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()


def _unchunked(body: bytes) -> int:
    """Bytes of a chunked body without what marks its pieces."""
    total, at = 0, 0
    while size := int(body[at : body.index(b"\r\n", at)], 16):
        total += size
        at = body.index(b"\r\n", at) + 2 + size + 2
    return total

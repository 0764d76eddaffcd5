"""A small HTTP/1.1 client over kept connections: cheap enough not to starve the server on two cores."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to send."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/fhir+json"
    headers: tuple[tuple[str, str], ...] = ()

    def wire(self, host: str, token: str = "") -> bytes:
        """The bytes on the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        if self.body:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers (names in lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, wire: bytes) -> Response:
        """Sends one request and reads its response."""
        self._writer.write(wire)
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            if value:
                headers[name.lower()] = value.strip()
        status = int(first.split(" ", 2)[1])
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int((await self._reader.readline()).split(b";")[0], 16):
                parts.append(await self._reader.readexactly(size))
                await self._reader.readline()
            await self._reader.readline()
            return Response(status, headers, b"".join(parts))
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Response(status, headers, body)

    def close(self) -> None:
        """Closes the connection."""
        self._writer.close()


class Load:
    """Several connections that send requests at the same time."""

    def __init__(self, host: str, port: int, token: str, connections: int) -> None:
        self._host = host
        self._port = port
        self._token = token
        self._count = connections
        self._connections: list[Connection] = []

    async def __aenter__(self) -> Self:
        for _ in range(self._count):
            self._connections.append(Connection(*await asyncio.open_connection(self._host, self._port, limit=1 << 26)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()

    async def one(self, request: Request) -> Response:
        """Sends one request."""
        return await self.send(request.wire(f"{self._host}:{self._port}", self._token))

    async def send(self, wire: bytes) -> Response:
        """Sends what was made before."""
        return await self._connections[0].send(wire)

    async def run(self, requests: Sequence[Request], check: Callable[[Response], bool]) -> int:
        """Sends all requests over all connections; returns how many answers failed `check`."""
        wires = [request.wire(f"{self._host}:{self._port}", self._token) for request in requests]
        position = iter(wires)
        failed = 0

        async def drain(connection: Connection) -> None:
            nonlocal failed
            for wire in position:
                if not check(await connection.send(wire)):
                    failed += 1

        await asyncio.gather(*(drain(connection) for connection in self._connections))
        return failed

"""Clients that mean no good, many at once, in a process of their own: `… tests.faults.slow PORT TOKEN COUNT SEED`.

It says `open` when every connection is, goes on until its input ends, and then tells in one line of JSON what it was
answered. Each connection that the server ends is opened again after a while.
"""

import asyncio
import contextlib
import gzip
import json
import random
import sys
from collections import Counter

EVERY_S = 2.0
"""Seconds between two bytes of those who trickle."""
REST_S = (10.0, 30.0)
"""How long others rest after an answer."""
PIECE = b"x" * 65_536
LARGE_BYTES = 100_000_000
BOMB = gzip.compress(b"[" + b" " * LARGE_BYTES + b"]", 9)
DEEP = b"[" * 500_000 + b"]" * 500_000
KINDS = ("head", "body", "large", "endless", "bomb", "deep")
SHARES = (35, 35, 8, 6, 8, 8)
"""Of a hundred connections: most trickle, as those do that are cheap for whoever sends them."""


class Attack:
    """All connections to one server."""

    def __init__(self, port: int, token: str, seed: int) -> None:
        self._port, self._token, self._dice = port, token, random.Random(seed)
        self.answers: Counter[str] = Counter()
        self.open = 0

    async def keep(self, kind: str, begun: asyncio.Event) -> None:
        """One connection after the other of one kind."""
        rest_s = self._dice.uniform(0, 10)  # their ends are not to come together
        while True:
            await asyncio.sleep(rest_s)
            rest_s = self._dice.uniform(*(REST_S if kind not in ("head", "body") else (0, 1)))
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                self.open += 1
                begun.set()
                try:
                    status = await self._once(kind, reader, writer)
                    self.answers[f"{kind} {status or 'cut off'}"] += 1
                finally:
                    self.open -= 1
                    writer.close()
            begun.set()

    async def _once(self, kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        answer = asyncio.create_task(reader.read(4096))
        try:
            async for piece in getattr(self, f"_{kind}")():
                if answer.done():
                    break
                writer.write(piece)
                await writer.drain()
            said = await asyncio.wait_for(answer, 60)
        except ConnectionError:
            said = answer.result() if answer.done() and not answer.exception() else b""
        except TimeoutError:
            return "silence"
        finally:
            answer.cancel()
        return said[9:12].decode("latin-1")

    def _start(self, *lines: str) -> bytes:
        head = (
            "POST /fhir/Patient HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self._token}",
            "Content-Type: application/fhir+json", "Connection: close", *lines,
        )  # fmt: skip
        return "\r\n".join(head).encode() + b"\r\n\r\n"

    async def _head(self):
        yield b"GET /fhir/metadata HTTP/1.1\r\nX-Slow: "
        while True:
            await asyncio.sleep(self._dice.uniform(0, 2 * EVERY_S))
            yield b"x"

    async def _body(self):
        yield self._start("Content-Length: 100000") + b'{"resourceType":"Patient"'
        while True:
            await asyncio.sleep(self._dice.uniform(0, 2 * EVERY_S))
            yield b" "

    async def _large(self):
        yield self._start(f"Content-Length: {LARGE_BYTES}")
        for _ in range(LARGE_BYTES // len(PIECE)):
            yield PIECE

    async def _endless(self):
        yield self._start("Transfer-Encoding: chunked")
        for _ in range(LARGE_BYTES // len(PIECE)):
            yield b"10000\r\n" + PIECE + b"\r\n"

    async def _bomb(self):
        yield self._start(f"Content-Length: {len(BOMB)}", "Content-Encoding: gzip") + BOMB

    async def _deep(self):
        yield self._start(f"Content-Length: {len(DEEP)}") + DEEP


async def main(port: int, token: str, count: int, seed: int) -> None:
    """Attacks until standard input ends."""
    attack, dice = Attack(port, token, seed), random.Random(seed)
    begun, tasks = [], []
    for kind in dice.choices(KINDS, SHARES, k=count):
        begun.append(asyncio.Event())
        tasks.append(asyncio.create_task(attack.keep(kind, begun[-1])))
    await asyncio.gather(*(one.wait() for one in begun))
    print("open", flush=True)  # noqa: T201  the test waits for it
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"open": attack.open, **attack.answers}), flush=True)  # noqa: T201  as above
    for one in tasks:
        one.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))

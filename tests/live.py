"""A real server for tests: one worker process on a database of its own, on 127.0.0.1 and a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
import httpx
import pytest

from continuum.apps.fhir_api.orders import Worker, listen, tell
from continuum.identity.tokens import Claims, issue, signing_key
from tests import exchanges


@dataclass(frozen=True)
class Running:
    """A server: its origin, the process, what it was told, and its database as the owner."""

    origin: str
    process: subprocess.Popen
    orders: Worker
    owner: str

    @property
    def base_url(self) -> str:
        """Where it listens; FHIR is at `/fhir` below."""
        return self.origin

    @property
    def port(self) -> int:
        return int(self.origin.rpartition(":")[2])

    def token(self, role="administrator", *, subject="tester", lives_s=3600, **more) -> str:
        claims = Claims(subject, role, int(time.time()) + lives_s, **more)
        return issue(signing_key(self.orders.token_secret), claims)

    def client(self, role="administrator", *, headers=None, **more) -> httpx.AsyncClient:
        """A client of the FHIR service that speaks for a role."""
        bearer = {"authorization": f"Bearer {self.token(role, **more)}"}
        return httpx.AsyncClient(base_url=f"{self.origin}/fhir", headers={**bearer, **(headers or {})}, timeout=30)


@contextmanager
def started(orders: Worker, owner: str = "", port: int = 0) -> Iterator[Running]:
    """A worker process that answers; it is told to stop at the end, and must."""
    with listen("127.0.0.1", port) as listening:
        port = listening.getsockname()[1]
        exchanges.watch(port, owner)
        process = subprocess.Popen(
            [sys.executable, "-m", "continuum.apps.fhir_api.worker", str(listening.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=(listening.fileno(),),
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )
        assert process.stdin is not None
        process.stdin.write(tell(orders).encode() + b"\n")
        process.stdin.flush()
        try:
            _until_it_answers(process, port)
            yield Running(f"http://127.0.0.1:{port}", process, orders, owner)
        finally:
            process.stdin.close()
            assert process.wait(20) in (0, -signal.SIGKILL), "it ends well, unless a test killed it"


def _until_it_answers(process: subprocess.Popen, port: int) -> None:
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if connection.recv(12).endswith(b"200"):
                return
    pytest.fail(f"the server did not start (it ended with {process.poll()})")


async def fresh_database(test_server, template) -> tuple[str, str]:
    """A database of its own: its URL as the application's role, and as the owner."""
    name = f"test_api_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(**test_server.maker.connect)
    try:
        await connection.execute(
            f'CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER "{test_server.server.owner.user}"'
        )
    finally:
        await connection.close()
    return test_server.server.app.to(name).dsn, test_server.server.owner.to(name).dsn

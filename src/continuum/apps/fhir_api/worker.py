"""A worker process of its own: `python -m continuum.apps.fhir_api.worker FD`, told on standard input what to do.

Standard input stays open as long as the process that started it lives; when it ends, so does the worker.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Coroutine
from typing import Any

from continuum.apps.fhir_api.serving import Worker, serve


def told(text: str) -> Worker:
    """The orders from one line of JSON; secrets are in hexadecimal."""
    orders: dict[str, Any] = json.loads(text)
    for name in ("record_secret", "audit_secret", "token_secret", "identity_secret"):
        orders[name] = bytes.fromhex(orders[name])
    return Worker(**orders)


def tell(worker: Worker) -> str:
    """The same line, from the orders."""
    orders = {name: getattr(worker, name) for name in Worker.__dataclass_fields__}
    return json.dumps({name: value.hex() if isinstance(value, bytes) else value for name, value in orders.items()})


async def _work(worker: Worker, listening: socket.socket) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Ctrl-C reaches every process of the terminal; the one that started us decides when we stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_reader(sys.stdin.fileno(), stopping.set)
    await serve(worker, listening, stopping)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def main() -> None:
    """Reads the orders and answers until told to stop."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    line = b""
    while not line.endswith(b"\n"):  # byte by byte: nothing may stay in a buffer that the reader does not see
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            return
        line += byte
    run(_work(told(line.decode()), listening))


if __name__ == "__main__":
    main()

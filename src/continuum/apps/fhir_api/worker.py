"""A worker process of its own: `python -m continuum.apps.fhir_api.worker FD`, told on standard input what to do.

Standard input stays open as long as the process that started it lives; when it ends, so does the worker.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

from continuum.apps.fhir_api.orders import Worker, run, told


async def _work(serve: Callable[..., Awaitable[None]], worker: Worker, listening: socket.socket) -> None:
    stopping, orphaned = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def parent_is_gone() -> None:
        loop.remove_reader(sys.stdin.fileno())
        orphaned.set()
        stopping.set()

    # Ctrl-C reaches every process of the terminal; the one that started us decides when we stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_reader(sys.stdin.fileno(), parent_is_gone)
    await serve(worker, listening, stopping, orphaned=orphaned.is_set)


def main() -> None:
    """Loads what answers while the database may still be starting, reads the orders, and answers until told to stop."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    # What is loaded stays: looking through it for cycles meanwhile takes a fifth of the time.
    gc.disable()  # `settle` turns it on again
    from continuum.apps.fhir_api.serving import serve  # noqa: PLC0415  after that

    line = b""
    while not line.endswith(b"\n"):  # byte by byte: nothing may stay in a buffer that the reader does not see
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            return
        line += byte
    run(_work(serve, told(line.decode()), listening))


if __name__ == "__main__":
    main()

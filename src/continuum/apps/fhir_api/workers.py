"""Several workers on one socket: started, watched, started again when one dies, and never left behind."""

import asyncio
import contextlib
import socket
import sys
from time import monotonic

import structlog

from continuum.apps.fhir_api.serving import Worker
from continuum.apps.fhir_api.worker import tell
from continuum.kernel.limits import SHUTDOWN_TIMEOUT_S, WORKER_RESTART_WAIT_S

log = structlog.get_logger("continuum.serve")


async def serve_many(worker: Worker, listening: socket.socket, count: int, stopping: asyncio.Event) -> None:
    """Keeps `count` workers answering until `stopping` is set."""
    async with asyncio.TaskGroup() as group:
        for number in range(1, count + 1):
            group.create_task(_keep(worker, listening, number, stopping))


async def _keep(worker: Worker, listening: socket.socket, number: int, stopping: asyncio.Event) -> None:
    """One worker after another, no faster than one in WORKER_RESTART_WAIT_S."""
    while not stopping.is_set():
        began_s = monotonic()
        process = await _start(worker, listening)
        ended = asyncio.create_task(process.wait())
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await _stop(process, ended)
                return
        finally:
            stop.cancel()
            if process.returncode is None:
                process.kill()
        log.error("a worker ended and is started again", worker=number, code=process.returncode)
        wait_s = WORKER_RESTART_WAIT_S - (monotonic() - began_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), max(wait_s, 0.01))


async def _start(worker: Worker, listening: socket.socket) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "continuum.apps.fhir_api.worker",
        str(listening.fileno()),
        stdin=asyncio.subprocess.PIPE,
        pass_fds=(listening.fileno(),),
    )
    assert process.stdin is not None, "it was asked for"
    process.stdin.write(tell(worker).encode() + b"\n")
    with contextlib.suppress(ConnectionError):  # it died at once; the caller sees that too
        await process.stdin.drain()
    return process


async def _stop(process: asyncio.subprocess.Process, ended: "asyncio.Task[int]") -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    done, _ = await asyncio.wait({ended}, timeout=SHUTDOWN_TIMEOUT_S + 2)
    if not done:
        process.kill()
        await ended

"""Several workers on one socket: started, watched, started again when one dies, and never left behind."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from time import monotonic
from typing import Self

import structlog

from continuum.apps.fhir_api.orders import Worker, tell
from continuum.kernel.limits import SHUTDOWN_TIMEOUT_S, WORKER_RESTART_WAIT_S

log = structlog.get_logger("continuum.serve")


class Crew:
    """Worker processes on one socket.

    They are started before there are orders, and import what they need while the database starts: after a crash
    that is half of the time until the first answer.
    """

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._waiting: list[asyncio.subprocess.Process] = []

    @contextlib.asynccontextmanager
    async def waiting(self, count: int) -> AsyncIterator[Self]:
        """Starts as many processes; those that were never told anything end with the context."""
        try:
            for _ in range(count):
                self._waiting.append(await self._spawn())
            yield self
        finally:
            for process in self._waiting:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def serve(self, worker: Worker, count: int, stopping: asyncio.Event) -> None:
        """Keeps `count` workers answering until `stopping` is set."""
        async with asyncio.TaskGroup() as group:
            for number in range(1, count + 1):
                group.create_task(self._keep(worker, number, stopping))

    async def _keep(self, worker: Worker, number: int, stopping: asyncio.Event) -> None:
        """One worker after another, no faster than one in WORKER_RESTART_WAIT_S."""
        while not stopping.is_set():
            began_s = monotonic()
            process = self._waiting.pop() if self._waiting else await self._spawn()
            await _tell(process, worker)
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

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "continuum.apps.fhir_api.worker",
            str(self._listening.fileno()),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(self._listening.fileno(),),
        )


async def _tell(process: asyncio.subprocess.Process, worker: Worker) -> None:
    assert process.stdin is not None, "it was asked for"
    process.stdin.write(tell(worker).encode() + b"\n")
    with contextlib.suppress(ConnectionError):  # it died at once; the caller sees that too
        await process.stdin.drain()


async def _stop(process: asyncio.subprocess.Process, ended: "asyncio.Task[int]") -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    done, _ = await asyncio.wait({ended}, timeout=SHUTDOWN_TIMEOUT_S + 2)
    if not done:
        process.kill()
        await ended

"""Looks after bulk jobs: takes those that wait or were left, starts processes for them, ends and removes them.

One runs in every worker of the server. Which of them works on a job is decided in the database, so any number of
servers may share one, if they also share the folder of the files.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import structlog

from continuum.access import Access
from continuum.access.keeping import Keeping
from continuum.apps.fhir_api.bulk_process import REFUSED, TAKEN_AWAY
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import BULK_BEAT_S, BULK_KEPT_S, BULK_POLL_S
from continuum.runtime.secrets import make_private
from continuum.runtime.sources import Allowed

log = structlog.get_logger("continuum.bulk")
_JOB = re.compile(r"[0-9a-f-]{36}\Z")
_WORDS_MAX_BYTES = 4_096


class BulkOff(DomainError):
    """This server offers no bulk work."""

    status = 501
    code = "not-supported"


@dataclass(frozen=True, slots=True)
class BulkOrders:
    """What bulk work needs: where its files lie, the database and secrets, how many processes, allowed sources."""

    folder: Path
    database: str = field(repr=False)
    record_secret: bytes = field(repr=False)
    audit_secret: bytes = field(repr=False)
    processes: int
    sources: str = ""

    @property
    def allowed(self) -> Allowed:
        """From where imports may come."""
        return Allowed.read(self.sources)


def folder_of(folder: Path, job_id: str) -> Path:
    """Where the files of a job lie."""
    assert _JOB.match(job_id), "ids of jobs are made by us"
    return folder / job_id


class Keeper:
    """One per worker. Used as a context: at its end what runs is stopped, and taken up by the next who looks."""

    def __init__(self, access: Access, orders: BulkOrders) -> None:
        self.orders = orders
        self._keeping = Keeping(access, orders.folder)
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._troubled = False

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(make_private, self.orders.folder)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None, "it was entered"
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def wake(self) -> None:
        """Says that there is something to look at."""
        self._woken.set()

    async def clear(self, job_id: str) -> None:
        """Removes the files of a job that is no longer there."""
        if _JOB.match(job_id):
            await asyncio.to_thread(shutil.rmtree, folder_of(self.orders.folder, job_id), ignore_errors=True)

    async def _run(self) -> None:
        while True:
            try:
                if not await self._one():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._woken.wait(), BULK_POLL_S)
                    self._woken.clear()
                self._troubled = False
            except Exception as error:  # noqa: BLE001  whatever is wrong now, later it may not be
                if not self._troubled:
                    log.warning("bulk jobs cannot be looked after at present", error=type(error).__name__)
                self._troubled = True
                await asyncio.sleep(BULK_POLL_S)

    async def _one(self) -> bool:
        """Works on one job, if there is one; else removes what has expired."""
        job = await self._keeping.take()
        if job is None:
            for job_id in await self._keeping.expired(BULK_KEPT_S):
                await self.clear(job_id)
            return False
        folder = folder_of(self.orders.folder, job.id)
        await asyncio.to_thread(make_private, folder)
        await self._keeping.check_files(job, folder)
        processes = [await self._start(job, number) for number in range(self._count(job))]
        ends = [asyncio.create_task(_ended(process)) for process in processes]
        try:
            mine = await self._watch(job, ends)
        except asyncio.CancelledError:
            await self._keeping.leave(job)
            raise
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            for end in ends:
                end.cancel()
        if mine:
            await self._settle(job, folder, [end.result() for end in ends])
        # Whoever removed the job emptied the folder while our processes still wrote into it: they end in many ways.
        await self._removed(job)
        return True

    def _count(self, job: Any) -> int:
        return self.orders.processes if job.kind == "export" else 1

    async def _watch(self, job: Any, ends: "list[asyncio.Task[tuple[int, str]]]") -> bool:
        """Waits for all processes, or for the first that cannot go on; False when the job is no longer ours."""
        while True:
            done, waiting = await asyncio.wait(ends, timeout=BULK_BEAT_S, return_when=asyncio.FIRST_COMPLETED)
            if not waiting or any(end.result()[0] != 0 for end in done):
                return True
            if len(done) and len(waiting):
                await asyncio.wait(waiting, timeout=BULK_BEAT_S)
            if not await self._keeping.beat(job):
                return False

    async def _settle(self, job: Any, folder: Path, results: list[tuple[int, str]]) -> None:
        codes = [code for code, _ in results]
        words = [text for code, text in results if code == REFUSED]
        if words:
            await self._keeping.fail(job, words[0])
        elif any(codes):
            if TAKEN_AWAY not in codes:
                log.error("a process of a bulk job ended", job=job.id, codes=codes)
                await self._keeping.leave(job)
        else:
            said = next((text for _, text in results if text), "")
            await self._keeping.finish(job, folder, said)

    async def _removed(self, job: Any) -> None:
        """The files go with a job that was removed; another's who took it over stay."""
        if not await self._keeping.exists(job.id):
            await self.clear(job.id)

    async def _start(self, job: Any, number: int) -> asyncio.subprocess.Process:
        orders = self.orders
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "continuum.apps.fhir_api.bulk_process",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_WORDS_MAX_BYTES * 4,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        told = {
            "database": orders.database, "record_secret": orders.record_secret.hex(),
            "audit_secret": orders.audit_secret.hex(), "job": job.id, "attempt": job.attempt, "number": number,
            "folder": str(folder_of(orders.folder, job.id)), "sources": orders.sources,
            "processes": orders.processes,
        }  # fmt: skip
        assert process.stdin is not None, "it was asked for"
        process.stdin.write(json.dumps(told).encode() + b"\n")
        with contextlib.suppress(ConnectionError):  # it died at once; its exit code says so
            await process.stdin.drain()
        return process


async def _ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """The exit code of a process and what it said."""
    assert process.stdout is not None, "it was asked for"
    said = await process.stdout.read(_WORDS_MAX_BYTES)
    return await process.wait(), said.decode(errors="replace").strip()

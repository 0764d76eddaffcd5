"""What whoever looks after bulk jobs does with them: takes, keeps, ends and removes them."""

import asyncio
from pathlib import Path

from continuum.access import exporting
from continuum.access.door import Access
from continuum.record import jobs
from continuum.record.jobs import File, Job

WORN_OUT = "The job was begun several times and never came to its end; the log of the server says more."


class Keeping:
    """The jobs of one database, for the program that works on them on behalf of those who asked."""

    def __init__(self, access: Access, folder: Path) -> None:
        self._access = access
        self._folder = folder

    async def take(self) -> Job | None:
        """A job that waits or was left; it is ours from now on. One that was begun too often is failed instead.

        Imports wait while no writes are taken.
        """
        async with self._access.connect() as conn:
            job = await jobs.take(conn, self._access.clock(), imports=self._access.refusal is None)
            if job is not None and jobs.worn_out(job):
                await exporting.fail(conn, job, WORN_OUT, auditor=self._access.auditor, clock=self._access.clock)
                return None
            return job

    async def check_files(self, job: Job, folder: Path) -> None:
        """Holds what earlier attempts noted to the files that are there; when one is lost, all begins again."""
        async with self._access.connect() as conn:
            noted = await jobs.files(conn, job.id)
            if noted and not await asyncio.to_thread(_whole, folder, noted):
                await jobs.begin_again(conn, job)

    async def beat(self, job: Job) -> bool:
        """Says that the job is worked on; False when it is no longer ours."""
        async with self._access.connect() as conn:
            return await jobs.beat(conn, job, self._access.clock())

    async def leave(self, job: Job) -> None:
        """Gives the job back."""
        async with self._access.connect() as conn:
            await jobs.leave(conn, job)

    async def finish(self, job: Job, folder: Path, said: str) -> bool:
        """Ends a job whose processes have done their work; False when it is no longer ours."""
        access = self._access
        async with access.connect() as conn:
            if job.kind == "export":
                return await exporting.finish(conn, job, auditor=access.auditor, folder=folder, clock=access.clock)
            return await jobs.end(conn, job, jobs.COMPLETED, said, access.clock())

    async def fail(self, job: Job, words: str) -> None:
        """Ends a job that cannot be done."""
        async with self._access.connect() as conn:
            await exporting.fail(conn, job, words, auditor=self._access.auditor, clock=self._access.clock)

    async def exists(self, job_id: str) -> bool:
        """Whether there is such a job."""
        async with self._access.connect() as conn:
            return await jobs.get(conn, job_id) is not None

    async def expired(self, kept_s: int) -> list[str]:
        """Removes the jobs that ended longer ago than they are kept; their ids."""
        async with self._access.connect() as conn:
            return await jobs.expire(conn, self._access.clock() - kept_s * 1_000_000)


def _whole(folder: Path, noted: list[File]) -> bool:
    for file in noted:
        path = folder / file.name
        if not path.is_file() or path.stat().st_size < file.bytes:
            return False
    return True

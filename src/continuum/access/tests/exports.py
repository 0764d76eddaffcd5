"""Exports of the small world of doors.py, worked on in the test's own process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from continuum.access import exporting
from continuum.access.bulk import Asked
from continuum.access.keeping import Keeping
from continuum.access.tests.doors import World
from continuum.kernel.clock import now_us
from continuum.record import jobs
from continuum.record.jobs import Job
from continuum.runtime.postgres.address import Address

KEYS = exporting.keys_of(bytes(32))

EVERYTHING = [
    "Device/d-other", "Device/d-own", "Observation/o-other", "Observation/o-own", "Organization/f-other",
    "Organization/f-own", "Patient/other", "Patient/own", "Task/t-other", "Task/t-own",
]  # fmt: skip


class Exports:
    """A world, and jobs that are worked on in this process."""

    def __init__(self, world: World, database: str, folder) -> None:
        self.world = world
        self.database = database
        self.folder = folder
        self.keeping = Keeping(world.door, folder)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        conn = await asyncpg.connect(**Address.from_url(self.database).connect)
        try:
            # As the processes of a job call themselves: they do not wait for each other's transactions.
            await conn.execute(f"SET application_name = '{exporting.APPLICATION_NAME}'")
            yield conn
        finally:
            await conn.close()

    async def start(self, role: str = "administrator", **asked) -> Job:
        asked.setdefault("url", "http://here/fhir/$export")
        return await self.world.session(role, "bulk").bulk.export(Asked(**asked))

    async def work(self, job: Job, mark: str = "1") -> bool:
        folder = self.folder_of(job)
        async with self.connection() as conn:
            return await exporting.work(conn, job, keys=KEYS, folder=folder, mark=mark, show=None, clock=now_us)

    def folder_of(self, job: Job):
        (self.folder / job.id).mkdir(exist_ok=True)
        return self.folder / job.id

    async def lines(self, job: Job, category: str = jobs.OUTPUT) -> list[dict]:
        async with self.connection() as conn:
            noted = await jobs.files(conn, job.id)
        found = []
        for file in noted:
            if file.category == category:
                text = (self.folder_of(job) / file.name).read_bytes()[: file.bytes]
                assert text.count(b"\n") == file.lines
                found += [json.loads(line) for line in text.splitlines()]
        return found

    async def run(self, role: str = "administrator", *, processes: int = 2, **asked) -> tuple[Job, list[str]]:
        """A whole export; the addresses of its lines, which are all different."""
        await self.start(role, **asked)
        job = await self.keeping.take()
        assert job is not None
        assert all(await asyncio.gather(*(self.work(job, f"{job.attempt}-{number}") for number in range(processes))))
        assert await self.keeping.finish(job, self.folder_of(job), "")
        found = [f"{line['resourceType']}/{line['id']}" for line in await self.lines(job)]
        assert len(found) == len(set(found))
        return job, sorted(found)

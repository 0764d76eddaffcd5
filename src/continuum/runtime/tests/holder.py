"""A program for tests: opens the PostgreSQL of a data folder, says so, and holds it until its input ends."""

import asyncio
import sys

from continuum.runtime import postgres
from continuum.runtime.settings import Settings


async def main() -> None:
    async with postgres.open(Settings.load({}, data=sys.argv[1], postgres_memory_mb=64)):
        print("open", flush=True)  # noqa: T201  the test reads it
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())

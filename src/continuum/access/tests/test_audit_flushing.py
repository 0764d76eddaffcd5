import asyncio

from continuum.access.actor import Actor
from continuum.access.audit import Auditor, Context
from continuum.kernel.clock import now_us

CONTEXT = Context(Actor("tester", "administrator"), "HSYSADMIN", "test", "r-1")


async def test_a_row_that_comes_the_moment_the_last_was_written_is_written_too(pool):
    auditor = Auditor(bytes(32), pool.connection, now_us)
    async with asyncio.timeout(20):
        for number in range(50):
            await auditor.write(auditor.row(CONTEXT, "read", resource_type="Patient", target=str(number)))
    async with pool.connection() as conn:
        rows = await conn.fetch("SELECT target FROM record.audit ORDER BY seq")
    assert [row["target"] for row in rows] == [str(number) for number in range(50)]


async def test_rows_that_come_together_are_all_written(pool):
    auditor = Auditor(bytes(32), pool.connection, now_us)
    rows = [auditor.row(CONTEXT, "read", resource_type="Patient", target=str(number)) for number in range(600)]
    async with asyncio.timeout(20):
        await asyncio.gather(*(auditor.write(row) for row in rows))
    async with pool.connection() as conn:
        (found,) = await conn.fetch("SELECT count(DISTINCT target) AS n, count(*) AS rows FROM record.audit")
    assert (found["n"], found["rows"]) == (600, 600)

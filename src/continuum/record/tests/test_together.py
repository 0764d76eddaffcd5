"""Creates that share a commit: many at once do, who writes alone is not kept waiting, nobody pays for another."""

import asyncio

import pytest

from continuum.kernel.errors import Invalid
from continuum.record import together
from continuum.record.tests.desk import Desk, observation, patient

WRITERS, EACH = 16, 20


@pytest.fixture
def desk(pool):
    return Desk(pool)


async def commits(desk):
    """One row for each write of new resources, however many acts share it."""
    return await desk.count("outbox")


async def test_those_who_write_at_the_same_moment_share_commits(desk):
    async def writer(number):
        for count in range(EACH):
            await desk.create(patient(name=[{"family": f"F{number}", "given": [f"G{count}"]}]))

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))
    assert await desk.count("resource") == WRITERS * EACH
    assert await commits(desk) <= WRITERS * EACH / 6


async def test_who_writes_alone_never_waits_for_others(desk, monkeypatch):
    monkeypatch.setattr(together, "TOGETHER_GATHER_S", 3600.0)
    async with asyncio.timeout(60):
        for _ in range(5):
            await desk.create(patient())
    assert await commits(desk) == 5


async def test_two_who_write_in_turns_wait_for_nobody(desk, monkeypatch):
    monkeypatch.setattr(together, "TOGETHER_GATHER_S", 3600.0)

    async def writer():
        for _ in range(10):
            await desk.create(patient())

    async with asyncio.timeout(60):
        await asyncio.gather(writer(), writer())
    assert await desk.count("resource") == 20


async def test_a_wrong_one_among_many_is_refused_alone(desk):
    acts = [desk.create(patient()) for _ in range(10)]
    acts.insert(4, desk.create(observation("Patient/nobody")))
    results = await asyncio.gather(*acts, return_exceptions=True)
    assert [isinstance(one, Invalid) for one in results] == [number == 4 for number in range(11)]
    assert await desk.count("resource") == 10


async def test_one_who_comes_when_a_crowd_has_gone_waits_a_moment_at_most(desk):
    await asyncio.gather(*(desk.create(patient()) for _ in range(12)))
    async with asyncio.timeout(30):
        await desk.create(patient())
    assert await desk.count("resource") == 13

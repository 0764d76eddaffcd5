import asyncio

import pytest

from continuum.apps.fhir_api.deadlines import Deadlines


@pytest.mark.requirement("V15.2.2")
async def test_a_task_over_its_time_is_cancelled_and_knows_why():
    deadlines = Deadlines(0.02)
    deadlines.start()
    outcomes = []

    async def slow():
        task = deadlines.enter()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            outcomes.append(deadlines.expired(task))
        finally:
            deadlines.leave(task)

    await asyncio.wait_for(asyncio.create_task(slow()), 5)
    deadlines.stop()
    assert outcomes == [True]


async def test_a_task_cancelled_by_another_is_not_called_late():
    deadlines = Deadlines(60)
    deadlines.start()
    started = asyncio.Event()

    async def slow():
        task = deadlines.enter()
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            assert not deadlines.expired(task)
            raise

    task = asyncio.create_task(slow())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadlines.stop()


async def test_a_task_that_is_done_in_time_is_left_alone():
    deadlines = Deadlines(0.01)
    deadlines.start()
    task = deadlines.enter()
    deadlines.leave(task)
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.05, done.set_result, "in time")
    assert await done == "in time"
    deadlines.stop()

"""How long a facility has to do with a patient: enrolled, seen, moved away, registered."""

from datetime import UTC, datetime, timedelta

import pytest

from continuum.access import Actor
from continuum.access.tests.doors import World, furnish, observation, patient
from continuum.kernel.clock import now_us
from continuum.kernel.errors import NotFound
from continuum.record.limits import FACILITY_CARE_DAYS, RELATION_OPEN_DAYS

DAY_US = 86_400_000_000


@pytest.fixture
async def world(pool):
    return await furnish(World(pool))


def day(days):
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


async def sees(world, resource_id="o-other", *, ahead_days=0):
    """Whether the clinician at f-own reads an entry of `other`, so many days ahead."""
    async with world.pool.connection() as conn:
        moved = "UPDATE record.relation SET starts = starts - $1, ends = ends - $1 WHERE abs(ends) < 2 ^ 61"
        await conn.execute(moved, ahead_days * DAY_US)
        try:
            await world.session("clinician").read("Observation", resource_id)
        except NotFound:
            return False
        else:
            return True
        finally:
            await conn.execute(moved, -ahead_days * DAY_US)


def visit(name, *, status="finished", **period):
    return {
        "resourceType": "Encounter", "id": name, "status": status, "class": {"code": "AMB"}, "period": period,
        "subject": {"reference": "Patient/other"}, "serviceProvider": {"reference": "Organization/f-own"},
    }  # fmt: skip


async def test_who_was_seen_is_known_for_three_years_and_no_longer(world):
    session = world.session("administrator")
    assert not await sees(world)
    await session.update(visit("old", start=day(-FACILITY_CARE_DAYS - 9), end=day(-FACILITY_CARE_DAYS - 2)))
    assert not await sees(world)
    await session.update(visit("newer", start=day(-FACILITY_CARE_DAYS - 9), end=day(-FACILITY_CARE_DAYS + 3)))
    assert await sees(world)
    assert await sees(world, ahead_days=2)
    assert not await sees(world, ahead_days=5)


async def test_a_visit_that_is_called_off_or_was_a_mistake_ties_nobody(world):
    session = world.session("administrator")
    await session.update(visit("v", status="in-progress", start=day(-1)))
    assert await sees(world)
    for status in ("cancelled", "entered-in-error"):
        await session.update(visit("v", status=status, start=day(-1)))
        assert not await sees(world)


async def test_who_is_enrolled_is_known_without_end_and_for_three_years_after_the_move(world):
    session = world.session("administrator")
    await session.update(patient("other", "f-own"))
    assert await sees(world, ahead_days=40_000)
    await session.update({**patient("other", "f-own"), "gender": "female"})
    assert await sees(world, ahead_days=40_000)
    await session.update(patient("other", "f-other"))
    assert await sees(world, ahead_days=FACILITY_CARE_DAYS - 1)
    assert not await sees(world, ahead_days=FACILITY_CARE_DAYS + 1)
    await session.update(patient("other", "f-own"))
    assert await sees(world, ahead_days=40_000)


async def test_who_was_registered_and_never_came_is_known_for_a_year(world):
    registrar = world.door.open(
        Actor("reg", "registrar", facility_id="f-own"), "HOPERAT", source="192.0.2.1", request_id="r"
    )
    made = await registrar.create({"resourceType": "Patient", "name": [{"family": "Newcomer"}]})
    one = made.stored.id
    await world.session("administrator").update(observation("o-new", one))
    assert await sees(world, "o-new", ahead_days=RELATION_OPEN_DAYS - 1)
    assert not await sees(world, "o-new", ahead_days=RELATION_OPEN_DAYS + 1)


async def test_what_has_ended_before_it_is_written_leaves_no_row(world):
    before = now_us()
    await world.session("administrator").update(visit("ancient", start="2001-01-01", end="2001-01-01"))
    async with world.pool.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM record.relation WHERE ends < $1", before) == 0

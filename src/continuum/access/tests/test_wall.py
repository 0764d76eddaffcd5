"""The second wall: what a connection may not see is not there for it, even when the predicate forgets to ask."""

from dataclasses import replace

import asyncpg
import pytest

from continuum.access import Access, Actor
from continuum.access.tests.doors import World, criteria, furnish, observation
from continuum.kernel.errors import NotFound
from continuum.record.visibility import EVERYTHING
from continuum.runtime.postgres.address import Address

SECRET_BITS = 4


@pytest.fixture
async def world(pool):
    world = await furnish(World(pool))
    await world.session("administrator", "furnish").update(
        observation("labelled", "own", meta={"security": [{"code": "ETH"}]})
    )
    return world


@pytest.mark.usefixtures("world")
async def test_a_connection_that_says_nothing_sees_no_content(database):
    address = Address.from_url(database)
    role = {"role": address.act_as} if address.act_as else {}
    connection = await asyncpg.connect(replace(address, act_as="").dsn, server_settings=role)
    try:
        for table in ("resource", "history"):
            assert await connection.fetchval(f"SELECT count(*) FROM record.{table} WHERE patient IS NOT NULL") == 0
    finally:
        await connection.close()


async def test_each_use_of_a_connection_has_its_own_wall(world):
    labelled = "SELECT count(*) FROM record.resource WHERE id = 'labelled'"
    for wall, expected in ((-1, 1), (0, 0), (SECRET_BITS, 1), (127 - SECRET_BITS, 0), (-1, 1)):
        async with world.pool.connection(wall) as conn:
            assert await conn.fetchval(labelled) == expected, wall
    async with world.pool.connection() as conn:
        assert await conn.fetchval(labelled) == 1


@pytest.mark.requirement("V8.3.1")
async def test_a_predicate_that_lets_all_through_still_shows_nothing_that_the_role_could_never_see(world, monkeypatch):
    door: Access = world.door
    analyst = Actor("ana", "population-analyst")
    policy = door._policy(analyst, "PUBHLTH")  # noqa: SLF001  the fault that is put in lies inside
    broken = policy.visibility.__class__(otherwise=EVERYTHING.otherwise, wall=policy.visibility.wall)
    monkeypatch.setitem(door._policies, (analyst, "PUBHLTH"), policy.__class__(broken, {}))  # noqa: SLF001
    session = door.open(analyst, "PUBHLTH", source="192.0.2.1", request_id="r")
    assert (await session.read("Observation", "o-own")).id == "o-own"
    with pytest.raises(NotFound):
        await session.read("Observation", "labelled")
    page = await session.search(criteria("Observation", "_count=50"))
    assert "labelled" not in {one.id for one in page.matches}


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT body FROM record.resource WHERE type = 104 AND id = 'o-own'", "resource_address"),
        ("SELECT body FROM record.resource WHERE row_id = ANY(ARRAY[1, 2]::bigint[])", "resource_pkey"),
        ("SELECT body FROM record.history WHERE row_id = 5 AND version = 1", "history_pkey"),
        ("SELECT body FROM record.resource WHERE type = 104 AND updated > 5 ORDER BY updated LIMIT 5",
         "resource_type_updated"),
    ],
)  # fmt: skip
async def test_the_wall_costs_no_index(world, question, index):
    async with world.pool.connection(0) as conn:
        await conn.execute("BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {question}"))
        await conn.execute("ROLLBACK")
    assert f"using {index}" in plan or f"on {index}" in plan, plan
    assert "Index Cond" in plan, plan


@pytest.mark.requirement("V-222430", "V13.2.2")
async def test_the_role_of_the_application_owns_nothing_and_bypasses_nothing(world):
    async with world.pool.connection() as conn:
        row = await conn.fetchrow("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert tuple(row) == (False, False)
        owned = await conn.fetchval(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'record' AND pg_get_userbyid(c.relowner) = current_user"
        )
        assert owned == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("ALTER TABLE record.resource DISABLE ROW LEVEL SECURITY")

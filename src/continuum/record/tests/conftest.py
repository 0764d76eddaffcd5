"""What tests of the record share."""

import asyncpg
import pytest

from continuum.runtime.postgres.address import Address


@pytest.fixture
def analyse(database_owner):
    """Gives PostgreSQL its figures, without which the planner trusts none."""

    async def work():
        conn = await asyncpg.connect(**Address.from_url(database_owner).connect)
        await conn.execute("ANALYZE record.search")
        await conn.close()

    return work

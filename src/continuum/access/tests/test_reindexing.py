"""By which rules a worker files is noted before it takes its first request."""

from continuum.access import Access
from continuum.access.reindexing import Reindexing
from continuum.fhir.search_params import FINGERPRINTS


async def test_the_rules_are_noted_before_a_worker_takes_its_first_request(pool):
    access = Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32))
    async with pool.connection() as conn, Reindexing(access).working():
        noted = await conn.fetchval("SELECT count(*) FROM record.index_state")
    assert noted == len(FINGERPRINTS)

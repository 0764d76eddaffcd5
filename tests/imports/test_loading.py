"""Chunks of an import: new ones by COPY alone, present ones by comparison, whatever was expected."""

import asyncpg
import pytest

from continuum.access.actor import Actor
from continuum.access.audit import Auditor, Context
from continuum.kernel.clock import now_us
from continuum.record.bulk import Loaded, Loader, dangling
from continuum.record.entry import prepare
from continuum.record.keys import Keys
from continuum.record.search import marks_in_use
from continuum.record.tests.desk import Desk, patient
from continuum.record.visibility import EVERYTHING
from continuum.runtime.postgres.address import Address

KEYS = Keys(bytes(32))
CONTEXT = Context(Actor("import", "system"), "HOPERAT", "here", "import-1")


@pytest.fixture
async def load(database):
    conn = await asyncpg.connect(**Address.from_url(database).connect)
    loader = Loader(conn, now_us)
    auditor = Auditor(bytes(32), lambda: None, now_us)

    async def chunk(number, *resources):
        ready = [prepare(resource, KEYS) for resource in resources]
        audit = auditor.row(CONTEXT, "import", patients=[one.id for one in ready])
        return await loader.load(ready, source="s", number=number, rejected=0, audit=audit)

    chunk.conn = conn
    yield chunk
    await conn.close()


def weight(name, of):
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"text": "weight"},
        "subject": {"reference": f"Patient/{of}"},
    }


async def test_what_is_present_against_expectation_is_refused_once_and_then_compared(load, pool):
    assert await load(0, patient(id="a"), patient(id="b")) == Loaded(2, 0, 0)
    assert await load(1, patient(id="c")) == Loaded(1, 0, 0)
    mixed = (patient(id="d"), patient(id="a"), patient(id="b", gender="female"))
    with pytest.raises(asyncpg.UniqueViolationError):
        await load(2, *mixed)
    assert await Desk(pool).count() == 3, "nothing of a refused chunk stays"
    assert await load(2, *mixed) == Loaded(1, 1, 1)
    assert await load(3, patient(id="a")) == Loaded(0, 0, 1), "after a present one, each is looked for"
    assert await Desk(pool).versions("Patient", "b") == [2, 1]
    assert await Desk(pool).count() == await Desk(pool).count("search") == 4


async def test_tags_of_what_is_loaded_are_told_like_those_of_what_is_written(load, pool):
    await load(0, patient(id="a", meta={"tag": [{"system": "urn:s", "code": "x"}]}))
    async with pool.connection() as conn:
        (found,) = await marks_in_use(conn, ["Patient"], visibility=EVERYTHING, keys=KEYS)
    assert found == ("Patient", "tag", "urn:s", "x")


async def test_only_references_to_nothing_are_noted_and_each_referrer_is_named(load):
    await load(0, patient(id="a"), weight("o1", "a"), weight("o2", "b"), weight("o3", "b"), weight("o4", "c"))
    assert await load.conn.fetchval("SELECT count(*) FROM record.import_link") == 3
    await load(1, patient(id="b"), weight("o5", "a"))
    assert await load.conn.fetchval("SELECT count(*) FROM record.import_link") == 3
    assert await dangling(load.conn, KEYS, 10) == [("Observation/o4", "Patient/c")]

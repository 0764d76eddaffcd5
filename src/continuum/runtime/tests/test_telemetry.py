"""Logs hold nobody's data; metrics and readiness say how it is."""

import asyncio
import io
import json
import logging

import asyncpg
import pytest
import structlog

from continuum.runtime import telemetry
from continuum.runtime.pool import Pool
from continuum.runtime.postgres.address import Address

NAME = "Zzyzx"


@pytest.fixture
def lines():
    stream = io.StringIO()
    handlers, level = logging.root.handlers[:], logging.root.level
    telemetry.configure("debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.requirement("V16.2.5")
def test_planted_names_come_through_nowhere(lines):
    logger = structlog.get_logger()
    logger.info("request_answered", status=200, interaction="read", patient=NAME, query=f"family={NAME}")
    logger.info(f"Patient {NAME} was read", status=200)  # noqa: G004  the mistake that must do no harm
    logger.info("request_answered", error=f"no bed for {NAME} Planted", request_id="018f-1")
    try:
        int(NAME)
    except ValueError:
        logger.exception("request_failed", status=500)
    logging.getLogger("somewhere").warning("cannot parse %s of %r", NAME, {"name": NAME})
    logging.getLogger("somewhere").error(f"cannot parse {NAME}")  # noqa: G004  same
    said = lines()
    assert len(said) == 6
    assert NAME not in json.dumps(said)
    assert said[0] == {**said[0], "event": "request_answered", "status": 200, "interaction": "read", "withheld": 2}
    assert said[1]["event"] == "unnamed"
    assert said[3]["exception"][0] == "ValueError"
    assert "test_planted_names" in said[3]["exception"][1]
    assert said[4]["template"] == "cannot parse … of …"


@pytest.mark.requirement("V16.3.4", "V16.5.1")
async def test_a_servers_errors_are_logged_without_their_values(lines, pool):
    async with pool.connection() as conn:
        try:
            await conn.fetch("SELECT $1::text::int", NAME)
        except asyncpg.DataError:
            structlog.get_logger().exception("statement_failed", status=400)
    assert lines()[-1]["exception"][0] == "InvalidTextRepresentationError"
    assert NAME not in json.dumps(lines())


async def test_a_database_that_is_up_to_date_is_ready_and_counted(pool):
    assert await telemetry.ready(pool) == []
    text = telemetry.Metrics(pool).text().decode()
    assert "continuum_postgres_connections_open 1.0" in text
    assert "process_resident_memory_bytes" in text


async def test_a_database_that_lacks_migrations_is_not_ready(database_owner, pool):
    owner = await asyncpg.connect(**Address.from_url(database_owner).connect)
    await owner.execute("DELETE FROM runtime.migration")
    await owner.close()
    [reason] = await telemetry.ready(pool)
    assert "0001_pre_record" in reason
    assert "continuum migrate" in reason


async def test_no_database_is_not_ready_in_time(tmp_path):
    async with asyncio.timeout(5):
        [reason] = await telemetry.ready(Pool(Address(str(tmp_path), 5432, "none", "nobody")))
    assert "did not answer" in reason

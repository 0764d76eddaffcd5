"""A PostgreSQL that somebody else runs: addresses, checks, plain words."""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.runtime import postgres
from continuum.runtime.migrate import migrate
from continuum.runtime.postgres import given as given_server
from continuum.runtime.postgres.address import Address, BadAddress
from continuum.runtime.postgres.given import Unsuitable
from continuum.runtime.settings import Settings

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(names, names, names, st.sampled_from(["db.example.org", "10.0.0.1", "::1", "/run/post gres"]))
def test_an_address_comes_back_from_its_url(user, password, database, host):
    address = Address(host, 5433, database, user, password, {"sslmode": "require"}, "continuum_app")
    assert Address.from_url(address.dsn) == address
    assert password not in repr(address) or password in repr(Address(host, 5433, database, user))


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://a@b,c/d", "postgresql://a@b:x/d", "postgresql:///d"])
def test_nonsense_is_no_address(url):
    with pytest.raises(BadAddress):
        Address.from_url(url)


async def _given(address, tmp_path):
    settings = Settings.load({}, data=tmp_path, database_url=address.dsn)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        connection = await asyncpg.connect(**server.app.connect)
        try:
            return await connection.fetchval("SELECT current_user::text"), server
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def maker():
    """An administrator's address on a durable server: the given one, or an embedded one that we pretend is given."""
    url = os.environ.get("CONTINUUM_TEST_DATABASE_URL")
    if url:
        yield Address.from_url(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="continuum-given-"))
    async with postgres.open(Settings.load({}, data=folder, postgres_memory_mb=64)) as server:
        yield server.superuser
    shutil.rmtree(folder)


async def test_a_given_database_is_used_as_the_application_role(maker, tmp_path):
    connection = await asyncpg.connect(**maker.connect)
    await connection.execute("CREATE DATABASE continuum_given")
    try:
        await _is_used(maker.to("continuum_given"), tmp_path)
    finally:
        await connection.execute("DROP DATABASE continuum_given WITH (FORCE)")
        await connection.close()


async def _is_used(address, tmp_path):
    role, server = await _given(address, tmp_path)
    assert role == "continuum_app"
    assert not server.embedded
    assert server.superuser is None
    assert address.password not in server.described or not address.password


async def test_many_that_start_at_once_on_a_bare_server_all_find_the_application_role(maker, monkeypatch):
    monkeypatch.setattr(given_server, "APP", "continuum_test_race")
    connections = [await asyncpg.connect(**maker.connect) for _ in range(8)]
    me = await connections[0].fetchval("SELECT current_user::text")
    try:
        for _ in range(20):
            await asyncio.gather(*(given_server.make_app_role(one, me, exists=False) for one in connections))
            assert await connections[0].fetchval("SELECT pg_has_role(current_user, 'continuum_test_race', 'MEMBER')")
            await connections[0].execute("DROP ROLE continuum_test_race")
    finally:
        await connections[0].execute("DROP ROLE IF EXISTS continuum_test_race")
        for one in connections:
            await one.close()


async def test_what_is_missing_is_said_with_what_to_do(maker, tmp_path):
    connection = await asyncpg.connect(**maker.connect)
    try:
        with pytest.raises(Unsuitable, match="CREATE DATABASE nowhere"):
            await _given(maker.to("nowhere"), tmp_path)
        with pytest.raises(Unsuitable, match="refuses the user"):
            await _given(Address(maker.host, maker.port, maker.database, "nobody_known", "guess"), tmp_path)
        await connection.execute("DROP ROLE IF EXISTS continuum_test_poor")
        await connection.execute("CREATE ROLE continuum_test_poor LOGIN PASSWORD 'poor'")
        poor = Address(maker.host, maker.port, maker.database, "continuum_test_poor", "poor")
        with pytest.raises(Unsuitable, match="GRANT CREATE ON DATABASE"):
            await _given(poor, tmp_path)
        await connection.execute("ALTER ROLE continuum_test_poor SET synchronous_commit = off")
        with pytest.raises(Unsuitable, match="would lose records"):
            await _given(poor, tmp_path)
    finally:
        await connection.execute("DROP ROLE IF EXISTS continuum_test_poor")
        await connection.close()
    with pytest.raises(Unsuitable, match="nothing answers there"):
        await _given(Address(str(tmp_path), 5432, "x", "y"), tmp_path)

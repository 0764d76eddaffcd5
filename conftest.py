"""A real PostgreSQL for every test that asks for one, and no network for those that do not.

`database`: the URL of a fresh, migrated database as the application's role; `database_owner`: as the owner.
`pool`: a pool on it. `server`-marked tests may also use 127.0.0.1; all others only unix sockets.

One embedded server is shared by all processes of a run. CONTINUUM_TEST_DATABASE_URL names another PostgreSQL
(a role that may make databases and roles) to run the same tests on.
"""

import functools
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, settings

from continuum.runtime import postgres
from continuum.runtime.migrate import CannotMigrate, known, migrate
from continuum.runtime.pool import Pool
from continuum.runtime.postgres import elsewhere
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import OPEN_PLACES, plan
from continuum.runtime.settings import Settings

gc.disable()  # until what tests load is there: it stays, and is many times what a test leaves

# How long an example takes says more about the machine than about the code; bounds on time are tests of their own.
settings.register_profile("continuum", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("continuum")

# Each client would read the certificates of all authorities anew, which takes longer than most of what it then asks.
patch("httpx._transports.default.create_ssl_context", functools.cache(httpx.create_ssl_context)).start()

pytest_plugins = ["tests.claims"]
DATA = "CONTINUUM_TEST_DATA"
URL = "CONTINUUM_TEST_DATABASE_URL"
TEMPLATE_LOCK = 7_200_000_002


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a run names the folder that all of them share."""
    if DATA not in os.environ and not hasattr(config, "workerinput"):
        os.environ[DATA] = tempfile.mkdtemp(prefix="continuum-test-")
        config.stash[_made] = os.environ[DATA]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that made the folder removes it, when all others are gone."""
    made = config.stash.get(_made, None)
    if made is not None:
        shutil.rmtree(made, ignore_errors=True)
        os.environ.pop(DATA, None)


_made = pytest.StashKey[str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that start a server may reach it; on a second PostgreSQL only those run that use it."""
    for item in items:
        if item.get_closest_marker("server"):
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]))
    if URL in os.environ:
        served = [item for item in items if {"test_server", "maker"} & set(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=[item for item in items if item not in served])
        items[:] = served


def pytest_collection_finish() -> None:
    """What is loaded by now the collector of cycles need not look through again and again."""
    gc.freeze()
    gc.enable()


@dataclass(frozen=True)
class TestServer:
    """A server and the address that may make databases on it."""

    __test__ = False
    server: postgres.Server
    maker: Address


@pytest.fixture(scope="session")
async def test_server() -> AsyncIterator[TestServer]:
    """The run's PostgreSQL."""
    url = os.environ.get(URL, "")
    settings = Settings.load({}, data=os.environ[DATA], database_url=url or None, postgres_memory_mb=128)
    if not url:
        # Speed: a test's data need not outlive a power cut. Tests of durability run servers of their own.
        local = plan(settings).base / "local.conf"
        local.write_text("fsync = off\nfull_page_writes = off\nmax_connections = 300\n", encoding="utf-8")
        local.chmod(0o644)
    async with postgres.open(settings) as server:
        yield TestServer(server, server.superuser or server.owner)


@pytest.fixture(scope="session")
async def template(test_server: TestServer) -> str:
    """The name of a migrated database that fresh ones are copied from; made once per text of the migrations."""
    name = "continuum_template_" + "".join(migration.checksum[:4] for migration in known())[-24:]
    connection = await asyncpg.connect(**test_server.maker.connect)
    try:
        await connection.execute("SELECT pg_advisory_lock($1::bigint)", TEMPLATE_LOCK)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"DROP DATABASE IF EXISTS {name}_making WITH (FORCE)")
            await connection.execute(f'CREATE DATABASE {name}_making OWNER "{test_server.server.owner.user}"')
            try:
                await migrate(test_server.server.owner.to(f"{name}_making"))
            except CannotMigrate as error:
                pytest.fail(str(error))
            await connection.execute(f"ALTER DATABASE {name}_making RENAME TO {name}")
    finally:
        await connection.close()
    return name


@pytest.fixture
async def database_owner(test_server: TestServer, template: str) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database, as the owner of its tables."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(**test_server.maker.connect)
    try:
        await connection.execute(
            f'CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER "{test_server.server.owner.user}"'
        )
        yield test_server.server.owner.to(name).dsn
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
def database(test_server: TestServer, database_owner: str) -> str:
    """The URL of a fresh, migrated database, as the role that answers requests.

    For asyncpg, use `Address.from_url(database).connect` (a given server's role is taken on after connecting).
    """
    return test_server.server.app.to(Address.from_url(database_owner).database).dsn


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A pool of the application's role on a fresh database."""
    async with Pool.open(database) as opened:
        yield opened


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A new data folder that the account of an embedded PostgreSQL can reach, also when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="continuum-data-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def nothing_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Removes what embedded servers keep elsewhere for data folders of tests, which root alone reaches."""
    yield
    ours = tmp_path_factory.getbasetemp().resolve()
    for base in (base for place in OPEN_PLACES for base in place.glob("continuum-*")):
        owner = elsewhere.owner_of(base)
        if owner is not None and owner.is_relative_to(ours):
            shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_suites() -> Path:
    """The folder of test suites and data sets that are not part of the tree."""
    return Path(os.environ.get("CONTINUUM_SHARED", Path(__file__).parent.parent / "shared"))

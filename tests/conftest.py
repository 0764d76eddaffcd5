"""The one server that all tests of interfaces, clients and documentation share."""

import os
from collections.abc import AsyncIterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from continuum.apps.fhir_api.orders import Worker
from continuum.kernel.limits import PASSWORD_MEMORY_MIN_MIB
from tests import exchanges
from tests.hospital import founded, peopled
from tests.live import Running, fresh_database, started


@pytest.fixture(scope="session")
async def running(test_server, template, tmp_path_factory) -> AsyncIterator[Running]:
    """The server of the session; tests use ids and identifiers of their own."""
    app, owner = await fresh_database(test_server, template)
    orders = Worker(
        database=app,
        record_secret=os.urandom(32),
        audit_secret=os.urandom(32),
        token_secret=os.urandom(32),
        identity_secret=os.urandom(32),
        connections=8,
        password_memory_mib=PASSWORD_MEMORY_MIN_MIB,
        bulk_folder=str(tmp_path_factory.mktemp("bulk")),
        import_sources="http://127.0.0.1/",
    )
    with started(orders, owner) as found:
        yield found


@pytest.fixture(scope="session")
def live_server(running: Running) -> Running:
    """The same server, for clients that bring everything but the address and a token: `base_url`, `token(role)`."""
    return running


@pytest.fixture
def another(running: Running):
    """Another server on the same database, with other orders: `with another(read_only=True) as server`."""

    @contextmanager
    def start(port=0, **orders):
        with started(replace(running.orders, **orders), running.owner, port) as found:
            yield found

    return start


@pytest.fixture(scope="session")
async def hospital(test_server, template, tmp_path_factory):
    """A hospital with the people with a story; its server is opened by those who need it."""
    people = await peopled(test_server, template, tmp_path_factory.mktemp("people"))
    return founded(*await fresh_database(test_server, people))


@pytest.fixture(scope="session")
def open_hospital(hospital):
    """The hospital with its server running."""
    with hospital.open():
        yield hospital


@pytest.fixture(autouse=True)
async def traced(request) -> AsyncIterator[None]:
    """Whatever pages answered in a test is in the trace when it is over."""
    yield
    faults, done = await exchanges.judge()
    request.node.user_properties += [("page", page) for page in done]
    assert not faults, "\n".join(faults)

"""One server that may notify, its subscribers, and clients of it."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from continuum.apps.fhir_api.orders import Worker
from tests.live import Running, fresh_database, started
from tests.subscriptions.receivers import Hook, Mailbox


@pytest.fixture(scope="session")
def hook() -> Iterator[Hook]:
    found = Hook()
    yield found
    found.close()


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    yield found
    found.close()


@pytest.fixture(scope="session")
async def telling(test_server, template, hook, mailbox) -> AsyncIterator[Running]:
    """A server whose operator lets it call the receivers."""
    app, owner = await fresh_database(test_server, template)
    orders = Worker(
        database=app,
        record_secret=os.urandom(32),
        audit_secret=os.urandom(32),
        token_secret=os.urandom(32),
        identity_secret=os.urandom(32),
        connections=8,
        subscription_endpoints=f"{hook.origin}/,mailto:@example.org",
        smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
        mail_from="record@continuum.example",
        subscription_retry_wait_s=0.02,
    )
    with started(orders, owner) as found:
        yield found


@pytest.fixture
async def api(telling) -> AsyncIterator[httpx.AsyncClient]:
    async with telling.client() as client:
        yield client


@pytest.fixture
def path() -> str:
    """A path of the hook that no other test uses."""
    return f"/{uuid.uuid4().hex}"

"""One server that may notify, its subscribers, clients of it, and the page of the proofs."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from continuum.apps.fhir_api.orders import Worker
from tests.faults.figures import Proof, rounds
from tests.live import Running, fresh_database, started
from tests.subscriptions.receivers import Hook, Mailbox

KILLS = rounds("SUBSCRIPTION_KILLS", 300)
CONTROL_KILLS = rounds("SUBSCRIPTION_CONTROL_KILLS", 40)
WRITES = rounds("SUBSCRIPTION_WRITES", 1_000)
PARTS = 6
"""Tests that write on the page; a page without one of them would be half a proof."""
PROMISED = {
    "SUBSCRIPTION_KILLS": 300, "SUBSCRIPTION_CONTROL_KILLS": 40, "SUBSCRIPTION_WRITES": 1_000,
}  # fmt: skip
STORY = """
Whoever subscribes is told of every change, in order, and soon.

Two workers serve one database. Six writers update, create, delete and send transactions to both, while one of the two,
by chance the one that reads the outbox or not, is ended with `kill -9` after every 0.05 to 0.5 s and started again;
often the next is killed before it answers. A rest-hook is told of every change. At the end, what it was told is held
against every version in the record. PostgreSQL itself runs on, without fsync: what becomes of an acknowledged commit
when the database is killed is a proof of its own. What commits but cannot be acknowledged any more is told too;
so more is told than was acknowledged, beside transactions, which write two. Told twice is what a crash between a
delivery and its note costs.

The controls are the same kills of workers that are spoiled on purpose, as somebody else might have built them. They
must lose events, or the comparison would show nothing.

How soon is counted from `meta.lastUpdated`, which is drawn before the write is handed to the database, to the arrival
at the subscriber, of creates at 50 a second with their whole resource told; so it is an upper bound of the time from
commit to subscriber. What another worker commits, the one that reads the outbox finds by looking every 50 ms; the
websocket is connected to the worker that writes. What a write pays for all of it is in
[the decision](../decisions/adr-2611-subscriptions.md).
"""


@pytest.fixture(scope="session")
def page() -> Iterator[Proof]:
    """The figures of all proofs of subscriptions; written when each of them has run."""
    settings = {
        "SUBSCRIPTION_KILLS": KILLS, "SUBSCRIPTION_CONTROL_KILLS": CONTROL_KILLS, "SUBSCRIPTION_WRITES": WRITES,
    }  # fmt: skip
    proof = Proof(
        "subscriptions", "Told of every change, in order, and soon", STORY, "tests/subscriptions", settings, PROMISED,
        parts=PARTS,
    )  # fmt: skip
    yield proof
    proof.write()


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

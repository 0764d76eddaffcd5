"""What is killed loses no event and turns none round: two workers on one database, one of them killed at a time.

Figures go into docs/proof/subscriptions.md. CONTINUUM_KILLS says how many kills (300 without it).
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field

import asyncpg
import httpx
import pytest

from continuum.apps.fhir_api.orders import Worker, listen, tell
from tests.live import Running, fresh_database
from tests.subscriptions.receivers import Hook, subscription, until

pytestmark = [pytest.mark.server, pytest.mark.proof, pytest.mark.timeout(3_600)]

KILLS = int(os.environ.get("CONTINUUM_KILLS", "300"))
SEED = 20261123
RESOURCES = 12
"""Resources that are written again and again: enough to race, few enough for long histories."""


@dataclass
class Life:
    """One worker that is started again whenever it was killed."""

    orders: Worker
    listening: object
    process: subprocess.Popen | None = None
    restarts_s: list[float] = field(default_factory=list)

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "continuum.apps.fhir_api.worker", str(self.listening.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=(self.listening.fileno(),),
        )
        self.process.stdin.write(tell(self.orders).encode() + b"\n")
        self.process.stdin.flush()

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdin.close()

    async def until_it_answers(self):
        began_s = time.monotonic()
        async with httpx.AsyncClient() as client:
            while True:
                assert time.monotonic() - began_s < 60, "the worker does not answer"
                try:
                    if (await client.get(f"{self.origin}/readyz", timeout=2)).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.01)
        self.restarts_s.append(time.monotonic() - began_s)


async def write(life, token, dice, stopping, acknowledged):
    """Writes until told to stop: updates, creates, transactions and deletions; what fails for a kill is not counted."""
    headers = {"authorization": f"Bearer {token}", "prefer": "return=minimal"}
    async with httpx.AsyncClient(headers=headers, timeout=5) as client:
        while not stopping.is_set():
            base = f"{life.origin}/fhir"
            name = f"r{dice.randrange(RESOURCES)}"
            body = {"resourceType": "Basic", "id": name, "code": {"text": str(dice.random())}}
            kind = dice.randrange(10)
            try:
                if kind == 0:
                    answer = await client.delete(f"{base}/Basic/{name}")
                elif kind == 1:
                    entries = [
                        {"resource": {**body, "id": one}, "request": {"method": "PUT", "url": f"Basic/{one}"}}
                        for one in (name, f"{name}-twin")
                    ]
                    answer = await client.post(base, json={"resourceType": "Bundle", "type": "transaction",
                                                           "entry": entries})  # fmt: skip
                elif kind == 2:
                    answer = await client.post(f"{base}/Basic", json=body)
                else:
                    answer = await client.put(f"{base}/Basic/{name}", json=body)
            except httpx.TransportError:
                await asyncio.sleep(0.005)
                continue
            if answer.status_code in (200, 201, 204):
                acknowledged.append(answer.headers.get("location", "").rpartition("/Basic/")[2])
            else:
                assert answer.status_code in (404, 409, 410, 412, 500, 503), answer.text


async def committed(owner):
    """Every version of every Basic, by address, in order."""
    connection = await asyncpg.connect(owner)
    try:
        rows = await connection.fetch(
            "SELECT id, version FROM record.resource WHERE type = (SELECT type FROM record.resource WHERE id = 'r0')"
            " UNION ALL SELECT id, version FROM record.history"
            " WHERE type = (SELECT type FROM record.resource WHERE id = 'r0') ORDER BY 1, 2"
        )
    finally:
        await connection.close()
    found = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row["version"])
    return found


def told(hook, path):
    """The versions that the subscriber was told of, by id, in the order of the event numbers; and all numbers."""
    events = {}
    order = []
    for bundle in hook.taken.get(path, []):
        status, *entries = bundle["entry"]
        numbers = [
            int(part["valueString"])
            for one in status["resource"]["parameter"] if one["name"] == "notification-event"
            for part in one["part"] if part["name"] == "event-number"
        ]  # fmt: skip
        for number, entry in zip(numbers, entries, strict=True):
            if number not in events:
                order.append(number)
            version = int(entry["response"]["etag"].strip('W/"'))
            seen = events.setdefault(number, (entry["fullUrl"].rpartition("/")[2], version))
            assert seen == (entry["fullUrl"].rpartition("/")[2], version), "a number means one event only"
    found = {}
    for number in sorted(events):
        name, version = events[number]
        found.setdefault(name, []).append(version)
    return found, order


async def test_no_event_is_lost_or_out_of_order_over_many_kills(test_server, template, capsys):
    dice = random.Random(SEED)
    app, owner = await fresh_database(test_server, template)
    hook = Hook()
    orders = Worker(
        database=app, record_secret=os.urandom(32), audit_secret=os.urandom(32), token_secret=os.urandom(32),
        identity_secret=os.urandom(32),
        connections=6, subscription_endpoints=f"{hook.origin}/", subscription_retry_wait_s=0.02,
    )  # fmt: skip
    lives = [Life(orders, listen("127.0.0.1", 0)) for _ in range(2)]
    token = Running(lives[0].origin, None, orders, owner).token()
    stopping, acknowledged = asyncio.Event(), []
    try:
        for life in lives:
            life.start()
        for life in lives:
            await life.until_it_answers()
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=f"{lives[0].origin}/fhir", headers=headers) as api:
            made = (await api.post("/Subscription", json=subscription("Basic", f"{hook.origin}/kills"))).json()
            await until(lambda: hook.kinds("/kills") == ["handshake"])

            async def begun():
                return (await api.get(f"/Subscription/{made['id']}")).json()["status"] == "active"

            await until(begun)
        writers = [
            asyncio.create_task(write(life, token, random.Random(dice.random()), stopping, acknowledged))
            for life in lives for _ in range(3)
        ]  # fmt: skip
        began_s = time.monotonic()
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0.05, 0.5))
            life = dice.choice(lives)
            life.kill()
            life.start()
            if dice.random() < 0.5:
                await life.until_it_answers()
            for writer in writers:
                assert not writer.done(), writer.exception()
        stopping.set()
        await asyncio.gather(*writers)
        took_s = time.monotonic() - began_s
        for life in lives:
            await life.until_it_answers()
        versions = await committed(owner)
        total = sum(map(len, versions.values()))
        await until(lambda: sum(map(len, told(hook, "/kills")[0].values())) >= total, within_s=60)
        found, order = told(hook, "/kills")
        deliveries = sum(len(bundle["entry"]) - 1 for bundle in hook.taken["/kills"])
    finally:
        for life in lives:
            if life.process is not None and life.process.poll() is None:
                life.kill()
            life.listening.close()
        hook.close()
    assert len(acknowledged) > KILLS
    assert found == versions, "every version is told once, each resource's in their order"
    kept = {f"{name}/_history/{version}" for name, told_of in found.items() for version in told_of}
    assert {one for one in acknowledged if one} <= kept, "what was acknowledged is told"
    assert order == sorted(order), "events first come in the order of their numbers"
    assert order == list(range(1, total + 1)), "the numbers have no holes"
    with capsys.disabled():
        print(  # noqa: T201  the figures of the proof
            f"\nkills {KILLS}, seed {SEED}: {len(acknowledged)} acknowledged writes, {total} versions committed,"
            f" {total} told, 0 lost, 0 out of order, {deliveries - total} told twice; {took_s:.0f} s"
        )

"""Two workers on one database that are killed while others write, and what a subscriber was told of it."""

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field

import asyncpg
import httpx

from continuum.apps.fhir_api.orders import Worker, listen, tell
from tests.live import Running, fresh_database
from tests.subscriptions.receivers import Hook, events_of, subscription, until

RESOURCES = 12
"""Resources that are written again and again: enough to race, few enough for long histories."""
WRITERS_OF_EACH = 3
WORKER = "continuum.apps.fhir_api.worker"
QUIET_S = 5.0
"""How long nothing more is told before what is missing is called lost."""


@dataclass
class Life:
    """One worker that is started again whenever it was killed. program: its module, and what it is told beside."""

    orders: Worker
    listening: object
    program: tuple[str, ...] = (WORKER,)
    process: subprocess.Popen | None = None

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def start(self):
        module, *words = self.program
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(self.listening.fileno()), *words],
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
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.01)


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
                    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
                    answer = await client.post(base, json=bundle)
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
    """Every version of every Basic, by id, in order."""
    connection = await asyncpg.connect(owner)
    try:
        rows = await connection.fetch(
            "WITH k AS (SELECT type FROM record.resource WHERE id = 'r0')"
            " SELECT id, version FROM record.resource WHERE type = (SELECT type FROM k)"
            " UNION ALL SELECT id, version FROM record.history WHERE type = (SELECT type FROM k) ORDER BY 1, 2"
        )
    finally:
        await connection.close()
    found = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row["version"])
    return found


@dataclass
class Told:
    """What the hook was told: the version of each event by its number, the numbers as they first came, and how many."""

    events: dict[int, tuple[str, int]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    deliveries: int = 0

    def versions(self) -> dict[str, list[int]]:
        """The versions of each resource in the order of their numbers."""
        found = {}
        for number in sorted(self.events):
            name, version = self.events[number]
            found.setdefault(name, []).append(version)
        return found


def told(hook, path) -> Told:
    """What came to a path of the hook."""
    found = Told()
    for bundle in hook.taken.get(path, []):
        _, *entries = bundle["entry"]
        found.deliveries += len(entries)
        for event, entry in zip(events_of(bundle), entries, strict=True):
            number = event["number"]
            if number not in found.events:
                found.order.append(number)
            one = entry["fullUrl"].rpartition("/")[2], int(entry["response"]["etag"].strip('W/"'))
            assert found.events.setdefault(number, one) == one, "a number means one event only"
    return found


@dataclass
class Outcome:
    """What happened: the subscriber against the record."""

    kills: int
    took_s: float
    acknowledged: list[str]
    committed: dict[str, list[int]]
    told: Told

    @property
    def lost(self) -> list[str]:
        """Versions that were committed and are not told."""
        return sorted(_addresses(self.committed) - _addresses(self.told.versions()))

    @property
    def invented(self) -> list[str]:
        """Versions that were told, or acknowledged, and were not committed."""
        claimed = _addresses(self.told.versions()) | {one for one in self.acknowledged if one}
        return sorted(claimed - _addresses(self.committed))

    @property
    def misplaced(self) -> list[str]:
        """Events that came after a later number, or after a later version of their resource."""
        pairs = zip(self.told.order, self.told.order[1:], strict=False)
        wrong = [f"{later} after {earlier}" for earlier, later in pairs if later < earlier]
        return wrong + [f"{name}: {one}" for name, one in self.told.versions().items() if one != sorted(set(one))]

    @property
    def holes(self) -> list[int]:
        """Numbers that never came."""
        return sorted(set(range(1, max(self.told.events, default=0) + 1)) - set(self.told.events))


def _addresses(versions) -> set[str]:
    return {f"{name}/_history/{version}" for name, own in versions.items() for version in own}


async def raged(
    test_server, template, kills: int, seed: int, program: tuple[str, ...] = (WORKER,), prepared: str = ""
) -> Outcome:
    """Kills one worker after another while six clients write; returns when nothing more is told.

    prepared: what the owner of the database does first.
    """
    dice = random.Random(seed)
    app, owner = await fresh_database(test_server, template)
    hook = Hook()
    orders = Worker(
        database=app, record_secret=os.urandom(32), audit_secret=os.urandom(32), token_secret=os.urandom(32),
        identity_secret=os.urandom(32),
        connections=6, subscription_endpoints=f"{hook.origin}/", subscription_retry_wait_s=0.02,
    )  # fmt: skip
    if prepared:
        await _prepare(owner, prepared)
    lives = [Life(orders, listen("127.0.0.1", 0), program) for _ in range(2)]
    token = Running(lives[0].origin, None, orders, owner).token(lives_s=7_200)
    acknowledged: list[str] = []
    try:
        for life in lives:
            life.start()
        for life in lives:
            await life.until_it_answers()
        await _subscribed(lives[0], token, hook)
        began_s = time.monotonic()
        await _kill(lives, token, dice, kills, acknowledged)
        took_s = time.monotonic() - began_s
        versions, heard = await _settled(owner, hook)
        return Outcome(kills, took_s, acknowledged, versions, heard)
    finally:
        for life in lives:
            if life.process is not None and life.process.poll() is None:
                life.kill()
            life.listening.close()
        hook.close()


async def _prepare(owner, sql):
    connection = await asyncpg.connect(owner)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _subscribed(life, token, hook):
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{life.origin}/fhir", headers=headers) as api:
        made = (await api.post("/Subscription", json=subscription("Basic", f"{hook.origin}/kills"))).json()
        await until(lambda: hook.kinds("/kills") == ["handshake"])

        async def begun():
            return (await api.get(f"/Subscription/{made['id']}")).json()["status"] == "active"

        await until(begun)


async def _kill(lives, token, dice, kills, acknowledged):
    stopping = asyncio.Event()
    writers = [
        asyncio.create_task(write(life, token, random.Random(dice.random()), stopping, acknowledged))
        for life in lives for _ in range(WRITERS_OF_EACH)
    ]  # fmt: skip
    try:
        for _ in range(kills):
            await asyncio.sleep(dice.uniform(0.05, 0.5))
            life = dice.choice(lives)
            life.kill()
            life.start()
            if dice.random() < 0.5:
                await life.until_it_answers()
            for writer in writers:
                assert not writer.done(), writer.exception()
    finally:
        stopping.set()
        await asyncio.gather(*writers)
    for life in lives:
        await life.until_it_answers()


async def _settled(owner, hook) -> tuple[dict[str, list[int]], Told]:
    """What is committed and what was told, once neither grows: a write given up by its client may commit yet."""
    versions = await committed(owner)
    while True:
        heard = await _all_told(hook, sum(map(len, versions.values())))
        now = await committed(owner)
        if now == versions:
            return versions, heard
        versions = now


async def _all_told(hook, total) -> Told:
    """What was told once everything is, or nothing more comes."""
    found, since_s = told(hook, "/kills"), time.monotonic()
    while len(found.events) < total and time.monotonic() - since_s < QUIET_S:
        await asyncio.sleep(0.1)
        now = told(hook, "/kills")
        if now.deliveries > found.deliveries:
            found, since_s = now, time.monotonic()
    return found

"""How soon a subscriber hears of a write: from its meta.lastUpdated, so an upper bound of commit to subscriber.

lastUpdated is drawn before the write is handed to the database.
"""

import asyncio
import json
import time
import uuid
from contextlib import ExitStack
from datetime import datetime

import httpx
import pytest
import websockets

from tests.faults.figures import percentile
from tests.live import started
from tests.subscriptions.conftest import WRITES
from tests.subscriptions.receivers import active, events_of, said, subscription, until

pytestmark = [pytest.mark.server, pytest.mark.proof]

RATE_PER_S = 50
P99_S = 0.25


SAME = "the worker that reads the outbox"


@pytest.mark.parametrize("where", [SAME, "another worker"])
async def test_a_subscriber_hears_of_a_write_within_a_quarter_of_a_second(telling, hook, path, page, where):
    code = uuid.uuid4().hex
    filters = [f"Basic?code={code}"]
    with ExitStack() as stack:
        # The first worker leads. A second one shares its database; what it commits the leader must find by itself.
        writer = telling if where == SAME else stack.enter_context(started(telling.orders, telling.owner))
        async with telling.client() as api, writer.client() as writing, writer.client() as binding:
            await active(api, subscription("Basic", hook.origin + path, content="full-resource", filters=filters))
            by_socket = await active(
                api, subscription("Basic", channel="websocket", content="full-resource", filters=filters)
            )
            token = (await binding.get(f"/Subscription/{by_socket}/$get-ws-binding-token")).json()["parameter"]
            values = {one["name"]: next(v for k, v in one.items() if k != "name") for one in token}
            async with websockets.connect(values["websocket-url"], max_size=None) as socket:
                await socket.send(f"bind-with-token: {values['token']}")
                assert said(json.loads(await socket.recv()))["type"] == "handshake"
                heard: list[float] = []
                listening = asyncio.create_task(listen(socket, heard))
                await write(writing, code)
                await until(lambda: len(heard) == WRITES and len(hook.events(path)) == WRITES, within_s=30)
                listening.cancel()
    for name, took in (("rest-hook", hooked(hook, path)), ("websocket", heard)):
        assert len(took) == WRITES
        p50, p99, longest = (1000 * one for one in (percentile(took, 0.5), percentile(took, 0.99), max(took)))
        page.held(f"From commit to subscriber by {name}, written through {where}: p99 (p50, longest)",
                  f"{p99:.0f} ms ({p50:.0f}, {longest:.0f})", f"at most {P99_S * 1000:.0f} ms",
                  holds=p99 <= P99_S * 1000)  # fmt: skip
    page.judge()


async def write(client: httpx.AsyncClient, code: str) -> None:
    """Creates at an even rate."""
    body = {"resourceType": "Basic", "code": {"coding": [{"system": "urn:test", "code": code}]}}

    async def one() -> None:
        answer = await client.post("/Basic", json=body, headers={"prefer": "return=minimal"})
        assert answer.status_code == 201, answer.text

    began_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(WRITES):
            await asyncio.sleep(max(0.0, began_s + number / RATE_PER_S - time.monotonic()))
            group.create_task(one())


def delays(bundle: dict, came_s: float) -> list[float]:
    """Seconds from each event's lastUpdated until it came."""
    return [
        came_s - datetime.fromisoformat(event["resource"]["meta"]["lastUpdated"]).timestamp()
        for event in events_of(bundle)
    ]


async def listen(socket, heard: list[float]) -> None:
    async for text in socket:
        heard += delays(json.loads(text), time.time())


def hooked(hook, path: str) -> list[float]:
    pairs = zip(hook.taken[path], hook.came_s[path], strict=True)
    return [delay for bundle, came_s in pairs for delay in delays(bundle, came_s)]

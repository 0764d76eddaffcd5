"""Websockets and mail, with a real websocket client and a real mail server."""

import asyncio
import contextlib
import json
import uuid

import asyncpg
import psutil
import pytest
import websockets

from tests.subscriptions.receivers import active, events_of, said, subscription, until
from tests.subscriptions.test_rest_hooks import basic, put

pytestmark = pytest.mark.server


async def binding(api, *ids):
    """A binding token for subscriptions, and where to use it."""
    one = len(ids) == 1
    url = f"/Subscription/{ids[0]}/$get-ws-binding-token" if one else "/Subscription/$get-ws-binding-token"
    answer = await api.get(url, params=None if one else {"id": ",".join(ids)})
    assert answer.status_code == 200, answer.text
    found = {}
    for parameter in answer.json()["parameter"]:
        found.setdefault(parameter["name"], []).append(next(v for k, v in parameter.items() if k != "name"))
    assert found["subscription"] == list(ids) or set(found["subscription"]) == set(ids)
    return found["token"][0], found["websocket-url"][0]


async def heard(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 15))


async def test_a_bound_websocket_hears_every_event_and_goes_on_where_it_was(api):
    name = uuid.uuid4().hex
    subscription_id = await active(
        api, subscription("Basic", channel="websocket", content="full-resource", filters=[f"Basic?_id={name}"])
    )
    await put(api, basic(name, author={"display": "before anybody listened"}))
    token, url = await binding(api, subscription_id)
    async with websockets.connect(url) as socket:
        await socket.send(f"bind-with-token: {token}")
        assert said(await heard(socket))["type"] == "handshake"
        first = events_of(await heard(socket))
        assert [(one["number"], one["resource"]["author"]["display"]) for one in first] == [
            (1, "before anybody listened")
        ]
        await put(api, basic(name, author={"display": "while somebody did"}))
        assert [one["number"] for one in events_of(await heard(socket))] == [2]
    await put(api, basic(name, author={"display": "in between"}))
    async with websockets.connect(url) as socket:
        await socket.send(f"bind-with-token: {token}")
        await heard(socket)
        numbers = [one["number"] for one in events_of(await heard(socket))]
        if numbers[0] == 2:  # told again: the connection ended before its cursor was written
            numbers = numbers[1:] or [one["number"] for one in events_of(await heard(socket))]
        assert numbers == [3]


async def test_one_websocket_takes_several_subscriptions_and_beats_when_it_is_quiet(api):
    name = uuid.uuid4().hex
    ids = [
        await active(api, subscription(topic, channel="websocket", filters=[f"{topic}?_id={name}"], heartbeat_s=1))
        for topic in ("Basic", "Flag")
    ]
    token, url = await binding(api, *ids)
    async with websockets.connect(url) as socket:
        await socket.send(f"bind-with-token: {token}")
        shaken = [said(await heard(socket)) for _ in ids]
        assert {one["subscription"]["reference"].rpartition("/")[2] for one in shaken} == set(ids)
        beats = [said(await heard(socket)) for _ in range(2)]
        assert [one["type"] for one in beats] == ["heartbeat", "heartbeat"]
        await put(api, basic(name))
        while not (events := events_of(await heard(socket))):
            pass
        assert events[0]["focus"].endswith(f"/Basic/{name}")


@pytest.mark.parametrize("message", ["hello", "bind-with-token: nonsense", "bind s1"])
async def test_a_websocket_that_says_something_else_is_closed(telling, message):
    url = f"ws{telling.origin.removeprefix('http')}/fhir/Subscription/$websocket"
    async with websockets.connect(url) as socket:
        await socket.send(message)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await heard(socket)
    assert closed.value.rcvd.code == 1008


@pytest.mark.requirement("V4.4.3")
async def test_an_access_token_binds_nothing_and_a_binding_token_opens_nothing(api, telling):
    subscription_id = await active(api, subscription("Basic", channel="websocket"))
    token, url = await binding(api, subscription_id)
    refused = await api.get("/Basic", headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 401
    async with websockets.connect(url) as socket:
        await socket.send(f"bind-with-token: {telling.token()}")
        with pytest.raises(websockets.ConnectionClosed):
            await heard(socket)


async def test_websockets_are_opened_at_one_address_only(telling):
    for path in ("/fhir/Patient", "/ws", "/"):
        with pytest.raises(websockets.InvalidHandshake):
            async with websockets.connect(f"ws{telling.origin.removeprefix('http')}{path}"):
                pass


async def test_when_the_subscription_ends_so_does_its_websocket(api):
    subscription_id = await active(api, subscription("Basic", channel="websocket"))
    token, url = await binding(api, subscription_id)
    async with websockets.connect(url) as socket:
        await socket.send(f"bind-with-token: {token}")
        await heard(socket)
        assert (await api.delete(f"/Subscription/{subscription_id}")).status_code == 204
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await heard(socket)
    assert closed.value.rcvd.code == 1000


def mails(mailbox, address):
    return [one for one in mailbox.taken if one.rcpt_tos == [address]]


async def test_mail_says_that_something_happened_and_nothing_else(api, mailbox):
    name, address = uuid.uuid4().hex, f"{uuid.uuid4().hex}@example.org"
    subscription_id = await active(
        api,
        subscription("Basic", f"mailto:{address}", channel="email", content="empty", filters=[f"Basic?_id={name}"]),
    )
    assert len(mails(mailbox, address)) == 1, "the handshake"
    await put(api, basic(name, author={"display": "secret"}))
    await until(lambda: len(mails(mailbox, address)) == 2)
    text = mails(mailbox, address)[1].content.decode()
    assert subscription_id in text
    assert "Event numbers: 1 to 1" in text
    assert "secret" not in text
    assert name not in text


async def test_mail_carries_the_notification_when_it_is_asked_to(api, mailbox):
    import email

    name, address = uuid.uuid4().hex, f"{uuid.uuid4().hex}@example.org"
    await active(
        api,
        subscription(
            "Basic", f"mailto:{address}", channel="email", content="full-resource", filters=[f"Basic?_id={name}"]
        ),
    )
    await put(api, basic(name, author={"display": "asked for"}))
    await until(lambda: len(mails(mailbox, address)) == 2)
    message = email.message_from_bytes(mails(mailbox, address)[1].content)
    attached = [part for part in message.walk() if part.get_content_type() == "application/fhir+json"]
    events = events_of(json.loads(attached[0].get_payload(decode=True)))
    assert events[0]["resource"]["author"]["display"] == "asked for"


async def test_a_websocket_that_takes_nothing_is_cut_off_and_what_it_was_not_sent_waits(api, telling):
    """A client that binds and never reads again, while a megabyte after another is told."""
    name = uuid.uuid4().hex
    subscription_id = await active(
        api,
        subscription(
            "Basic", channel="websocket", content="full-resource", filters=[f"Basic?_id={name}"], timeout_s=1, count=1
        ),
    )
    token, url = await binding(api, subscription_id)

    async def delivered():
        connection = await asyncpg.connect(telling.owner)
        try:
            return await connection.fetchval("SELECT delivered FROM record.subscription WHERE id = $1", subscription_id)
        finally:
            await connection.close()

    memory = psutil.Process(telling.process.pid).memory_info
    async with websockets.connect(url, max_queue=1, max_size=None, ping_interval=None) as socket:
        await socket.send(f"bind-with-token: {token}")
        await heard(socket)
        before = memory().rss
        socket.transport.pause_reading()
        for number in range(40):
            await put(api, basic(name, author={"display": f"{number}" + "x" * 1_000_000}))
        sent = await delivered()
        assert sent < 40, "the connection took everything, so this says nothing"
        assert memory().rss - before < 200_000_000, "what is not taken does not pile up in memory"
        port = socket.local_address[1]
        connections = psutil.Process(telling.process.pid).net_connections
        await until(lambda: all(one.raddr and one.raddr.port != port for one in connections() if one.raddr))
        socket.transport.resume_reading()
        with contextlib.suppress(websockets.ConnectionClosed):
            async for _ in socket:
                pass  # what was under way still arrives; then the connection ends
        assert not [one for one in connections() if one.raddr and one.raddr.port == port]
    after = await delivered()
    assert after < 40
    async with websockets.connect(url, max_size=None) as socket:
        await socket.send(f"bind-with-token: {token}")
        await heard(socket)
        numbers = [events_of(await heard(socket))[0]["number"] for _ in range(after + 1, 41)]
    assert numbers == list(range(after + 1, 41))

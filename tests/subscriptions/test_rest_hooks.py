"""Rest-hooks from the handshake to the end, against a real server and a real receiver."""

import asyncio
import threading
import uuid

import pytest

from tests.subscriptions.receivers import active, said, subscription, until, until_status

pytestmark = pytest.mark.server


def basic(name=None, **more):
    """A resource of no patient, of a type that few tests write."""
    return {"resourceType": "Basic", "code": {"text": "x"}, **({"id": name} if name else {}), **more}


async def put(api, resource):
    answer = await api.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def test_a_subscription_is_shaken_hands_with_and_then_told_of_every_change_in_order(api, hook, path):
    name = uuid.uuid4().hex
    subscription_id = await active(
        api,
        subscription("Basic", hook.origin + path, content="full-resource", filters=[f"Basic?_id={name}"],
                     headers=["Authorization: Bearer of-the-receiver"]),
    )  # fmt: skip
    assert hook.kinds(path) == ["handshake"]
    assert hook.headers[path][0]["authorization"] == "Bearer of-the-receiver"
    assert hook.headers[path][0]["content-type"] == "application/fhir+json"
    await put(api, basic(name, author={"display": "first"}))
    await put(api, basic(name, author={"display": "second"}))
    await api.delete(f"/Basic/{name}")
    events = await until(lambda: len(found := hook.events(path)) == 3 and found)
    assert [event["number"] for event in events] == [1, 2, 3]
    assert [event["focus"].endswith(f"/fhir/Basic/{name}") for event in events] == [True] * 3
    shown = [event["resource"] for event in events]
    assert [one and one["author"]["display"] for one in shown] == ["first", "second", None]
    last = hook.taken[path][-1]
    assert said(last)["subscription"] == {"reference": f"{api.base_url!s}Subscription/{subscription_id}"}
    assert said(last)["type"] == "event-notification"
    assert said(last)["events-since-subscription-start"] == "3"
    assert last["entry"][-1]["request"]["method"] == "DELETE"


async def test_ids_only_and_nothing_at_all_are_what_they_say(api, hook, path):
    name = uuid.uuid4().hex
    for content in ("id-only", "empty"):
        await active(
            api, subscription("Basic", f"{hook.origin}{path}{content}", content=content, filters=[f"Basic?_id={name}"])
        )
    await put(api, basic(name, author={"display": "secret"}))
    ids = await until(lambda: hook.events(f"{path}id-only"))
    assert ids[0]["focus"].endswith(f"/Basic/{name}")
    assert ids[0]["resource"] is None
    assert "secret" not in str(hook.taken[f"{path}id-only"])
    empty = await until(lambda: hook.events(f"{path}empty"))
    assert empty == [{"number": 1, "focus": None, "resource": None}]
    assert name not in str(hook.taken[f"{path}empty"])


async def test_a_receiver_that_fails_is_tried_again_and_misses_nothing(api, hook, path):
    name = uuid.uuid4().hex
    await active(api, subscription("Basic", hook.origin + path, filters=[f"Basic?_id={name}"]))
    hook.answers[path] = [500, 503, 302, 200]
    await put(api, basic(name))
    await put(api, basic(name, author={"display": "again"}))
    events = await until(lambda: len(found := hook.events(path)) == 2 and found)
    assert [event["number"] for event in events] == [1, 2]
    pauses = [later - sooner for sooner, later in zip(hook.came_s[path][1:], hook.came_s[path][2:5], strict=False)]
    assert pauses == sorted(pauses), "each pause is longer than the one before"


async def test_a_receiver_that_stays_dead_puts_the_subscription_in_error_and_can_come_back(api, hook, path):
    name = uuid.uuid4().hex
    wanted = subscription("Basic", hook.origin + path, filters=[f"Basic?_id={name}"])
    subscription_id = await active(api, wanted)
    hook.answers[path] = [500]
    await put(api, basic(name))
    failed = await until_status(api, subscription_id, "error")
    assert "answered 500" in failed["error"]
    await put(api, basic(name, author={"display": "while it was dead"}))
    hook.answers[path] = [200]
    again = await api.put(f"/Subscription/{subscription_id}", json={**wanted, "id": subscription_id})
    assert again.status_code == 200, again.text
    restored = await until_status(api, subscription_id, "active")
    assert "error" not in restored
    events = await until(lambda: len(found := hook.events(path)) >= 2 and found[-1]["number"] == 2 and found)
    # At least once: whoever is slow to say that it has an event is told again, but never out of order.
    assert list(dict.fromkeys(event["number"] for event in events)) == [1, 2]
    assert hook.kinds(path)[:2] == ["handshake", "handshake"]


@pytest.mark.parametrize("before", ["active", "error"])
async def test_what_is_written_while_hands_are_shaken_again_is_told_too(api, hook, path, before):
    name = uuid.uuid4().hex
    wanted = subscription("Basic", hook.origin + path, filters=[f"Basic?_id={name}"])
    subscription_id = await active(api, wanted)
    if before == "error":
        hook.answers[path] = [500]
        await put(api, basic(name))
        await until_status(api, subscription_id, "error")
        hook.answers[path] = [200]
    hook.holds[path] = threading.Event()
    again = await api.put(f"/Subscription/{subscription_id}", json={**wanted, "id": subscription_id})
    assert again.status_code == 200, again.text
    status = (await api.get(f"/Subscription/{subscription_id}/$status")).json()["entry"][0]["resource"]
    assert {"name": "status", "valueCode": "requested"} in status["parameter"]
    other = f"{path}-other"
    await active(api, subscription("Basic", hook.origin + other, filters=[f"Basic?_id={name}"]))
    await put(api, basic(name, author={"display": "while hands were shaken"}))
    await until(lambda: len(hook.events(other)) == 1)  # so the act has been looked at
    assert len(hook.kinds(path)) == 1, "the second handshake is not answered yet"
    hook.holds[path].set()
    events = await until(lambda: len(found := hook.events(path)) == (2 if before == "error" else 1) and found)
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))


async def test_a_handshake_that_is_not_taken_makes_no_subscription(api, hook, path):
    hook.answers[path] = [404]
    subscription_id = await active(api, subscription("Basic", hook.origin + path), status="error")
    found = (await api.get(f"/Subscription/{subscription_id}")).json()
    assert "answered 404" in found["error"]
    assert path not in hook.taken


async def test_a_slow_receiver_holds_up_nobody_else(api, hook, path):
    name = uuid.uuid4().hex
    filters = [f"Basic?_id={name}"]
    await active(api, subscription("Basic", f"{hook.origin}{path}quick", filters=filters))
    await active(api, subscription("Basic", f"{hook.origin}{path}slow", filters=filters, timeout_s=60))
    hook.holds[f"{path}slow"] = threading.Event()
    for number in range(20):
        await put(api, basic(name, author={"display": str(number)}))
    await until(lambda: len(hook.events(f"{path}quick")) == 20)
    assert hook.events(f"{path}slow") == []
    hook.holds[f"{path}slow"].set()
    slow = await until(lambda: len(found := hook.events(f"{path}slow")) == 20 and found)
    assert [event["number"] for event in slow] == list(range(1, 21))


async def test_a_receiver_is_given_the_time_that_it_asked_for_and_no_more(api, hook, path):
    name = uuid.uuid4().hex
    subscription_id = await active(
        api, subscription("Basic", hook.origin + path, filters=[f"Basic?_id={name}"], timeout_s=1)
    )
    hook.holds[path] = threading.Event()
    await put(api, basic(name))
    failed = await until_status(api, subscription_id, "error", within_s=40)
    assert "within 1 s" in failed["error"]
    hook.holds[path].set()


async def test_no_notification_carries_more_events_than_asked_for(api, hook, path):
    name = uuid.uuid4().hex
    kind = {"coding": [{"system": "urn:test", "code": name}]}
    await active(api, subscription("Basic", hook.origin + path, filters=[f"Basic?code=urn:test|{name}"], count=3))
    hook.holds[path] = threading.Event()
    for _ in range(10):
        assert (await api.post("/Basic", json=basic(code=kind))).status_code == 201
    hook.holds[path].set()
    await until(lambda: len(hook.events(path)) == 10)
    sizes = [len(one["entry"]) - 1 for one in hook.taken[path][1:]]
    assert max(sizes) == 3
    assert sum(sizes) == 10


async def test_a_quiet_subscription_has_a_heartbeat(api, hook, path):
    name = uuid.uuid4().hex
    await active(api, subscription("Basic", hook.origin + path, filters=[f"Basic?_id={name}"], heartbeat_s=1))
    await until(lambda: hook.kinds(path).count("heartbeat") >= 2)
    assert hook.kinds(path)[0] == "handshake"
    assert said(hook.taken[path][-1])["events-since-subscription-start"] == "0"


@pytest.mark.parametrize("how", ["off", "delete", "end"])
async def test_what_has_ended_is_told_no_more(api, hook, path, how):
    name = uuid.uuid4().hex
    wanted = subscription("Basic", hook.origin + path, filters=[f"Basic?_id={name}"])
    subscription_id = await active(api, wanted)
    await put(api, basic(name))
    await until(lambda: len(hook.events(path)) == 1)
    if how == "off":
        ended = {**wanted, "id": subscription_id, "status": "off"}
        assert (await api.put(f"/Subscription/{subscription_id}", json=ended)).status_code == 200
    elif how == "delete":
        assert (await api.delete(f"/Subscription/{subscription_id}")).status_code == 204
    else:
        ending = {**wanted, "id": subscription_id, "end": "2020-01-01T00:00:00Z"}
        assert (await api.put(f"/Subscription/{subscription_id}", json=ending)).status_code == 200
        await until_status(api, subscription_id, "off")
    other = f"{path}-other"
    await active(api, subscription("Basic", hook.origin + other, filters=[f"Basic?_id={name}"]))
    await put(api, basic(name, author={"display": "unheard"}))
    await until(lambda: len(hook.events(other)) == 1)
    assert len(hook.events(path)) == 1


async def test_a_hundred_writers_at_once_are_told_each_once(api, hook, path):
    code = uuid.uuid4().hex
    kind = {"coding": [{"system": "urn:test", "code": code}]}
    await active(api, subscription("Basic", hook.origin + path, filters=[f"Basic?code={code}"]))
    made = await asyncio.gather(*(api.post("/Basic", json=basic(code=kind)) for _ in range(100)))
    ids = {f"{api.base_url!s}Basic/{answer.json()['id']}" for answer in made}
    events = await until(lambda: len(found := hook.events(path)) == 100 and found)
    assert {event["focus"] for event in events} == ids
    assert sorted(event["number"] for event in events) == list(range(1, 101))

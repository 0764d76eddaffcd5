"""What a client asks about subscriptions, and what is refused to be one."""

import uuid

import pytest

from continuum.interop.subscriptions.topics import topics
from tests.subscriptions.receivers import GUIDE, TOPIC, active, events_of, said, subscription, until
from tests.subscriptions.test_rest_hooks import basic, put

pytestmark = pytest.mark.server


async def test_status_says_where_each_subscription_stands(api, hook, path):
    name = uuid.uuid4().hex
    first = await active(api, subscription("Basic", hook.origin + path, filters=[f"Basic?_id={name}"]))
    second = await active(api, subscription("Flag", channel="websocket"))
    await put(api, basic(name))
    await until(lambda: hook.events(path))
    one = (await api.get(f"/Subscription/{first}/$status")).json()
    assert (one["type"], one["total"]) == ("searchset", 1)
    found = {p["name"]: next(v for k, v in p.items() if k != "name") for p in one["entry"][0]["resource"]["parameter"]}
    assert found["subscription"]["reference"] == f"{api.base_url!s}Subscription/{first}"
    assert (found["status"], found["type"]) == ("active", "query-status")
    assert (found["topic"], found["events-since-subscription-start"]) == (TOPIC + "Basic", "1")
    both = (await api.get("/Subscription/$status", params={"id": f"{first},{second}"})).json()
    assert both["total"] == 2
    body = {"resourceType": "Parameters", "parameter": [{"name": "id", "valueId": first},
                                                        {"name": "status", "valueCode": "active"}]}  # fmt: skip
    assert (await api.post("/Subscription/$status", json=body)).json()["total"] == 1
    absent = await api.get("/Subscription/$status", params={"id": f"{first},{uuid.uuid4()}"})
    assert absent.status_code == 404
    assert (await api.get("/Subscription/$status", params={"nonsense": "1"})).status_code == 400


async def test_events_are_told_again_from_any_number_to_any(api, hook, path):
    name = uuid.uuid4().hex
    mine = await active(api, subscription("Basic", hook.origin + path, content="empty", filters=[f"Basic?_id={name}"]))
    for number in range(5):
        await put(api, basic(name, author={"display": f"version {number + 1}"}))
    await until(lambda: len(hook.events(path)) == 5)
    again = (await api.get(f"/Subscription/{mine}/$events?content=full-resource")).json()
    assert said(again)["type"] == "query-event"
    assert [(one["number"], one["resource"]["author"]["display"]) for one in events_of(again)] == [
        (number, f"version {number}") for number in range(1, 6)
    ]
    some = await api.get(f"/Subscription/{mine}/$events?eventsSinceNumber=2&eventsUntilNumber=3&content=id-only")
    assert [one["number"] for one in events_of(some.json())] == [2, 3]
    assert [one["resource"] for one in events_of(some.json())] == [None, None]
    body = {"resourceType": "Parameters", "parameter": [{"name": "eventsSinceNumber", "valueString": "5"}]}
    assert [
        one["number"] for one in events_of((await api.post(f"/Subscription/{mine}/$events", json=body)).json())
    ] == [5]
    for nonsense in ("eventsSinceNumber=x", "content=everything", "eventsSinceNumber=1&eventsSinceNumber=2"):
        assert (await api.get(f"/Subscription/{mine}/$events?{nonsense}")).status_code == 400
    assert (await api.get(f"/Subscription/{uuid.uuid4()}/$events")).status_code == 404


async def test_the_topics_are_listed_and_stated(api):
    listed = (await api.get("/Subscription/$topics")).json()
    assert listed["total"] == len(topics())
    urls = set()
    for entry in listed["entry"]:
        basic_ = entry["resource"]
        assert basic_["resourceType"] == "Basic"
        urls |= {one["valueUri"] for one in basic_["extension"] if one["url"].endswith("SubscriptionTopic.url")}
    assert urls == set(topics())
    statement = (await api.get("/metadata")).json()["rest"][0]
    stated = next(one for one in statement["resource"] if one["type"] == "Subscription")
    assert [one["valueCanonical"] for one in stated["extension"]] == list(topics())
    one = (await api.get("/Subscription/$topics", params={"url": TOPIC + "encounter-start"})).json()
    assert one["total"] == 1
    # What is shown as a Basic can be stored as one: it is valid.
    resource = {**one["entry"][0]["resource"], "id": uuid.uuid4().hex}
    assert (await api.put(f"/Basic/{resource['id']}", json=resource)).status_code == 201


async def test_a_notification_is_valid_r4(api, hook, path):
    name = uuid.uuid4().hex
    await active(api, subscription("Basic", hook.origin + path, content="full-resource", filters=[f"Basic?_id={name}"]))
    await put(api, basic(name))
    await api.delete(f"/Basic/{name}")
    await until(lambda: len(hook.events(path)) == 2)
    for bundle in hook.taken[path]:
        made = await api.put(f"/Bundle/{bundle['id']}", json=bundle)
        assert made.status_code == 201, made.text


def changed(resource, **channel):
    return {**resource, "channel": {**resource["channel"], **channel}}


def extended(resource, name, **value):
    return changed(resource, extension=[{"url": GUIDE + name, **value}])


REFUSED = {
    "no topic": (lambda ok: {**ok, "criteria": "Observation?code=1"}, "canonical URL"),
    "an unknown topic": (lambda ok: {**ok, "criteria": TOPIC + "weather"}, "$topics"),
    "an endpoint that is not listed": (lambda ok: changed(ok, endpoint="http://169.254.169.254/"), "may call"),
    "no endpoint": (lambda ok: {**ok, "channel": {"type": "rest-hook"}}, "needs an endpoint"),
    "a text message": (lambda ok: changed(ok, type="sms"), "rest-hook, websocket, email"),
    "XML": (lambda ok: changed(ok, payload="application/fhir+xml"), "JSON"),
    "a header of ours": (lambda ok: changed(ok, header=["Host: inside"]), "server's own"),
    "a header with a line break": (lambda ok: changed(ok, header=["X: a\r\nHost: inside"]), "Name: value"),
    "mail to a stranger": (lambda ok: changed(ok, type="email", endpoint="mailto:a@example.net"), "may call"),
    "mail to many": (lambda ok: changed(ok, type="email", endpoint="mailto:a@b,c@example.org"), "may call"),
    "too long a wait": (lambda ok: extended(ok, "backport-timeout", valueUnsignedInt=3_600), "1 to 60"),
    "a filter of another type": (
        lambda ok: subscription("Basic", ok["channel"]["endpoint"], filters=["Patient?name=x"]), "Basic?name="),
    "a filter that is no filter": (
        lambda ok: subscription("Basic", ok["channel"]["endpoint"], filters=["Basic?_sort=code"]), "cannot be used"),
    "a chained filter": (
        lambda ok: subscription("Basic", ok["channel"]["endpoint"], filters=["Basic?patient.name=x"]), "no chain"),
    "an unknown parameter": (
        lambda ok: subscription("Basic", ok["channel"]["endpoint"], filters=["Basic?nonsense=x"]), "nonsense"),
    "active by its own word": (lambda ok: {**ok, "status": "active"}, "server's to say"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
async def test_what_cannot_be_served_is_refused_in_words(api, hook, path, what):
    change, words = REFUSED[what]
    wanted = change(subscription("Basic", hook.origin + path))
    answer = await api.post("/Subscription", json=wanted)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["issue"][0]["diagnostics"]
    entry = {"resource": wanted, "request": {"method": "POST", "url": "Subscription"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert (await api.post("/", json=bundle)).status_code == 422
    assert path not in hook.taken


async def test_a_patch_cannot_make_what_a_write_may_not(api, hook, path):
    mine = await active(api, subscription("Basic", hook.origin + path))
    patch = [{"op": "replace", "path": "/channel/endpoint", "value": "http://169.254.169.254/"}]
    answer = await api.patch(
        f"/Subscription/{mine}", json=patch, headers={"content-type": "application/json-patch+json"}
    )
    assert answer.status_code == 422
    patch = [{"op": "replace", "path": "/channel/endpoint", "value": "http://169.254.169.254/"},
             {"op": "replace", "path": "/status", "value": "requested"}]  # fmt: skip
    answer = await api.patch(
        f"/Subscription/{mine}", json=patch, headers={"content-type": "application/json-patch+json"}
    )
    assert answer.status_code == 422
    assert "lists the endpoints" in answer.text

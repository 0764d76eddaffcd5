"""The operations of subscriptions: $status, $events, $get-ws-binding-token (backport guide 1.1) and $topics."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from continuum.access import Page, Stored
from continuum.access.feed import State
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Response
from continuum.apps.fhir_api.presentation import RESULT_PARAMETERS, show, view
from continuum.fhir.json import parse
from continuum.interop.subscriptions import notification
from continuum.interop.subscriptions.request import CONTENTS
from continuum.interop.subscriptions.topics import as_basic, topics
from continuum.kernel.clock import instant, now_us
from continuum.kernel.errors import Malformed, NotFound
from continuum.kernel.limits import PAGE_MAX, SOCKET_SUBSCRIPTIONS_MAX, SUBSCRIPTION_EVENTS_MAX

SOCKET_PATH = "Subscription/$websocket"
"""Where websockets are opened, below the FHIR base."""
_EVENT_NUMBER_MAX = 2**62


async def topics_list(x: Exchange) -> Response:
    """Every topic, as Basic resources in a searchset; `url` finds one by its canonical."""
    x.negotiate()
    wanted = await _inputs(x, ("url",))
    await x.session.consulted("topics")
    urls = set(wanted.get("url", ()))
    found = [topic for topic in topics().values() if not urls or topic.canonical in urls]
    entries = [{"resource": as_basic(topic), "search": {"mode": "match"}} for topic in found]
    return _answer(x, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries})


async def status(x: Exchange) -> Response:
    """Where subscriptions stand: one, or those that `id` and `status` name."""
    x.negotiate()
    wanted = await _inputs(x, ("id", "status"))
    shown = await _subscriptions(x, "status", wanted)
    entries = []
    for stored in shown:
        state = await _state(x, stored)
        said = notification.status(
            state, notification.QUERY_STATUS, base=x.base.decode(), topic=_resource(stored)["criteria"]
        )
        entries.append({"fullUrl": f"urn:uuid:{said['id']}", "resource": said, "search": {"mode": "match"}})
    return _answer(x, {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})


async def events(x: Exchange) -> Response:
    """Events of one subscription again, at most SUBSCRIPTION_EVENTS_MAX, with the caller's eyes."""
    x.negotiate()
    wanted = await _inputs(x, ("eventsSinceNumber", "eventsUntilNumber", "content"))
    first = _number(wanted, "eventsSinceNumber", 1)
    last = _number(wanted, "eventsUntilNumber", _EVENT_NUMBER_MAX)
    content = (wanted.get("content") or ["id-only"])[0]
    if content not in CONTENTS:
        raise Malformed(f"The content must be one of {', '.join(CONTENTS)}.")
    stored, state, found = await x.session.events(
        x.target.id, first=first, last=last, count=SUBSCRIPTION_EVENTS_MAX, content=content
    )
    message = notification.bundle(
        state or _unserved(stored), notification.QUERY_EVENTS, base=x.base.decode(),
        topic=_resource(stored)["criteria"], now_us=now_us(), events=notification.fitting(found), content=content,
    )  # fmt: skip
    return _shown(x, message.body)


async def binding_token(x: Exchange) -> Response:
    """A token that binds a websocket to one subscription, or to those that `id` names."""
    x.negotiate()
    wanted = await _inputs(x, ("id",))
    if not x.target.id and not wanted.get("id"):
        raise Malformed("Say which subscriptions the websocket is for: id=….")

    def judge(stored: Stored) -> None:
        if _resource(stored)["channel"]["type"] != "websocket":
            raise Malformed(f"Subscription/{stored.id} has no websocket channel.")

    shown = await _subscriptions(x, "binding", wanted, judge)
    token, expires_us = x.services.binder.bind([stored.id for stored in shown])
    base = x.base.decode()
    parameters: list[dict[str, Any]] = [
        {"name": "token", "valueString": token},
        {"name": "expiration", "valueDateTime": instant(expires_us)},
        *({"name": "subscription", "valueString": stored.id} for stored in shown),
        {"name": "websocket-url", "valueUrl": f"ws{base.removeprefix('http')}/{SOCKET_PATH}"},
    ]
    return _answer(x, {"resourceType": "Parameters", "parameter": parameters})


async def _inputs(x: Exchange, names: Sequence[str]) -> dict[str, list[str]]:
    """The operation's parameters by name, from the address or from a Parameters body; commas separate values."""
    given = [pair for pair in x.params() if pair[0] not in RESULT_PARAMETERS]
    if x.method == "POST":
        body = await x.resource()
        if body.get("resourceType") != "Parameters":
            raise Malformed("The body of an operation is a Parameters resource.")
        for one in body.get("parameter", ()):
            values = [value for name, value in one.items() if name.startswith("value")]
            if len(values) != 1 or not isinstance(values[0], str | int):
                raise Malformed(f"The parameter {one.get('name')} needs one plain value.")
            given.append((str(one.get("name")), str(values[0])))
    found: dict[str, list[str]] = {}
    for name, text in given:
        if name not in names:
            raise Malformed(f"{name} is not a parameter of this operation; {', '.join(names)} are.")
        found.setdefault(name, []).extend(part for part in text.split(",") if part)
    return found


async def _subscriptions(
    x: Exchange, interaction: str, wanted: dict[str, list[str]], judge: Callable[[Stored], None] | None = None
) -> list[Stored]:
    """The Subscriptions that the request names and the caller may see; `judge` may refuse one."""
    criteria = {"_count": str(PAGE_MAX)}
    ids = [x.target.id] if x.target.id else [one.rpartition("/")[2] for one in wanted.get("id", ())]
    if len(ids) > SOCKET_SUBSCRIPTIONS_MAX:
        raise Malformed(f"Name at most {SOCKET_SUBSCRIPTIONS_MAX} subscriptions.")
    if ids:
        criteria["_id"] = ",".join(ids)
    if wanted.get("status"):
        criteria["status"] = ",".join(wanted["status"])

    def check(page: Page) -> None:
        absent = set(ids) - {stored.id for stored in page.matches}
        if absent and "status" not in criteria:
            raise NotFound(f"There is no Subscription/{min(absent)} here.")
        if judge is not None:
            for stored in page.matches:
                judge(stored)

    query = x.session.parse("Subscription", urlencode(criteria))
    return list((await x.session.selected(interaction, query, check)).matches)


async def _state(x: Exchange, stored: Stored) -> State:
    return await x.services.subscriptions.feed.state(stored.id) or _unserved(stored)


def _unserved(stored: Stored) -> State:
    """The state of a subscription that was imported and never asked for: it has no events."""
    resource = _resource(stored)
    return State(
        row_id=0, id=stored.id, definition=stored.version, version=stored.version, status=resource["status"],
        owner="", owner_key=0, numbered=0, delivered=0, failure=resource.get("error"),
    )  # fmt: skip


def _resource(stored: Stored) -> dict[str, Any]:
    assert stored.body is not None, "a Subscription that is shown is not deleted"
    return parse(stored.body)


def _number(wanted: dict[str, list[str]], name: str, default: int) -> int:
    texts = wanted.get(name)
    if not texts:
        return default
    if len(texts) != 1 or not texts[0].isdecimal() or len(texts[0]) > 18:
        raise Malformed(f"{name} must be one whole number.")
    return min(int(texts[0]), _EVENT_NUMBER_MAX)


def _answer(x: Exchange, resource: dict[str, Any]) -> Response:
    return _shown(x, orjson.dumps({**resource, "id": str(uuid.uuid4())}))


def _shown(x: Exchange, body: bytes) -> Response:
    presentation = [pair for pair in x.params() if pair[0] in RESULT_PARAMETERS]
    return Response(200, show(body, view(presentation)), [CONTENT_TYPE])

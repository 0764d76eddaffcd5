"""Notifications: a history Bundle whose first entry says where the subscription stands.

Subscriptions R5 Backport 1.1, profiles backport-subscription-notification-r4 and backport-subscription-status-r4.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from continuum.access.feed import RENEWED, Event, State
from continuum.interop.subscriptions.request import GUIDE
from continuum.kernel.clock import instant
from continuum.kernel.limits import SUBSCRIPTION_NOTIFICATION_MAX_BYTES

HANDSHAKE, HEARTBEAT, EVENTS = "handshake", "heartbeat", "event-notification"
QUERY_STATUS, QUERY_EVENTS = "query-status", "query-event"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to a subscriber. last: the number of its last event, 0 without events."""

    subscription_id: str
    kind: str
    last: int
    count: int
    body: bytes


def fitting(events: Sequence[Event]) -> list[Event]:
    """The first events, as many as one notification may carry, at least one."""
    total = 0
    for number, event in enumerate(events):
        total += len(event.stored.body or b"") if event.stored is not None else 0
        if number and total > SUBSCRIPTION_NOTIFICATION_MAX_BYTES:
            return list(events[:number])
    return list(events)


def status(
    state: State, kind: str, *, base: str, topic: str, events: Sequence[Event] = (), content: str = "empty"
) -> dict[str, Any]:
    """The SubscriptionStatus as Parameters. base: the URL of the FHIR service."""
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{state.id}"}},
        {"name": "topic", "valueCanonical": topic},
        {"name": "status", "valueCode": "requested" if state.status == RENEWED else state.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(state.numbered)},
        *({"name": "notification-event", "part": _event(event, base, content)} for event in events),
    ]
    if state.failure:
        parameters.append({"name": "error", "valueCodeableConcept": {"text": state.failure}})
    return {
        "resourceType": "Parameters",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [GUIDE + "backport-subscription-status-r4"]},
        "parameter": parameters,
    }


def _event(event: Event, base: str, content: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"name": "event-number", "valueString": str(event.number)},
        {"name": "timestamp", "valueInstant": instant(event.at_us)},
    ]
    if event.stored is not None and content != "empty":
        url = f"{base}/{event.stored.resource_type}/{event.stored.id}"
        parts.append({"name": "focus", "valueReference": {"reference": url}})
    return parts


def bundle(
    state: State, kind: str, *, base: str, topic: str, now_us: int, events: Sequence[Event] = (),
    content: str = "empty",
) -> Notification:  # fmt: skip
    """A notification. Events whose resource may not be seen are numbers and instants only, whatever the content."""
    said = status(state, kind, base=base, topic=topic, events=events, content=content)
    first = {
        "fullUrl": f"urn:uuid:{said['id']}",
        "resource": said,
        "request": {"method": "GET", "url": f"{base}/Subscription/{state.id}/$status"},
        "response": {"status": "200"},
    }
    entries = [first]
    if content != "empty":
        entries += [_entry(event, base, content) for event in events if event.stored is not None]
    whole = {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [GUIDE + "backport-subscription-notification-r4"]},
        "type": "history",
        "timestamp": instant(now_us),
        "entry": entries,
    }
    last = events[-1].number if events else 0
    return Notification(state.id, kind, last, len(events), orjson.dumps(whole))


def _entry(event: Event, base: str, content: str) -> dict[str, Any]:
    stored = event.stored
    assert stored is not None, "only what is shown has an entry"
    url = f"{stored.resource_type}/{stored.id}"
    method, answer = ("POST", "201") if stored.version == 1 else ("PUT", "200")
    if stored.deleted:
        method, answer = "DELETE", "204"
    entry: dict[str, Any] = {"fullUrl": f"{base}/{url}"}
    if content == "full-resource" and stored.body is not None:
        entry["resource"] = orjson.Fragment(stored.body)
    entry["request"] = {"method": method, "url": stored.resource_type if method == "POST" else url}
    entry["response"] = {
        "status": answer, "etag": f'W/"{stored.version}"', "lastModified": instant(stored.updated_us),
    }  # fmt: skip
    return entry

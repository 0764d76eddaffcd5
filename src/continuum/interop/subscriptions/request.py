"""What a Subscription resource asks for (Subscriptions R5 Backport 1.1, profile backport-subscription)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from continuum.access.feed import Change
from continuum.fhir.query import Query
from continuum.interop.subscriptions.endpoints import Allowed, not_allowed
from continuum.interop.subscriptions.topics import Topic, topics
from continuum.kernel.clock import EPOCH
from continuum.kernel.errors import DomainError, Invalid, Issue
from continuum.kernel.limits import (
    SUBSCRIPTION_EVENTS_MAX,
    SUBSCRIPTION_FILTERS_MAX,
    SUBSCRIPTION_HEADERS_MAX,
    SUBSCRIPTION_HEARTBEAT_MIN_S,
    SUBSCRIPTION_TIMEOUT_MAX_S,
    SUBSCRIPTION_TIMEOUT_S,
)

GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
CONTENTS = ("empty", "id-only", "full-resource")
CHANNELS = ("rest-hook", "websocket", "email")
PAYLOADS = ("application/fhir+json", "application/json")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\x20-\x7e]{0,1024})\Z")
_OWN_HEADERS = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive",
     "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip
"""Headers that are the server's own to set."""

ReadFilter = Callable[[str, Sequence[tuple[str, str]]], Query]
"""Reads a filter of a type; raises DomainError."""


@dataclass(frozen=True, slots=True)
class Request:
    """A subscription as it is served. endpoint: a URL, a mail address, or "" for websockets.

    heartbeat_s: 0 for none. count: events in one notification. end_us: when it ends by itself, or None.
    """

    topic: Topic
    filters: tuple[Query, ...]
    channel: str
    endpoint: str
    headers: tuple[tuple[str, str], ...]
    payload: str
    content: str
    heartbeat_s: int
    timeout_s: int
    count: int
    end_us: int | None

    def wants(self, change: Change) -> bool:
        """Whether a change is an event of this subscription, visibility aside."""
        return self.topic.wants(change) and all(change.matches(query) for query in self.filters)

    @property
    def whole(self) -> bool:
        """Whether the content must be read to say so."""
        return self.topic.happens is not None or bool(self.filters)


def read(resource: dict[str, Any], *, allowed: Allowed, mail: bool, read_filter: ReadFilter) -> Request:
    """What a structurally valid Subscription asks for.

    mail: whether this server can send mail.

    Raises:
        Invalid: it asks for what is not served here; the issue says what and where.
    """
    canonical = resource["criteria"].partition("|")[0]
    topic = topics().get(canonical)
    if topic is None:
        raise _refusal(
            "The criteria must name a topic of this server by its canonical URL; Subscription/$topics lists them."
            " Search criteria of plain R4 go into the filter-criteria extension.",
            "criteria",
        )
    channel = resource["channel"]
    kind = channel["type"]
    if kind not in CHANNELS:
        raise _refusal(f"The channel must be one of {', '.join(CHANNELS)}; {kind} is not served.", "channel.type")
    payload = channel.get("payload", PAYLOADS[0])
    if payload.partition(";")[0].strip() not in PAYLOADS:
        raise _refusal("Notifications are JSON: the payload must be application/fhir+json.", "channel.payload")
    content = _extension(channel.get("_payload"), "backport-payload-content", "valueCode", "empty")
    if content not in CONTENTS:
        raise _refusal(f"The payload content must be one of {', '.join(CONTENTS)}.", "channel.payload")
    end_us = _instant_us(resource.get("end"))
    return Request(
        topic=topic,
        filters=_filters(resource, topic, read_filter),
        channel=kind,
        endpoint=_endpoint(kind, channel.get("endpoint", ""), allowed, mail=mail),
        headers=_headers(channel.get("header", ())),
        payload=payload,
        content=content,
        heartbeat_s=_seconds(channel, "backport-heartbeat-period", SUBSCRIPTION_HEARTBEAT_MIN_S, 86_400, 0),
        timeout_s=_seconds(channel, "backport-timeout", 1, SUBSCRIPTION_TIMEOUT_MAX_S, SUBSCRIPTION_TIMEOUT_S),
        count=min(
            _extension(channel, "backport-max-count", "valuePositiveInt", SUBSCRIPTION_EVENTS_MAX),
            SUBSCRIPTION_EVENTS_MAX,
        ),
        end_us=end_us,
    )


def _filters(resource: dict[str, Any], topic: Topic, read_filter: ReadFilter) -> tuple[Query, ...]:
    texts = [
        one.get("valueString", "")
        for one in (resource.get("_criteria") or {}).get("extension", ())
        if one.get("url") == GUIDE + "backport-filter-criteria"
    ]
    if len(texts) > SUBSCRIPTION_FILTERS_MAX:
        raise _refusal(f"A subscription takes at most {SUBSCRIPTION_FILTERS_MAX} filters.", "criteria.extension")
    found = []
    for text in texts:
        kind, mark, criteria = text.partition("?")
        if kind != topic.resource_type or not mark or not criteria:
            raise _refusal(
                f"A filter of this topic looks like {topic.resource_type}?name=value; {text[:200]} does not.",
                "criteria.extension",
            )
        try:
            found.append(read_filter(kind, parse_qsl(criteria, keep_blank_values=True)))
        except DomainError as error:
            raise _refusal(f"The filter {text[:200]} cannot be used. {error}", "criteria.extension") from error
    return tuple(found)


def _endpoint(kind: str, endpoint: str, allowed: Allowed, *, mail: bool) -> str:
    if kind == "websocket":
        return ""
    if not endpoint:
        raise _refusal(f"A {kind} channel needs an endpoint.", "channel.endpoint")
    if kind == "rest-hook":
        if not allowed.url(endpoint):
            raise not_allowed(endpoint)
        return endpoint
    if not mail:
        raise _refusal("This server sends no mail: its operator has not set CONTINUUM_SMTP_URL.", "channel.type")
    address = allowed.mail(endpoint)
    if address is None:
        raise not_allowed(endpoint)
    return address


def _headers(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    if len(texts) > SUBSCRIPTION_HEADERS_MAX:
        raise _refusal(f"A channel takes at most {SUBSCRIPTION_HEADERS_MAX} headers.", "channel.header")
    found = []
    for text in texts:
        parts = _HEADER.match(text)
        if parts is None:
            raise _refusal("A header looks like `Name: value`, in plain ASCII.", "channel.header")
        if parts[1].lower() in _OWN_HEADERS:
            raise _refusal(f"The header {parts[1]} is the server's own to set.", "channel.header")
        found.append((parts[1], parts[2]))
    return tuple(found)


def _seconds(channel: dict[str, Any], name: str, low: int, high: int, default: int) -> int:
    seconds: int = _extension(channel, name, "valueUnsignedInt", default)
    if seconds != default and not low <= seconds <= high:
        raise _refusal(f"The {name} of a channel must be {low} to {high} seconds.", "channel.extension")
    return seconds


def _extension(node: dict[str, Any] | None, name: str, element: str, default: Any) -> Any:
    for one in (node or {}).get("extension", ()):
        if one.get("url") == GUIDE + name:
            if element not in one:
                raise _refusal(f"The extension {name} needs a {element}.", "channel.extension")
            return one[element]
    return default


def _instant_us(text: str | None) -> int | None:
    if text is None:
        return None
    return int((datetime.fromisoformat(text) - EPOCH).total_seconds() * 1_000_000)


def _refusal(text: str, element: str) -> Invalid:
    return Invalid(text, issues=(Issue("business-rule", text, (f"Subscription.{element}",)),))

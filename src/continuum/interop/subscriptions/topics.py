"""What can be subscribed to: a fixed list of topics, each with its canonical URL.

R4 has no SubscriptionTopic resource. The list stands in the CapabilityStatement as the backport guide asks, and
`Subscription/$topics` shows each topic as a Basic resource with the elements of R5 in their cross-version
extensions (Subscriptions R5 Backport 1.1, "Subscription Topics"; R5 §2.1.27).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from continuum.access.feed import Change
from continuum.fhir.search_params import params
from continuum.fhir.types import TYPES

CANONICAL = "https://continuum.example/fhir/SubscriptionTopic/"
"""What the canonical URL of every topic begins with."""
FILTER_KINDS = frozenset({"token", "reference", "uri", "date", "string"})
"""The kinds of search parameters that a subscription can be filtered by."""
UNTOLD_TYPES = frozenset({"AuditEvent"})
"""Types that are no stored resources, so that nothing of them is ever committed."""

_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
_ADMITTED = frozenset({"IMP", "ACUTE", "NONACUTE"})
"""v3-ActCode of Encounter.class: inpatient, acute inpatient, non-acute inpatient."""
_RESULTED = frozenset({"preliminary", "final", "amended", "corrected"})
"""Observation.status of a result that somebody can act upon."""
_BOOKED = ("status", "start", "end", "minutesDuration", "serviceType", "slot", "participant", "cancelationReason")
"""The elements of an Appointment of which a change is one for those who come."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic about one resource type.

    interactions: of create, update, delete those that can be an event. happens: whether a change is one, from
    its content; None when the interaction alone decides.
    """

    id: str
    title: str
    description: str
    resource_type: str
    interactions: tuple[str, ...]
    happens: Callable[[Change], bool] | None = None

    @property
    def canonical(self) -> str:
        """The URL that Subscription.criteria names."""
        return CANONICAL + self.id

    def wants(self, change: Change) -> bool:
        """Whether a change is an event of this topic."""
        return change.interaction in self.interactions and (self.happens is None or self.happens(change))


def _status(resource: dict[str, Any] | None) -> str:
    return "" if resource is None else str(resource.get("status", ""))


def _becomes(change: Change, *statuses: str) -> bool:
    return _status(change.resource) in statuses and _status(change.previous) not in statuses


def _started(change: Change) -> bool:
    return _becomes(change, "in-progress")


def _ended(change: Change) -> bool:
    return _becomes(change, "finished")


def _inpatient(resource: dict[str, Any] | None) -> bool:
    return (
        resource is not None
        and resource.get("status") == "in-progress"
        and resource.get("class", {}).get("code") in _ADMITTED
    )


def _admitted(change: Change) -> bool:
    return _inpatient(change.resource) and not _inpatient(change.previous)


def _resulted(change: Change) -> bool:
    return _becomes(change, *_RESULTED)


def _lab_resulted(change: Change) -> bool:
    categories = (change.resource or {}).get("category", ())
    codes = {coding.get("code") for category in categories for coding in category.get("coding", ())}
    if "laboratory" not in codes or _status(change.resource) not in _RESULTED:
        return False
    return _status(change.previous) != _status(change.resource)


def _rebooked(change: Change) -> bool:
    now, before = change.resource, change.previous
    if now is None or before is None:
        return True
    return any(now.get(element) != before.get(element) for element in _BOOKED)


_ANY = ("create", "update", "delete")
_WRITTEN = ("create", "update")
NAMED = (
    Topic("encounter-start", "An encounter starts", "The status of an Encounter becomes in-progress.",
          "Encounter", _WRITTEN, _started),
    Topic("encounter-end", "An encounter ends", "The status of an Encounter becomes finished.",
          "Encounter", _WRITTEN, _ended),
    Topic("patient-admitted", "A patient is admitted",
          "An inpatient Encounter (class IMP, ACUTE or NONACUTE) is in progress and was not before.",
          "Encounter", _WRITTEN, _admitted),
    Topic("observation-new", "A new observation",
          "An Observation becomes preliminary, final, amended or corrected and was none of these before.",
          "Observation", _WRITTEN, _resulted),
    Topic("lab-result", "A laboratory result",
          "An Observation of the category laboratory becomes preliminary, final, amended or corrected; each of these"
          " is told.",
          "Observation", _WRITTEN, _lab_resulted),
    Topic("appointment-changed", "An appointment is made, moved or cancelled",
          "An Appointment is created or deleted, or its status, time, service, slot or participants change.",
          "Appointment", _ANY, _rebooked),
)  # fmt: skip
"""The topics that say what happened, not only that something was written."""


@lru_cache(maxsize=1)
def topics() -> dict[str, Topic]:
    """Every topic by its canonical URL: the named ones, then one for each resource type."""
    generic = (
        Topic(name, f"Any change of {name}", f"A {name} is created, updated or deleted.", name, _ANY)
        for name in TYPES
        if name not in UNTOLD_TYPES
    )
    return {topic.canonical: topic for topic in (*NAMED, *generic)}


def filters(resource_type: str) -> list[str]:
    """The search parameters that a subscription about a type can be filtered by."""
    return [
        param.code for param in params(resource_type).values()
        if param.kind in FILTER_KINDS and param.code != "_lastUpdated"
    ]  # fmt: skip


def as_basic(topic: Topic) -> dict[str, Any]:
    """A topic as a Basic resource; its id is the last part of the canonical URL."""
    trigger = [
        _value("description", "valueMarkdown", topic.description, of="resourceTrigger."),
        _value("resource", "valueUri", _definition(topic.resource_type), of="resourceTrigger."),
        *(_value("supportedInteraction", "valueCode", one, of="resourceTrigger.") for one in topic.interactions),
    ]
    shape = [_value("resource", "valueUri", _definition(topic.resource_type), of="notificationShape.")]
    return {
        "resourceType": "Basic",
        "id": topic.id,
        "extension": [
            _value("url", "valueUri", topic.canonical),
            _value("version", "valueString", "1.0.0"),
            _value("title", "valueString", topic.title),
            _value("status", "valueCode", "active"),
            _value("description", "valueMarkdown", topic.description),
            {"url": _R5 + "resourceTrigger", "extension": trigger},
            *(
                {
                    "url": _R5 + "canFilterBy",
                    "extension": [
                        _value("resource", "valueUri", _definition(topic.resource_type), of="canFilterBy."),
                        _value("filterParameter", "valueString", code, of="canFilterBy."),
                    ],
                }
                for code in filters(topic.resource_type)
            ),
            {"url": _R5 + "notificationShape", "extension": shape},
        ],
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
    }


def _definition(resource_type: str) -> str:
    return f"http://hl7.org/fhir/StructureDefinition/{resource_type}"


def _value(element: str, kind: str, value: str, *, of: str = "") -> dict[str, Any]:
    url = element if of else _R5 + element
    return {"url": url, kind: value}

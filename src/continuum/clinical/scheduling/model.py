"""Schedules, times and appointments as this domain speaks of them, read from FHIR and written to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

Resource = dict[str, Any]
EXTENSION = "https://continuum.example/fhir/StructureDefinition/"
TEMPLATE = f"{EXTENSION}schedule-template"
CLOSED = f"{EXTENSION}schedule-closed"
CLOSED_HOUR = f"{EXTENSION}schedule-closed-hour"
HORIZON = f"{EXTENSION}schedule-horizon"
MINUTES = f"{EXTENSION}visit-minutes"
REMOTE = f"{EXTENSION}visit-by-video"
FLOW = f"{EXTENSION}visit-flow"
OFFER = f"{EXTENSION}offer-until"
MOVED_FROM = f"{EXTENSION}moved-from"
VIDEO_LINK = f"{EXTENSION}video-link"
CHECKED_IN = f"{EXTENSION}checked-in-from-home"
NOTICES = f"{EXTENSION}told"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
REFERRER = "REF"
"""What somebody of the staff is to an appointment that they asked for: who schedules sees it, and not why."""
CANCEL_SYSTEM = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0276"
ENDED = frozenset({"cancelled", "noshow", "entered-in-error", "fulfilled"})
AHEAD = frozenset({"pending", "booked"})
IN_CLINIC = ("arrived", "roomed", "started", "finished")
"""The steps of a visit in their order, as the flow notes them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a template: on which days, from when to when by the wall clock, how long a visit is.

    recurrence: an RRULE of RFC 5545 without a start. seats: how many at the same hour. overbooked_max: how many more
    staff may add to an hour.
    """

    recurrence: str
    starts: time
    ends: time
    minutes: int
    first: date
    last: date | None = None
    seats: int = 1
    overbooked_max: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """Days on which a schedule opens nothing."""

    first: date
    last: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A Schedule. practitioner_id: "" for a room alone. service_id: the kind of visit."""

    id: str
    active: bool
    practitioner_id: str
    location_id: str
    service_id: str
    rules: tuple[Rule, ...]
    closed: tuple[Closed, ...]
    horizon_days: int
    name: str = ""
    closed_hours: frozenset[datetime] = frozenset()
    """When hours begin, in UTC, that are closed by themselves, on days that are open."""

    def closed_on(self, day: date) -> Closed | None:
        """Why nothing is open on a day; None if it is not closed."""
        return next((one for one in self.closed if one.first <= day <= one.last), None)

    def closes(self, starts: datetime) -> bool:
        """Whether what begins then, by the clock of its place, is closed by itself or with its day."""
        return starts.astimezone(UTC) in self.closed_hours or self.closed_on(starts.date()) is not None


def calendar_of(schedule: Mapping[str, Any], *, horizon_days: int) -> Calendar:
    """Reads a Schedule."""
    actors = {kind: name for kind, _, name in (reference_of(one).partition("/") for one in schedule.get("actor", ()))}
    named = {kind: name.rpartition("/")[2] for kind, name in actors.items()}
    rules, closed, hours, ahead = [], [], set(), horizon_days
    for one in schedule.get("extension", ()):
        if one.get("url") == TEMPLATE:
            rules.append(_rule(values_of(one)))
        elif one.get("url") == CLOSED:
            said = values_of(one)
            closed.append(Closed(date.fromisoformat(said["first"]), date.fromisoformat(said["last"]), said["reason"]))
        elif one.get("url") == CLOSED_HOUR:
            hours.add(instant(one["valueInstant"]).astimezone(UTC))
        elif one.get("url") == HORIZON:
            ahead = int(one["valueInteger"])
    return Calendar(
        str(schedule["id"]), bool(schedule.get("active", True)), named.get("Practitioner", ""),
        named.get("Location", ""), named.get("HealthcareService", ""), tuple(rules), tuple(closed), ahead,
        str(schedule.get("comment", "")), frozenset(hours),
    )  # fmt: skip


def with_calendar(schedule: Mapping[str, Any], calendar: Calendar) -> Resource:
    """A Schedule that says what a calendar says; whatever else it says stays."""
    ours = {TEMPLATE, CLOSED, CLOSED_HOUR, HORIZON}
    extensions = [one for one in schedule.get("extension", ()) if one.get("url") not in ours]
    extensions += [rule_extension(one) for one in calendar.rules]
    extensions += [
        nested(CLOSED, first=one.first, last=one.last, reason=one.reason or "Closed") for one in calendar.closed
    ]
    extensions += [{"url": CLOSED_HOUR, "valueInstant": one.isoformat()} for one in sorted(calendar.closed_hours)]
    extensions.append({"url": HORIZON, "valueInteger": calendar.horizon_days})
    return {**schedule, "active": calendar.active, "extension": extensions}


def rule_extension(rule: Rule) -> Resource:
    """A rule as an extension of its Schedule."""
    return nested(
        TEMPLATE, recurrence=rule.recurrence, starts=rule.starts, ends=rule.ends, minutes=rule.minutes,
        first=rule.first, last=rule.last, seats=rule.seats, overbooked=rule.overbooked_max,
    )  # fmt: skip


def _rule(said: Mapping[str, Any]) -> Rule:
    last = said.get("last")
    return Rule(
        str(said["recurrence"]), time.fromisoformat(said["starts"]), time.fromisoformat(said["ends"]),
        int(said["minutes"]), date.fromisoformat(said["first"]), date.fromisoformat(last) if last else None,
        int(said.get("seats", 1)), int(said.get("overbooked", 0)),
    )  # fmt: skip


def nested(url: str, **values: object) -> Resource:
    """An extension of extensions; what is None is left out."""
    return {"url": url, "extension": [_simple(name, value) for name, value in values.items() if value is not None]}


def _simple(name: str, value: object) -> Resource:
    if isinstance(value, datetime):
        return {"url": name, "valueInstant": value.isoformat()}
    if isinstance(value, date):
        return {"url": name, "valueDate": value.isoformat()}
    if isinstance(value, time):
        return {"url": name, "valueTime": value.isoformat()}
    if isinstance(value, int):
        return {"url": name, "valueInteger": value}
    return {"url": name, "valueString": str(value)}


def values_of(extension: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an extension of extensions by their names."""
    found = {}
    for one in extension.get("extension", ()):
        found[str(one.get("url", ""))] = next((one[key] for key in one if key.startswith("value")), None)
    return found


def extension_of(resource: Mapping[str, Any], url: str) -> Mapping[str, Any] | None:
    """The first extension with an address."""
    return next((one for one in resource.get("extension", ()) if one.get("url") == url), None)


def with_extension(resource: Mapping[str, Any], extension: Resource) -> Resource:
    """A resource with an extension in the place of the one with the same address."""
    others = [one for one in resource.get("extension", ()) if one.get("url") != extension["url"]]
    return {**resource, "extension": [*others, extension]}


def without_extension(resource: Mapping[str, Any], url: str) -> Resource:
    """A resource without the extensions of an address."""
    others = [one for one in resource.get("extension", ()) if one.get("url") != url]
    rest = {name: value for name, value in resource.items() if name != "extension"}
    return {**rest, "extension": others} if others else rest


def reference_of(element: object) -> str:
    """The reference in an element, or ""."""
    return str(element.get("reference", "")) if isinstance(element, dict) else ""


def actor_of(appointment: Mapping[str, Any], kind: str) -> str:
    """The id of the first participant of a type, or ""."""
    for one in appointment.get("participant", ()):
        found, _, name = reference_of(one.get("actor")).partition("/")
        if found == kind:
            return name
    return ""


def slots_of(appointment: Mapping[str, Any]) -> list[str]:
    """The ids of the times that an appointment has."""
    return [reference_of(one).rpartition("/")[2] for one in appointment.get("slot", ())]


def instant(text: object) -> datetime:
    """An instant or dateTime with its offset."""
    return datetime.fromisoformat(str(text))


def flow_of(appointment: Mapping[str, Any]) -> dict[str, datetime]:
    """When the person arrived, was roomed, when the visit started and ended: as far as it has come."""
    said = values_of(extension_of(appointment, FLOW) or {})
    return {step: instant(said[step]) for step in IN_CLINIC if said.get(step)}


def flow_text(appointment: Mapping[str, Any], name: str) -> str:
    """Another word of the flow: the room."""
    return str(values_of(extension_of(appointment, FLOW) or {}).get(name) or "")

"""A thread, the work on it and what happened to it, as FHIR says them. Pure: a state machine on one Task.

A message is a Communication. The first of a thread is what its Task is about (`focus`); later ones are `partOf` it.
The Task names who owes the answer (`owner`): a team, a member of staff or, when there is nobody else, the facility.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from continuum.chart.entry import N_
from continuum.chart.reading import LOCAL, code_of
from continuum.clinical.messaging.limits import EVENTS_MAX, NOTE_MAX_CHARS
from continuum.kernel.errors import Conflict, Invalid

Resource = dict[str, Any]
KIND = f"{LOCAL}communication-kind"
MESSAGE, FILE = "secure-message", "secure-message-file"
"""Kinds of Communications: a message; a file of one."""
CATEGORY = f"{LOCAL}message-category"
WORK = f"{LOCAL}task"
ANSWER, FOLLOW_UP = "answer-message", "follow-up"
"""Kinds of Tasks."""
STATE = f"{LOCAL}thread-state"
ACCOUNT = "https://continuum.example/fhir/identifier/account"
TEAM_OF_TASK = "https://continuum.example/fhir/identifier/message-team"
OWED_BY = f"{LOCAL}answers-owed-by"
"""Tags of Tasks: the facility that owes the answer and the month in which it was asked, as `facility.2026-11`."""
EXTENSION = "https://continuum.example/fhir/StructureDefinition/"
EVENT = f"{EXTENSION}thread-event"
RISEN = f"{EXTENSION}thread-risen"
SIGNED = f"{EXTENSION}message-signature"
OPEN = frozenset({"requested", "accepted", "in-progress"})
CATEGORIES: Mapping[str, str] = {
    "general": N_("General question"), "appointment": N_("Appointment"), "medication": N_("Medication"),
    "test": N_("Test result"), "education": N_("Health education"), "administration": N_("Papers and certificates"),
}  # fmt: skip
PRIORITIES: Mapping[str, str] = {"routine": N_("Routine"), "urgent": N_("Urgent"), "asap": N_("Today")}
"""Priorities that staff give (R4 RequestPriority)."""
CLAIMED_BY_OTHER = N_("Somebody else has just taken this. Look at it again before you go on.")
ENDED = N_("This thread is answered. It opens again when the person writes.")


@dataclass(frozen=True, slots=True)
class Who:
    """A member of staff or a person who acts: the account and the name that others see."""

    account_id: str
    name: str

    @property
    def reference(self) -> Resource:
        """As FHIR refers to somebody whom the record knows by their account."""
        return {"type": "Practitioner", "identifier": {"system": ACCOUNT, "value": self.account_id},
                "display": self.name}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owes an answer. kind: team, staff, facility or none."""

    kind: str
    id: str
    name: str


def owner_of(task: Mapping[str, Any]) -> Owner:
    """Who owes the answer, as a Task says it."""
    said = task.get("owner", {})
    identifier = said.get("identifier", {})
    if identifier.get("system") == ACCOUNT and identifier.get("value"):
        return Owner("staff", str(identifier["value"]), str(said.get("display", "")))
    kind, _, name = str(said.get("reference", "")).partition("/")
    if kind in {"CareTeam", "Organization"} and name:
        return Owner("team" if kind == "CareTeam" else "facility", name, str(said.get("display", "")))
    return Owner("none", "", "")


def team_of(task: Mapping[str, Any]) -> str:
    """The CareTeam in whose list a thread is; "" for one that is in the facility's own."""
    said = task.get("groupIdentifier", {})
    return str(said.get("value", "")) if said.get("system") == TEAM_OF_TASK else ""


def thread_of(task: Mapping[str, Any]) -> str:
    """The id of the first Communication."""
    return str(task.get("focus", {}).get("reference", "")).removeprefix("Communication/")


def patient_of(resource: Mapping[str, Any]) -> str:
    """Whose Task or Communication it is."""
    said = resource.get("for") or resource.get("subject") or {}
    return str(said.get("reference", "")).removeprefix("Patient/")


def promised(task: Mapping[str, Any]) -> datetime | None:
    """Until when an answer is promised."""
    text = task.get("restriction", {}).get("period", {}).get("end")
    return datetime.fromisoformat(text) if text else None


def state_of(task: Mapping[str, Any]) -> str:
    """waiting, claimed, working, answered or closed."""
    return code_of(task.get("businessStatus")) or "waiting"


_STATUS = {"waiting": "requested", "claimed": "accepted", "working": "in-progress", "answered": "completed",
           "closed": "completed"}  # fmt: skip


def _state(code: str) -> Resource:
    return {"status": _STATUS[code], "businessStatus": {"coding": [{"system": STATE, "code": code}], "text": code}}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a thread. what: sent, claimed, working, answered, asked, handed and so on."""

    what: str
    at: datetime
    by: str
    note: str = ""


def events_of(task: Mapping[str, Any]) -> list[Event]:
    """What happened since, in order."""
    found = []
    for one in task.get("extension", ()):
        if one.get("url") == EVENT:
            said = _said(one)
            found.append(Event(said["what"], datetime.fromisoformat(said["at"]), said.get("by", ""),
                               said.get("note", "")))  # fmt: skip
    return found


def _said(event: Mapping[str, Any]) -> dict[str, str]:
    return {part["url"]: next(value for key, value in part.items() if key != "url") for part in event["extension"]}


def last_of(task: Mapping[str, Any], kinds: Container[str]) -> datetime | None:
    """When something of these kinds happened last; as `events_of` tells it, which reads all of them."""
    for one in reversed(task.get("extension", ())):
        if one.get("url") == EVENT and (said := _said(one))["what"] in kinds:
            return datetime.fromisoformat(said["at"])
    return None


def _told(event: Event) -> Resource:
    parts: list[Resource] = [
        {"url": "what", "valueCode": event.what}, {"url": "at", "valueInstant": stamp(event.at)},
    ]  # fmt: skip
    parts += [{"url": "by", "valueString": event.by}] if event.by else []
    parts += [{"url": "note", "valueString": event.note}] if event.note else []
    return {"url": EVENT, "extension": parts}


def stamp(moment: datetime) -> str:
    """An instant as FHIR writes it, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def noted(task: Resource, event: Event) -> Resource:
    """A Task that tells one more thing."""
    kept = [one for one in task.get("extension", ()) if one.get("url") == EVENT]
    others = [one for one in task.get("extension", ()) if one.get("url") != EVENT]
    if len(kept) >= EVENTS_MAX:
        kept = [kept[0], *kept[2:]]
    return {**task, "lastModified": _modified(task, event.at), "extension": [*others, *kept, _told(event)]}


def _modified(task: Mapping[str, Any], at: datetime) -> str:
    """Never before it was asked for (R4 Task inv-1), whatever clocks do."""
    asked = datetime.fromisoformat(task["authoredOn"])
    return stamp(max(asked, at))


def _due(task: Resource, until: datetime) -> Resource:
    start = task.get("restriction", {}).get("period", {}).get("start", task["authoredOn"])
    return {**task, "restriction": {"period": {"start": start, "end": stamp(until)}}}


def referred(reference: str, name: str) -> Resource:
    """A reference with the name that is shown, if there is one: FHIR has no empty texts."""
    return {"reference": reference, "display": name} if name else {"reference": reference}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a new thread needs. message: what refers to its first Communication. until: the promise.

    facility_id: of the facility that owes the answer, "" where it is not known yet (`keeping.py` finds it).
    """

    message: str
    patient_id: str
    team_reference: str
    team_name: str
    until: datetime
    priority: str = "routine"
    facility_id: str = ""


def opened(asked: Asked, now: datetime, by: str) -> Resource:
    """The Task of a new thread: it waits in the list of its team."""
    kind, _, name = asked.team_reference.partition("/")
    task: Resource = {
        "resourceType": "Task", **_state("waiting"), "intent": "order", "priority": asked.priority,
        "code": {"coding": [{"system": WORK, "code": ANSWER}], "text": "Answer a message"},
        "focus": {"reference": asked.message},
        "for": {"reference": f"Patient/{asked.patient_id}"},
        "authoredOn": stamp(now), "lastModified": stamp(now),
        "owner": referred(asked.team_reference, asked.team_name),
        "restriction": {"period": {"start": stamp(now), "end": stamp(asked.until)}},
    }  # fmt: skip
    if kind == "CareTeam":
        task["groupIdentifier"] = {"system": TEAM_OF_TASK, "value": name}
    if asked.facility_id:
        task = owed(task, asked.facility_id)
    return noted(task, Event("sent", now, by))


def is_owed(task: Mapping[str, Any]) -> bool:
    """Whether it says which facility owes the answer."""
    return any(one.get("system") == OWED_BY for one in task.get("meta", {}).get("tag", ()))


def owed(task: Resource, facility_id: str) -> Resource:
    """A Task that says so. The month is that of its own time, so that a search of some months reads no others."""
    meta, asked = task.get("meta", {}), datetime.fromisoformat(task["authoredOn"])
    (code,) = owed_codes(facility_id, asked, asked)
    others = [one for one in meta.get("tag", ()) if one.get("system") != OWED_BY]
    return {**task, "meta": {**meta, "tag": [*others, {"system": OWED_BY, "code": code}]}}


def owed_codes(facility_id: str, since: datetime, until: datetime) -> list[str]:
    """The codes of the months from one instant to another, in UTC."""
    first, last = (one.astimezone(UTC).year * 12 + one.astimezone(UTC).month - 1 for one in (since, until))
    return [f"{facility_id}.{month // 12:04d}-{month % 12 + 1:02d}" for month in range(first, last + 1)]


def _open(task: Mapping[str, Any]) -> None:
    if task.get("status") not in OPEN:
        raise Invalid(ENDED)


def claimed(task: Resource, who: Who, now: datetime, *, covers: frozenset[str] = frozenset()) -> Resource:
    """Somebody takes a thread on. covers: accounts for which they stand in at present.

    Raises:
        Conflict: another has it. Invalid: it is answered.
    """
    _open(task)
    owner = owner_of(task)
    if owner.kind == "staff" and owner.id != who.account_id and owner.id not in covers:
        raise Conflict(CLAIMED_BY_OTHER)
    note = owner.name if owner.kind == "staff" and owner.id != who.account_id else ""
    event = Event("covered" if note else "claimed", now, who.name, note)
    return noted({**task, **_state("claimed"), "owner": who.reference}, event)


def worked_on(task: Resource, who: Who, now: datetime) -> Resource:
    """Its owner begins. Raises Conflict for another, Invalid for one that is answered."""
    _mine(task, who)
    return noted({**task, **_state("working")}, Event("working", now, who.name))


def _mine(task: Mapping[str, Any], who: Who) -> None:
    _open(task)
    owner = owner_of(task)
    if owner.kind != "staff" or owner.id != who.account_id:
        raise Conflict(CLAIMED_BY_OTHER)


def answered(task: Resource, who: Who, now: datetime) -> Resource:
    """It was answered by its owner. Raises Conflict, Invalid."""
    _mine(task, who)
    return noted({**task, **_state("answered")}, Event("answered", now, who.name))


def closed(task: Resource, who: Who, now: datetime, note: str) -> Resource:
    """Done with without an answer in writing, such as by a call. Raises Conflict, Invalid."""
    _mine(task, who)
    if not note:
        raise Invalid(N_("Say how it was settled, so that the person knows."))
    return noted({**task, **_state("closed")}, Event("closed", now, who.name, note))


def done(task: Resource, who: Who, now: datetime, note: str) -> Resource:
    """Something that was asked for is done. Raises Invalid for what is done already."""
    if task.get("status") not in OPEN:
        raise Invalid(N_("This is done already."))
    if len(note) > NOTE_MAX_CHARS:
        raise Invalid(N_("Say it in 1000 characters or fewer."))
    return noted({**task, "status": "completed"}, Event("done", now, who.name, note))


def asked_again(task: Resource, now: datetime, by: str, until: datetime) -> Resource:
    """The person wrote again: who has it keeps it; what was answered waits in the team's list again."""
    if task.get("status") in OPEN:
        return noted(task, Event("asked", now, by))
    team = task.get("groupIdentifier", {}).get("value")
    owner = {"reference": f"CareTeam/{team}"} if team else task["owner"]
    plain = {**task, **_state("waiting"), "owner": owner}
    plain["extension"] = [one for one in task.get("extension", ()) if one.get("url") != RISEN]
    plain["restriction"] = {"period": {"start": stamp(now), "end": stamp(until)}}
    return noted(plain, Event("asked", now, by))


def to_team(task: Resource, reference: str, name: str, event: Event) -> Resource:
    """It waits in the list of a team, or of the facility itself. Raises Invalid for one that is answered."""
    _open(task)
    moved = {**task, **_state("waiting"), "owner": referred(reference, name)}
    kind, _, team = reference.partition("/")
    moved.pop("groupIdentifier", None)
    if kind == "CareTeam":
        moved["groupIdentifier"] = {"system": TEAM_OF_TASK, "value": team}
    return noted(moved, event)


def to_person(task: Resource, to: Who, event: Event) -> Resource:
    """Another member of staff has it now. Raises Invalid for one that is answered."""
    _open(task)
    return noted({**task, **_state("claimed"), "owner": to.reference}, event)


def triaged(task: Resource, priority: str, until: datetime, event: Event) -> Resource:
    """Its priority, and the promise that follows from it; a promise is never put off by it. Raises Invalid."""
    _open(task)
    if priority not in PRIORITIES:
        raise Invalid(N_("Choose one of the priorities."))
    before = promised(task)
    soonest = min(before, until) if before else until
    return noted(_due({**task, "priority": priority}, soonest), event)


def risen_times(task: Mapping[str, Any]) -> int:
    """How often a thread has risen because its promise was not kept."""
    return next((int(one["valueInteger"]) for one in task.get("extension", ()) if one.get("url") == RISEN), 0)


def risen(task: Resource, times: int) -> Resource:
    """A Task that says how often it has risen."""
    kept = [one for one in task.get("extension", ()) if one.get("url") != RISEN]
    return {**task, "extension": [*kept, {"url": RISEN, "valueInteger": times}]}

"""Threads made of their Communications and Tasks, as pages show them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from continuum.chart.reading import code_of, named
from continuum.clinical.messaging.model import (
    CATEGORY,
    OPEN,
    SIGNED,
    Event,
    Resource,
    events_of,
    owner_of,
    promised,
    state_of,
)
from continuum.clinical.messaging.rules import may_reply, overdue, replies_until


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message. size: in bytes."""

    id: str
    title: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message. by_staff: whether the team wrote it. signature: a typed name, or ""."""

    id: str
    sent: datetime
    sender: str
    sender_account: str
    by_staff: bool
    text: str
    files: tuple[File, ...]
    signature: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation. task: {} while nobody owes an answer. messages: in the order of time."""

    id: str
    patient_id: str
    subject: str
    category: str
    team: str
    team_name: str
    messages: tuple[Message, ...]
    task: Resource

    @property
    def last(self) -> Message:
        """The latest message."""
        return self.messages[-1]

    @property
    def state(self) -> str:
        """waiting, claimed, working, answered or closed."""
        return state_of(self.task)

    @property
    def open(self) -> bool:
        """Whether an answer is owed."""
        return self.task.get("status") in OPEN

    @property
    def until(self) -> datetime | None:
        """Until when an answer is promised; None when none is owed."""
        return promised(self.task) if self.open else None

    @property
    def owner(self) -> str:
        """The name of who has it."""
        return owner_of(self.task).name

    @property
    def events(self) -> list[Event]:
        """What happened since."""
        return events_of(self.task)

    @property
    def files(self) -> int:
        """How many files there are."""
        return sum(len(one.files) for one in self.messages)

    @property
    def replies_until(self) -> datetime:
        """Until when it may be answered to."""
        return replies_until(self.last.sent)

    def late(self, now: datetime) -> bool:
        """Whether the promise was not kept."""
        return overdue(self.task, now)

    def why_no_reply(self, now: datetime) -> str:
        """Why nobody may write on; "" if they may."""
        return may_reply(self.last.sent, now)

    def speaks_of(self, words: str) -> bool:
        """Whether all words of a search stand somewhere in it."""
        names = " ".join(
            f"{one.sender} {one.text} {' '.join(file.title for file in one.files)}" for one in self.messages
        )
        whole = f"{self.subject} {self.team_name} {names}".casefold()
        return all(word in whole for word in words.casefold().split())


def message(resource: Mapping[str, Any], names: Mapping[str, Resource]) -> Message:
    """Reads a Communication."""
    sender = resource.get("sender", {})
    reference = str(sender.get("reference", ""))
    by_staff = sender.get("type") in {"Practitioner", "PractitionerRole"} or reference.startswith(
        ("Practitioner/", "PractitionerRole/", "Organization/", "CareTeam/")
    )
    texts = [str(part["contentString"]) for part in resource.get("payload", ()) if "contentString" in part]
    signed = next((one.get("valueString", "") for one in resource.get("extension", ()) if one.get("url") == SIGNED), "")
    return Message(
        str(resource["id"]), _sent(resource), named(sender, names) or str(sender.get("display", "")),
        str(sender.get("identifier", {}).get("value", "")), by_staff, "\n\n".join(texts),
        tuple(_files(resource)), str(signed),
    )  # fmt: skip


def _sent(resource: Mapping[str, Any]) -> datetime:
    text = str(resource.get("sent") or resource.get("meta", {}).get("lastUpdated"))
    return datetime.fromisoformat(text)


def _files(resource: Mapping[str, Any]) -> Iterable[File]:
    for part in resource.get("payload", ()):
        said = part.get("contentAttachment", {})
        kind, _, name = str(said.get("url", "")).partition("/")
        if kind == "Communication" and name:
            yield File(name, str(said.get("title", "")), str(said.get("contentType", "")), int(said.get("size", 0)))


def _category(resource: Mapping[str, Any]) -> str:
    for one in resource.get("category", ()):
        for coding in one.get("coding", ()):
            if coding.get("system") == CATEGORY:
                return code_of(one)
    return "general"


def threads(
    messages: Sequence[Resource], tasks: Iterable[Resource], names: Mapping[str, Resource]
) -> list[Thread]:  # fmt: skip
    """Whole threads of messages in any order: who wrote last stands first. A part without its beginning is left out."""
    first = {str(one["id"]): one for one in messages if not one.get("partOf")}
    grouped: dict[str, list[Message]] = {name: [] for name in first}
    for one in messages:
        of = one.get("partOf")
        name = str(of[0].get("reference", "")).removeprefix("Communication/") if of else str(one["id"])
        if name in grouped:
            grouped[name].append(message(one, names))
    work: dict[str, Resource] = {}
    for task in tasks:
        work.setdefault(str(task.get("focus", {}).get("reference", "")).removeprefix("Communication/"), task)
    found = [_thread(first[name], tuple(parts), work.get(name, {}), names) for name, parts in grouped.items()]
    return sorted(found, key=lambda one: one.last.sent, reverse=True)


def _thread(first: Resource, parts: tuple[Message, ...], task: Resource, names: Mapping[str, Resource]) -> Thread:
    to: Mapping[str, Any] = next(iter(first.get("recipient", ())), {})
    return Thread(
        str(first["id"]), str(first.get("subject", {}).get("reference", "")).removeprefix("Patient/"),
        str(first.get("topic", {}).get("text", "")), _category(first),
        str(to.get("reference", "")).removeprefix("CareTeam/"), named(to, names) or str(to.get("display", "")),
        tuple(sorted(parts, key=lambda one: (one.sent, one.id))), task,
    )  # fmt: skip

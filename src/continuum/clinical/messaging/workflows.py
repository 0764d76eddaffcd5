"""Sending, claiming, answering and what else is done to a thread: load, decide, save in one act.

Two who act at once on a thread act on one Task: the second finds its version gone by, and is told so.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from continuum.access import Operation, Session, Written
from continuum.chart.reading import code_of, version_of
from continuum.clinical.messaging import model
from continuum.clinical.messaging.model import (
    CATEGORIES,
    CATEGORY,
    CLAIMED_BY_OTHER,
    FILE,
    FOLLOW_UP,
    KIND,
    MESSAGE,
    SIGNED,
    Asked,
    Resource,
    Who,
    stamp,
)
from continuum.clinical.messaging.promises import promise
from continuum.clinical.messaging.reading import NO_THREAD, safe, task_of
from continuum.clinical.messaging.rules import Team
from continuum.clinical.messaging.threads import Thread
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Conflict, DomainError, Invalid, NotFound

_TRIES = 3
_GONE_BY = 412
SENT_AS = "https://continuum.example/fhir/identifier/sent-as"
Decide = Callable[[Resource], Resource]


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was looked at and may be sent."""

    title: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody writes. id: chosen by the form, so that what is sent twice is there once.

    by: who types. on_behalf: whether by acts for the patient.
    """

    id: str
    patient_id: str
    by: Who
    text: str
    subject: str = ""
    category: str = "general"
    signature: str = ""
    on_behalf: bool = False
    files: Sequence[Sent] = ()


def _plain(resource: Resource) -> Resource:
    again: Resource = parse(dump(resource))
    return again


def _new(resource: Resource, name: str) -> Operation:
    """Creates what is called `name` for this act, unless it is there: the same form sent twice makes one message."""
    resource["identifier"] = [{"system": SENT_AS, "value": name}]
    return Operation(
        "POST", resource["resourceType"], resource=_plain(resource), full_url=f"urn:uuid:{name}",
        if_none_exist=f"identifier={quote(f'{SENT_AS}|{name}', safe='')}",
    )  # fmt: skip


def changed(resource: Resource) -> Operation:
    """Writes the next version of what was read, if nobody did meanwhile."""
    return Operation(
        "PUT", resource["resourceType"], id=resource["id"], resource=_plain(resource), if_match=version_of(resource)
    )


def _communication(letter: Letter, now: datetime, sender: Resource, recipient: Resource) -> Resource:
    concept = {"coding": [{"system": KIND, "code": MESSAGE}], "text": "Secure message"}
    about = {"coding": [{"system": CATEGORY, "code": letter.category}], "text": CATEGORIES[letter.category]}
    resource: Resource = {
        "resourceType": "Communication", "status": "completed", "category": [concept, about],
        "subject": {"reference": f"Patient/{letter.patient_id}"}, "sent": stamp(now), "sender": sender,
        "recipient": [recipient],
        "payload": [{"contentString": letter.text}, *(_attachment(letter, one) for one in enumerate(letter.files))],
    }  # fmt: skip
    if letter.subject:
        resource["topic"] = {"text": letter.subject}
    if letter.signature:
        resource["extension"] = [{"url": SIGNED, "valueString": letter.signature}]
    return resource


def _file_id(letter: Letter, number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"{letter.id}/{number}"))


def _work_id(letter: Letter) -> str:
    return str(uuid5(NAMESPACE_URL, f"{letter.id}/work"))


def _attachment(letter: Letter, numbered: tuple[int, Sent]) -> Resource:
    number, one = numbered
    return {"contentAttachment": {
        "contentType": one.media_type, "title": one.title, "size": len(one.content), "hash": _sha1(one.content),
        "url": f"urn:uuid:{_file_id(letter, number)}",
    }}  # fmt: skip


def _sha1(content: bytes) -> str:
    # R4 Attachment.hash is SHA-1 by definition; it guards nothing here.
    return b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def _files(letter: Letter, now: datetime, sender: Resource) -> list[Operation]:
    """Files lie beside their message, so that lists of messages do not carry them."""
    return [
        _new({
            "resourceType": "Communication", "status": "completed",
            "category": [{"coding": [{"system": KIND, "code": FILE}], "text": "File of a secure message"}],
            "subject": {"reference": f"Patient/{letter.patient_id}"}, "sent": stamp(now), "sender": sender,
            "partOf": [{"reference": f"urn:uuid:{letter.id}"}],
            "payload": [{"contentAttachment": {
                "contentType": one.media_type, "title": one.title, "size": len(one.content),
                "data": b64encode(one.content).decode(),
            }}],
        }, _file_id(letter, number))
        for number, one in enumerate(letter.files)
    ]  # fmt: skip


def _person(letter: Letter) -> Resource:
    """Who sends: the patient, or somebody who acts for them and says so."""
    if letter.on_behalf:
        return {**letter.by.reference, "type": "RelatedPerson"}
    return {"reference": f"Patient/{letter.patient_id}", "display": letter.by.name}


async def send(session: Session, letter: Letter, team: Team, now: datetime, zone: ZoneInfo) -> str:
    """A new thread: the message, its files and the work on it, all or nothing; the thread's id.

    Raises:
        Invalid: the team takes no messages.
    """
    if not team.active or not team.takes_messages:
        raise Invalid("This team takes no messages at present. Please choose another one.")
    sender, to = _person(letter), model.referred(team.reference, team.name)
    until = promise(now, zone, team.answer_days)
    asked = Asked(
        f"urn:uuid:{letter.id}", letter.patient_id, team.reference, team.name, until, facility_id=team.facility_id
    )
    task = model.opened(asked, now, letter.by.name)
    results = await session.transaction([
        _new(_communication(letter, now, sender, to), letter.id), *_files(letter, now, sender),
        _new(task, _work_id(letter)),
    ])  # fmt: skip
    first = results[0]
    assert isinstance(first, Written), "a message was written, or is there"
    return first.stored.id


def _reply(letter: Letter, thread: Thread, now: datetime, sender: Resource, to: Resource) -> list[Operation]:
    resource = _communication(letter, now, sender, to)
    resource["partOf"] = [{"reference": f"Communication/{thread.id}"}]
    resource["inResponseTo"] = [{"reference": f"Communication/{thread.last.id}"}]
    return [_new(resource, letter.id), *_files(letter, now, sender)]


async def write_on(session: Session, letter: Letter, thread: Thread, team: Team, now: datetime, zone: ZoneInfo) -> None:
    """The person writes on in a thread: who has it keeps it, what was answered waits again.

    Raises:
        Invalid: the reply window is over. Conflict: the team did something at every try.
    """
    if reason := thread.why_no_reply(now):
        raise Invalid(reason)
    to = model.referred(team.reference, team.name)
    until = promise(now, zone, team.answer_days)
    for _ in range(_TRIES):
        task = await task_of(session, letter.patient_id, thread.id)
        if task is None:
            asked = Asked(
                f"Communication/{thread.id}", letter.patient_id, team.reference, team.name, until,
                facility_id=team.facility_id,
            )  # fmt: skip
            work = Operation("POST", "Task", resource=_plain(model.opened(asked, now, letter.by.name)))
        else:
            work = changed(model.asked_again(task, now, letter.by.name, until))
        try:
            await session.transaction([*_reply(letter, thread, now, _person(letter), to), work])
        except DomainError as refusal:
            if refusal.status != _GONE_BY:
                raise
            continue
        return
    raise Conflict("The team is working on this right now. Please send it again.")


async def change(
    session: Session, patient_id: str, thread_id: str, decide: Decide, more: Sequence[Operation] = ()
) -> None:
    """One change of the work on a thread, with what belongs to it, all or nothing.

    Raises:
        NotFound: there is no such work. Conflict: somebody else was first. Invalid: the state is against it.
    """
    task = await task_of(session, patient_id, thread_id)
    if task is None:
        raise NotFound(NO_THREAD)
    try:
        await session.transaction([*more, changed(decide(task))])
    except DomainError as refusal:
        if refusal.status == _GONE_BY:
            raise Conflict(CLAIMED_BY_OTHER) from refusal
        raise


async def follow_up(session: Session, task_id: str, who: Who, now: datetime, note: str) -> None:
    """Something that was asked for because of a message is done; the conversation tells so.

    Raises:
        NotFound: there is no such work. Conflict: somebody else was first. Invalid: it is done already.
    """
    found: Resource = parse((await session.read("Task", safe(task_id))).body or b"{}")
    if code_of(found.get("code")) != FOLLOW_UP:
        raise NotFound(NO_THREAD)
    operations = [changed(model.done(found, who, now, note))]
    answering = await task_of(session, model.patient_of(found), model.thread_of(found))
    if answering is not None:
        said = f"{found.get('description', '')}{': ' if note else ''}{note}"
        operations.append(changed(model.noted(answering, model.Event("done", now, who.name, said))))
    try:
        await session.transaction(operations)
    except DomainError as refusal:
        if refusal.status == _GONE_BY:
            raise Conflict(CLAIMED_BY_OTHER) from refusal
        raise


async def claim(
    session: Session, patient_id: str, thread_id: str, who: Who, now: datetime, covers: frozenset[str] = frozenset()
) -> None:
    """Takes a thread. Raises Conflict if another has it."""
    await change(session, patient_id, thread_id, lambda task: model.claimed(task, who, now, covers=covers))


async def answer(session: Session, letter: Letter, thread: Thread, now: datetime) -> None:
    """Answers a thread that one has. Raises Conflict, Invalid."""
    to = {"reference": f"Patient/{letter.patient_id}"}
    operations = _reply(letter, thread, now, letter.by.reference, to)
    await change(session, letter.patient_id, thread.id, lambda task: model.answered(task, letter.by, now), operations)

"""Conversations that come in: messages are only ever added, and none is without somebody who owes the answer."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from continuum.access import Operation, Session
from continuum.clinical.messaging import model, workflows
from continuum.clinical.messaging.model import (
    CATEGORIES,
    CATEGORY,
    FILE,
    KIND,
    MESSAGE,
    OPEN,
    Asked,
    Event,
    Resource,
    Who,
    owner_of,
    referred,
)
from continuum.clinical.messaging.promises import promise
from continuum.clinical.messaging.reading import teams_of, zone_of
from continuum.clinical.messaging.rules import Team
from continuum.clinical.messaging.threads import Thread
from continuum.fhir.json import dump, parse
from continuum.interop.cutover.form import Row
from continuum.interop.cutover.origin import identifier, refuse_other, with_came
from continuum.interop.cutover.outgoing import Travelling
from continuum.interop.cutover.status import Facility

Taking = Awaitable[tuple[str, str]]
PORTAL = Who("older-portal", "The older portal")
SETTLED_THERE = "Settled on the older portal."


class Talks:
    """Conversations for one facility."""

    def __init__(self, session: Session, facility: Facility, now: datetime) -> None:
        self._session, self._facility, self._now = session, facility, now
        self._teams: list[Team] | None = None

    async def take(self, row: Row, there: Travelling, *, write: bool) -> tuple[str, str]:
        """Decides one row, and writes it, all or nothing: (new, changed or equal, "")."""
        present = there.thread(row["origin"])
        patient_id = str(there.patient["id"])
        if present is None:
            await refuse_other(self._session, "Communication", identifier("thread", row["origin"]), patient_id)
            if write:
                await self._session.transaction(await self._fresh(row, patient_id))
            return "new", ""
        mine, thread = present
        known = {_key(one["origin"]) for one in mine["messages"]}
        more = [one for one in row["messages"] if _key(one["origin"]) not in known]
        work = await self._work(row, mine, thread, more)
        if not more and work is None:
            return "equal", ""
        if write:
            operations = [one for part in more for one in self._message(row, part, patient_id, thread.id)]
            await self._session.transaction([*operations, *([work] if work is not None else [])])
        return "changed", ""

    async def _team(self, name: str) -> tuple[str, str]:
        """Reference and name of the team of this name, of the one that stands in, or of the facility itself."""
        if self._teams is None:
            found = await teams_of(self._session, self._facility.id)
            self._teams = [one for one in found if one.active and one.takes_messages]
        for one in self._teams:
            if one.name.casefold() == name.casefold().strip():
                return one.reference, one.name
        standing = next((one for one in self._teams if one.stands_in), None)
        if standing is not None:
            return standing.reference, standing.name
        return f"Organization/{self._facility.id}", self._facility.name

    async def _days(self, reference: str) -> int:
        assert self._teams is not None, "a team was chosen of them"
        return next((one.answer_days for one in self._teams if one.reference == reference), 3)

    async def _fresh(self, row: Row, patient_id: str) -> list[Operation]:
        reference, name = await self._team(row["team"])
        first = _urn(identifier("thread", row["origin"]))
        operations = []
        for number, one in enumerate(row["messages"]):
            parts = self._message(row, one, patient_id, "" if number == 0 else first)
            if number == 0:
                said = parts[0].resource
                assert said is not None, "a message is written"
                said["recipient"] = [referred(reference, name)]
                said["topic"] = {"text": row["subject"]}
            operations += parts
        zone = zone_of(self._facility.resource)
        until = promise(self._now, zone, await self._days(reference))
        asked = Asked(first, patient_id, reference, name, until, facility_id=self._facility.id)
        task = model.opened(asked, self._now, row["messages"][0]["name"])
        task = self._ended(task, row["state"]) if row["state"] != "open" else task
        return [*operations, _new({**task, "identifier": [identifier("work", row["origin"])]})]

    def _ended(self, task: Resource, state: str) -> Resource:
        """Work that was done on the older portal."""
        covers = frozenset({owner_of(task).id})
        mine = model.claimed(task, PORTAL, self._now, covers=covers)
        if state == "closed":
            return model.closed(mine, PORTAL, self._now, SETTLED_THERE)
        return model.answered(mine, PORTAL, self._now)

    async def _work(self, row: Row, mine: Row, thread: Thread, more: Sequence[Row]) -> Operation | None:
        """What follows for the work on a conversation that is here; None for nothing."""
        task = thread.task
        asked = bool(more) and more[-1]["from"] == "person"
        if not task:
            if not asked:
                return None
            reference, name = await self._team(row["team"])
            until = promise(self._now, zone_of(self._facility.resource), await self._days(reference))
            made = Asked(
                f"Communication/{thread.id}", thread.patient_id, reference, name, until, facility_id=self._facility.id
            )
            return Operation("POST", "Task", resource=parse(dump(model.opened(made, self._now, more[-1]["name"]))))
        if asked and row["state"] == "open":
            until = self._now + timedelta(days=3)
            return workflows.changed(model.asked_again(task, self._now, more[-1]["name"], until))
        answered_there = row["state"] != "open" and task.get("status") in OPEN
        alike = len(mine["messages"]) + len(more) == len(row["messages"])
        if answered_there and alike and owner_of(task).kind != "staff":
            return workflows.changed(self._ended(task, row["state"]))
        if more:
            return workflows.changed(model.noted(task, Event("found", self._now, PORTAL.name)))
        return None

    def _message(self, row: Row, one: Row, patient_id: str, first: str) -> list[Operation]:
        """A message with its files. first: what refers to the conversation's first message; "" for that itself."""
        subject = {"reference": f"Patient/{patient_id}"}
        sender: Resource = {"reference": subject["reference"], "display": one["name"]}
        if one["from"] == "team":
            sender = {"type": "Practitioner", "display": one["name"]}
        within = row["origin"]["key"]
        unique = identifier("message", one["origin"], within) if first else identifier("thread", row["origin"])
        resource: Resource = {
            "resourceType": "Communication", "status": "completed", "identifier": [unique],
            "category": [
                {"coding": [{"system": KIND, "code": MESSAGE}], "text": "Secure message"},
                {"coding": [{"system": CATEGORY, "code": row["category"]}], "text": CATEGORIES[row["category"]]},
            ],
            "subject": subject, "sent": one["sent"], "sender": sender, "recipient": [subject],
            "payload": [{"contentString": one["text"]}],
        }  # fmt: skip
        if first:
            resource = with_came(resource, one["origin"], {})
        else:
            own = {"message": one["origin"]["key"], "message-system": one["origin"]["system"], "team": row["team"]}
            resource = with_came(resource, row["origin"], own)
        operations = []
        for number, file in enumerate(one["files"]):
            content = b64decode(file["data"])
            inner = {"contentType": file["type"], "title": file["title"], "size": len(content)}
            mark = identifier("file", {**one["origin"], "key": f"{one['origin']['key']}#{number}"}, within)
            # R4 Attachment.hash is SHA-1 by definition; it guards nothing here.
            sha1 = b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
            resource["payload"].append({"contentAttachment": {**inner, "hash": sha1, "url": _urn(mark)}})
            operations.append(_new({
                "resourceType": "Communication", "status": "completed", "identifier": [mark],
                "category": [{"coding": [{"system": KIND, "code": FILE}], "text": "File of a secure message"}],
                "subject": subject, "sent": one["sent"], "sender": sender, "partOf": [{"reference": _urn(unique)}],
                "payload": [{"contentAttachment": {**inner, "data": file["data"]}}],
            }))  # fmt: skip
        if first:
            reference = first if first.startswith("urn:") else f"Communication/{first}"
            resource["partOf"] = [{"reference": reference}]
            resource["inResponseTo"] = [{"reference": reference}]
        return [_new(resource), *operations]


def _key(origin: Mapping[str, str]) -> tuple[str, str]:
    return origin["system"], origin["key"]


def _urn(unique: Mapping[str, str]) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, unique['system'] + '|' + unique['value'])}"


def _new(resource: Resource) -> Operation:
    """Creates it unless its origin is here: two imports at once make one."""
    unique = resource["identifier"][0]
    token = quote(f"{unique['system']}|{unique['value']}", safe="")
    return Operation(
        "POST", resource["resourceType"], resource=parse(dump(resource)), full_url=_urn(unique),
        if_none_exist=f"identifier={token}",
    )  # fmt: skip

"""Finding threads, teams and work through a session."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from continuum.access import Session, Stored
from continuum.access.views import View
from continuum.clinical.messaging.limits import (
    MEASURED_MAX,
    MESSAGES_READ_MAX,
    POOL_SHOWN_MAX,
    TEAMS_MAX,
    THREAD_MESSAGES_MAX,
)
from continuum.clinical.messaging.model import (
    ACCOUNT,
    ANSWER,
    KIND,
    MESSAGE,
    OWED_BY,
    TEAM_OF_TASK,
    WORK,
    Resource,
    owed_codes,
    patient_of,
    stamp,
    thread_of,
)
from continuum.clinical.messaging.rules import Team, team
from continuum.clinical.messaging.threads import Thread, threads
from continuum.fhir.json import parse
from continuum.kernel.errors import NotFound

T = TypeVar("T")
OPEN_STATUSES = "requested,accepted,in-progress"
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
NO_THREAD = "There is no such conversation, or it is not open to you."


def body(stored: Stored) -> Resource:
    """A stored version as a resource."""
    assert stored.body is not None, "what is found is not deleted"
    found: Resource = parse(stored.body)
    return found


def token(system: str, value: str) -> str:
    """A token of a search, escaped for the address."""
    return quote(f"{system}|{value}", safe="")


async def find(session: Session, kind: str, criteria: str) -> tuple[list[Resource], dict[str, Resource]]:
    """One page of a search: the matches in their order, and what was included, by reference."""
    page = await session.search(session.parse(kind, criteria))
    return [body(one) for one in page.matches], {f"{one.resource_type}/{one.id}": body(one) for one in page.included}


def safe(name: str) -> str:
    """An id as a part of a search. Raises NotFound for what is none."""
    if not name or len(name) > 64 or not _SAFE.issuperset(name):
        raise NotFound(NO_THREAD)
    return name


async def teams_of(session: Session, facility_id: str, patient_id: str = "") -> list[Team]:
    """The teams of a facility that are no one patient's, and those of a patient; by name, closed ones too."""
    criteria = f"participant=Organization/{safe(facility_id)}&subject:missing=true&_count={TEAMS_MAX}"
    found, _ = await find(session, "CareTeam", criteria)
    if patient_id:
        own, _ = await find(session, "CareTeam", f"patient={safe(patient_id)}&status=active&_count={TEAMS_MAX}")
        found += own
    return sorted((team(one) for one in found), key=lambda one: (one.stands_in, one.name))


async def box_of(session: Session, patient_id: str) -> tuple[View, list[Thread]]:
    """A patient and their latest threads, in one act."""
    view = await session.view("messages", patient_id, {
        "messages": f"Communication?category={token(KIND, MESSAGE)}&_sort=-sent&_count={MESSAGES_READ_MAX}",
        "tasks": f"Task?code={token(WORK, ANSWER)}&_sort=-authored-on&_count={MESSAGES_READ_MAX}",
    })  # fmt: skip
    return view, threads(view.found["messages"], view.found["tasks"], view.names)


async def thread_in(
    session: Session, patient_id: str, thread_id: str, more: dict[str, str] | None = None
) -> tuple[View, Thread]:
    """One thread of a patient. more: further searches of the same patient. Raises NotFound."""
    name = safe(thread_id)
    view = await session.view("conversation", patient_id, {
        "first": f"Communication?_id={name}&category={token(KIND, MESSAGE)}",
        "later": f"Communication?part-of=Communication/{name}&category={token(KIND, MESSAGE)}"
                 f"&_sort=sent&_count={THREAD_MESSAGES_MAX}",
        "tasks": f"Task?focus=Communication/{name}&code={token(WORK, ANSWER)}&_count=1",
        **(more or {}),
    })  # fmt: skip
    found = threads([*view.found["first"], *view.found["later"]], view.found["tasks"], view.names)
    if not found:
        raise NotFound(NO_THREAD)
    return view, found[0]


async def task_of(session: Session, patient_id: str, thread_id: str) -> Resource | None:
    """The work on a thread."""
    criteria = f"focus=Communication/{safe(thread_id)}&patient={safe(patient_id)}&code={token(WORK, ANSWER)}&_count=1"
    found, _ = await find(session, "Task", criteria)
    return found[0] if found else None


async def pool(session: Session, code: str = ANSWER, **by: str) -> tuple[list[Resource], dict[str, Resource], bool]:
    """Open work, what it is about and for whom, and whether there is more than is shown.

    code: of the kind of work. by: `team`, `account` or `facility` whose list it is; none for all that the session may
    see.
    """
    wanted = {
        "team": lambda value: f"&group-identifier={token(TEAM_OF_TASK, value)}",
        "account": lambda value: f"&owner:identifier={token(ACCOUNT, value)}",
        "facility": lambda value: f"&owner=Organization/{safe(value)}",
    }
    criteria = f"code={token(WORK, code)}&status={OPEN_STATUSES}"
    criteria += "".join(wanted[key](value) for key, value in by.items())
    criteria += f"&_sort=authored-on&_count={POOL_SHOWN_MAX}&_include=Task:focus&_include=Task:patient"
    page = await session.search(session.parse("Task", criteria))
    included = {f"{one.resource_type}/{one.id}": body(one) for one in page.included}
    return [body(one) for one in page.matches], included, bool(page.next_cursor)


async def work_since(
    session: Session, facility_id: str, since: datetime, now: datetime, measure: Callable[[Iterable[Resource]], T]
) -> tuple[T, bool]:  # fmt: skip
    """What conversations come to that a facility owes or owed an answer, asked since an instant; and if there are more.

    measure: makes figures of them that name nobody, so that it stands in no patient's trail (`Session.measured`).

    The newest first, MEASURED_MAX at most. The search begins with the facility's months: what others are asked, and
    what was asked in earlier years, is not read.
    """
    months = ",".join(token(OWED_BY, one) for one in owed_codes(safe(facility_id), since, max(since, now)))
    criteria = f"_tag={months}&code={token(WORK, ANSWER)}&authored-on=ge{stamp(since)}&_sort=-authored-on"
    query = replace(session.parse("Task", criteria), count=MEASURED_MAX, begin="_tag")
    return await session.measured(query, lambda found: measure(body(one) for one in found))


def rows_of(tasks: list[Resource], included: dict[str, Resource]) -> list[dict[str, Any]]:
    """Work as lists show it: the Task, the first message and the patient."""
    return [
        {
            "task": one, "first": included.get(f"Communication/{thread_of(one)}", {}), "thread_id": thread_of(one),
            "patient_id": patient_of(one), "patient": included.get(f"Patient/{patient_of(one)}", {}),
        }
        for one in tasks
    ]  # fmt: skip


_TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"


def zone_of(organization: dict[str, Any]) -> ZoneInfo:
    """The zone in which a facility's working days are counted; UTC for one that says none."""
    for one in organization.get("extension", ()):
        if one.get("url") == _TIMEZONE:
            return ZoneInfo(str(one.get("valueCode", "UTC")))
    return ZoneInfo("UTC")

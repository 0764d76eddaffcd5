"""One conversation as staff see it, and what they do about it. The patient is in the address and on top of the page."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from continuum.access import Operation
from continuum.access.views import View
from continuum.apps.frame.visit import Visit
from continuum.apps.messages.limits import TRANSCRIPT_MAX_CHARS
from continuum.apps.messages.portal_pages import file_answer
from continuum.apps.messages.shown import EVENTS, STATES, mark
from continuum.apps.messages.staff_desk import HOME, StaffDesk, staff_desk
from continuum.apps.workspace.area import BASE
from continuum.apps.workspace.chart import WRITABLE
from continuum.chart.banner import SEARCHES, banner
from continuum.chart.entry import N_
from continuum.chart.writing import WRITERS, Author
from continuum.clinical.messaging import model, rules, workflows
from continuum.clinical.messaging.limits import NOTE_MAX_CHARS, TEXT_MAX_CHARS
from continuum.clinical.messaging.model import (
    CATEGORIES,
    CLAIMED_BY_OTHER,
    FOLLOW_UP,
    PRIORITIES,
    TEAM_OF_TASK,
    WORK,
    Event,
    Owner,
    Resource,
    Who,
    owner_of,
    stamp,
)
from continuum.clinical.messaging.promises import promise
from continuum.clinical.messaging.reading import body, safe, thread_in
from continuum.clinical.messaging.rules import Team
from continuum.clinical.messaging.threads import Thread
from continuum.clinical.messaging.workflows import Letter
from continuum.clinical.scheduling import offers
from continuum.clinical.scheduling.finding import kinds
from continuum.clinical.scheduling.limits import REASON_MAX_CHARS
from continuum.fhir.json import dump, parse
from continuum.identity import notices
from continuum.kernel.errors import Conflict, Invalid
from continuum.kernel.ids import uuid7
from continuum.ui.people import Problem
from continuum.ui.view import showing

WAITING = "message-waiting"
WITHIN_DAYS = {"3": N_("Within three days"), "7": N_("Within a week"), "14": N_("Within two weeks"),
               "30": N_("Within a month"), "90": N_("Within three months")}  # fmt: skip
"""How soon somebody is to be seen."""
CONFIRM_PATIENT = N_("Another chart was open before. Confirm that this is the right person.")


class _Open:
    """A conversation that a page is about, and its patient."""

    def __init__(self, here: StaffDesk, view: View, thread: Thread) -> None:
        self.here, self.view, self.thread = here, view, thread
        self.patient_id: str = view.patient["id"]
        self.address = f"{HOME}/{self.patient_id}/{thread.id}"

    @property
    def owner(self) -> Owner:
        return owner_of(self.thread.task)

    @property
    def mine(self) -> bool:
        return self.thread.open and self.owner.id == self.here.who.account_id


async def _open(x: Visit) -> _Open:
    here = await staff_desk(x)
    view, thread = await thread_in(here.session, x.param("patient_id"), x.param("thread_id"), dict(SEARCHES))
    return _Open(here, view, thread)


async def _doubtful(opened: _Open) -> bool:
    """Whether the chart that was open before this page is another person's: a hand goes to the wrong one easily."""
    recent = await opened.here.desk.recent()
    return bool(recent) and recent[0] != opened.patient_id


async def thread(x: Visit) -> Response:
    """The conversation, who has it, and what can be done."""
    return await _page(x, await _open(x))


async def _page(
    x: Visit, opened: _Open, *, problems: tuple[Problem, ...] = (), status: int = 200, **more: Any
) -> Response:  # fmt: skip
    here, found = opened.here, opened.thread
    with showing(x.reader):
        patient = banner(opened.view)
    teams = await here.teams()
    return x.page(
        "messages/staff_thread.html", here=here, thread=found, patient=patient, patient_id=opened.patient_id,
        address=opened.address, home=HOME, chart=f"{BASE}/patients/{opened.patient_id}", owner=opened.owner,
        mine=opened.mine, covered=opened.owner.id in here.covers, priorities=PRIORITIES, categories=CATEGORIES,
        teams=[one for one in teams if one.active], colleagues=await here.colleagues(), event_words=EVENTS,
        states=STATES, mark=lambda one: mark(one, here.now), doubtful=await _doubtful(opened),
        templates=await here.coverage.templates(here.facility_id), problems=problems, most=TEXT_MAX_CHARS,
        errors={one.field: one.text for one in problems}, fields=x.form, letter_id=x.form.get("id") or uuid7(),
        visit_kinds=await kinds(here.session, here.facility_id), within=WITHIN_DAYS, status=status, writable=WRITABLE,
        **more,
    )  # fmt: skip


Work = Callable[[Visit, _Open], Awaitable[str]]


def _act(work: Work, field: str, done: str) -> Callable[[Visit], Awaitable[Response]]:
    """A form of the page: what it does, where what stands against it is said, and what is said when it was done."""

    async def answer(x: Visit) -> Response:
        opened = await _open(x)
        try:
            to = await work(x, opened)
        except (Conflict, Invalid) as refusal:
            return await _page(x, opened, problems=(Problem(field, str(refusal)),), status=refusal.status)
        return x.go(to or opened.address, done=done)

    return answer


async def _change(opened: _Open, decide: Callable[[Resource], Resource], *more: Operation) -> None:
    await workflows.change(opened.here.session, opened.patient_id, opened.thread.id, decide, more)


def _note(x: Visit, *, needed: bool = False) -> str:
    text = " ".join(x.form.get("note", "").split())
    if len(text) > NOTE_MAX_CHARS or (needed and not text):
        raise Invalid(N_("Say it in 1000 characters or fewer."))
    return text


async def _claim(_: Visit, opened: _Open) -> str:
    here = opened.here
    await workflows.claim(here.session, opened.patient_id, opened.thread.id, here.who, here.now, here.covers)
    return ""


async def _begin(_: Visit, opened: _Open) -> str:
    await _change(opened, lambda task: model.worked_on(task, opened.here.who, opened.here.now))
    return ""


async def _sure(x: Visit, opened: _Open) -> None:
    if await _doubtful(opened) and x.form.get("right_person") != opened.patient_id:
        raise Invalid(CONFIRM_PATIENT)


async def _answer(x: Visit, opened: _Open) -> str:
    here = opened.here
    text = x.form.get("text", "").replace("\r\n", "\n").strip()
    problems = rules.text_problems("", "", text, first=False)
    if problems:
        raise Invalid(problems[0].text)
    await _sure(x, opened)
    letter = Letter(safe(x.form.get("id", "") or uuid7()), opened.patient_id, here.who, text)
    await workflows.answer(here.session, letter, opened.thread, here.now)
    await here.desk.opened(opened.patient_id)
    await _told(x, opened, letter.id)
    return ""


async def _told(x: Visit, opened: _Open, about: str) -> None:
    """The person is told by mail that there is something for them, and not what."""
    async with x.access.connect() as conn:
        await notices.queue(conn, WAITING, about, patient_id=opened.patient_id, due_us=x.access.clock())


async def _triage(x: Visit, opened: _Open) -> str:
    here, priority = opened.here, x.form.get("priority", "")
    teams = {one.id: one for one in await here.teams()}
    team = teams.get(opened.thread.team)
    until = promise(here.now, x.zone, rules.days_of(priority, team.answer_days if team else 3))
    event = Event("triaged", here.now, here.who.name, PRIORITIES.get(priority, ""))
    await _change(opened, lambda task: model.triaged(task, priority, until, event))
    return ""


async def _hand_over(x: Visit, opened: _Open) -> str:
    here, to, note = opened.here, x.form.get("to", ""), _note(x)
    team: Team | None = next((one for one in await here.teams() if to == one.reference and one.active), None)
    if team is not None:
        given = team
        event = Event("handed", here.now, here.who.name, f"{given.name}{': ' if note else ''}{note}")
        await _change(opened, lambda task: model.to_team(_held(task, opened), given.reference, given.name, event))
        return ""
    person = next((one for one in await here.colleagues() if to == one.account_id), None)
    if person is None:
        raise Invalid(N_("Choose to whom you hand it over."))
    event = Event("handed", here.now, here.who.name, f"{person.name}{': ' if note else ''}{note}")
    who = Who(person.account_id, person.name)
    await _change(opened, lambda task: model.to_person(_held(task, opened), who, event))
    return ""


def _held(task: Resource, opened: _Open) -> Resource:
    """Work that is one's own, or nobody's, or of somebody for whom one stands in: others hand over theirs."""
    owner = owner_of(task)
    if owner.kind == "staff" and owner.id not in {opened.here.who.account_id, *opened.here.covers}:
        raise Conflict(CLAIMED_BY_OTHER)
    return task


async def _close(x: Visit, opened: _Open) -> str:
    note = _note(x)
    await _change(opened, lambda task: model.closed(task, opened.here.who, opened.here.now, note))
    await _told(x, opened, f"{opened.thread.id}@{opened.here.now.timestamp():.0f}")
    return ""


def _task(opened: _Open, code: str, text: str, owner: Resource, team: str) -> Operation:
    here = opened.here
    resource: Resource = {
        "resourceType": "Task", "status": "requested", "intent": "order", "priority": "routine",
        "code": {"coding": [{"system": WORK, "code": code}]}, "description": text,
        "focus": {"reference": f"Communication/{opened.thread.id}"},
        "for": {"reference": f"Patient/{opened.patient_id}"}, "authoredOn": stamp(here.now),
        "lastModified": stamp(here.now), "requester": here.who.reference, "owner": owner,
    }  # fmt: skip
    if team:
        resource["groupIdentifier"] = {"system": TEAM_OF_TASK, "value": team}
    return Operation("POST", "Task", resource=parse(dump(resource)))


async def _ask_task(x: Visit, opened: _Open) -> str:
    here, note = opened.here, _note(x, needed=True)
    to = x.form.get("to", "")
    person = next((one for one in await here.colleagues() if one.account_id == to), None)
    team = next((one for one in await here.teams() if one.reference == to), None)
    if person is None and team is None:
        raise Invalid(N_("Choose who is to do it."))
    display = team.name if team else ""
    owner = Who(person.account_id, person.name).reference if person else {"reference": to, "display": display}
    event = Event("tasked", here.now, here.who.name, note)
    await _change(opened, lambda task: model.noted(task, event),
                  _task(opened, FOLLOW_UP, note, owner, team.id if team else opened.thread.team))  # fmt: skip
    return ""


async def _offer(x: Visit, opened: _Open) -> str:
    """Onto the clinic's waiting list, before those whom nobody asked for; the schedulers offer a time from there."""
    here, note = opened.here, _note(x, needed=True)
    if len(note) > REASON_MAX_CHARS:
        raise Invalid(N_("Say it in 500 characters or fewer."))
    await _sure(x, opened)
    kind = next((one for one in await kinds(here.session, here.facility_id) if one.id == x.form.get("kind")), None)
    if kind is None:
        raise Invalid(N_("Choose what kind of visit it is."))
    within = x.form.get("within", "")
    days = int(within) if within in WITHIN_DAYS else int(next(iter(WITHIN_DAYS)))
    event = Event("offered", here.now, here.who.name)
    place = await offers.asking(
        here.session, opened.patient_id, kind.id, here.now, by=here.who.reference, note=note, within_days=days
    )
    await _change(opened, lambda task: model.noted(task, event), place)
    return ""


async def _chart_note(x: Visit, opened: _Open) -> str:
    here = opened.here
    await _sure(x, opened)
    author = Author(here.who.name, here.facility_id, here.now.astimezone(x.zone).replace(microsecond=0).isoformat(),
                    x.reader.today)  # fmt: skip
    fields = {"type": "34748-4", "title": opened.thread.subject, "text": transcript(opened.thread, _note(x))}
    checked = WRITERS["notes"](fields, opened.patient_id, author)
    if checked.problems:
        raise Invalid(checked.problems[0].text)
    operations = [Operation("POST", one["resourceType"], resource=parse(dump(one))) for one in checked.resources]
    event = Event("noted", here.now, here.who.name)
    await _change(opened, lambda task: model.noted(task, event), *operations)
    return ""


def transcript(found: Thread, note: str) -> str:
    """A conversation as text for the chart, the newest words kept if it is too long."""
    parts = [f"{one.sent:%Y-%m-%d %H:%M} UTC, {one.sender}:\n{one.text}" for one in found.messages]
    whole = "\n\n".join(([note] if note else []) + parts)
    return whole if len(whole) <= TRANSCRIPT_MAX_CHARS else f"…{whole[-TRANSCRIPT_MAX_CHARS:]}"


async def file(x: Visit) -> Response:
    """A file of a message."""
    opened = await _open(x)
    found = await opened.here.session.read("Communication", safe(x.param("file_id")))
    return file_answer(body(found), opened.patient_id)


claim = _act(_claim, "act", "claimed")
begin = _act(_begin, "act", "begun")
answer = _act(_answer, "text", "answered")
triage = _act(_triage, "priority", "triaged")
hand_over = _act(_hand_over, "to", "handed")
close = _act(_close, "note-close", "closed")
ask_task = _act(_ask_task, "note-task", "tasked")
offer = _act(_offer, "note-offer", "offered")
chart_note = _act(_chart_note, "note-chart", "noted")

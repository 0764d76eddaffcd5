"""A person's messages: folders, conversations, writing, files."""

from base64 import b64decode
from typing import Any
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from continuum.apps.frame.visit import Visit
from continuum.apps.messages.correspondent import Correspondent, correspondent
from continuum.apps.messages.limits import SCAN_TIMEOUT_S
from continuum.apps.messages.shown import EVENTS, mark
from continuum.apps.portal.area import BASE
from continuum.apps.portal.whose import others
from continuum.apps.signon.marked import takes_files, unattended
from continuum.chart.entry import N_
from continuum.clinical.messaging import files, rules, workflows
from continuum.clinical.messaging.box import DRAFTS, INBOX, SENT, SYSTEM_FOLDERS, TRASH, Draft
from continuum.clinical.messaging.limits import (
    FILES_MAX,
    FILES_MAX_BYTES,
    SUBJECT_MAX_CHARS,
    TEXT_MAX_CHARS,
)
from continuum.clinical.messaging.model import CATEGORIES, FILE, KIND
from continuum.clinical.messaging.promises import promise
from continuum.clinical.messaging.reading import NO_THREAD, body, safe, thread_in
from continuum.clinical.messaging.rules import Team
from continuum.clinical.messaging.threads import Thread
from continuum.clinical.messaging.workflows import Letter, Sent
from continuum.kernel.errors import DomainError, NotFound
from continuum.kernel.ids import uuid7
from continuum.runtime.virus_scan import Scanner
from continuum.ui.people import Problem
from continuum.ui.render import PAGE_HEADERS
from continuum.ui.view import showing

_NOT_FIELDS = frozenset({"csrf", "id", "signature", "away"})
INFECTED = N_("A file carries a virus. It was not sent, and nothing of it is kept.")


async def first(x: Visit) -> Response:
    """Leads to the own inbox."""
    return x.go(f"{BASE}/messages/me")


def show(x: Visit, here: Correspondent, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page about somebody's messages."""
    return x.page(
        f"messages/{template}", status=status, here=here, categories=CATEGORIES, folder_names=SYSTEM_FOLDERS,
        mark=lambda thread: mark(thread, here.now), event_words=EVENTS, local_key=_local_key(x),
        **{"kept_ms": 0, **values},
    )  # fmt: skip


def _local_key(x: Visit) -> str:
    """The key of a copy on the person's own device: of this session alone, made anew for each page, kept nowhere."""
    return x.services.sign_on.vault.digest("message-copy", x.cookie("session")).hex()


async def inbox(x: Visit) -> Response:
    """The threads of a folder, or what a search finds in all of them."""
    here = await correspondent(x)
    folder, words = x.query.get("folder", INBOX), x.query.get("q", "").strip()
    found, filed = await here.threads(), await here.box.filed()
    own = await here.box.folders()
    if folder not in {*SYSTEM_FOLDERS, *own}:
        raise NotFound("There is no such folder.")
    seen = await here.box.seen([one.id for one in found])
    listed = [one for one in found if one.speaks_of(words)] if words else [
        one for one in found if _lies_in(one, folder, filed.get(one.id, ""))
    ]  # fmt: skip
    drafts = await here.box.drafts(here.patient_id)
    family = [one for one in await others(x) if one.why == "child"]
    return show(
        x, here, "inbox.html", folder=folder, own=own, listed=listed, drafts=drafts, q=words, family=family,
        unread={one.id for one in found if is_unread(one, seen)}, filed=filed,
    )  # fmt: skip


def is_unread(thread: Thread, seen: dict[str, int]) -> bool:
    """Whether the team wrote last and the person has not looked since."""
    return thread.last.by_staff and seen.get(thread.id, 0) < thread.last.sent.timestamp() * 1_000_000


def _lies_in(thread: Thread, folder: str, filed: str) -> bool:
    if folder == SENT:
        return filed != TRASH and not thread.last.by_staff
    return filed == folder if folder != INBOX else not filed


async def before(x: Visit) -> Response:
    """What is to be known before one writes: not in an emergency."""
    return show(x, await correspondent(x), "before.html")


async def thread(x: Visit) -> Response:
    """One conversation, what has happened since, and the form to write on."""
    here = await correspondent(x)
    _, found = await thread_in(here.session, here.patient_id, x.param("thread_id"))
    await here.box.read(found.id)
    drafts = await here.box.drafts(here.patient_id)
    draft = next((one for one in drafts if one.thread_id == found.id), None)
    fields = dict(draft.fields) if draft else {}
    draft_id, kept_ms = (draft.draft_id, draft.saved_us // 1000) if draft else (uuid7(), 0)
    return await _thread(x, here, found, draft_id, fields, kept_ms=kept_ms)


async def _thread(
    x: Visit, here: Correspondent, found: Thread, draft_id: str, fields: dict[str, str], *,
    problems: list[Problem] | None = None, status: int = 200, kept_ms: int = 0,
) -> Response:  # fmt: skip
    team = await _team(here, found)
    return show(
        x, here, "thread.html", thread=found, draft_id=draft_id, fields=fields, problems=problems or [], team=team,
        errors={one.field: one.text for one in problems or []}, own=await here.box.folders(), accept=files.ACCEPT,
        filed=(await here.box.filed()).get(found.id, INBOX), most=TEXT_MAX_CHARS, status=status, kept_ms=kept_ms,
    )  # fmt: skip


async def _team(here: Correspondent, found: Thread) -> Team:
    """The team of a thread; where it is closed, who stands in for it."""
    every = await here.all_teams()
    own = next((one for one in every if one.id == found.team), None) or await here.team(found.team)
    if own is not None and own.active:
        return own
    stands_in = next((one for one in every if one.stands_in and one.active), None)
    return stands_in or Team(found.team, found.team_name, here.facility_id, active=True)


@takes_files(FILES_MAX, FILES_MAX_BYTES)
async def reply(x: Visit) -> Response:
    """Writes on."""
    here = await correspondent(x)
    _, found = await thread_in(here.session, here.patient_id, x.param("thread_id"))
    team = await _team(here, found)
    letter, problems = await _letter(x, here, team, thread_id=found.id)
    if not problems:
        try:
            await workflows.write_on(here.session, letter, found, team, here.now, here.zone)
        except DomainError as refusal:
            if refusal.status not in {409, 422}:
                raise
            problems = [Problem("text", str(refusal))]
    if problems:
        return await _thread(x, here, found, letter.id, _fields(x), problems=problems, status=422)
    await here.box.throw_away(letter.id)
    return x.go(f"{here.base}/thread/{found.id}", done="sent")


@takes_files(FILES_MAX, FILES_MAX_BYTES)
async def new(x: Visit) -> Response:
    """A new message."""
    here = await correspondent(x)
    older = await here.older()
    if older is not None:
        return show(x, here, "older.html", older=older)
    teams = await here.teams()
    if x.request.method == "GET":
        if not x.query.get("read") and not x.query.get("draft"):
            return x.go(f"{here.base}/before")
        draft = await here.box.draft(x.query.get("draft", ""), here.patient_id)
        fields = dict(draft.fields) if draft else {"team": x.query.get("team", "")}
        return _form(x, here, teams, draft.draft_id if draft else uuid7(), fields, [], draft=draft)
    team = next((one for one in teams if one.id == x.form.get("team")), None)
    letter, problems = await _letter(x, here, team)
    if team is None:
        problems.insert(0, Problem("team", N_("Choose whom you write to.")))
    if problems or team is None:
        return _form(x, here, teams, letter.id, _fields(x), problems, status=422)
    thread_id = await workflows.send(here.session, letter, team, here.now, here.zone)
    await here.box.throw_away(letter.id)
    return x.go(f"{here.base}/thread/{thread_id}", done="sent")


def _form(
    x: Visit, here: Correspondent, teams: list[Team], draft_id: str, fields: dict[str, str],
    problems: list[Problem], *, draft: Draft | None = None, status: int = 200,
) -> Response:  # fmt: skip
    promises = {one.id: promise(here.now, here.zone, one.answer_days) for one in teams}
    return show(
        x, here, "new.html", teams=teams, draft_id=draft_id, fields=fields, problems=problems, draft=draft,
        errors={one.field: one.text for one in problems}, promises=promises, accept=files.ACCEPT,
        most=TEXT_MAX_CHARS, subject_most=SUBJECT_MAX_CHARS, status=status,
        kept_ms=draft.saved_us // 1000 if draft else 0,
    )  # fmt: skip


def _fields(x: Visit) -> dict[str, str]:
    return {name: value for name, value in x.form.items() if name not in _NOT_FIELDS and value}


async def _letter(
    x: Visit, here: Correspondent, team: Team | None, *, thread_id: str = ""
) -> tuple[Letter, list[Problem]]:
    """What the form says, and what stands against it. What was typed is kept whatever becomes of it."""
    first, said = not thread_id, x.form
    subject = " ".join(said.get("subject", "").split()) if first else ""
    category = said.get("category", "") if first else "general"
    text = said.get("text", "").replace("\r\n", "\n").strip()
    problems = rules.text_problems(subject, category, text, first=first)
    signature = " ".join(said.get("signature", "").split())
    if first and team is not None and team.signs:
        problem = rules.signature_problem(signature, here.who.name)
        problems += [problem] if problem else []
    looked_at, problem_of_files = await _files(x)
    problems += [Problem("files", problem_of_files)] if problem_of_files else []
    draft_id = safe(said.get("id", "") or uuid7())
    letter = Letter(
        draft_id, here.patient_id, here.who, text, subject, category if category in CATEGORIES else "general",
        signature if first and team is not None and team.signs else "", here.other is not None, looked_at,
    )  # fmt: skip
    if problems:
        await here.box.save(Draft(draft_id, here.patient_id, thread_id, _fields(x), 0, 0))
    return letter, problems


async def _files(x: Visit) -> tuple[list[Sent], str]:
    found, problem = files.looked_at(x.files)
    address = x.services.settings.clamav
    if problem or not address:
        return found, problem
    scanner = Scanner(address, SCAN_TIMEOUT_S)
    for one in found:
        try:
            if await scanner.found(one.content):
                return [], INFECTED
        except DomainError as refusal:
            return [], str(refusal)
    return found, ""


@unattended
async def keep_draft(x: Visit) -> Response:
    """Keeps what somebody types; files and a typed name are not kept."""
    here = await correspondent(x)
    draft_id = safe(x.param("draft_id"))
    if x.form.get("away"):
        await here.box.throw_away(draft_id)
        return x.go(f"{here.base}", folder=DRAFTS)
    thread_id = x.query.get("thread", "")
    if thread_id:
        await thread_in(here.session, here.patient_id, thread_id)
    revision = await here.box.save(Draft(draft_id, here.patient_id, thread_id, _fields(x), 0, 0))
    return PlainTextResponse("saved", headers={**PAGE_HEADERS, "X-Revision": str(revision)})


async def move(x: Visit) -> Response:
    """Moves a conversation to a folder."""
    here = await correspondent(x)
    _, found = await thread_in(here.session, here.patient_id, x.param("thread_id"))
    folder = x.form.get("folder", INBOX)
    await here.box.move(found.id, folder)
    return x.go(here.base, folder=folder, done="moved")


async def folders(x: Visit) -> Response:
    """Own folders: makes one, or removes an empty one."""
    here = await correspondent(x)
    problems = []
    if x.request.method == "POST":
        try:
            if x.form.get("remove"):
                await here.box.remove_folder(x.form["remove"])
                return x.go(f"{here.base}/folders", done="removed")
            name = await here.box.add_folder(x.form.get("name", ""))
            return x.go(here.base, folder=name, done="made")
        except DomainError as refusal:
            with showing(x.reader):
                problems = [Problem("name", str(refusal))]
    return show(
        x, here, "folders.html", own=await here.box.folders(), problems=problems,
        errors={one.field: one.text for one in problems}, name=x.form.get("name", ""),
        status=422 if problems else 200,
    )  # fmt: skip


async def file(x: Visit) -> Response:
    """A file of a message, to be saved."""
    here = await correspondent(x)
    await thread_in(here.session, here.patient_id, x.param("thread_id"))
    return file_answer(body(await here.session.read("Communication", safe(x.param("file_id")))), here.patient_id)


def file_answer(resource: dict[str, Any], patient_id: str) -> Response:
    """A file as a browser saves it; nothing of it is ever shown as a page of ours. Raises NotFound."""
    kinds = {coding.get("code") for one in resource.get("category", ()) for coding in one.get("coding", ())
             if coding.get("system") == KIND}  # fmt: skip
    attached = (one["contentAttachment"] for one in resource.get("payload", ()) if "contentAttachment" in one)
    said: dict[str, Any] = next(attached, {})
    if FILE not in kinds or resource["subject"].get("reference") != f"Patient/{patient_id}" or "data" not in said:
        raise NotFound(NO_THREAD)
    name = files.named(str(said.get("title", "file")))
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return Response(
        b64decode(said["data"]), media_type=str(said.get("contentType", "application/octet-stream")),
        headers={
            **PAGE_HEADERS, "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        },
    )  # fmt: skip

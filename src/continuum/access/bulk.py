"""Bulk jobs through the door: who may start, watch, fetch and stop them; each of these acts leaves its row.

A job keeps who asked and why, so that whatever works on it later opens the door for the same actor again. It is
open to that actor and to administrators; to everybody else it does not exist.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar
from urllib.parse import unquote

from continuum.access.actor import Actor
from continuum.access.audit import Context
from continuum.access.cutting import judge
from continuum.access.policy import Policy
from continuum.fhir.grammar import parse as parse_query
from continuum.fhir.json import parse as parse_json
from continuum.fhir.query import Query
from continuum.kernel.clock import Clock
from continuum.kernel.errors import Busy, Forbidden, NotFound, UnknownParameter
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import BULK_MEMBERS_MAX
from continuum.record import jobs, read
from continuum.record.export.selection import UNSTORED, Selection, made_ready
from continuum.record.jobs import File, Job, Progress
from continuum.record.keys import Keys
from continuum.record.read import Connection

T = TypeVar("T")
EXPORT, IMPORT = "export", "import"


class TooManyJobs(Busy):
    """The actor has as many bulk jobs under way as one may have."""

    status = 429


@dataclass(frozen=True, slots=True)
class Asked:
    """What an export or import asks, as it is kept with its job.

    level: system, patient, group; group: the Group's id. patients: ids of the only patients wanted. filters: (type,
    criteria). provenance: latest, relevant or "". inputs: (type, URL) of the files of an import. url: as the client
    asked, for the manifest. warnings: what was left out, in words.
    """

    url: str
    level: str = "system"
    group: str = ""
    patients: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    since_us: int | None = None
    elements: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    provenance: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    base: str = ""

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "Asked":
        """From JSON."""
        found: dict[str, Any] = json.loads(text)
        for name in ("patients", "types", "elements", "warnings"):
            found[name] = tuple(found[name])
        for name in ("filters", "inputs"):
            found[name] = tuple((first, second) for first, second in found[name])
        return cls(**found)

    def selection(self) -> Selection:
        """What the export reads.

        Raises:
            UnknownParameter, Malformed: a filter that is no search, or one that orders or adds.
        """
        filters: dict[str, tuple[Query, ...]] = {}
        for kind, criteria in self.filters:
            query = parse_query(kind, _pairs(criteria), lenient=False, base_url=self.base)
            if query.includes or query.sort or query.total or query.summary or query.cursor:
                raise UnknownParameter("_typeFilter takes criteria only: no _include, _sort, _total or _summary.")
            filters[kind] = (*filters.get(kind, ()), query)
        level = "group" if self.patients else self.level
        return Selection(level, self.types, self.since_us, filters, self.provenance)


def _pairs(criteria: str) -> list[tuple[str, str]]:
    """The criteria of a filter, which was decoded once already: a `+` in it is a plus sign by now."""
    pairs = [part.partition("=") for part in criteria.split("&") if part]
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


@dataclass(frozen=True, slots=True)
class Status:
    """A job, how far it is, the files that it has made, and whether somebody works on it at present."""

    job: Job
    asked: Asked
    progress: Progress
    files: tuple[File, ...]
    held: bool

    @property
    def completed(self) -> bool:
        """Whether its files are all there."""
        return self.job.state == jobs.COMPLETED

    @property
    def failed(self) -> bool:
        """Whether it ended without them."""
        return self.job.state == jobs.FAILED


Traced = Callable[..., Awaitable[Any]]


class Bulk:
    """The bulk jobs of one session."""

    def __init__(self, traced: Traced, policy: Policy, context: Context, keys: Keys, clock: Clock) -> None:
        self._traced = traced
        self._policy = policy
        self._context = context
        self._keys = keys
        self._clock = clock

    async def export(self, asked: Asked) -> Job:
        """Starts an export of what this session may see.

        Raises:
            NotFound, Gone: there is no such Group, or it may not be seen. UnknownParameter: a filter that is no search.
            TooManyJobs: the actor has enough of them under way.
        """

        async def work(conn: Connection) -> Job:
            for queries in asked.selection().filters.values():
                for query in queries:
                    judge(query, self._policy.visibility)
            # Told at once, and not when the export has begun: a value set that is not here, an index that is not ready.
            await made_ready(conn, asked.selection(), self._policy.visibility, self._keys)
            if asked.level == "group":
                await read.read(conn, "Group", asked.group, self._policy.visibility)
            return await self._start(conn, EXPORT, asked)

        unseen = [name for name in asked.types if self._policy.visibility.of(name).kind == "nothing"]
        unseen += [name for name in asked.types if name in UNSTORED and name not in unseen]
        hidden = tuple(f"{name} is not open to you by export; nothing of it is in this one." for name in unseen)
        asked = replace(asked, warnings=(*asked.warnings, *hidden))
        target = asked.group if asked.level == "group" else None
        kind = {"group": "Group", "patient": "Patient"}.get(asked.level)
        started: Job = await self._traced("export", work, kind, target, asked.url.partition("?")[2])
        return started

    async def import_(self, asked: Asked) -> Job:
        """Starts an import; only who may write everything may.

        Raises:
            Forbidden: this session may not. TooManyJobs: the actor has enough of them under way.
        """

        async def work(conn: Connection) -> Job:
            if not self._policy.unrestricted:
                raise Forbidden("An import writes into everybody's records; this role may not.")
            return await self._start(conn, IMPORT, asked)

        started: Job = await self._traced("import", work, None, None, " ".join(url for _, url in asked.inputs))
        return started

    async def status(self, job_id: str) -> Status:
        """A job as it stands. Raises NotFound."""

        async def work(conn: Connection) -> Status:
            job = await self._own(conn, job_id)
            done = await jobs.progress(conn, job_id)
            files = await jobs.files(conn, job_id) if job.ended is not None else []
            held = await jobs.held(conn, job_id, self._clock())
            return Status(job, Asked.read(job.asked), done, tuple(files), held)

        found: Status = await self._traced("bulkstatus", work, None, job_id)
        return found

    async def file(self, job_id: str, name: str) -> File:
        """A file of a completed job. Raises NotFound."""

        async def work(conn: Connection) -> File:
            job = await self._own(conn, job_id)
            if job.state == jobs.COMPLETED:
                for file in await jobs.files(conn, job_id):
                    if file.name == name:
                        return file
            raise NotFound(f"The job {job_id} has no file {name}.")

        found: File = await self._traced("bulkfile", work, None, f"{job_id}/{name}")
        return found

    async def cancel(self, job_id: str) -> None:
        """Removes a job; who works on it stops by itself. Raises NotFound."""

        async def work(conn: Connection) -> None:
            await self._own(conn, job_id)
            await jobs.remove(conn, job_id)

        await self._traced("bulkcancel", work, None, job_id)

    async def _start(self, conn: Connection, kind: str, asked: Asked) -> Job:
        now_us = self._clock()
        context = self._context
        job = Job(
            uuid7(), kind, jobs.ACCEPTED, asked.text(), json.dumps(asdict(context.actor)), context.actor.id,
            context.purpose, context.source, context.request_id, now_us, now_us,
        )  # fmt: skip
        if not await jobs.add(conn, job):
            raise TooManyJobs("You have too many exports and imports under way; wait for one to end, or stop one.")
        return job

    async def _own(self, conn: Connection, job_id: str) -> Job:
        job = await jobs.get(conn, job_id)
        if job is None or not (self._context.actor.role == "administrator" or self._same(job)):
            raise NotFound(f"There is no bulk job {job_id} here; finished ones are kept for a day.")
        return job

    def _same(self, job: Job) -> bool:
        mine = asdict(self._context.actor)
        theirs: dict[str, Any] = json.loads(job.actor)
        return all(mine[name] == theirs.get(name) for name in ("id", "role", "facility_id", "patient_id", "scopes"))


def actor_of(job: Job) -> Actor:
    """Who asked for a job."""
    return Actor(**json.loads(job.actor))


async def members_of(conn: Connection, asked: Asked, policy: Policy, keys: Keys) -> tuple[int, ...] | None:
    """The keys of the only patients that an export is about; None for all that may be seen.

    Raises:
        NotFound, Gone: the Group is no longer there, or may not be seen. UnknownParameter: it is too large.
    """
    wanted: set[str] = set()
    if asked.level == "group":
        group = await read.read(conn, "Group", asked.group, policy.visibility)
        for member in parse_json(group.body or b"").get("member", ()):
            kind, _, patient_id = str(member.get("entity", {}).get("reference", "")).rpartition("/")
            if kind.rpartition("/")[2] == "Patient" and patient_id and not member.get("inactive", False):
                wanted.add(patient_id)
        if asked.patients:
            wanted &= set(asked.patients)
    elif asked.patients:
        wanted = set(asked.patients)
    else:
        return None
    if len(wanted) > BULK_MEMBERS_MAX:
        raise UnknownParameter(f"An export of named patients takes at most {BULK_MEMBERS_MAX} of them.")
    return tuple(sorted(keys.self_key("Patient", patient_id) for patient_id in wanted))

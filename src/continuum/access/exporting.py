"""Working on an export for whoever asked for it: under their policy, with a trace that names whose data it holds."""

import asyncio
from dataclasses import replace
from pathlib import Path

from continuum.access.audit import FAILED, Auditor, Context
from continuum.access.bulk import Asked, actor_of, members_of
from continuum.access.cutting import judge, without
from continuum.access.policy import Policy, decide
from continuum.kernel.clock import Clock
from continuum.kernel.errors import Issue
from continuum.kernel.limits import BULK_AUDIT_PATIENTS, BULK_SETTLE_S, BULK_SETTLE_TIMEOUT_S, BULK_WAIT_S
from continuum.record import jobs
from continuum.record.export import plan
from continuum.record.export.files import Files
from continuum.record.export.read import CursorConnection, Show, outcome_line, read_part
from continuum.record.export.selection import made_ready
from continuum.record.export.statements import MEMBERS, Reading, note_named
from continuum.record.jobs import ERROR, File, Job
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.visibility import Visibility
from continuum.record.write import write_audits

APPLICATION_NAME = "continuum-bulk"
"""How the connections of bulk jobs call themselves to PostgreSQL."""


def policy_of(job: Job, keys: Keys) -> Policy:
    """The policy of whoever asked for a job, as it is now. Raises Forbidden."""
    return decide(actor_of(job), job.purpose, keys)


def keys_of(secret: bytes) -> Keys:
    """The keys of a database from its secret."""
    return Keys(secret)


async def find(conn: Connection, job_id: str, attempt: int) -> Job | None:
    """The job of which a process was told, unless it ended or is another's by now."""
    job = await jobs.get(conn, job_id)
    return job if job is not None and job.attempt == attempt and job.ended is None else None


async def work(
    conn: CursorConnection, job: Job, *, keys: Keys, folder: Path, mark: str, show: Show | None, clock: Clock
) -> bool:
    """Reads pieces of an export until none are left; several processes may do so at once.

    mark: tells this process and attempt from all others. False when the job was taken away or removed meanwhile.

    Raises:
        DomainError: the export cannot be done; the words say why.
    """
    policy = policy_of(job, keys)
    await conn.execute(f"SET continuum.wall = {policy.visibility.wall:d}")
    asked = Asked.read(job.asked)
    selection = asked.selection()
    for queries in selection.filters.values():
        for query in queries:
            judge(query, policy.visibility)
    job = await _settled(conn, job, clock)
    async with conn.transaction():
        planned = await jobs.lock(conn, job)
        if planned is None:
            return False
        if not planned:
            members = await members_of(conn, asked, policy, keys)
            parts = await plan.make(
                conn, job, selection, visibility=policy.visibility, keys=keys, members=members
            )  # fmt: skip
            await jobs.plan(conn, job, parts)
    reading = Reading(job, await made_ready(conn, selection, policy.visibility, keys), policy.visibility, keys)
    outside = selection.unfiled if selection.level == "group" else ()
    files = Files(folder, mark)
    try:
        while True:
            part = await jobs.take_part(conn, job)
            if part is None:
                left = await jobs.left(conn, job)
                if not left:
                    return left is not None
                await asyncio.sleep(BULK_WAIT_S)
                continue
            if part.kind == MEMBERS and outside:
                sql, values = note_named(reading, part, outside)
                await conn.execute(sql, *values)
            found = await read_part(conn, reading, part, files, show=_shown(show, policy.visibility))
            if not await jobs.settle_part(
                conn, job, part, resources=found.resources, written=files.settle(), patients=sorted(found.patients)
            ):
                return False
    finally:
        files.close()


def _shown(show: Show | None, visibility: Visibility) -> Show | None:
    """How a resource is exported: without what is hidden from whoever asked, and then as they asked."""
    if not visibility.hidden:
        return show

    def cut_first(kind: str, text: bytes) -> bytes:
        hidden = visibility.hidden.get(kind)
        text = text if hidden is None else without(text, hidden)
        return text if show is None else show(kind, text)

    return cut_first


async def _settled(conn: Connection, job: Job, clock: Clock) -> Job:
    """Waits for the transactions that may still commit something stamped before the export began.

    When one lasts too long, the export is about the time before it: whoever asks for what changed since then
    misses nothing.
    """
    wait_us = job.as_of + int(BULK_SETTLE_S * 1_000_000) - clock()
    if wait_us > 0:
        await asyncio.sleep(wait_us / 1_000_000)
    waited_s = 0.0
    number: int | None = None
    while True:
        # Sessions of other users show no times; then the numbers of transactions, which nobody hides, decide.
        row = await conn.fetchrow(
            "SELECT (extract(epoch FROM min(xact_start) FILTER (WHERE backend_type = 'client backend'"
            " AND state <> 'idle')) * 1000000)::bigint AS oldest, bool_or(query LIKE '<insufficient%') AS hidden,"
            " pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS running,"
            " pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next"
            " FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name <> $1 AND pid <> pg_backend_pid()",
            APPLICATION_NAME,
        )
        oldest, number = row["oldest"], number or row["next"]
        settled = oldest is None or oldest > job.as_of + int(BULK_SETTLE_S * 1_000_000)
        if settled and (not row["hidden"] or row["running"] >= number):
            break
        if waited_s >= BULK_SETTLE_TIMEOUT_S:
            as_of = (oldest or job.as_of - int(BULK_SETTLE_TIMEOUT_S * 1_000_000)) - 1_000_000
            await jobs.set_as_of(conn, job, as_of)
            break
        await asyncio.sleep(BULK_WAIT_S)
        waited_s += BULK_WAIT_S
    again = await jobs.get(conn, job.id)
    return job if again is None else replace(job, as_of=again.as_of)


async def finish(conn: Connection, job: Job, *, auditor: Auditor, folder: Path, clock: Clock) -> bool:
    """Ends an export whose pieces are all done: its trace and its end are one transaction.

    False when the job is no longer this one's.
    """
    asked = Asked.read(job.asked)
    context = context_of(job)
    async with conn.transaction():
        if await jobs.lock(conn, job) is None:
            return False
        if asked.warnings:
            text = b"".join(outcome_line(Issue("suppressed", words, severity="warning")) for words in asked.warnings)
            name = f"warnings-{job.attempt}.ndjson"
            await asyncio.to_thread((folder / name).write_bytes, text)
            await jobs.note_files(
                conn, job, [File(name, ERROR, "OperationOutcome", len(asked.warnings), len(text))]
            )  # fmt: skip
        people = await jobs.count_patients(conn, job)
        resources = (await jobs.progress(conn, job.id)).resources
        said = f"patients={people} resources={resources}"
        after = ""
        while True:
            named = await jobs.patients(conn, job, after, BULK_AUDIT_PATIENTS)
            if named or not after:
                row = auditor.row(context, "exported", target=job.id, patients=named, detail=said)
                await write_audits(conn, [row])
            if len(named) < BULK_AUDIT_PATIENTS:
                break
            after = named[-1]
        return await jobs.end(conn, job, jobs.COMPLETED, said, clock())


async def fail(conn: Connection, job: Job, words: str, *, auditor: Auditor, clock: Clock) -> None:
    """Ends a job that cannot be done; the words go to whoever asked."""
    row = auditor.row(context_of(job), f"{job.kind}ed", outcome=FAILED, target=job.id, detail=words)
    async with conn.transaction():
        if await jobs.end(conn, job, jobs.FAILED, words, clock()):
            await write_audits(conn, [row])


def context_of(job: Job) -> Context:
    """Who asked, why and from where, for the rows of what is done for them."""
    return Context(actor_of(job), job.purpose, job.source, job.request)

"""Bulk jobs as rows: who works on what, what is done, which files there are. A killed server finds them again.

A job is taken by a lease: whoever works on it says so every BULK_BEAT_S, and one of which nothing was heard for
BULK_LEASE_S may be taken over. Each taking is a new `attempt`; what an older attempt still writes is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from continuum.kernel.limits import BULK_ATTEMPTS_MAX, BULK_JOBS_MAX, BULK_LEASE_S
from continuum.record.read import Connection

ACCEPTED, RUNNING, COMPLETED, FAILED = "accepted", "running", "completed", "failed"
WAITS, TAKEN, DONE = 0, 1, 2
OUTPUT, DELETED, ERROR = "output", "deleted", "error"
"""The categories of files, as a manifest lists them."""

_COLUMNS = "id, kind, state, asked, actor, actor_id, purpose, source, request, created, as_of, attempt, ended, outcome"


@dataclass(frozen=True, slots=True)
class Job:
    """One job. asked, actor: JSON text. Instants are microseconds; as_of: nothing that changed later is in it."""

    id: str
    kind: str
    state: str
    asked: str
    actor: str
    actor_id: str
    purpose: str
    source: str
    request: str
    created: int
    as_of: int
    attempt: int = 0
    ended: int | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of an export; `kind` says which statement reads it, low and high bound its row ids."""

    number: int
    phase: int
    kind: str
    types: tuple[int, ...]
    low: int = 0
    high: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """One file of a job: its first `bytes` bytes hold `lines` lines."""

    name: str
    category: str
    type: str
    lines: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How many pieces of how many are done, and the resources in them."""

    done: int
    total: int
    resources: int


async def add(conn: Connection, job: Job) -> bool:
    """Notes a new job; False when the actor has BULK_JOBS_MAX under way."""
    row = await conn.fetchrow(
        f"INSERT INTO record.bulk_job ({_COLUMNS})"
        " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, NULL, NULL"
        " WHERE (SELECT count(*) FROM record.bulk_job WHERE ended IS NULL AND actor_id = $6) < $12::bigint"
        " RETURNING 1",
        job.id, job.kind, ACCEPTED, job.asked, job.actor, job.actor_id, job.purpose, job.source, job.request,
        job.created, job.as_of, BULK_JOBS_MAX,
    )  # fmt: skip
    return row is not None


async def get(conn: Connection, job_id: str) -> Job | None:
    """A job by its id."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM record.bulk_job WHERE id = $1", job_id)
    return None if row is None else Job(**dict(row))


async def held(conn: Connection, job_id: str, now_us: int) -> bool:
    """Whether somebody works on a job, as far as is known: of one whose server was killed, until its lease is over."""
    row = await conn.fetchrow(
        f"SELECT 1 FROM record.bulk_job WHERE id = $1 AND state = '{RUNNING}' AND beat >= $2::bigint - $3::bigint",
        job_id, now_us, int(BULK_LEASE_S * 1_000_000),
    )  # fmt: skip
    return row is not None


async def progress(conn: Connection, job_id: str) -> Progress:
    """How far an export is."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE state = 2) AS done, count(*) AS total,"
        " coalesce(sum(resources), 0)::bigint AS resources FROM record.bulk_part WHERE job = $1",
        job_id,
    )
    return Progress(row["done"], row["total"], row["resources"])


async def files(conn: Connection, job_id: str) -> list[File]:
    """The files of a job that hold anything."""
    rows = await conn.fetch(
        "SELECT name, category, type, lines, bytes FROM record.bulk_file WHERE job = $1 AND lines > 0"
        " ORDER BY category, type, name",
        job_id,
    )
    return [File(**dict(row)) for row in rows]


async def take(conn: Connection, now_us: int, *, imports: bool = True) -> Job | None:
    """Takes the oldest job that waits or was left; None when there is none. imports: whether it may be an import."""
    row = await conn.fetchrow(
        f"""
        UPDATE record.bulk_job SET state = '{RUNNING}', beat = $1, attempt = attempt + 1
        WHERE id = (
          SELECT id FROM record.bulk_job
          WHERE ended IS NULL AND (state = '{ACCEPTED}' OR beat < $1::bigint - $2::bigint)
            AND ($3::boolean OR kind <> 'import')
          ORDER BY created, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING {_COLUMNS}
        """,
        now_us,
        int(BULK_LEASE_S * 1_000_000),
        imports,
    )
    if row is None:
        return None
    await conn.execute(f"UPDATE record.bulk_part SET state = {WAITS} WHERE job = $1 AND state = {TAKEN}", row["id"])
    return Job(**dict(row))


async def beat(conn: Connection, job: Job, now_us: int) -> bool:
    """Says that somebody works on a job; False when it is no longer this one's to work on."""
    row = await conn.fetchrow(
        "UPDATE record.bulk_job SET beat = $3 WHERE id = $1 AND attempt = $2 AND ended IS NULL RETURNING 1",
        job.id, job.attempt, now_us,
    )  # fmt: skip
    return row is not None


async def leave(conn: Connection, job: Job) -> None:
    """Gives a job back, so that the next who looks takes it at once."""
    await conn.execute(
        f"UPDATE record.bulk_job SET state = '{ACCEPTED}' WHERE id = $1 AND attempt = $2 AND ended IS NULL",
        job.id, job.attempt,
    )  # fmt: skip


def worn_out(job: Job) -> bool:
    """Whether it was begun so often that it is better called failed."""
    return job.attempt > BULK_ATTEMPTS_MAX


async def begin_again(conn: Connection, job: Job) -> None:
    """Forgets what was done: its files are lost."""
    for table in ("bulk_part", "bulk_file", "bulk_member", "bulk_named", "bulk_patient"):
        await conn.execute(f"DELETE FROM record.{table} WHERE job = $1", job.id)
    await conn.execute("UPDATE record.bulk_job SET planned = false WHERE id = $1", job.id)


async def lock(conn: Connection, job: Job) -> bool | None:
    """Locks the job until the transaction ends; whether it is planned, or None when it is another's by now."""
    row = await conn.fetchrow(
        "SELECT planned FROM record.bulk_job WHERE id = $1 AND attempt = $2 AND ended IS NULL FOR UPDATE",
        job.id, job.attempt,
    )  # fmt: skip
    return None if row is None else bool(row["planned"])


async def plan(conn: Connection, job: Job, parts: Sequence[Part]) -> None:
    """Notes the pieces of an export, within the transaction of `lock`."""
    for part in parts:
        await conn.execute(
            "INSERT INTO record.bulk_part (job, number, phase, kind, types, low, high)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            job.id, part.number, part.phase, part.kind, list(part.types), part.low, part.high,
        )  # fmt: skip
    await conn.execute("UPDATE record.bulk_job SET planned = true WHERE id = $1", job.id)


async def set_as_of(conn: Connection, job: Job, as_of_us: int) -> None:
    """An export that could not wait for an older transaction is about the time before it."""
    await conn.execute("UPDATE record.bulk_job SET as_of = $2 WHERE id = $1", job.id, as_of_us)


async def take_part(conn: Connection, job: Job) -> Part | None:
    """A piece that waits and whose earlier phases are done; None when there is none at present."""
    row = await conn.fetchrow(
        f"""
        UPDATE record.bulk_part p SET state = {TAKEN}
        WHERE p.job = $1 AND p.number = (
          SELECT w.number FROM record.bulk_part w
          WHERE w.job = $1 AND w.state = {WAITS} AND NOT EXISTS (
            SELECT 1 FROM record.bulk_part e WHERE e.job = $1 AND e.phase < w.phase AND e.state <> {DONE})
          ORDER BY w.phase, w.number LIMIT 1 FOR UPDATE SKIP LOCKED)
        AND EXISTS (SELECT 1 FROM record.bulk_job j WHERE j.id = $1 AND j.attempt = $2 AND j.ended IS NULL)
        RETURNING p.number, p.phase, p.kind, p.types, p.low, p.high
        """,
        job.id,
        job.attempt,
    )
    if row is None:
        return None
    return Part(row["number"], row["phase"], row["kind"], tuple(row["types"]), row["low"], row["high"])


async def left(conn: Connection, job: Job) -> int | None:
    """How many pieces are not done; None when the job is no longer this one's."""
    row = await conn.fetchrow(
        f"SELECT (SELECT count(*) FROM record.bulk_part p WHERE p.job = j.id AND p.state <> {DONE}) AS pieces"
        " FROM record.bulk_job j WHERE j.id = $1 AND j.attempt = $2 AND j.ended IS NULL",
        job.id, job.attempt,
    )  # fmt: skip
    return None if row is None else int(row["pieces"])


async def settle_part(
    conn: Connection, job: Job, part: Part, *, resources: int, written: Sequence[File], patients: Sequence[str]
) -> bool:
    """Notes a piece as done with the files as they stand and whose data they hold; False when the job is another's."""
    async with conn.transaction():
        if await lock_shared(conn, job) is None:
            return False
        await note_files(conn, job, written)
        if patients:
            await conn.execute(
                "INSERT INTO record.bulk_patient SELECT $1, p FROM unnest($2::text[]) p ON CONFLICT DO NOTHING",
                job.id,
                sorted(patients),
            )
        await conn.execute(
            f"UPDATE record.bulk_part SET state = {DONE}, resources = $3 WHERE job = $1 AND number = $2",
            job.id, part.number, resources,
        )  # fmt: skip
    return True


async def lock_shared(conn: Connection, job: Job) -> Any:
    """Keeps a job from being taken over until the transaction ends; None when it is another's already."""
    return await conn.fetchrow(
        "SELECT 1 FROM record.bulk_job WHERE id = $1 AND attempt = $2 AND ended IS NULL FOR SHARE",
        job.id, job.attempt,
    )  # fmt: skip


async def note_files(conn: Connection, job: Job, written: Sequence[File]) -> None:
    """What the files of a job hold by now."""
    for file in written:
        await conn.execute(
            "INSERT INTO record.bulk_file (job, name, category, type, lines, bytes) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (job, name) DO UPDATE SET lines = excluded.lines, bytes = excluded.bytes",
            job.id, file.name, file.category, file.type, file.lines, file.bytes,
        )  # fmt: skip


async def patients(conn: Connection, job: Job, after: str, limit: int) -> list[str]:
    """Whose data an export holds, in order."""
    rows = await conn.fetch(
        "SELECT patient_id FROM record.bulk_patient WHERE job = $1 AND patient_id > $2 ORDER BY 1 LIMIT $3",
        job.id, after, limit,
    )  # fmt: skip
    return [row["patient_id"] for row in rows]


async def count_patients(conn: Connection, job: Job) -> int:
    """How many people's data an export holds."""
    row = await conn.fetchrow("SELECT count(*) AS n FROM record.bulk_patient WHERE job = $1", job.id)
    return int(row["n"])


async def end(conn: Connection, job: Job, state: str, outcome: str | None, now_us: int) -> bool:
    """Ends a job; False when it is no longer this one's. What it needed while it ran is removed."""
    row = await conn.fetchrow(
        "UPDATE record.bulk_job SET state = $3, outcome = $4, ended = $5"
        " WHERE id = $1 AND attempt = $2 AND ended IS NULL RETURNING 1",
        job.id, job.attempt, state, outcome, now_us,
    )  # fmt: skip
    if row is None:
        return False
    for table in ("bulk_member", "bulk_named", "bulk_patient"):
        await conn.execute(f"DELETE FROM record.{table} WHERE job = $1", job.id)
    return True


async def remove(conn: Connection, job_id: str) -> bool:
    """Removes a job, whether it runs or has ended."""
    row = await conn.fetchrow("DELETE FROM record.bulk_job WHERE id = $1 RETURNING 1", job_id)
    return row is not None


async def expire(conn: Connection, before_us: int) -> list[str]:
    """Removes the jobs that ended before an instant; their ids."""
    rows = await conn.fetch("DELETE FROM record.bulk_job WHERE ended < $1 RETURNING id", before_us)
    return [row["id"] for row in rows]


async def known(conn: Connection, job_ids: Sequence[str]) -> set[str]:
    """Which of these jobs there are."""
    rows = await conn.fetch("SELECT id FROM record.bulk_job WHERE id = ANY($1::text[])", list(job_ids))
    return {row["id"] for row in rows}

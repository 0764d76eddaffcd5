"""What `continuum doctor` looks at above the runtime: the audit trail, the search index, that messages have owners."""

from collections.abc import AsyncIterator

import asyncpg

from continuum.access.checkpoint import Head, Signer
from continuum.access.reindexing import left, waiting
from continuum.access.verification import Report, Verification
from continuum.kernel.clock import instant
from continuum.kernel.limits import DOCTOR_CHECKPOINTS_MAX, SEAL_LAG_MAX_S
from continuum.runtime import secrets
from continuum.runtime.doctor import Finding
from continuum.runtime.postgres import Server
from continuum.runtime.settings import Settings

_COMMAND = "continuum audit verify"
MESSAGES_LAG_MAX_S = 600
"""How long ago the check of messages may have run."""


async def trail(settings: Settings, server: Server) -> AsyncIterator[Finding]:
    """Whether the newest part of the audit trail is as it was written, and whether it is being sealed."""
    conn = await asyncpg.connect(**server.app.connect)
    try:
        if not await conn.fetchval("SELECT to_regclass('record.audit_checkpoint') IS NOT NULL"):
            return  # the schema check has said that migrations are waiting
        known = secrets.load(settings.data)
        checker = Signer(known.checkpoint, secrets.former(settings.data, "checkpoint")).checker
        verification = Verification(
            conn, known.audit, checker, Head(settings.audit, checker), former=secrets.former(settings.data, "audit")
        )  # fmt: skip
        report = await verification.run(newest=DOCTOR_CHECKPOINTS_MAX)
    finally:
        await conn.close()
    yield _untouched(report)
    damaged = sorted(path.name for path in settings.audit.glob("damaged-*"))
    if damaged:
        words = f"Traces of an outage were harmed: {' '.join(damaged)} in {settings.audit}."
        yield Finding("audit spill", "wrong", words, "Find out by whom or what, then move the files to a safe place.")
    if report.waiting_us > SEAL_LAG_MAX_S * 1_000_000:
        words = f"{report.unsealed} rows wait for their checkpoint, over {report.waiting_us / 6e7:.0f} minutes."
        yield Finding("audit sealing", "warning", words, "See the log of `continuum serve` for audit_not_sealed.")


async def index(_: Settings, server: Server) -> AsyncIterator[Finding]:
    """Whether everything is indexed by this release's rules."""
    conn = await asyncpg.connect(**server.app.connect)
    try:
        if not await conn.fetchval("SELECT to_regclass('record.index_state') IS NOT NULL"):
            return
        found, unbegun = await left(conn), await waiting(conn)
    finally:
        await conn.close()
    for name in unbegun:
        words = f"{name} is to be indexed again by this release's rules. Searches by what is new in it wait."
        yield Finding("search index", "warning", words, "Start `continuum serve`: it does it beside all other work.")
    for one in found:
        done = "nothing yet" if one.total is None else f"{one.done} of about {one.total}"
        when = "not yet" if one.moved_us is None else instant(one.moved_us)
        words = (
            f"{one.resource_type} is being indexed again since {instant(one.began_us)}: {one.percent} %"
            f" ({done}; last step: {when}). Searches by what is new in it wait."
        )
        yield Finding("search index", "warning", words, "`continuum serve` does it; let it run.")
    if not found and not unbegun:
        yield Finding("search index", "ok", "No type is being indexed again.")


def _untouched(report: Report) -> Finding:
    if report.found:
        words = f"{report.problems[0]} ({report.found} problems in all)"
        return Finding("audit", "wrong", words, _COMMAND)
    until = "nothing is sealed yet" if report.sealed_us is None else f"sealed to {instant(report.sealed_us)}"
    return Finding("audit", "ok", f"The newest {report.rows} rows are as they were written; {until}.")


async def messages(settings: Settings, server: Server) -> AsyncIterator[Finding]:
    """What the continuous check of messages found last, and whether it runs."""
    conn = await asyncpg.connect(**server.app.connect)
    try:
        if not await conn.fetchval("SELECT to_regclass('messages.checked') IS NOT NULL"):
            return  # the schema check has said that migrations are waiting
        row = await conn.fetchrow("SELECT * FROM messages.checked")
        now = int(await conn.fetchval("SELECT (extract(epoch FROM now()) * 1000000)::bigint"))
    finally:
        await conn.close()
    if row is None:
        yield Finding("messages", "ok", "The check of messages has not run yet; it does while the server runs.")
        return
    when, where = instant(row["checked_us"]), f"`continuum serve` in {settings.data}"
    if row["failed"]:
        words = f"{row['failed']} messages have nobody who owes the answer and could not be given anybody ({when})."
        yield Finding("messages", "wrong", words, f"See messages.mended in the log of {where}.")
    elif now - row["checked_us"] > MESSAGES_LAG_MAX_S * 1_000_000:
        yield Finding("messages", "warning", f"Messages were checked last at {when}.", f"Start {where}.")
    else:
        words = f"Every message has an owner ({row['threads']} threads and {row['tasks']} open ones, {when})."
        yield Finding("messages", "ok", words)
    if row["overdue"]:
        words = f"{row['overdue']} answers are later than promised."
        yield Finding("messages promised", "warning", words, "They have risen by rule; see Messages in the workspace.")


async def everything(settings: Settings, server: Server) -> AsyncIterator[Finding]:
    """All of the above, one after the other."""
    for look in (trail, index, messages):
        async for finding in look(settings, server):
            yield finding

"""An import that was asked for over REST: the files are fetched and loaded as `continuum import` loads them."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg

from continuum.access import exporting
from continuum.access.bulk import Asked
from continuum.apps.admin.importing.run import Report, run
from continuum.apps.admin.importing.sources import files
from continuum.apps.admin.importing.work import Target
from continuum.kernel.errors import Forbidden, Issue
from continuum.record import jobs
from continuum.record.export.read import outcome_line
from continuum.record.jobs import ERROR, OUTPUT, File, Job
from continuum.runtime.postgres.address import Address
from continuum.runtime.sources import Allowed, fetch


async def load(conn: asyncpg.Connection, job: Job, told: dict[str, Any]) -> str:
    """Works on an import job; returns what it did in a few words. told: the orders of the process.

    Raises:
        Forbidden: whoever asked may no longer. CannotFetch: a file cannot be had.
    """
    keys = exporting.keys_of(bytes.fromhex(told["record_secret"]))
    if not exporting.policy_of(job, keys).unrestricted:
        raise Forbidden("An import writes into everybody's records; this role may not.")
    asked = Asked.read(job.asked)
    folder = Path(told["folder"])
    fetched = await asyncio.to_thread(_fetch_all, asked, folder / "inputs", Allowed.read(told["sources"]))
    target = Target(
        Address.from_url(told["database"]).connect, None, bytes.fromhex(told["record_secret"]),
        bytes.fromhex(told["audit_secret"]), exporting.context_of(job),
    )  # fmt: skip
    rejects = folder / "rejects.ndjson"
    report = await run(
        files(folder / "inputs"), target, workers=told["processes"], rejects=rejects, progress=lambda _, __: None
    )
    said = (
        f"{report.written} written, {report.updated} updated, {report.equal + report.passed_over} there already,"
        f" {report.rejected} refused"
    )
    summary = outcome_line(Issue("informational", f"{said}.", severity="information"))
    lines = [outcome_line(issue) for issue in _issues(report, rejects, fetched)]
    noted = [_write(folder, "summary.ndjson", OUTPUT, [summary])]
    if lines:
        noted.append(_write(folder, "errors.ndjson", ERROR, lines))
    await jobs.note_files(conn, job, noted)
    await asyncio.to_thread(shutil.rmtree, folder / "inputs")
    return said


def _fetch_all(asked: Asked, folder: Path, allowed: Allowed) -> dict[str, str]:
    """Gets all files; the URL of each by its path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    found = {}
    for number, (kind, url) in enumerate(asked.inputs):
        found[str(fetch(url, folder / f"{kind}.{number:03d}.ndjson", allowed))] = url
    return found


def _issues(report: Report, rejects: Path, fetched: dict[str, str]) -> Iterator[Issue]:
    """Every resource that was refused, every line that was not read, every reference to nothing."""
    with rejects.open(encoding="utf-8") as listed:
        for line in listed:
            reject = json.loads(line)
            place = f"{fetched.get(reject['file'], 'a file')}, line {reject['line']}"
            at = (reject["location"],) if reject["location"] else ()
            yield Issue("invalid", f"{place}: {reject['reason']}", at)
    for source, target in report.dangling:
        yield Issue("not-found", f"{source} refers to {target}, which is not in the record.", severity="warning")


def _write(folder: Path, name: str, category: str, lines: list[bytes]) -> File:
    text = b"".join(lines)
    (folder / name).write_bytes(text)
    return File(name, category, "OperationOutcome", len(lines), len(text))

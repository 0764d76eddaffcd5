"""`continuum cutover`: the data of an older portal, brought in, rehearsed and given back."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from continuum.access import Access, Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.claims import Claims
from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.interop.cutover.exporting import facility_lines
from continuum.interop.cutover.form import Content, read
from continuum.interop.cutover.incoming import Incoming, Run
from continuum.interop.cutover.limits import FILE_MAX_BYTES
from continuum.interop.cutover.report import Report
from continuum.interop.cutover.status import Facility
from continuum.interop.cutover.waves import facilities
from continuum.kernel.clock import now_us
from continuum.kernel.errors import NotFound
from continuum.runtime import postgres, secrets
from continuum.runtime.migrate import migrate
from continuum.runtime.pool import Pool
from continuum.runtime.settings import Settings

_WORDS = {
    "people": "people", "matched": "matched", "unmatched": "not matched", "new": "new", "changed": "changed",
    "equal": "equal", "clashes": "clashes", "rejected": "rejected", "without_time": "without a time in a calendar",
}  # fmt: skip


@click.group("cutover")
def command() -> None:
    r"""Carry appointments and conversations between Continuum and an older portal.

    The file form is described in docs/reference/cutover-file.md.

    \b
    Examples:
      continuum cutover rehearse pinewater-hospital older.ndjson
      continuum cutover import pinewater-hospital older.ndjson
      continuum cutover export pinewater-hospital --out ours.ndjson
    """


@command.command("import")
@click.argument("facility")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@setting("data")
@setting("database_url")
def import_(facility: str, source: Path, data: str | None, database_url: str | None) -> None:
    r"""Bring in the file SOURCE of the older portal of FACILITY (its id or its identifier).

    The same file again changes nothing. Rows that cannot be taken are listed with line and reason; people who are
    not known wait on the facility's page until somebody says who they are. The exit code is 1 if anything was not
    clean.

    \b
    Examples:
      continuum cutover import pinewater-hospital older.ndjson
    """
    _tell(_take(facility, source, data, database_url, write=True))


@command.command("rehearse")
@click.argument("facility")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@setting("data")
@setting("database_url")
def rehearse(facility: str, source: Path, data: str | None, database_url: str | None) -> None:
    r"""Decide everything as an import would, and write nothing but the report.

    \b
    Examples:
      continuum cutover rehearse pinewater-hospital older.ndjson
    """
    _tell(_take(facility, source, data, database_url, write=False))


@command.command("export")
@click.argument("facility")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@setting("data")
@setting("database_url")
@asynchronous
async def export(facility: str, out: Path, data: str | None, database_url: str | None) -> None:
    r"""Write what travels of everybody whose care is at FACILITY (its id or its identifier).

    \b
    Examples:
      continuum cutover export pinewater-hospital --out ours.ndjson
    """
    async with _opened(data, database_url) as (session, _, now):
        one = await _facility(session, facility, now)
        rows = 0
        making = out.with_name(f"{out.name}.part")
        with making.open("wb") as file:
            async for line in facility_lines(session, one, now):
                rows += file.write(line) > 0
    os.replace(making, out)  # noqa: PTH105  what blocks here ends the program
    click.echo(f"{rows - 2} rows of {one.name} are in {out}.")


def _take(facility: str, source: Path, data: str | None, database_url: str | None, *, write: bool) -> Report:
    with source.open("rb") as file:
        content = read(file.read(FILE_MAX_BYTES + 1), most_bytes=FILE_MAX_BYTES)
    report: Report = _taken(facility, content, source.name, data, database_url, write=write)
    return report


@asynchronous
async def _taken(
    facility: str, content: Content, name: str, data: str | None, database_url: str | None, *, write: bool
) -> Report:
    async with _opened(data, database_url) as (session, access, now):
        one = await _facility(session, facility, now)
        incoming = Incoming(session, Claims(access), one, now)
        return await incoming.take(content, Run("", name, write=write, given={}))


@asynccontextmanager
async def _opened(data: str | None, database_url: str | None) -> AsyncIterator[tuple[Session, Access, datetime]]:
    settings = Settings.load(data=data, database_url=database_url)
    known = secrets.load(settings.data)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        async with Pool.open(server.app.dsn, size=2) as pool:
            access = Access(pool.connection, key_secret=known.record, audit_secret=known.audit)
            session = access.open(
                Actor("command-line", "administrator", "The command line"), USUAL_PURPOSE["administrator"],
                source="command line", request_id=f"cutover-{uuid4()}",
            )  # fmt: skip
            yield session, access, datetime.fromtimestamp(now_us() / 1_000_000, UTC)


async def _facility(session: Session, name: str, now: datetime) -> Facility:
    for one in await facilities(session, now):
        if name == one.id or name in {str(said.get("value")) for said in one.resource.get("identifier", ())}:
            return one
    raise NotFound(f"There is no facility {name}; give its id or its identifier.")


def _tell(report: Report) -> None:
    done = "Brought in" if report.kind == "import" else "Rehearsed; nothing was changed"
    click.echo(f"{done}: " + ", ".join(f"{report.counts[name]} {words}" for name, words in _WORDS.items()) + ".")
    for one in report.rejects:
        click.echo(f"line {one.line}: {one.reason}", err=True)
    for key, reason in report.clashes:
        click.echo(f"{key}: {reason}", err=True)
    if not report.clean:
        sys.exit(1)

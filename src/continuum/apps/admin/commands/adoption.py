"""`continuum adoption`: printed pieces for a facility's people."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import click

from continuum.access import Access, Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.adoption.facilities import chosen, described, known
from continuum.adoption.pieces import LANGUAGES, PIECES, Facility, made
from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.kernel.ids import uuid7
from continuum.runtime import postgres, secrets
from continuum.runtime.migrate import migrate
from continuum.runtime.pool import Pool
from continuum.runtime.settings import Settings

_PURPOSES = {"office": False, "printer": True}


@click.group("adoption")
def command() -> None:
    """Make fact sheets, brochures, postcards and posters for a facility.

    \b
    Examples:
      continuum adoption facilities
      continuum adoption make --facility "Naval Hospital" --portal https://ehr.example.org/portal --day 2027-01-04
    """  # noqa: D301  click's mark for a block that keeps its lines


@asynccontextmanager
async def _session(data: str | None, database_url: str | None) -> AsyncIterator[Session]:
    settings = Settings.load(data=data, database_url=database_url)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        keys = secrets.load(settings.data)
        async with Pool.open(server.app.dsn, size=2) as pool:
            door = Access(pool.connection, key_secret=keys.record, audit_secret=keys.audit)
            actor = Actor("continuum adoption", "system")
            yield door.open(actor, USUAL_PURPOSE["system"], source="command line", request_id=uuid7())


@command.command("facilities")
@setting("data")
@setting("database_url")
@asynchronous
async def facilities(data: str | None, database_url: str | None) -> None:
    """List the facilities for which pieces can be made: id and name.

    \b
    Examples:
      continuum adoption facilities
    """  # noqa: D301  click's mark for a block that keeps its lines
    async with _session(data, database_url) as session:
        for one in await known(session):
            click.echo(f"{one['id']}  {one.get('name', '')}")


@command.command("make")
@click.option("--facility", required=True, help="The id of an Organization, its name, or how its name begins.")
@click.option("--portal", required=True, help="The address of the portal, as in https://ehr.example.org/portal.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="From when on it works with Continuum.")
@click.option(
    "--language", type=click.Choice([*LANGUAGES, "all"]), default="all", show_default=True, help="In which language."
)
@click.option("--piece", "pieces", type=click.Choice(list(PIECES)), multiple=True, help="Only this one; else all.")
@click.option(
    "--for", "purpose", type=click.Choice(list(_PURPOSES)), default="office", show_default=True,
    help="For a printer there are bleed and cut marks around.",
)  # fmt: skip
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), default=Path("leaflets"), show_default=True,
    help="The folder to write into.",
)  # fmt: skip
@setting("data")
@setting("database_url")
@asynchronous
async def make(
    facility: str, portal: str, day: datetime, language: str, pieces: tuple[str, ...], purpose: str, to: Path,
    data: str | None, database_url: str | None,
) -> None:  # fmt: skip
    """Write pieces as PDF, one file each.

    \b
    Examples:
      continuum adoption make --facility "Naval Hospital" --portal https://ehr.example.org/portal --day 2027-01-04
      continuum adoption make --facility org-1 --portal https://ehr.example.org/portal --day 2027-01-04 \\
        --piece portal-poster --language es --for printer --to print
    """  # noqa: D301  click's mark for a block that keeps its lines
    if not re.match(r"https?://[^/\s]+", portal):
        raise click.UsageError(f"--portal {portal} must be an address that begins with https://.")
    async with _session(data, database_url) as session:
        found = described(await chosen(session, facility), portal, day.date())
    _write(found, pieces or tuple(PIECES), tuple(LANGUAGES) if language == "all" else (language,), purpose, to)


def _write(found: Facility, pieces: tuple[str, ...], languages: tuple[str, ...], purpose: str, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for name in languages:
        for key in pieces:
            path = to / f"{key}-{name}{'-printer' if _PURPOSES[purpose] else ''}.pdf"
            path.write_bytes(made(PIECES[key], found, name, printer=_PURPOSES[purpose]))
            click.echo(path)

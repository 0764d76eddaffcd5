"""`continuum migrate`."""

import click

from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.runtime import postgres
from continuum.runtime.migrate import migrate
from continuum.runtime.settings import Settings


@click.command()
@setting("data")
@setting("database_url")
@click.option(
    "--phase",
    type=click.Choice(["pre", "post"]),
    default="post",
    show_default=True,
    help="pre: only what must be done before this release serves. post: everything.",
)
@asynchronous
async def command(data: str | None, database_url: str | None, phase: str) -> None:
    """Bring the database to this release's schema.

    Safe to stop at any moment and to run again; does nothing when there is nothing to do.

    \b
    Examples:
      continuum migrate                 everything, with no server running
      continuum migrate --phase pre     before the new release serves
      continuum migrate --phase post    when no server of the old release runs any more
    """  # noqa: D301  click's mark for a block that keeps its lines
    settings = Settings.load(data=data, database_url=database_url)
    async with postgres.open(settings) as server:
        click.echo(f"Using {server.described}.")
        applied = await migrate(
            server.owner, phase="pre" if phase == "pre" else "post", progress=lambda label: click.echo(f"  {label}")
        )
    click.echo(f"Done: {len(applied)} applied." if applied else "Nothing to do: the database is up to date.")

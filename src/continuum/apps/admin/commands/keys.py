"""`continuum keys`: the secret keys of an installation, replaced."""

import asyncpg
import click

from continuum.access.spill import Spill
from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.kernel.errors import Conflict
from continuum.runtime import postgres, secrets
from continuum.runtime.settings import Settings

_REACHED = {
    "audit": "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM record.audit_seq_seq",
    "checkpoint": "SELECT coalesce(max(number), 0) FROM record.audit_checkpoint",
}
"""Up to which number the present key was used, for keys whose work is checked later."""
REPLACED = (*_REACHED, "token")


@click.group("keys")
def command() -> None:
    """Replace the secret keys of an installation.

    \b
    Examples:
      continuum keys replace audit
      continuum keys replace token
    """  # noqa: D301  click's mark for a block that keeps its lines


@command.command("replace")
@click.argument("name", type=click.Choice(REPLACED))
@setting("data")
@setting("database_url")
@click.option("--lost", is_flag=True, help="The key of before was lost: the present one is not it.")
@asynchronous
async def replace(name: str, data: str | None, database_url: str | None, *, lost: bool) -> None:
    """Put a new key in the place of one; stop the server first, and take a backup afterwards.

    audit seals the rows of the trail, checkpoint signs over them: the old key is kept beside the new one, for the rows
    up to now. token signs access tokens: all that were given out are void.

    \b
    Examples:
      continuum keys replace audit
      continuum keys replace checkpoint --lost
    """  # noqa: D301  click's mark for a block that keeps its lines
    settings = Settings.load(data=data, database_url=database_url)
    known = secrets.load(settings.data)
    _nobody_works(settings, known.audit)
    until = None
    if name in _REACHED:
        async with postgres.open(settings) as server:
            conn = await asyncpg.connect(**server.app.connect)
            try:
                until = int(await conn.fetchval(_REACHED[name]))
            finally:
                await conn.close()
    try:
        secrets.replace(settings.data, name, until=until, lost=lost)
    except FileExistsError:
        raise Conflict(f"keys/{name} was replaced already, and nothing was done with the new one yet.") from None
    kept = "" if until is None else f" What was done until now is checked with keys/{name}.until-{until}: keep it."
    click.echo(f"keys/{name} is new.{kept} Take a backup now.")


def _nobody_works(settings: Settings, audit_key: bytes) -> None:
    """Raises Conflict while a server runs, or left rows that are not in the trail yet."""
    if Spill.anybody(settings.audit):
        raise Conflict("A server is running on this data folder. Stop it first.")
    for _ in Spill.abandoned(settings.audit, audit_key):
        raise Conflict("Rows of an outage wait to be brought into the trail. Start the server once, and stop it.")

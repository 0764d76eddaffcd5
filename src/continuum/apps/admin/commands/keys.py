"""`continuum keys`: the secret keys of an installation, replaced."""

import asyncpg
import click

from continuum.access.audit import Auditor
from continuum.access.sign_ons import tracer
from continuum.access.spill import Spill
from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.chart.desk import SEALED as CHART_DRAFTS
from continuum.chart.listing import SEALED as LISTS
from continuum.clinical.messaging.box import SEALED as MESSAGE_DRAFTS
from continuum.identity.acts import Act, Origin
from continuum.identity.resealing import OWN, reseal
from continuum.identity.vault import SealBroken, Vault
from continuum.kernel.clock import now_us
from continuum.kernel.errors import Conflict
from continuum.runtime import postgres, secrets
from continuum.runtime.migrate import migrate
from continuum.runtime.pool import Pool
from continuum.runtime.secrets import Secrets
from continuum.runtime.settings import Settings

SEALED = (*OWN, CHART_DRAFTS, LISTS, MESSAGE_DRAFTS)
"""Everything that keys/identity seals."""

_REACHED = {
    "audit": "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM record.audit_seq_seq",
    "checkpoint": "SELECT coalesce(max(number), 0) FROM record.audit_checkpoint",
}
"""Up to which number the present key was used, for keys whose work is checked later."""
REPLACED = (*_REACHED, "token", "identity")
_ACTOR = "command-line"


@click.group("keys")
def command() -> None:
    """Replace the secret keys of an installation.

    \b
    Examples:
      continuum keys replace audit
      continuum keys replace identity
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
    up to now. token signs access tokens: all that were given out are void. identity seals what only people have: all
    of it is sealed anew, and recovery codes are void.

    \b
    Examples:
      continuum keys replace audit
      continuum keys replace checkpoint --lost
    """  # noqa: D301  click's mark for a block that keeps its lines
    settings = Settings.load(data=data, database_url=database_url)
    known = secrets.load(settings.data, halfway=True)
    _nobody_works(settings, known.audit)
    if name == "identity":
        await _identity(settings, known, lost=lost)
        return
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


async def _identity(settings: Settings, known: Secrets, *, lost: bool) -> None:
    """The database first, whole or not at all, then the file: after a kill between them the command is run again."""
    new = Vault(secrets.begin(settings.data, "identity"))
    async with postgres.open(settings) as server, Pool.open(server.app.dsn, size=1) as pool:
        await migrate(server.owner)
        trace = tracer(Auditor(known.audit, pool.connection, now_us))
        try:
            async with pool.connection() as conn, conn.transaction():
                done = await reseal(conn, SEALED, None if lost else Vault(known.identity), new, now_us())
                words = f"{done.resealed} sealed anew, {done.gone} gone, {done.without_codes} without recovery codes"
                await trace(conn, Act("replace-key", _ACTOR, Origin(""), detail=f"identity: {words}"))
        except SealBroken:
            raise Conflict(
                "keys/identity does not open what is in the database, and nothing was changed. Bring the right key back"
                " from a backup; if there is none, add --lost: authenticator apps and drafts are then removed."
            ) from None
    secrets.finish(settings.data, "identity")
    click.echo(f"keys/identity is new: {words}. Take a backup now.")


def _nobody_works(settings: Settings, audit_key: bytes) -> None:
    """Raises Conflict while a server runs, or left rows that are not in the trail yet."""
    if Spill.anybody(settings.audit):
        raise Conflict("A server is running on this data folder. Stop it first.")
    for _ in Spill.abandoned(settings.audit, audit_key):
        raise Conflict("Rows of an outage wait to be brought into the trail. Start the server once, and stop it.")

"""`continuum administrator`: opens the first administrator's account."""

import click

from continuum.access.audit import Auditor
from continuum.access.sign_ons import tracer
from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.apps.signon.services import BASE, SignonSettings, services
from continuum.identity.acts import Origin
from continuum.kernel.clock import now_us
from continuum.runtime import postgres, secrets
from continuum.runtime.migrate import migrate
from continuum.runtime.pool import Pool
from continuum.runtime.settings import Settings


@click.command(
    "administrator",
    epilog="""\b
Examples:
  continuum administrator ada --name "Ada Example"
  continuum administrator ada --name "Ada Example" --origin https://ehr.example.org""",
)
@click.argument("sign_in_name")
@click.option("--name", required=True, help="The person's name.")
@click.option("--origin", default="", help="Where browsers find the pages; else taken from CONTINUUM_BASE_URL.")
@setting("data")
@setting("database_url")
def command(sign_in_name: str, name: str, origin: str, data: str | None, database_url: str | None) -> None:
    """Open an administrator's account, and print the link with which it is set up.

    Whoever may run this on the server can make an administrator; it leaves its trace. The link works once, for
    three days. All others are given their accounts and roles by an administrator, on the page Staff.
    """
    ticket = _open(sign_in_name, name, data, database_url)
    settings = Settings.load(data=data, database_url=database_url)
    pages = origin.rstrip("/") or settings.base_url.removesuffix("/fhir") or f"http://localhost:{settings.port}"
    click.echo(f"The account is there. Set it up at\n\n  {pages}{BASE}/enrol?ticket={ticket}\n")


@asynchronous
async def _open(sign_in_name: str, name: str, data: str | None, database_url: str | None) -> str:
    settings = Settings.load(data=data, database_url=database_url)
    known = secrets.load(settings.data)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        async with Pool.open(server.app.dsn, size=2) as pool:
            made = services(
                pool.connection,
                SignonSettings("http://localhost", known.identity, known.token),
                tracer(Auditor(known.audit, pool.connection, now_us)),
            )
            try:
                return await made.staffing.first_administrator(sign_in_name, name, Origin("command line"))
            finally:
                made.sign_on.hasher.close()

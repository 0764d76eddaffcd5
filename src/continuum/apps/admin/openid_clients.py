"""`continuum client sign-in`: takes on a program that signs people in here."""

import click

from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.identity.provider import clients
from continuum.identity.sessions import Assurance
from continuum.kernel.clock import now_us
from continuum.runtime import postgres
from continuum.runtime.migrate import migrate
from continuum.runtime.pool import Pool
from continuum.runtime.settings import Settings


@click.command(
    "sign-in",
    epilog="""\b
Examples:
  continuum client sign-in portal --name "Portal" --redirect https://portal.example.org/back
  continuum client sign-in tablet --name "Tablet" --redirect http://127.0.0.1:5000/ --scope "openid staff" --public""",
)
@click.argument("client_id")
@click.option("--name", required=True, help="What people are told that they sign in to.")
@click.option("--redirect", "redirects", multiple=True, required=True, help="Where people are sent back; repeatable.")
@click.option("--bye", "byes", multiple=True, help="Where people may be sent after signing out; repeatable.")
@click.option("--scope", default="openid profile", show_default=True, help=f"Out of {', '.join(clients.SCOPES)}.")
@click.option("--level", type=click.Choice(sorted(clients.ACR)), default="basic", show_default=True,
              help="How surely everybody must have signed in.")  # fmt: skip
@click.option("--public", is_flag=True, help="A program that can keep no secret, such as one in a browser.")
@setting("data")
@setting("database_url")
def sign_in(
    client_id: str,
    name: str,
    redirects: tuple[str, ...],
    byes: tuple[str, ...],
    scope: str,
    level: str,
    *,
    public: bool,
    data: str | None,
    database_url: str | None,
) -> None:
    """Take on a client of the OpenID Connect provider; prints its secret, once."""
    settings = Settings.load(data=data, database_url=database_url)
    secret = _register(
        settings, client_id, name, redirects, byes, tuple(scope.split()), clients.ACR[level], confidential=not public
    )  # fmt: skip
    click.echo(f"client_id      {client_id}")
    click.echo(f"client_secret  {secret}" if secret else "It is public: it has no secret, and PKCE protects it.")


@asynchronous
async def _register(
    settings: Settings,
    client_id: str,
    name: str,
    redirects: tuple[str, ...],
    byes: tuple[str, ...],
    scopes: tuple[str, ...],
    assurance: Assurance,
    *,
    confidential: bool,
) -> str | None:
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        async with Pool.open(server.app.dsn, size=1) as pool, pool.connection() as conn:
            return await clients.register(
                conn, client_id, name, redirect_uris=redirects, post_logout_uris=byes, scopes=scopes,
                confidential=confidential, assurance=assurance, now=now_us(),
            )  # fmt: skip

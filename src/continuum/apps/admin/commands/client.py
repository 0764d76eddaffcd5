"""`continuum client`: programs that sign on by themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import click

from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.openid_clients import sign_in
from continuum.apps.admin.options import setting
from continuum.identity import clients
from continuum.identity.clients import Client
from continuum.kernel.clock import now_us
from continuum.kernel.errors import NotFound
from continuum.runtime import postgres
from continuum.runtime.migrate import migrate
from continuum.runtime.settings import Settings


@click.group("client")
def command() -> None:
    """Register programs: those that sign on by themselves (SMART backend services), those that sign people in.

    \b
    Examples:
      continuum client add research --keys research.jwks --scope "system/*.rs"
      continuum client list
      continuum client sign-in portal --name Portal --redirect https://portal.example.org/back
    """  # noqa: D301  click's mark for a block that keeps its lines


command.add_command(sign_in)


@asynccontextmanager
async def _connected(data: str | None, database_url: str | None) -> AsyncIterator[asyncpg.Connection]:
    settings = Settings.load(data=data, database_url=database_url)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        conn = await asyncpg.connect(**server.app.connect)
        try:
            yield conn
        finally:
            await conn.close()


@command.command("add")
@click.argument("client_id")
@click.option("--keys", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="The program's public keys: a JWK set, or one key in PEM (RSA, or EC on P-384).")  # fmt: skip
@click.option("--scope", required=True, help="What it may do, with blanks between: system/Patient.rs system/*.read.")
@click.option("--name", default="", help="What people call it; else its id.")
@setting("data")
@setting("database_url")
@asynchronous
async def add(client_id: str, keys: Path, scope: str, name: str, data: str | None, database_url: str | None) -> None:
    """Register a program, or give a registered one new keys and scopes.

    The program keeps its private key; the server only ever sees the public one. What it may see and do is limited
    twice: by these scopes, and by what the role `system` may.

    \b
    Examples:
      continuum client add research --keys research.jwks --scope "system/*.rs"
      continuum client add registry --keys registry.pem --scope "system/Patient.rs system/Immunization.rs"
    """  # noqa: D301  click's mark for a block that keeps its lines
    known = clients.public_keys(keys.read_text(encoding="utf-8"))  # noqa: ASYNC240  nothing else waits for it
    client = Client(client_id, name or client_id, known, clients.checked_scopes(scope), now_us())
    async with _connected(data, database_url) as conn:
        await clients.register(conn, client)
    click.echo(f"{client_id} may sign on for: {client.scopes}")


@command.command("list")
@setting("data")
@setting("database_url")
@asynchronous
async def list_(data: str | None, database_url: str | None) -> None:
    """List the registered programs and what each may do.

    \b
    Examples:
      continuum client list
    """  # noqa: D301  click's mark for a block that keeps its lines
    async with _connected(data, database_url) as conn:
        for client in await clients.registered(conn):
            click.echo(f"{client.id}  {client.name}  {client.scopes}")


@command.command("remove")
@click.argument("client_id")
@setting("data")
@setting("database_url")
@asynchronous
async def remove(client_id: str, data: str | None, database_url: str | None) -> None:
    """Remove a program; a token that it has lives on for five minutes at most.

    \b
    Examples:
      continuum client remove research
    """  # noqa: D301  click's mark for a block that keeps its lines
    async with _connected(data, database_url) as conn:
        if not await clients.remove(conn, client_id):
            raise NotFound(f"There is no program {client_id}.")
    click.echo(f"{client_id} may no longer sign on.")

"""`continuum serve`: the database, the schema, the workers; Ctrl-C ends all of them."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from continuum.apps.admin.options import setting
from continuum.apps.fhir_api.orders import Worker, listen, run
from continuum.apps.fhir_api.workers import Crew
from continuum.apps.signon.banner import read_banner
from continuum.identity.breached import Breached
from continuum.identity.federation.providers import read_providers
from continuum.interop.subscriptions.endpoints import Allowed
from continuum.runtime import postgres, secrets
from continuum.runtime.migrate import migrate
from continuum.runtime.postgres import Server
from continuum.runtime.settings import BadSetting, Settings


@click.command(
    "serve",
    epilog="""\b
Examples:
  continuum serve
  continuum serve --port 9000 --data /srv/continuum --workers 4
  CONTINUUM_DATABASE_URL=postgresql://ehr@db/ehr continuum serve --host 0.0.0.0""",
)
@setting("host")
@click.option("--port", type=int, help="The port to listen on; 0 takes any free one. [environment: CONTINUUM_PORT]")
@setting("workers")
@setting("data")
@click.option("--read-only", is_flag=True, help="Answer reads and searches, refuse writes.")
def command(host: str | None, port: int | None, workers: str | None, data: str | None, *, read_only: bool) -> None:
    """Serve FHIR until Ctrl-C.

    Starts the PostgreSQL of the data folder, or uses the one that CONTINUUM_DATABASE_URL gives; brings its
    tables to this release; then answers at http://HOST:PORT/fhir.
    """
    given: dict[str, Any] = {"host": host, "port": port or None, "workers": workers, "data": data}
    settings = Settings.load(**given)
    # The socket comes first: whoever starts a second server by mistake hears of it before anything else runs.
    with listen(settings.host, 0 if port == 0 else settings.port) as listening:
        run(serving(settings, listening, read_only=read_only))


def address(listening: socket.socket) -> str:
    """The URL of the start page, as a browser on this machine reaches it."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  read, not bound
    return f"http://{shown}:{port}"


async def serving(
    settings: Settings,
    listening: socket.socket,
    *,
    read_only: bool = False,
    prepare: Callable[[Server], Awaitable[None]] | None = None,
) -> None:
    """Runs everything until SIGINT or SIGTERM. prepare: what is done once the database is there, before serving."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    crew = Crew(listening)
    loading = loop.run_in_executor(None, _load, settings.workers == 1)
    async with crew.waiting(settings.workers if settings.workers > 1 else 0), postgres.open(settings) as server:
        for label in await migrate(server.owner):
            click.echo(f"Migrated: {label}")
        if prepare is not None:
            await prepare(server)
        worker = orders(settings, server, read_only=read_only, origin=pages_origin(settings, listening))
        click.echo(f"Database: {server.described}")
        click.echo(f"Serving {address(listening)}/  FHIR at {address(listening)}/fhir  (Ctrl-C stops)")
        await loading
        from continuum.apps.admin.sealing import sealing  # noqa: PLC0415  it was loaded while the database started

        async with sealing(settings, server):
            if settings.workers == 1:
                from continuum.apps.fhir_api.serving import serve  # noqa: PLC0415  likewise

                await serve(worker, listening, stopping)
            else:
                await crew.serve(worker, settings.workers, stopping)
    click.echo("Stopped.")


def _load(answering: bool) -> None:  # noqa: FBT001  a thread's one argument
    """Imports, while the database starts, what is needed after it. answering: whether this process answers itself."""
    import continuum.apps.admin.sealing  # noqa: PLC0415  not before the database is asked to start

    if answering:
        import continuum.apps.fhir_api.serving  # noqa: F401, PLC0415  likewise


def pages_origin(settings: Settings, listening: socket.socket) -> str:
    """Where browsers find the sign-on pages. Without a base URL: this machine, by the name that passkeys need."""
    if settings.base_url:
        parts = urlsplit(settings.base_url)
        return f"{parts.scheme}://{parts.netloc}"
    return f"http://localhost:{listening.getsockname()[1]}"


def _breached(path: Path | None) -> str:
    """The list of breached passwords, once it is known that workers can use it. Raises BadList."""
    if path is None:
        return ""
    Breached(path)
    return str(path)


def orders(settings: Settings, server: Server, *, read_only: bool = False, origin: str = "http://localhost") -> Worker:
    """What a worker of this installation is told. origin: of the sign-on pages, as browsers see them."""
    known = secrets.load(settings.data)
    try:
        Allowed(settings.subscription_endpoints)
    except ValueError as error:
        raise BadSetting(f"CONTINUUM_SUBSCRIPTION_ENDPOINTS {error}.") from None
    return Worker(
        database=server.app.dsn,
        record_secret=known.record,
        audit_secret=known.audit,
        token_secret=known.token,
        identity_secret=known.identity,
        origin=origin,
        password_profile=settings.password_profile,
        password_memory_mib=settings.password_memory_mib,
        contact=settings.eligibility_contact,
        video_url=settings.video_url,
        older_portal_url=settings.older_portal_url,
        backups=str(settings.backups),
        clamav=settings.clamav,
        banner=read_banner(settings.banner_file),
        breached=_breached(settings.breached_passwords_file),
        providers=read_providers(settings.providers_file),
        connections=settings.connections,
        base_url=settings.base_url,
        read_only=read_only,
        bulk_folder=str(settings.bulk),
        bulk_processes=settings.bulk_processes,
        import_sources=settings.import_sources,
        audit=str(settings.audit),
        disk=str(server.data_folder or ""),
        subscription_endpoints=settings.subscription_endpoints,
        smtp_url=settings.smtp_url,
        mail_from=settings.mail_from,
    )

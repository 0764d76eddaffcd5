"""The embedded PostgreSQL: prepared under a lock, held by a lease, held again when its keeper is killed."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from continuum.kernel.limits import POSTGRES_RESTARTS_MAX
from continuum.runtime import secrets as secret_files
from continuum.runtime.backup import archive
from continuum.runtime.keeper.keep import Order
from continuum.runtime.postgres import binaries, cluster, lease, reserve, upgrade
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.layout import Layout, plan
from continuum.runtime.postgres.roles import APP, DATABASE, OWNER, SUPERUSER
from continuum.runtime.postgres.server import Server
from continuum.runtime.secrets import Secrets
from continuum.runtime.settings import Settings


@asynccontextmanager
async def open_embedded(settings: Settings) -> AsyncIterator[Server]:
    """Runs the server of the data folder, or joins the one that runs.

    Raises:
        CannotStart, CannotPrepare, NoPlace, NoPostgreSQL: in plain words.
    """
    layout, secrets = await asyncio.to_thread(_places, settings)
    with suppress(OSError):
        await asyncio.to_thread(reserve.tend, layout.base)  # a full disk must not keep PostgreSQL from starting
    holding = Holding(settings, layout, secrets)
    await asyncio.to_thread(holding.take)
    tasks = [
        asyncio.create_task(holding.keep()),
        asyncio.create_task(archive.keep_draining(settings, layout.spool)),
        asyncio.create_task(reserve.keep_tending(layout.base)),
    ]
    try:
        await asyncio.to_thread(upgrade.forget, layout)
        yield _server(layout, secrets)
    finally:
        await ended(tasks)
        await asyncio.to_thread(holding.give_up)


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancels tasks and waits for them."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


class Holding:
    """One process's lease of a server, taken again when the keeper that gave it is killed."""

    def __init__(self, settings: Settings, layout: Layout, secrets: Secrets) -> None:
        self._settings = settings
        self._layout = layout
        self._secrets = secrets
        self._lease: lease.Lease | None = None
        self._over = False
        self._lock = threading.Lock()

    def take(self) -> None:
        """Joins or starts the server; returns when it answers."""
        with self._lock:
            if not self._over:
                self._lease = lease.hold(self._layout.run, self._layout.base / "prepare.lock", self._prepare)

    def give_up(self) -> None:
        """Lets go for good; the last one to do so waits until the server is down."""
        self._over = True
        with self._lock:
            if self._lease is not None:
                self._lease.close()
                self._lease = None

    async def keep(self) -> None:
        """Follows the keeper's news; when the keeper itself is killed, starts another."""
        for attempt in range(POSTGRES_RESTARTS_MAX):
            if self._lease is None:
                return
            await _until_gone(self._lease)
            await asyncio.to_thread(self._lease.abandon)
            await asyncio.sleep(min(0.1 * attempt, 1.0))
            await asyncio.to_thread(self.take)

    def _prepare(self) -> Order:
        layout = self._layout
        folder = layout.cluster(binaries.CURRENT)
        old_major = upgrade.older(layout)
        if old_major is not None:
            upgrade.upgrade(layout, self._settings, self._secrets, old_major, progress=_tell)
        elif not folder.exists():
            cluster.make(layout, self._secrets)
        upgrade.set_aside(layout)
        cluster.configure(layout, self._settings)
        return _order(layout, folder)


def _tell(words: str) -> None:
    structlog.get_logger().info("postgres_upgrade", step=words)


def _places(settings: Settings) -> tuple[Layout, Secrets]:
    layout = plan(settings)
    return layout, secret_files.load(layout.data, halfway=True)


def _server(layout: Layout, secrets: Secrets) -> Server:
    def address(role: str, database: str) -> Address:
        return Address(str(layout.sockets), 5432, database, role, secrets.password(role))

    where = f"embedded PostgreSQL {binaries.version(binaries.installed())} in {layout.cluster(binaries.CURRENT)}"
    return Server(
        owner=address(OWNER, DATABASE),
        app=address(APP, DATABASE),
        superuser=address(SUPERUSER, "postgres"),
        embedded=True,
        major=binaries.CURRENT,
        described=where,
        data_folder=layout.cluster(binaries.CURRENT),
        spool=layout.spool,
    )


def _order(layout: Layout, folder: Path) -> Order:
    account = layout.account
    return Order(
        program=str(layout.programs() / "postgres"),
        folder=str(folder),
        run=str(layout.run),
        lock=str(layout.base / "keeper.lock"),
        log=str(layout.log),
        uid=account.uid if account else None,
        gid=account.gid if account else None,
    )


async def _until_gone(held: lease.Lease) -> None:
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()

    def hear() -> None:
        if not held.hear():
            gone.set()

    held.connection.setblocking(False)
    loop.add_reader(held.connection, hear)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(held.connection)

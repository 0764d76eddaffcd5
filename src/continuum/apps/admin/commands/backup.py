"""`continuum backup`."""

import asyncio
import tempfile
from pathlib import Path

import click

from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.runtime import postgres
from continuum.runtime.backup import key as backup_key
from continuum.runtime.backup import store
from continuum.runtime.backup.make import make
from continuum.runtime.backup.verify import verify
from continuum.runtime.settings import Settings


@click.command()
@setting("data")
@setting("database_url")
@setting("backup_folder")
@click.option("--verify", "verifying", is_flag=True, help="Check a backup instead of making one.")
@click.option("--backup", "name", default="", help="The backup to check, by name. Left out: the newest.")
@click.option("--keep", type=click.IntRange(min=1), help="Afterwards, remove all but this many of the newest backups.")
@click.option("--list", "listing", is_flag=True, help="List the backups.")
@asynchronous
async def command(
    data: str | None,
    database_url: str | None,
    backup_folder: str | None,
    verifying: bool,  # noqa: FBT001  click hands options over by name
    name: str,
    keep: int | None,
    listing: bool,  # noqa: FBT001  same
) -> None:
    """Back up the database and the secret keys, encrypted, while the server is in use.

    From the first backup on, every change is archived too, so that any later moment can be restored.
    The backup key is not part of a backup: keep a copy of it, or use a passphrase.

    \b
    Examples:
      continuum backup --backup-folder /mnt/backups --keep 7
      continuum backup --backup-folder /mnt/backups --verify
      CONTINUUM_BACKUP_PASSPHRASE='…' continuum backup
    """  # noqa: D301  click's mark for a block that keeps its lines
    settings = Settings.load(data=data, database_url=database_url, backup_folder=backup_folder)
    if verifying or listing:
        key = backup_key.given(
            settings.backups, key_file=None, passphrase=settings.backup_passphrase, data=settings.data
        )
        if listing:
            for folder in store.backups(settings.backups):
                manifest = store.load(folder, key)
                size = sum(file.size for file in manifest.files)
                click.echo(f"{manifest.name}  {manifest.kind}  finished {manifest.finished}  {size / 1e6:.1f} MB")
            return
        await _verify(settings, key, name)
        return
    fresh = not (settings.data / "keys" / backup_key.NAME).exists()
    async with postgres.open(settings) as server:
        folder = await make(settings, server, passphrase=settings.backup_passphrase, progress=click.echo)
    click.echo(f"Done: {folder}")
    if fresh and not settings.backup_passphrase:
        click.echo(
            f"The backup key was made: {settings.data / 'keys' / backup_key.NAME}\n"
            "Copy this file to a safe place that is not this machine. Without it, no backup can be restored."
        )
    if keep is not None:
        key = await asyncio.to_thread(backup_key.own, settings.data, settings.backups)
        for removed in await asyncio.to_thread(store.prune, settings.backups, key, keep):
            click.echo(f"Removed {removed}.")


async def _verify(settings: Settings, key: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="continuum-verify-", dir=settings.backups) as work:
        manifest, changes = await verify(settings.backups, key, name, Path(work) / "data")
    click.echo(f"{manifest.name} is whole ({len(manifest.files)} files, {changes} archived files follow it).")

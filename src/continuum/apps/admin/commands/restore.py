"""`continuum restore`."""

from datetime import datetime
from pathlib import Path

import click

from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.options import setting
from continuum.kernel.errors import Malformed
from continuum.runtime import postgres
from continuum.runtime.backup import key as backup_key
from continuum.runtime.backup.restore import CannotRestore, recovery_settings, restore, restore_dump, unpack_only
from continuum.runtime.migrate import migrate
from continuum.runtime.settings import Settings


@click.command()
@setting("data", help_text="The new data folder; one that has data in it is refused.")
@setting("database_url", help_text="An empty database, to restore a dump to.")
@setting("backup_folder", help_text="Where the backups are.")
@click.option("--to-time", "moment", help="Restore the state at this moment, as in 2026-11-23T07:15:00Z.")
@click.option("--backup", "name", default="", help="The backup to restore, by name. Left out: the newest that serves.")
@click.option("--key-file", type=click.Path(path_type=Path), help="The backup key. Left out: that of the data folder.")
@click.option(
    "--unpack",
    type=click.Path(path_type=Path, resolve_path=True),
    help="Only decrypt the backup and its archive into this new folder, for a PostgreSQL of your own.",
)
@asynchronous
async def command(
    data: str | None,
    database_url: str | None,
    backup_folder: str | None,
    moment: str | None,
    name: str,
    key_file: Path | None,
    unpack: Path | None,
) -> None:
    """Bring a backup back, up to its last archived change or to a moment; nothing is ever overwritten.

    \b
    Examples:
      continuum restore --backup-folder /mnt/backups --data /srv/restored --key-file backup.key
      continuum restore --backup-folder /mnt/backups --data /srv/restored --to-time 2026-11-23T07:15:00Z
      continuum restore --backup-folder /mnt/backups --unpack /srv/loose --to-time 2026-11-23T07:15:00Z
    """  # noqa: D301  click's mark for a block that keeps its lines
    settings = Settings.load(data=data, database_url=database_url, backup_folder=backup_folder)
    if settings.database_url and moment is not None and unpack is None:
        raise CannotRestore(
            "A dump is of one moment only; --to-time goes with backups that follow the changes. Leave it out, and"
            " name the dump with --backup if it is not to be the newest."
        )
    key = backup_key.given(
        settings.backups, key_file=key_file, passphrase=settings.backup_passphrase, data=settings.data
    )
    to_time = _moment(moment)
    if unpack is not None:
        manifest = await unpack_only(unpack, settings.backups, key, name=name, to_time=to_time)
        click.echo(
            f"{manifest.name} lies in {unpack}: the data folder in data, changes in wal, the keys in keys.\n"
            f"Start PostgreSQL {manifest.major} on it with an empty file recovery.signal and\n"
            + "".join(f"  {line}\n" for line in recovery_settings(unpack / "wal", to_time))
        )
        return
    if settings.database_url:
        async with postgres.open(settings) as server:
            manifest = await restore_dump(settings, server, settings.backups, key, name=name)
            await migrate(server.owner)
    else:
        manifest = await restore(settings, settings.backups, key, name=name, to_time=to_time, progress=click.echo)
    click.echo(f"Done: {manifest.name} is restored. Start it with: continuum serve --data {settings.data}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("--to-time must look like 2026-11-23T07:15:00Z.") from None
    if moment.tzinfo is None:
        raise Malformed("--to-time must name its zone: add Z for UTC, or an offset such as -05:00.")
    return moment

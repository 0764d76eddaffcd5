"""Embedded data of an older major version of PostgreSQL becomes data of the present one, by pg_upgrade.

The old data is copied, never changed in content, and kept until the new server has answered. A killed upgrade
starts again from the old data; the new data appears in its place in one step, when it is whole.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from continuum.kernel.limits import ORPHANS_STOP_TIMEOUT_S, UPGRADE_TIMEOUT_S
from continuum.runtime.keeper.sweep import end_workers, sweep
from continuum.runtime.postgres import binaries, cluster
from continuum.runtime.postgres.cluster import CannotPrepare
from continuum.runtime.postgres.layout import Layout, give
from continuum.runtime.postgres.roles import SUPERUSER
from continuum.runtime.secrets import Secrets, sync_folder
from continuum.runtime.settings import Settings

OLDER = (16,)
"""Major versions that the wheel still has programs of."""
ROOM = 1.15
"""Free space that an upgrade needs, as a multiple of the old data."""


def older(layout: Layout) -> int | None:
    """The major version of older data that waits for its upgrade.

    Raises:
        CannotPrepare: there is only data that this release has no programs for.
    """
    if layout.cluster(binaries.CURRENT).exists():
        return None
    for major in OLDER:
        if layout.cluster(major).exists():
            return major
    strange = sorted(place.name for place in layout.base.glob("[0-9][0-9]") if place.is_dir())
    if strange:
        raise CannotPrepare(
            f"The data in {layout.base / strange[-1]} is of PostgreSQL {strange[-1]}, which this release cannot open"
            f" (it has {binaries.CURRENT}, and can upgrade from {', '.join(map(str, OLDER))})."
            " Use the release that made it, or restore a backup."
        )
    return None


def upgrade(
    layout: Layout,
    settings: Settings,
    secrets: Secrets,
    old_major: int,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Makes the present version's data from the older one's.

    Raises:
        CannotPrepare: no room, or pg_upgrade refused; the old data is as it was.
    """
    old, making = layout.cluster(old_major), layout.base / f"{binaries.CURRENT}.making"
    progress(f"Upgrading the data in {old} to PostgreSQL {binaries.CURRENT}; the old data is kept until that is done.")
    end_workers(making)
    sweep(old, wait_s=ORPHANS_STOP_TIMEOUT_S, sockets=layout.sockets)
    cluster.clear(making)
    _check_room(old)
    cluster.configure(layout, settings, old_major)
    try:
        if layout.account is not None:
            give(old, layout.account.maker_uid, layout.account.maker_gid)
        # A server that was killed has work to do before its data is whole: single-user mode does it and stops.
        cluster.run(
            [layout.programs(old_major) / "postgres", "--single", "-D", old, "template1"],
            account=layout.account,
            timeout_s=UPGRADE_TIMEOUT_S,
        )
        checksums = _has_checksums(layout, old, old_major)
        cluster.initialise(layout, secrets, making, checksums=checksums)
        _pg_upgrade(layout, secrets, old_major, making)
        if not checksums:
            progress("Adding checksums to every page …")
            programs = layout.programs()
            cluster.run(
                [programs / "pg_checksums", "--enable", "-D", making],
                account=layout.account,
                timeout_s=UPGRADE_TIMEOUT_S,
            )
    finally:
        if layout.account is not None:
            give(old, layout.account.uid, layout.account.gid)
    cluster.install(layout, making, binaries.CURRENT)
    set_aside(layout)
    progress("The upgrade is done. Make a new backup: older ones cannot be taken further than this moment.")


def set_aside(layout: Layout) -> None:
    """Renames old data whose successor is in place; `forget` removes it once the new server has answered."""
    if layout.cluster(binaries.CURRENT).exists():
        for major in OLDER:
            if layout.cluster(major).exists():
                layout.cluster(major).rename(_aside(layout, major))
                sync_folder(layout.base)


def forget(layout: Layout) -> None:
    """Removes old data: the new server has answered with it."""
    for major in OLDER:
        aside = _aside(layout, major)
        if aside.exists():
            shutil.rmtree(aside)


def _aside(layout: Layout, major: int) -> Path:
    return layout.base / f"{major}.upgraded"


def _pg_upgrade(layout: Layout, secrets: Secrets, old_major: int, making: Path) -> None:
    work, sockets = layout.base / "upgrade", layout.run / "up"
    for folder in (work, sockets):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
    passwords = work / "passwords"
    descriptor = os.open(passwords, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"*:*:*:{SUPERUSER}:{secrets.password(SUPERUSER)}\n")
    if layout.account is not None:
        for folder in (work, sockets):
            give(folder, layout.account.maker_uid, layout.account.maker_gid)
    new = layout.programs()
    try:
        cluster.run(
            [
                new / "pg_upgrade", "-b", layout.programs(old_major), "-B", new, "-d", layout.cluster(old_major),
                "-D", making, "-U", SUPERUSER, "--socketdir", sockets, "--copy",
            ],
            account=layout.account,
            timeout_s=UPGRADE_TIMEOUT_S,
            environment={"PGPASSFILE": str(passwords)},
            cwd=work,
        )  # fmt: skip
    finally:
        for folder in (work, sockets):
            shutil.rmtree(folder, ignore_errors=True)


def _has_checksums(layout: Layout, folder: Path, major: int) -> bool:
    said = cluster.run(
        [layout.programs(major) / "pg_controldata", "-D", folder], account=layout.account, timeout_s=60.0
    )
    return any(line.startswith("Data page checksum version:") and line.split()[-1] != "0" for line in said.splitlines())


def _check_room(old: Path) -> None:
    size = sum(place.lstat().st_size for place in old.rglob("*"))
    free = shutil.disk_usage(old).free
    if free < size * ROOM:
        raise CannotPrepare(
            f"The upgrade needs {size * ROOM / 1e9:.1f} GB of free space beside {old}; there are {free / 1e9:.1f} GB."
            " Make room and start again; nothing was changed."
        )

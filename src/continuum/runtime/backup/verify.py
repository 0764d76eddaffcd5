"""Proving that a backup can be used: every file, every page's checksum list, and no gap in the archive."""

import asyncio
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from continuum.kernel.limits import BACKUP_TIMEOUT_S
from continuum.runtime.backup import cipher, store
from continuum.runtime.backup.cipher import Damaged, Stream
from continuum.runtime.backup.store import Manifest, NoBackup
from continuum.runtime.postgres import binaries

_START = re.compile(r"START WAL LOCATION: .*\(file ([0-9A-F]{24})\)")


async def verify(backups: Path, key: bytes, name: str, work: Path) -> tuple[Manifest, int]:
    """Checks a backup as a restore would read it; returns its list and how many archived files follow it.

    work: an empty or missing folder with room for the whole data; removed afterwards.

    Raises:
        Damaged, NoBackup: what is wrong, in plain words.
    """
    folder = store.choose(backups, key, name=name)
    manifest = store.load(folder, key)
    await asyncio.to_thread(store.check_files, folder, manifest)
    try:
        if manifest.kind == "physical":
            await asyncio.to_thread(unpack, folder / "base.tar.enc", key, "base.tar", work)
            await asyncio.to_thread(check_pages, work)
            check_archive(backups, manifest)
        else:
            await asyncio.to_thread(_check_dump, folder / "dump.enc", key)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest, len(store.archived(backups, manifest))


def unpack(path: Path, key: bytes, name: str, folder: Path) -> None:
    """Extracts an encrypted tar file, as a stream; only its owner can read what comes out.

    Raises:
        Damaged: it is not whole.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=Stream(path, key, name), mode="r|") as tar:  # type: ignore[call-overload]
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise Damaged(f"{path} cannot be unpacked: {error}.") from error
    for place in (folder, *folder.rglob("*")):
        if not place.is_symlink():
            place.chmod(0o700 if place.is_dir() else 0o600)


def check_pages(folder: Path) -> None:
    """Compares every file with the list that PostgreSQL made of them while it copied, and reads the WAL.

    Raises:
        Damaged: pg_verifybackup found a difference.
    """
    command = [str(binaries.installed() / "bin" / "pg_verifybackup"), "--quiet", "--exit-on-error", str(folder)]
    major = (folder / "PG_VERSION").read_text(encoding="ascii").strip()
    if major != str(binaries.CURRENT):
        command.insert(1, "--no-parse-wal")
    done = subprocess.run(command, capture_output=True, text=True, timeout=BACKUP_TIMEOUT_S, check=False)  # noqa: S603  our own program
    if done.returncode != 0:
        raise Damaged("The backup is not whole: " + " ".join(done.stderr.split()))


def check_archive(backups: Path, manifest: Manifest) -> None:
    """Looks for gaps in the numbers of the archived WAL files of each timeline.

    Raises:
        NoBackup: there is one; restores cannot pass it.
    """
    names = [path.name.removesuffix(".enc") for path in store.archived(backups, manifest)]
    last: dict[str, int] = {}
    for name in names:
        if store.WAL_NAME.fullmatch(name):
            timeline, number = name[:8], int(name[8:16], 16) * 256 + int(name[16:24], 16)
            if timeline in last and number != last[timeline] + 1:
                raise NoBackup(
                    f"The archive of {manifest.name} has a gap before {name}: moments after it cannot be restored"
                    " from this backup. Make a new backup now."
                )
            last[timeline] = number


def first_wal(folder: Path) -> str:
    """The first WAL file that an unpacked copy needs, from its backup_label."""
    match = _START.search((folder / "backup_label").read_text(encoding="utf-8"))
    if match is None:
        raise Damaged("The backup's label cannot be read.")
    return match[1]


def _check_dump(path: Path, key: bytes) -> None:
    head = b""
    for piece in cipher.read(path, key, "dump"):
        head = head or piece[:5]
    if head != b"PGDMP":
        raise Damaged(f"{path} is not a dump of a database.")

"""Proving that a backup can be used: every file, every page's checksum list, and no gap in the archive."""

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from continuum.kernel.limits import BACKUP_TIMEOUT_S
from continuum.runtime.backup import cipher, store
from continuum.runtime.backup.cipher import Damaged, Stream, sha256
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

    The list is PostgreSQL's backup manifest (its documentation, "Backup Manifest Format"). Its own program for
    this, pg_verifybackup, does not run everywhere in the wheel that we use (it dies before it starts).

    Raises:
        Damaged: a file is missing, differs or is not in the list; the list was changed; the WAL has a fault.
    """
    text = (folder / "backup_manifest").read_bytes()
    try:
        manifest = json.loads(text)
        listed = {_path(file): (file["Size"], file["Checksum"]) for file in manifest["Files"]}
        own = manifest["Manifest-Checksum"]
        ranges = [(str(part["Timeline"]), part["Start-LSN"], part["End-LSN"]) for part in manifest["WAL-Ranges"]]
    except (ValueError, KeyError, TypeError):
        raise Damaged("The backup's list of files cannot be read.") from None
    if hashlib.sha256(text[: text.rindex(b'"Manifest-Checksum"')]).hexdigest() != own:
        raise Damaged("The backup's list of files was changed.")
    for name, (size, digest) in listed.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size or sha256(path) != digest:
            raise Damaged(f"The backup's file {name} is missing or is not what PostgreSQL copied.")
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_file() and name not in listed and name != "backup_manifest" and not name.startswith("pg_wal/"):
            raise Damaged(f"The backup has a file that PostgreSQL did not copy: {name}.")
    if (folder / "PG_VERSION").read_text(encoding="ascii").strip() == str(binaries.CURRENT):
        for timeline, start, end in ranges:
            _check_wal(folder / "pg_wal", timeline, start, end)


def _path(file: dict[str, str]) -> str:
    """A path of the manifest; one that is not UTF-8 is given in hexadecimal."""
    return file["Path"] if "Path" in file else os.fsdecode(bytes.fromhex(file["Encoded-Path"]))


def _check_wal(folder: Path, timeline: str, start: str, end: str) -> None:
    program = binaries.installed() / "bin" / "pg_waldump"
    done = subprocess.run(  # noqa: S603  our own program
        [program, "--quiet", "--path", folder, "--timeline", timeline, "--start", start, "--end", end],
        capture_output=True, text=True, timeout=BACKUP_TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Damaged("The changes in the backup cannot be read: " + " ".join(done.stderr.split()))


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

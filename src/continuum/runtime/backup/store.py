"""The folder of backups: one folder each with a signed list of its files, and the archives of WAL files."""

import hmac
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from continuum.kernel.errors import DomainError
from continuum.runtime.backup.cipher import Damaged, sha256
from continuum.runtime.secrets import sync_folder

WAL_NAME = re.compile(r"[0-9A-F]{24}")
SPOOLED_NAME = re.compile(r"[0-9A-F]{24}(\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history")
HISTORY_NAME = re.compile(r"[0-9A-F]{8}\.history")


class NoBackup(DomainError):
    """There is no backup that serves."""

    code = "not-found"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a backup: its length in bytes and its SHA-256 as it lies there (encrypted)."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is. Instants are ISO 8601 in UTC; `archive` names the archive that goes on from it."""

    name: str
    kind: Literal["physical", "logical"]
    embedded: bool
    major: int
    started: str
    finished: str
    archive: str
    first_wal: str
    files: tuple[StoredFile, ...] = field(default_factory=tuple)


def new_name(now: datetime) -> str:
    """The name of a backup that begins now; names sort by time."""
    return f"backup-{now:%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"


def iso(moment: datetime) -> str:
    """An instant as the manifest has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def finish(making: Path, manifest: Manifest, key: bytes) -> Path:
    """Writes the signed list of files and puts the backup in its place, in one step."""
    text = json.dumps(asdict(manifest), indent=1)
    signed = {"manifest": json.loads(text), "signature": _sign(text, key)}
    path = making / "manifest.json"
    with path.open("w", encoding="utf-8") as file:
        json.dump(signed, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(making)
    final = making.parent / manifest.name
    making.rename(final)
    sync_folder(making.parent)
    return final


def load(folder: Path, key: bytes) -> Manifest:
    """The list of a backup.

    Raises:
        Damaged: it was changed, or signed with another key.
    """
    try:
        signed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        content, signature = signed["manifest"], signed["signature"]
        manifest = Manifest(**{**content, "files": tuple(StoredFile(**file) for file in content["files"])})
    except (OSError, ValueError, KeyError, TypeError):
        raise Damaged(f"{folder / 'manifest.json'} cannot be read.") from None
    if not hmac.compare_digest(str(signature), _sign(json.dumps(content, indent=1), key)):
        raise Damaged(f"{folder / 'manifest.json'} was changed, or made with another key.")
    return manifest


def backups(folder: Path) -> list[Path]:
    """All whole backups, oldest first."""
    return sorted(place for place in folder.glob("backup-*") if (place / "manifest.json").is_file())


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compares every file with its length and digest.

    Raises:
        Damaged: one is missing or differs.
    """
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file() or path.stat().st_size != file.size or sha256(path) != file.digest:
            raise Damaged(f"{path} is missing or is not what was written. Use another backup.")


def choose(folder: Path, key: bytes, *, name: str = "", before: datetime | None = None) -> Path:
    """The backup of a name, or the newest one that was finished before an instant.

    Raises:
        NoBackup: there is none.
    """
    found = backups(folder)
    if name:
        found = [place for place in found if place.name == name]
    elif before is not None:
        found = [place for place in found if datetime.fromisoformat(load(place, key).finished) <= before]
    if not found:
        when = f" that was finished before {iso(before)}" if before else ""
        raise NoBackup(f"There is no backup{' called ' + name if name else when} in {folder}.")
    return found[-1]


def archived(folder: Path, manifest: Manifest) -> list[Path]:
    """The archived files that a restore from the backup may need, in order."""
    place = folder / "wal" / manifest.archive
    names = sorted(path.name.removesuffix(".enc") for path in place.glob("*.enc")) if place.is_dir() else []
    return [
        place / f"{name}.enc"
        for name in names
        if HISTORY_NAME.fullmatch(name) or (WAL_NAME.fullmatch(name[:24]) and name[8:24] >= manifest.first_wal[8:24])
    ]


def prune(folder: Path, key: bytes, keep: int) -> list[str]:
    """Removes all but the newest backups, and archived files that none of the kept ones needs; returns the names."""
    found = backups(folder)
    removed = []
    for place in found[: max(0, len(found) - keep)]:
        shutil.rmtree(place)
        removed.append(place.name)
    kept = [load(place, key) for place in backups(folder)]
    for archive in (folder / "wal").glob("*"):
        firsts = [manifest.first_wal[8:24] for manifest in kept if manifest.archive == archive.name]
        for path in archive.glob("*.enc"):
            name = path.name.removesuffix(".enc")
            if firsts and WAL_NAME.fullmatch(name[:24]) and name[8:24] < min(firsts):
                path.unlink()
    return removed


def _sign(text: str, key: bytes) -> str:
    return hmac.digest(key, b"continuum backup manifest\n" + text.encode(), "sha256").hex()

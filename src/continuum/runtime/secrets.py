"""The secrets of one installation, each in a 0600 file in `DATA/keys/`; made once, never in the database."""

import hmac
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from continuum.kernel.errors import DomainError

SECRET_BYTES = 32
_NEXT = ".next"
"""After the name of a key that is to take the place of another."""
_UNTIL, _LOST = ".until-", "lost"
"""Between the name of a replaced key and the last number that it holds for; what stands in the file of a lost one."""
NAMES = ("record", "audit", "checkpoint", "token", "identity", "postgres")


class UnsafeFile(DomainError):
    """A secret file that others may read, or that is damaged."""

    code = "security"


@dataclass(frozen=True, slots=True)
class Secrets:
    """32 random bytes each: of the search keys, of the audit seal, of checkpoints over it, of tokens, of passwords.

    checkpoint: the Ed25519 private key that signs. identity: what seals credentials.
    postgres: what the database roles' passwords are made from.
    """

    record: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    checkpoint: bytes = field(repr=False)
    token: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    postgres: bytes = field(repr=False)

    def password(self, role: str) -> str:
        """The password of a role of the embedded PostgreSQL."""
        return hmac.digest(self.postgres, role.encode(), "sha256").hex()


def make_private(folder: Path) -> None:
    """Makes a folder that only this account can enter; one that exists is closed to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Writes a 0600 file durably and whole: it is there with all its content, or not at all.

    Raises:
        FileExistsError: there is a file of this name, perhaps since a moment ago.
    """
    making = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(making, path)
    finally:
        making.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(data: Path, *, halfway: bool = False) -> Secrets:
    """The secrets of a data folder; those that are missing are made.

    halfway: also while a key is being replaced by `begin`.

    Raises:
        UnsafeFile: a file may be read by others, or does not hold 32 bytes; a replacement was begun and not ended.
    """
    folder = data / "keys"
    make_private(folder)
    for path in sorted(folder.glob(f"*{_NEXT}")) if not halfway else ():
        name = path.name.removesuffix(_NEXT)
        raise UnsafeFile(f"A new key {name} was begun and not finished. Run: continuum keys replace {name}")
    return Secrets(**{name: _read_or_make(folder / name) for name in NAMES})


def former(data: Path, name: str) -> tuple[tuple[int, bytes], ...]:
    """The keys of this name that were replaced, each with the number up to which it holds, the earliest first.

    A key that was lost is empty.

    Raises:
        UnsafeFile: as `load`.
    """
    found = []
    for path in (data / "keys").glob(f"{name}{_UNTIL}*"):
        until = path.name.removeprefix(f"{name}{_UNTIL}")
        if until.isdecimal():
            found.append((int(until), b"" if _text(path) == _LOST else _secret(path)))
    return tuple(sorted(found))


def replace(data: Path, name: str, *, until: int | None, lost: bool = False) -> None:
    """Puts a new key in the place of one, from the next number on.

    until: the last number that the old one is for; it is kept beside the new one. None: nothing that it was for
    outlives it. lost: the old one is not there any more, or not known to be ours.

    Raises:
        FileExistsError: a key was replaced at this number already.
    """
    path = data / "keys" / name
    if until is not None:
        kept = path.with_name(f"{name}{_UNTIL}{until}")
        content = f"{_LOST}\n".encode() if lost else path.read_bytes()
        write_private(kept, content)
    path.unlink(missing_ok=True)
    _read_or_make(path)


def begin(data: Path, name: str) -> bytes:
    """The key that is to take the place of one, beside it; the same until `finish`, whatever happens between."""
    return _read_or_make(data / "keys" / f"{name}{_NEXT}")


def finish(data: Path, name: str) -> None:
    """Puts the key of `begin` in its place."""
    path = data / "keys" / name
    path.with_name(f"{name}{_NEXT}").replace(path)
    sync_folder(path.parent)


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip()


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        with suppress(FileExistsError):  # another process made it a moment ago; its content is the one that counts
            write_private(path, os.urandom(SECRET_BYTES).hex().encode() + b"\n")
    return _secret(path)


def _secret(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UnsafeFile(f"{path} may be read by others. Close it with: chmod 600 {path}")
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise UnsafeFile(f"{path} is damaged: it must hold 64 hexadecimal digits. Restore it from a backup.")
    return secret

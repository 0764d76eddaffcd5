"""The backup key: a file of its own, or made from a passphrase; never in the backup it opens."""

import hashlib
import hmac
import json
import os
from pathlib import Path

from continuum.kernel.errors import DomainError
from continuum.runtime.backup.cipher import Damaged
from continuum.runtime.secrets import make_private, write_private

NAME = "backup"
SCRYPT = {"n": 2**17, "r": 8, "p": 1, "maxmem": 256 * 1024 * 1024, "dklen": 32}
"""Cost of one guess of a passphrase: 128 MB of memory and about half a second."""
PASSPHRASE_CHARS_MIN = 12


class NoKey(DomainError):
    """The backup key is not there, and how to give it."""

    code = "security"


def own(data: Path, backups: Path, *, passphrase: str = "") -> bytes:
    """The key of an installation, made at the first backup; later ones use the same.

    Raises:
        NoKey: the passphrase is too short, or another one than the backups were made with.
    """
    path = data / "keys" / NAME
    make_private(path.parent)
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        key = _from_passphrase(passphrase, _described(backups, passphrase=passphrase)) if passphrase else os.urandom(32)
        write_private(path, key.hex().encode() + b"\n")
    key = _read(path)
    known = _described(backups, passphrase="")
    if "check" in known:
        _check(known, key, backups)
    else:
        known["check"] = _mark(key)
        _write(backups, known)
    return key


def given(backups: Path, *, key_file: Path | None, passphrase: str, data: Path) -> bytes:
    """The key for a restore: from a file, from a passphrase, or the one in the data folder.

    Raises:
        NoKey: none was given, or it is another.
    """
    known = _described(backups, passphrase="")
    if key_file is not None:
        key = _read(key_file)
    elif passphrase:
        key = _from_passphrase(passphrase, known)
    elif (data / "keys" / NAME).exists():
        key = _read(data / "keys" / NAME)
    else:
        raise NoKey("Give the backup key with --key-file, or the passphrase in CONTINUUM_BACKUP_PASSPHRASE.")
    _check(known, key, backups)
    return key


def _from_passphrase(passphrase: str, known: dict[str, str]) -> bytes:
    if len(passphrase) < PASSPHRASE_CHARS_MIN:
        raise NoKey(f"The passphrase must have at least {PASSPHRASE_CHARS_MIN} characters.")
    if "salt" not in known:
        raise NoKey("These backups were made with a key file, not with a passphrase; give it with --key-file.")
    return hashlib.scrypt(passphrase.encode(), salt=bytes.fromhex(known["salt"]), **SCRYPT)


def _described(backups: Path, *, passphrase: str) -> dict[str, str]:
    """What `key.json` says; with a passphrase, it gets a salt if it is new."""
    try:
        known: dict[str, str] = json.loads((backups / "key.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    if passphrase and not known:
        known["salt"] = os.urandom(16).hex()
        _write(backups, known)
    return known


def _write(backups: Path, known: dict[str, str]) -> None:
    making = backups / f".key.json.{os.getpid()}"
    making.write_text(json.dumps(known) + "\n", encoding="utf-8")
    making.rename(backups / "key.json")


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise NoKey(f"There is no key file {path}.") from None
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Damaged(f"{path} is not a backup key: it must hold 64 hexadecimal digits.")
    return key


def _mark(key: bytes) -> str:
    return hmac.digest(key, b"continuum backup key", "sha256").hex()[:32]


def _check(known: dict[str, str], key: bytes, backups: Path) -> None:
    if not hmac.compare_digest(known.get("check", ""), _mark(key)):
        raise NoKey(f"This is not the key (or passphrase) that the backups in {backups} were made with.")

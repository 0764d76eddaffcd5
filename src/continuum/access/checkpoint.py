"""Signed checkpoints: the links of the chain over the audit trail, and the copy of the last one outside.

A checkpoint says which rows there were in a range of sequence numbers, holds on to the checkpoint before it by
its digest, and is signed (Ed25519, RFC 8032) with a key that the database does not hold. The last one is also
kept in the data folder, so that the end of the chain cannot be cut off unseen.
"""

import hashlib
import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from continuum.kernel.errors import DomainError
from continuum.runtime.secrets import make_private, sync_folder

NOTHING_BEFORE = bytes(32)
"""What the first checkpoint holds on to."""
ENTRY_BYTES = 12
"""A row under a checkpoint: its seq as a distance from first_seq (4 bytes), the first 8 bytes of its mac."""
DISTANCE_MAX = 2**31 - 1
"""The largest distance that an entry can say; a longer gap begins a new checkpoint."""
COLUMNS = "number, first_seq, last_seq, at, entries, previous, digest, signature"
_SIGNED = b"continuum audit checkpoint 1\x00"
_ENTRY = struct.Struct(">I8s")


class HeadUnreadable(DomainError):
    """The copy of the last checkpoint in the data folder cannot be trusted; the text says what to do."""

    code = "security"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A row of record.audit_checkpoint; `at` in microseconds since 1970."""

    number: int
    first_seq: int
    last_seq: int
    at: int
    entries: bytes
    previous: bytes
    digest: bytes
    signature: bytes

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Checkpoint":
        """From a row that has COLUMNS."""
        return cls(**{name: row[name] for name in COLUMNS.split(", ")})

    @property
    def computed(self) -> bytes:
        """The digest that its content has; it is `digest`, unless something was changed."""
        return digest(self.number, self.first_seq, self.last_seq, self.at, self.entries, self.previous)

    def rows(self) -> list[tuple[int, bytes]]:
        """The rows under it: (seq, first 8 bytes of the mac)."""
        first = self.first_seq
        return [(first + distance, mark) for distance, mark in _ENTRY.iter_unpack(self.entries)]


def digest(number: int, first_seq: int, last_seq: int, at: int, entries: bytes, previous: bytes) -> bytes:
    """The digest of a checkpoint's content (32 bytes)."""
    head = struct.pack(">qqqqi", number, first_seq, last_seq, at, len(previous))
    return hashlib.blake2b(b"".join((head, previous, entries)), digest_size=32).digest()


class Signer:
    """Signs with the secret `checkpoint` of `runtime.secrets`."""

    def __init__(self, secret: bytes, former: Sequence[tuple[int, bytes]] = ()) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._former = former
        """The keys before, each with the number of the last checkpoint that it signed; b"" for one that was lost."""

    def sign(
        self, *, number: int, first_seq: int, last_seq: int, at: int, entries: bytes, previous: bytes
    ) -> Checkpoint:
        """The checkpoint with this content."""
        whole = digest(number, first_seq, last_seq, at, entries, previous)
        return Checkpoint(
            number, first_seq, last_seq, at, entries, previous, whole, self._key.sign(_SIGNED + whole)
        )  # fmt: skip

    @property
    def checker(self) -> "Checker":
        """What tells its signatures from others."""
        before = [(until, Ed25519PrivateKey.from_private_bytes(one).public_key() if one else None)
                  for until, one in self._former]  # fmt: skip
        return Checker(self._key.public_key(), before)


class Checker:
    """Tells whether a digest was signed: each checkpoint by the key of its time and by no other."""

    def __init__(self, key: Ed25519PublicKey, former: Sequence[tuple[int, Ed25519PublicKey | None]] = ()) -> None:
        self._key = key
        self._former = sorted(former, key=lambda one: one[0])

    def is_signed(self, number: int, whole: bytes, signature: bytes) -> bool:
        """Whether the signature of the checkpoint with this number is of that digest.

        Of a key that was lost nobody can tell: the chain of digests, which a later key signed, has to do.
        """
        key = next((one for until, one in self._former if number <= until), self._key)
        if key is None:
            return True
        try:
            key.verify(signature, _SIGNED + whole)
        except InvalidSignature:
            return False
        return True

    def is_genuine(self, checkpoint: Checkpoint) -> bool:
        """Whether it is as it was signed."""
        return checkpoint.computed == checkpoint.digest and self.is_signed(
            checkpoint.number, checkpoint.digest, checkpoint.signature
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Last:
    """What the data folder knows of the last checkpoint."""

    number: int
    last_seq: int
    digest: bytes
    signature: bytes


class Head:
    """The file `head` in the folder of the audit trail."""

    def __init__(self, folder: Path, checker: Checker) -> None:
        self.path = folder / "head"
        self._checker = checker

    def read(self) -> Last | None:
        """The last checkpoint; None before the first.

        Raises:
            HeadUnreadable: the file is damaged, or was not signed with our key.
        """
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        try:
            said = json.loads(text)
            last = Last(
                int(said["number"]), int(said["last_seq"]),
                bytes.fromhex(said["digest"]), bytes.fromhex(said["signature"]),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError):
            last = None
        if last is None or not self._checker.is_signed(last.number, last.digest, last.signature):
            raise HeadUnreadable(
                f"{self.path} is damaged or was not written with this installation's key, so nothing says where the"
                " audit trail ended. Bring the file back from a copy, or move it away if you know why it is so."
            )
        return last

    def write(self, checkpoint: Checkpoint) -> None:
        """Replaces the file, durably and whole."""
        make_private(self.path.parent)
        said = {
            "number": checkpoint.number, "last_seq": checkpoint.last_seq,
            "digest": checkpoint.digest.hex(), "signature": checkpoint.signature.hex(),
        }  # fmt: skip
        making = self.path.with_name(f".head.{os.getpid()}")
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps(said) + "\n")
            file.flush()
            os.fsync(file.fileno())
        making.replace(self.path)
        sync_folder(self.path.parent)

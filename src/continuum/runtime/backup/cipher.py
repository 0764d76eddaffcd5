"""Encrypted, compressed files: AES-256-GCM in numbered pieces, with flat memory.

A file is a head (magic, 16 random bytes) and pieces of up to BACKUP_CHUNK_BYTES of zstd-compressed content, each
with its 16-byte tag. Each file has its own key (HKDF of the backup key and the random bytes). The nonce of a piece
is its number and whether it is the last, and the file's logical name is authenticated with it: pieces cannot be
changed, left out, swapped or cut off at the end, nor one file be passed off as another.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import BACKUP_CHUNK_BYTES

MAGIC = b"CTNMBAK1"
SALT_BYTES = 16
TAG_BYTES = 16
ZSTD_LEVEL = 3


class Damaged(DomainError):
    """A backup file that is not what was written, or a key that is not the right one."""

    code = "security"


def _piece_cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"continuum backup file").derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Writer:
    """Writes one file; `name` is what it is (base.tar, a WAL file's name …). Durable when it is closed.

    After the context, `digest` is the SHA-256 of the file and `size` its length in bytes.
    """

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        self._path = path
        self._name = name.encode()
        salt = os.urandom(SALT_BYTES)
        self._cipher = _piece_cipher(key, salt)
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb")
        self._compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
        self._waiting = bytearray()
        self._number = 0
        self._sha256 = hashlib.sha256()
        self.digest = ""
        self.size = 0
        self._put(MAGIC + salt)

    def write(self, content: bytes) -> None:
        """Adds content."""
        self._waiting += self._compressor.compress(content)
        while len(self._waiting) > BACKUP_CHUNK_BYTES:
            self._seal(bytes(self._waiting[:BACKUP_CHUNK_BYTES]), last=False)
            del self._waiting[:BACKUP_CHUNK_BYTES]

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._put(self._cipher.encrypt(_nonce(self._number, last=last), piece, self._name))
        self._number += 1

    def _put(self, content: bytes) -> None:
        self._sha256.update(content)
        self.size += len(content)
        self._file.write(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self.write(b"")
                self._waiting += self._compressor.flush()
                while len(self._waiting) > BACKUP_CHUNK_BYTES:
                    self._seal(bytes(self._waiting[:BACKUP_CHUNK_BYTES]), last=False)
                    del self._waiting[:BACKUP_CHUNK_BYTES]
                self._seal(bytes(self._waiting), last=True)
                self._file.flush()
                os.fsync(self._file.fileno())
                self.digest = self._sha256.hexdigest()
        if kind is not None:
            self._path.unlink(missing_ok=True)


def read(path: Path, key: bytes, name: str) -> Iterator[bytes]:
    """The content of a file, in pieces, each checked before it is given out.

    Raises:
        Damaged: the file is not whole, not this one, or the key is another.
    """
    with path.open("rb") as file:
        head = file.read(len(MAGIC) + SALT_BYTES)
        if len(head) != len(MAGIC) + SALT_BYTES or not head.startswith(MAGIC):
            raise Damaged(f"{path} is not a file of a Continuum backup.")
        cipher = _piece_cipher(key, head[len(MAGIC) :])
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        number, piece = 0, file.read(BACKUP_CHUNK_BYTES + TAG_BYTES)
        while True:
            following = file.read(BACKUP_CHUNK_BYTES + TAG_BYTES)
            try:
                plain = cipher.decrypt(_nonce(number, last=not following), piece, name.encode())
                content = decompressor.decompress(plain)
            except (InvalidTag, ValueError, zstandard.ZstdError):
                raise Damaged(
                    f"{path} is damaged or cut off, or the backup key is not the one it was made with."
                ) from None
            if content:
                yield content
            if not following:
                return
            number, piece = number + 1, following


class Stream:
    """What `read` gives, as a file to read from (for tarfile)."""

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        self._pieces = read(path, key, name)
        self._rest = memoryview(b"")  # of a piece, which is many times what is read at once: never copied to go on

    def read(self, size: int) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        parts, length = [], 0
        while length < size:
            if not self._rest:
                self._rest = memoryview(next(self._pieces, b""))
                if not self._rest:
                    break
            part = self._rest[: size - length]
            self._rest = self._rest[len(part) :]
            parts.append(part)
            length += len(part)
        return b"".join(parts)


def encrypt_file(source: BinaryIO, path: Path, key: bytes, name: str) -> Writer:
    """Encrypts all of a source into a file that appears when it is whole and durable."""
    making = path.with_name(f".{path.name}.{os.getpid()}")
    with Writer(making, key, name) as writer:
        while content := source.read(BACKUP_CHUNK_BYTES):
            writer.write(content)
    making.rename(path)
    return writer


def sha256(path: Path) -> str:
    """The digest of a file as it lies there."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""The spill: a file of fixed size, made and filled beforehand, for audit rows that the database cannot take.

It holds frames one after another, each the rows of one batch, written in place and synced before anybody is
answered, and each sealed under a key that the database does not hold. A spill gets a new id whenever it is
emptied, so what was left of an earlier use is no frame of the present one.
"""

import fcntl
import hashlib
import os
import struct
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import SPILL_BYTES, SPILL_FILES_MAX, SPILL_REFUSALS_SHARE
from continuum.record.write import AuditRow
from continuum.runtime.secrets import make_private, sync_folder

_HEADER_BYTES = 4096
_HEADER = struct.Struct(">16s16s16s")
"""What it is, its id, the seal over both."""
_MAGIC = b"continuum spill1"
_FRAME = struct.Struct(">16sII16s")
"""The spill's id, the frame's number from 0, the length of its rows, the seal over all of them."""
_PIECE_BYTES = 1024 * 1024
_MAC = -2
"""Where an audit row has its own seal, the only field that JSON cannot hold."""


class SpillFull(DomainError):
    """There is no room for another trace, so the act must not be answered."""

    status = 507
    code = "no-store"


class Spill:
    """One spill file, held by this process alone. Every method may wait for the disk.

    pending: how many frames wait to be brought into the database. damaged: whether frames are lost that were
    once written, because the file was changed or its disk failed.
    """

    def __init__(self, path: Path, descriptor: int, key: bytes) -> None:
        self.path = path
        self._descriptor = descriptor
        self._key = hashlib.blake2b(b"audit spill", key=key, digest_size=32).digest()
        self._id = b""
        self._end = _HEADER_BYTES
        self._size = 0
        self._failed = False
        self.pending = 0
        self.rows = 0
        self.damaged = False

    @classmethod
    def take(cls, folder: Path, key: bytes, size: int = SPILL_BYTES) -> "Spill":
        """The first spill of a folder that no other process holds, ready to be written.

        key: 32 bytes. size: bytes of the file when it is made.

        Raises:
            OSError: there is no room for one, or the folder cannot be written.
            SpillFull: SPILL_FILES_MAX processes hold one each.
        """
        make_private(folder)
        for number in range(1, SPILL_FILES_MAX + 1):
            spill = cls._hold(folder / f"spill-{number}", key, os.O_CREAT)
            if spill is not None:
                try:
                    spill.prepare(size)
                except OSError:
                    spill.close()
                    raise
                return spill
        raise SpillFull(f"All {SPILL_FILES_MAX} spill files in {folder} are in use.")

    @staticmethod
    def anybody(folder: Path) -> bool:
        """Whether a process holds one of the folder's spills: a worker runs."""
        for path in folder.glob("spill-*"):
            with suppress(FileNotFoundError), path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        return False

    @classmethod
    def abandoned(cls, folder: Path, key: bytes) -> Generator["Spill"]:
        """Spills of processes that are gone, with something in them; each is closed when the next is asked for."""
        for path in sorted(folder.glob("spill-*")):
            with suppress(FileNotFoundError):
                spill = cls._hold(path, key, 0)
                if spill is None:
                    continue
                try:
                    spill.find_end()
                    if spill.pending:
                        yield spill
                finally:
                    spill.close()

    @classmethod
    def _hold(cls, path: Path, key: bytes, flags: int) -> "Spill | None":
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(path, descriptor, key)

    def close(self) -> None:
        """Lets others have it."""
        os.close(self._descriptor)

    @property
    def id(self) -> str:
        """What record.audit_spill calls it."""
        return self._id.hex()

    @property
    def used(self) -> float:
        """The part of its room that is taken, from 0 to 1."""
        return 1.0 if self._failed else (self._end - _HEADER_BYTES) / max(self._size - _HEADER_BYTES, 1)

    def append(self, rows: Sequence[AuditRow], *, for_reads: bool = True) -> None:
        """Adds a frame; returns when it is on the disk.

        for_reads: whether an act that was done waits for it; traces of others leave room for those.

        Raises:
            SpillFull: it does not fit, or the disk does not take it.
        """
        payload = orjson.dumps([[*row[:_MAC], row[_MAC].hex(), *row[_MAC + 1 :]] for row in rows])
        limit = self._size if for_reads else _HEADER_BYTES + int((self._size - _HEADER_BYTES) * SPILL_REFUSALS_SHARE)
        end = self._end + _FRAME.size + len(payload)
        if self._failed or end > limit:
            raise SpillFull("The record has no room for the trace of this request, so it is not answered.")
        number = self.pending
        try:
            _write(self._descriptor, self._head(number, payload) + payload, self._end)
            os.fdatasync(self._descriptor)
        except OSError as error:
            # After a failed sync nobody knows what is on the disk: only emptying it makes it usable again.
            self._failed = True
            raise SpillFull("The record cannot keep the trace of this request, so it is not answered.") from error
        self._end, self.pending, self.rows = end, number + 1, self.rows + len(rows)

    def frames(self) -> Iterator[tuple[int, list[AuditRow]]]:
        """Every frame: its number and its rows."""
        for number, payload, _ in self._frames():
            yield number, [(*row[:_MAC], bytes.fromhex(row[_MAC]), *row[_MAC + 1 :]) for row in payload]

    def clear(self) -> None:
        """Empties it: the frames must be in the database before."""
        new = os.urandom(16)
        _write(self._descriptor, _HEADER.pack(_MAGIC, new, self._seal(_MAGIC, new)), 0)
        os.fdatasync(self._descriptor)
        self._id, self._end, self.pending, self.rows = new, _HEADER_BYTES, 0, 0
        self._failed = self.damaged = False

    def keep_damaged(self) -> Path:
        """Copies a damaged spill beside itself before it is emptied, for whoever looks into it; returns the copy."""
        copy = self.path.with_name(f"damaged-{self.path.name}-{self.id[:8] or os.urandom(4).hex()}")
        with copy.open("wb") as file:
            copy.chmod(0o600)
            for begin in range(0, self._size, _PIECE_BYTES):
                file.write(os.pread(self._descriptor, _PIECE_BYTES, begin))
        return copy

    def prepare(self, size: int) -> None:
        """Fills the file up to its size, so that no later write needs room, and finds where it ends."""
        there = os.fstat(self._descriptor).st_size
        if there < size:
            for begin in range(there, size, _PIECE_BYTES):
                _write(self._descriptor, bytes(min(_PIECE_BYTES, size - begin)), begin)
            os.fsync(self._descriptor)
            sync_folder(self.path.parent)
        self.find_end()
        if not self._id:
            if self.damaged:
                self.keep_damaged()
            self.clear()

    def find_end(self) -> None:
        """Reads what is in it: its id, how many frames wait, where the next one goes, whether it was harmed."""
        self._size = os.fstat(self._descriptor).st_size
        head = os.pread(self._descriptor, _HEADER.size, 0)
        if len(head) < _HEADER.size:
            return
        magic, identity, mac = _HEADER.unpack(head)
        if magic != _MAGIC or mac != self._seal(magic, identity):
            self.damaged = any(head)  # zeros were never a header: the file was made and then left
            return
        self._id = identity
        for number, payload, end in self._frames():
            self.pending, self.rows, self._end = number + 1, self.rows + len(payload), end
        self.damaged = self._anything_after(self._end)

    def _frames(self) -> Iterator[tuple[int, list[Any], int]]:
        """(number, rows, where the next begins) of each frame, up to the first that is not whole."""
        begin, number = _HEADER_BYTES, 0
        while self._id and (frame := self._frame(begin, number)) is not None:
            payload, begin = frame
            yield number, payload, begin
            number += 1

    def _frame(self, begin: int, number: int | None) -> tuple[list[Any], int] | None:
        head = os.pread(self._descriptor, _FRAME.size, begin)
        if len(head) < _FRAME.size:
            return None
        identity, found, length, mac = _FRAME.unpack(head)
        if identity != self._id or (number is not None and found != number) or begin + length > self._size:
            return None
        payload = os.pread(self._descriptor, length, begin + _FRAME.size)
        if mac != self._seal(identity, found.to_bytes(4, "big"), payload):
            return None
        rows: list[Any] = orjson.loads(payload)
        return rows, begin + _FRAME.size + length

    def _anything_after(self, end: int) -> bool:
        """Whether a whole frame of this use lies behind what can be read: then one before it was harmed.

        A frame that was cut off by a crash is the last one, and nobody was answered for it.
        """
        overlap = b""
        for begin in range(end, self._size, _PIECE_BYTES):
            piece = overlap + os.pread(self._descriptor, _PIECE_BYTES, begin)
            at = piece.find(self._id)
            while at >= 0:
                if self._frame(begin - len(overlap) + at, None) is not None:
                    return True
                at = piece.find(self._id, at + 1)
            overlap = piece[-len(self._id) :]
        return False

    def _head(self, number: int, payload: bytes) -> bytes:
        mac = self._seal(self._id, number.to_bytes(4, "big"), payload)
        return _FRAME.pack(self._id, number, len(payload), mac)

    def _seal(self, *parts: bytes) -> bytes:
        return hashlib.blake2b(b"".join(parts), key=self._key, digest_size=16).digest()


def _write(descriptor: int, content: bytes, at: int) -> None:
    """Writes all of it at a place."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written

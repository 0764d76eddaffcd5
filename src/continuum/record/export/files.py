"""The files that one process of an export writes: NDJSON, one type each, a new one when one is large enough."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import BULK_BUFFER_BYTES, BULK_DISK_FREE_MIN_BYTES, BULK_FILE_MAX_BYTES
from continuum.record.jobs import File

NO_ROOM = "The server has no room for the files of this export; tell its operator, or ask for less of it."


class NoRoom(DomainError):
    """The disk of the files is nearly full."""

    status = 507
    code = "no-store"


class _Open:
    """One file that is being written; `size` and `lines` count what was handed over."""

    __slots__ = ("buffered", "category", "handle", "lines", "name", "pending", "size", "type")

    def __init__(self, folder: Path, name: str, category: str, kind: str) -> None:
        self.name = name
        self.category = category
        self.type = kind
        self.lines = 0
        self.size = 0
        self.pending: list[bytes] = []
        self.buffered = 0
        path = folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self.handle: BinaryIO = os.fdopen(descriptor, "wb", buffering=0)

    def flush(self) -> None:
        if self.pending:
            text = b"".join(self.pending)
            while text:
                text = text[self.handle.write(text) :]
            self.pending.clear()
            self.buffered = 0


class Files:
    """The files of one process. `mark` keeps their names apart from those of every other process and attempt."""

    def __init__(self, folder: Path, mark: str) -> None:
        self._folder = folder
        self._mark = mark
        self._number = 0
        self._open: dict[tuple[str, str], _Open] = {}
        self._touched: set[_Open] = set()

    def write(self, category: str, kind: str, lines: Sequence[bytes]) -> None:
        """Adds lines, their ends not included."""
        file = self._open.get((category, kind))
        if file is None:
            self._number += 1
            name = f"{kind}.{self._mark}-{self._number}.ndjson"
            file = self._open[category, kind] = _Open(self._folder, name, category, kind)
        text = b"\n".join((*lines, b""))
        file.pending.append(text)
        file.lines += len(lines)
        file.size += len(text)
        file.buffered += len(text)
        self._touched.add(file)
        if file.buffered >= BULK_BUFFER_BYTES:
            file.flush()

    def settle(self) -> list[File]:
        """Makes what was written durable; the files that changed since the last time, as they stand.

        Raises:
            NoRoom: the disk has less room left than what else lies on it may need.
        """
        if shutil.disk_usage(self._folder).free < BULK_DISK_FREE_MIN_BYTES:
            raise NoRoom(NO_ROOM)
        settled = []
        for file in self._touched:
            file.flush()
            os.fdatasync(file.handle.fileno())
            settled.append(File(file.name, file.category, file.type, file.lines, file.size))
            if file.size >= BULK_FILE_MAX_BYTES:
                file.handle.close()
                del self._open[file.category, file.type]
        self._touched.clear()
        return settled

    def close(self) -> None:
        """Closes all files."""
        for file in self._open.values():
            file.handle.close()
        self._open.clear()

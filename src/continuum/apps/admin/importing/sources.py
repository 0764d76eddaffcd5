"""The files of an import, cut into chunks that are the same whenever the file is the same."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from continuum.kernel.errors import Malformed
from continuum.kernel.limits import IMPORT_CHUNK_BYTES, IMPORT_CHUNK_LINES, IMPORT_DOCUMENT_MAX_BYTES

NDJSON = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
DOCUMENTS = (".json", ".json.gz")

_FIRST = ("Organization", "Location", "Practitioner", "PractitionerRole", "Medication", "Patient", "Encounter")
"""Types that others refer to; loading them first leaves fewer references to check at the end."""


_MOST = IMPORT_DOCUMENT_MAX_BYTES + 1
_TOO_LARGE = f"a line or document is larger than {IMPORT_DOCUMENT_MAX_BYTES >> 20} MB; split it"


class Unreadable(Malformed):
    """A file, or what follows a line of it, cannot be read; `line` is the first line that is missing."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a file, or one whole document. `source` is the file's digest; lines are (number, JSON text)."""

    path: Path
    source: str
    number: int
    lines: tuple[tuple[int, bytes], ...]
    document: bool


def files(target: Path) -> list[Path]:
    """The files to import, in the order in which they are best loaded.

    Raises:
        Malformed: there is nothing to import there.
    """
    if not target.exists():
        raise Malformed(f"There is no file or folder {target}.")
    found = [target] if target.is_file() else [path for path in target.rglob("*") if path.is_file()]
    wanted = [path for path in found if path.name.endswith((*NDJSON, *DOCUMENTS))]
    if not wanted:
        raise Malformed(f"{target} holds no .ndjson or .json files (plain or .gz).")
    return sorted(wanted, key=_order)


def others(target: Path) -> list[Path]:
    """The files of a folder that an import does not take, so that they can be named."""
    if target.is_file():
        return []
    return sorted(
        path for path in target.rglob("*") if path.is_file() and not path.name.endswith((*NDJSON, *DOCUMENTS))
    )


def _order(path: Path) -> tuple[int, str]:
    kind = path.name.split(".")[0]
    return (_FIRST.index(kind) if kind in _FIRST else len(_FIRST), str(path))


def digest(path: Path) -> str:
    """Names a file by its content, so that a changed file is not taken for one that was loaded."""
    seen = hashlib.blake2b(path.name.encode(), digest_size=16)
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            seen.update(block)
    return seen.hexdigest()


def chunks(path: Path, source: str) -> Iterator[Chunk]:
    """The chunks of one file; what can be read of a damaged one comes before the refusal.

    Raises:
        Unreadable: a document or line is larger than IMPORT_DOCUMENT_MAX_BYTES, the gzip is damaged, or the
            file cannot be read.
    """
    line = 1
    lines: list[tuple[int, bytes]] = []
    size = 0
    number = 0
    damage: Unreadable | None = None
    document = not path.name.endswith(NDJSON)
    try:
        with _open(path) as handle:
            while text := handle.read(_MOST) if document else handle.readline(_MOST):
                if len(text) == _MOST:
                    damage = Unreadable(path, line, _TOO_LARGE)
                    break
                if text.strip():
                    lines.append((line, text))
                    size += len(text)
                if document:
                    break
                line += 1
                if len(lines) >= IMPORT_CHUNK_LINES or size >= IMPORT_CHUNK_BYTES:
                    yield Chunk(path, source, number, tuple(lines), document=False)
                    number += 1
                    lines, size = [], 0
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        damage = Unreadable(path, line, f"the gzip file is damaged or not whole: {error}")
    except OSError as error:
        damage = Unreadable(path, line, f"cannot be read: {error.strerror}")
    if lines:
        yield Chunk(path, source, number, tuple(lines), document=document)
    elif document and damage is None:
        damage = Unreadable(path, line, "the file is empty")
    if damage is not None:
        raise damage


def _open(path: Path) -> IO[bytes]:
    if not path.name.endswith(".gz"):
        return path.open("rb")
    # Its own readline takes longer than the unpacking does. A small buffer: at a damage, what is in it is lost.
    return io.BufferedReader(gzip.GzipFile(path, "rb"), io.DEFAULT_BUFFER_SIZE)

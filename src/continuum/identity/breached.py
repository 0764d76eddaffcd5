"""An operator's file of passwords that are known from breaches, of any size for digests and without a network.

Two kinds of file are taken. Digests: one SHA-1 in hexadecimal for each line, in ascending order, what follows a colon
passed over; that is how such lists are handed out, tens of gigabytes long, and it is searched where it lies, not read.
Passwords: one for each line, in any order, whatever their case; these are read, so the file is small.
"""

import hashlib
import mmap
import re
import unicodedata
from pathlib import Path

from continuum.identity.limits import BREACHED_PASSWORDS_MAX_BYTES
from continuum.kernel.errors import DomainError

_DIGEST_CHARS = 40
_DIGEST = re.compile(rb"[0-9A-Fa-f]{40}(?::[0-9]*)?\r?\Z")
_LINE_MAX_BYTES = 1_024
_SAMPLES = 1_000
"""Places of a file at which it is held to be in order."""


class BadList(DomainError):
    """The operator's list cannot be used; the text says why."""

    code = "value"


class Breached:
    """The passwords of one list."""

    def __init__(self, path: Path) -> None:
        """Opens the list.

        Raises:
            BadList: it cannot be read, is empty, or is neither of the two kinds.
        """
        self._digests: mmap.mmap | None = None
        self._words: frozenset[bytes] = frozenset()
        try:
            with path.open("rb") as file:
                first = file.readline(_LINE_MAX_BYTES).rstrip(b"\n")
                if not first.strip():
                    raise BadList(f"The list of breached passwords in {path} does not begin with one.")
                if _DIGEST.match(first):
                    self._digests = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                    self._require_order(path)
                else:
                    self._words = _words(path, first + b"\n" + file.read(BREACHED_PASSWORDS_MAX_BYTES + 1))
        except OSError as error:
            raise BadList(f"The list of breached passwords cannot be read from {path}: {error}.") from error

    def holds(self, password: str) -> bool:
        """Whether the list has the password. Reads the disk."""
        text = unicodedata.normalize("NFKC", password)
        if self._digests is None:
            return _short(text) in self._words
        sent = password.encode("utf-8", "surrogatepass")
        return any(self._has(one) for one in {sent, text.encode("utf-8", "surrogatepass")})

    def _has(self, password: bytes) -> bool:
        assert self._digests is not None, "asked of lists of digests"
        wanted = hashlib.sha1(password, usedforsecurity=False).hexdigest().upper().encode()
        low, high = 0, len(self._digests)
        while low < high:
            start, end = self._line(low, (low + high) // 2)
            found = self._digests[start : start + _DIGEST_CHARS].upper()
            if found == wanted:
                return True
            low, high = (end, high) if found < wanted else (low, start)
        return False

    def _line(self, low: int, place: int) -> tuple[int, int]:
        """Where the line with this place begins, not before `low`, and where the next one does."""
        assert self._digests is not None, "asked of lists of digests"
        start = max(low, self._digests.rfind(b"\n", low, place) + 1)
        end = self._digests.find(b"\n", place)
        return start, len(self._digests) if end < 0 else end + 1

    def _require_order(self, path: Path) -> None:
        assert self._digests is not None, "asked of lists of digests"
        size, before, last = len(self._digests), b"", -1
        for number in range(_SAMPLES + 1):
            start, end = self._line(0, min(size - 1, size * number // _SAMPLES))
            line = self._digests[start:end].rstrip(b"\n")
            if not _DIGEST.match(line):
                raise BadList(f"The list of breached passwords in {path} has a line that is no SHA-1 in hexadecimal.")
            digest = line[:_DIGEST_CHARS].upper()
            if digest < before or (digest == before and start != last):
                raise BadList(
                    f"The list of breached passwords in {path} is not in ascending order; sort it: LC_ALL=C sort -u."
                )
            before, last = digest, start


def _words(path: Path, content: bytes) -> frozenset[bytes]:
    if len(content) > BREACHED_PASSWORDS_MAX_BYTES:
        raise BadList(
            f"The list of breached passwords in {path} is longer than {BREACHED_PASSWORDS_MAX_BYTES} bytes; longer"
            " ones are lists of SHA-1 digests in ascending order."
        )
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BadList(f"The list of breached passwords in {path} is not UTF-8: {error}.") from error
    return frozenset(_short(unicodedata.normalize("NFKC", one)) for one in lines if one.strip())


def _short(text: str) -> bytes:
    """Eight bytes that stand for a password, whatever its case: one in many million million is refused by mistake."""
    return hashlib.blake2b(text.casefold().encode("utf-8", "surrogatepass"), digest_size=8).digest()

"""Passwords: which are taken, under which profile, and how they are kept (Argon2id, RFC 9106)."""

import asyncio
import base64
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION
from zxcvbn import zxcvbn

from continuum.identity.limits import (
    PASSWORD_GUESSES_MIN_LOG10,
    PASSWORD_HASHES_AT_ONCE,
    PASSWORD_HASHES_WAITING_MAX,
    PASSWORD_MAX_CHARS,
    PASSWORD_MIN_CHARS,
    PASSWORD_RATED_CHARS,
    PASSWORD_WITH_FACTOR_MIN_CHARS,
)
from continuum.kernel.errors import Busy, DomainError
from continuum.kernel.limits import PASSWORD_MEMORY_MIB

T = TypeVar("T")
_PERSONAL_MIN_CHARS = 4
_DAY_S = 24 * 3600
_CONTEXT = ("continuum", "tricare", "military", "health", "record")
"""Words that everybody here would think of (NIST SP 800-63B-4 §3.1.1.2: context-specific words)."""


class PasswordRefused(DomainError):
    """A new password that the profile does not take; the text says all that is wrong with it."""

    status = 422
    code = "invalid"


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of an installation. Ages in seconds, 0 where there is no rule.

    locks: whether failures lock the account until an administrator opens it, instead of growing delays.
    """

    name: str
    min_chars: int = PASSWORD_MIN_CHARS
    with_factor_min_chars: int = PASSWORD_MIN_CHARS
    composed: bool = False
    changed_min_chars: int = 0
    former_refused: int = 0
    min_age_s: int = 0
    max_age_s: int = 0
    locks: bool = False


PROFILES = {
    # SP 800-63B-4 §3.1.1.2 forbids composition rules and periodic change.
    "nist-63b-4": Profile("nist-63b-4", with_factor_min_chars=PASSWORD_WITH_FACTOR_MIN_CHARS),
    # ASD STIG V-222536 to V-222546 and V-222432.
    "dod-stig": Profile(
        "dod-stig", composed=True, changed_min_chars=8, former_refused=5, min_age_s=_DAY_S, max_age_s=60 * _DAY_S,
        locks=True,
    ),
}  # fmt: skip


def normalised(password: str) -> str:
    """One form of what different keyboards send for the same signs (NFKC, SP 800-63B-4 §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def objections(
    password: str,
    profile: Profile,
    *,
    about: Iterable[str] = (),
    second_factor: bool = False,
    former: str | None = None,
    breached: bool = False,
) -> tuple[str, ...]:
    """Everything that speaks against a new password, in words for the person; empty if it is taken.

    about: names, numbers and dates of the person. second_factor: whether the account has one. former: the
    present password, where it was given. breached: whether a list of breached passwords has it.
    """
    text = normalised(password)
    found: list[str] = []
    least = profile.with_factor_min_chars if second_factor else profile.min_chars
    if len(text) < least:
        found.append(f"It needs {least} characters or more; a few words in a row are easy to remember.")
    if len(text) > PASSWORD_MAX_CHARS:
        return (f"It may have {PASSWORD_MAX_CHARS} characters at most.",)
    if profile.composed:
        found.extend(_not_composed(text))
    if (
        former is not None
        and profile.changed_min_chars
        and _changed(normalised(former), text) < (profile.changed_min_chars)
    ):
        found.append(f"At least {profile.changed_min_chars} characters must differ from the present password.")
    if breached:
        found.append("It is known from a breach elsewhere; those are tried everywhere. Please think of another one.")
    words = _personal(about)
    plain = _plain(text)
    if any(word in plain for word in words):
        found.append("It holds a name, number or date of yours; those are the first that others try.")
    elif not found and _guesses_log10(text, words) < PASSWORD_GUESSES_MIN_LOG10:
        found.append("It is too easy to guess: common words, runs on the keyboard and repeats do not help.")
    return tuple(found)


def _not_composed(text: str) -> Iterable[str]:
    kinds = {
        "an upper-case letter": str.isupper,
        "a lower-case letter": str.islower,
        "a digit": str.isdigit,
        "a special character": lambda sign: not sign.isalnum() and not sign.isspace(),
    }
    missing = [name for name, is_kind in kinds.items() if not any(map(is_kind, text))]
    if missing:
        yield f"It lacks {' and '.join(missing)}."


def _changed(former: str, text: str) -> int:
    """Characters of the new password that were not in the old one, counted with their number."""
    return (Counter(text) - Counter(former)).total()


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if sign.isalnum())


def _personal(about: Iterable[str]) -> list[str]:
    words = {_plain(word) for text in about for word in (*text.replace("-", " ").split(), text)}
    return sorted(word for word in words if len(word) >= _PERSONAL_MIN_CHARS)


def _guesses_log10(text: str, words: list[str]) -> float:
    rated = zxcvbn(text[:PASSWORD_RATED_CHARS], user_inputs=[*words, *_CONTEXT])
    return float(rated["guesses_log10"])


def of_nobody(memory_kib: int, passes: int) -> str:
    """A hash at this cost to compare with where there is none; no password was hashed for it, and none is known."""
    salt, digest = bytes(16), hashlib.sha256(b"the password of nobody").digest()
    written = "$".join(base64.b64encode(one).decode().rstrip("=") for one in (salt, digest))
    return f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={passes},p=1${written}"


class Hasher:
    """Hashes and checks passwords in threads of its own; one per worker.

    memory_kib, passes: what one hash costs; the defaults are RFC 9106's second recommendation, with one lane.
    """

    def __init__(self, *, memory_kib: int = PASSWORD_MEMORY_MIB * 1024, passes: int = 3) -> None:
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(PASSWORD_HASHES_AT_ONCE, thread_name_prefix="password")
        self._waiting = 0
        self._nobody = of_nobody(memory_kib, passes)

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash to keep, salt and costs included. Raises Busy."""
        return await self._run(self._hash, normalised(password))

    async def verify(self, password: str, kept: str | None) -> bool:
        """Whether it is the password; without a kept hash the same work is done and the answer is no. Raises Busy."""
        right = await self._run(self._verify, normalised(password), kept or self._nobody)
        return right and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether the hash costs less than hashes do now."""
        return self._argon2.check_needs_rehash(kept)

    def _hash(self, password: str) -> str:
        return self._argon2.hash(password.encode("utf-8", "surrogatepass"))

    def _verify(self, password: str, kept: str) -> bool:
        if len(password) > PASSWORD_MAX_CHARS:
            return False
        try:
            return self._argon2.verify(kept, password.encode("utf-8", "surrogatepass"))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= PASSWORD_HASHES_WAITING_MAX:
            raise Busy("Too many people sign in at this moment; please try again.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

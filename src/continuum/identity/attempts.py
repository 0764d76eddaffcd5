"""Counts failed attempts, so that guessing is slow, without letting strangers lock anybody out.

An attempt is written down before it is judged, and struck out when it was right: however many come at the same
moment, on however many workers, each sees the others. Names that exist and names that do not are counted alike.
"""

from dataclasses import dataclass

from continuum.identity.limits import (
    ATTEMPT_PENDING_S,
    ATTEMPT_WAIT_MAX_S,
    ATTEMPTS_FREE,
    ATTEMPTS_OF_STRANGERS_MAX,
    ATTEMPTS_REMEMBERED_S,
    LOCK_FAILURES,
    LOCK_WINDOW_S,
)
from continuum.identity.passwords import Profile
from continuum.identity.vault import Vault
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import DomainError
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection

_LOCK_CLASS = 7202
"""The first half of the advisory locks under which one subject's attempts are counted."""
_STRANGERS = b"strangers"


class TooManyAttempts(DomainError):
    """The next attempt has to wait `wait_s` seconds; it was not judged."""

    status = 429
    code = "throttled"

    def __init__(self, wait_s: int) -> None:
        shown = f"{wait_s} seconds" if wait_s < 120 else f"{-(-wait_s // 60)} minutes"
        super().__init__(f"There were too many failed attempts. Please wait {shown} and try again.")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt under way."""

    attempt_id: str
    subject: bytes
    origin: bytes


def wait_s(failures: int) -> int:
    """Seconds between the last failure and the next attempt, after so many failures."""
    if failures < ATTEMPTS_FREE:
        return 0
    return int(min(2 ** min(failures - ATTEMPTS_FREE + 1, 30), ATTEMPT_WAIT_MAX_S))


class Attempts:
    """Counts for one installation; the counts are in the database."""

    def __init__(self, vault: Vault, profile: Profile, *, clock: Clock = now_us) -> None:
        self._vault = vault
        self._profile = profile
        self._clock = clock

    async def begin(self, conn: Connection, subject: str, *, network: str, mark: str = "") -> Attempt:
        """Writes the attempt down, in a transaction of its own.

        subject: what is being tried, such as `password/NAME`. network: where from. mark: of a browser that has
        signed in to this account before; it has a count of its own, which no stranger can reach.

        Raises:
            TooManyAttempts: it comes too early, or (profile dod-stig) the account is or is being locked.
        """
        found = Attempt(
            uuid7(),
            self._vault.digest("attempt", subject),
            self._vault.digest("known", mark) if mark else _STRANGERS + self._vault.digest("network", network),
        )
        async with conn.transaction():
            await conn.fetch(
                "SELECT pg_advisory_xact_lock($1, $2)", _LOCK_CLASS, int.from_bytes(found.subject[:4], signed=True)
            )
            early_s = await (self._locked_s(conn, found) if self._profile.locks else self._early_s(conn, found))
            if early_s > 0:
                raise TooManyAttempts(early_s)
            await conn.fetch(
                "INSERT INTO identity.attempt (attempt_id, subject_digest, origin_digest, at_us)"
                " VALUES ($1, $2, $3, $4)",
                found.attempt_id, found.subject, found.origin, self._clock(),
            )  # fmt: skip
        return found

    async def _early_s(self, conn: Connection, attempt: Attempt) -> int:
        """How much too early the attempt comes."""
        now = self._clock()
        row = await conn.fetchrow(
            "SELECT count(*) FILTER (WHERE origin_digest = $2) AS own,"
            " max(at_us) FILTER (WHERE origin_digest = $2) AS own_last,"
            " count(*) FILTER (WHERE substr(origin_digest, 1, 9) = $4) AS strangers,"
            " max(at_us) FILTER (WHERE substr(origin_digest, 1, 9) = $4) AS strangers_last"
            " FROM identity.attempt WHERE subject_digest = $1 AND at_us > $3",
            attempt.subject, attempt.origin, now - ATTEMPTS_REMEMBERED_S * 1_000_000, _STRANGERS,
        )  # fmt: skip
        early_us = (row["own_last"] or 0) + wait_s(row["own"]) * 1_000_000 - now
        if attempt.origin.startswith(_STRANGERS) and row["strangers"] >= ATTEMPTS_OF_STRANGERS_MAX:
            early_us = max(early_us, row["strangers_last"] + ATTEMPT_WAIT_MAX_S * 1_000_000 - now)
        return int(max(0, -(-early_us // 1_000_000)))

    async def _locked_s(self, conn: Connection, attempt: Attempt) -> int:
        """Under dod-stig: how long the failures of the last minutes, from anywhere, still count."""
        now = self._clock()
        row = await conn.fetchrow(
            "SELECT count(*) AS failures, min(at_us) AS first FROM identity.attempt"
            " WHERE subject_digest = $1 AND at_us > $2",
            attempt.subject, now - LOCK_WINDOW_S * 1_000_000,
        )  # fmt: skip
        if row["failures"] < LOCK_FAILURES:
            return 0
        return max(1, -(-int(row["first"] + LOCK_WINDOW_S * 1_000_000 - now) // 1_000_000))

    async def succeeded(self, conn: Connection, attempt: Attempt) -> None:
        """Strikes out the attempt and the failures of the same origin before it."""
        await conn.fetch(
            "DELETE FROM identity.attempt WHERE subject_digest = $1 AND (origin_digest = $2 OR attempt_id = $3)",
            attempt.subject, attempt.origin, attempt.attempt_id,
        )  # fmt: skip

    async def failed(self, conn: Connection, attempt: Attempt) -> bool:
        """Keeps the attempt as a failure; returns whether the account is to be locked (profile dod-stig)."""
        now = self._clock()
        await conn.fetch("UPDATE identity.attempt SET failed = true WHERE attempt_id = $1", attempt.attempt_id)
        if not self._profile.locks:
            return False
        row = await conn.fetchrow(
            "SELECT count(*) AS failures FROM identity.attempt"
            " WHERE subject_digest = $1 AND at_us > $2 AND (failed OR at_us < $3)",
            attempt.subject, now - LOCK_WINDOW_S * 1_000_000, now - ATTEMPT_PENDING_S * 1_000_000,
        )  # fmt: skip
        return bool(row["failures"] >= LOCK_FAILURES)

    async def failures(self, conn: Connection, subject: str) -> int:
        """How many attempts on a subject failed lately, from everywhere."""
        row = await conn.fetchrow(
            "SELECT count(*) AS failures FROM identity.attempt WHERE subject_digest = $1 AND failed AND at_us > $2",
            self._vault.digest("attempt", subject), self._clock() - ATTEMPTS_REMEMBERED_S * 1_000_000,
        )  # fmt: skip
        return int(row["failures"])

    async def forget(self, conn: Connection, subject: str) -> None:
        """Strikes out all that is counted for a subject: an administrator opened the account."""
        await conn.fetch(
            "DELETE FROM identity.attempt WHERE subject_digest = $1", self._vault.digest("attempt", subject)
        )

    async def sweep(self, conn: Connection) -> None:
        """Removes what is held against nobody any more."""
        await conn.fetch(
            "DELETE FROM identity.attempt WHERE at_us < $1", self._clock() - ATTEMPTS_REMEMBERED_S * 1_000_000
        )

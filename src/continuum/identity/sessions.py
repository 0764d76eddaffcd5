"""Sessions: rows that say who is here, how surely, since when, and until when at most.

The browser's cookie is the only copy of a session's value. Idle and absolute limits are judged in the database
against its own row, so all workers agree.
"""

from dataclasses import dataclass
from typing import Any

from continuum.identity.acts import Origin
from continuum.identity.limits import (
    REAUTHENTICATED_S,
    SESSION_IDLE_ADMINISTRATOR_S,
    SESSION_IDLE_S,
    SESSION_LIFETIME_S,
    SESSION_TOUCH_S,
    SESSIONS_MAX,
)
from continuum.identity.vault import random_token, token_digest
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import DomainError, ReadOnly, StorageFull
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import (
    LOG_TEXT_CHARS,
)
from continuum.record.read import Connection
from continuum.record.write import translate

RECOVERY = "recovery"
"""The method of a session that was opened with a recovery code: it may set up a factor, and nothing else."""
_SECOND_US = 1_000_000
_COLUMNS = """s.session_id, s.account_id, s.identity_level, s.authenticator_level, s.methods, s.created_us,
  s.authenticated_us, s.active_us, s.idle_s, s.expires_us, s.source, s.browser, s.privilege_id"""
_LIVES = f"""s.ended_us IS NULL AND s.expires_us > $2 AND s.active_us + s.idle_s * {_SECOND_US}::bigint > $2
  AND a.locked_us IS NULL AND a.closed_us IS NULL"""


class SessionEnded(DomainError):
    """There is no session, or not any more. `reason`: none, idle, limit, ended or account."""

    status = 401
    code = "login"

    def __init__(self, reason: str) -> None:
        texts = {
            "idle": "You were signed out because nothing was done for a while.",
            "limit": "You were signed out because the longest time for one session was over.",
            "account": "You were signed out because the account was locked or closed.",
        }
        super().__init__(texts.get(reason, "You are not signed in."))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Assurance:
    """How surely it is known who somebody is, and that it is still them (NIST SP 800-63-4: IAL and AAL, 1 to 3)."""

    identity: int
    authenticator: int

    def reaches(self, wanted: "Assurance") -> bool:
        """Whether both are as high as wanted; a high one does not make up for a low one."""
        return self.identity >= wanted.identity and self.authenticator >= wanted.authenticator


BASIC, PREMIUM, CARD = Assurance(1, 1), Assurance(2, 2), Assurance(3, 3)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that lives. Instants in microseconds; `methods` are values of `amr` (RFC 8176)."""

    session_id: str
    account_id: str
    assurance: Assurance
    methods: tuple[str, ...]
    created_us: int
    authenticated_us: int
    active_us: int
    idle_s: int
    expires_us: int
    source: str
    browser: str
    privilege_id: str | None = None
    """As which of several roles its holder acts; None: as the first."""

    @property
    def recovering(self) -> bool:
        """Whether it may only be used to set up a factor."""
        return RECOVERY in self.methods

    def idle_left_s(self, now: int) -> int:
        """Seconds until it ends if nothing is done."""
        return int(max(0, min(self.active_us + self.idle_s * _SECOND_US, self.expires_us) - now) // _SECOND_US)

    @property
    def at_limit(self) -> bool:
        """Whether the longest time for a session is over before it could end for idleness: nothing extends it."""
        return self.expires_us <= self.active_us + self.idle_s * _SECOND_US

    def fresh(self, now: int) -> bool:
        """Whether credentials were shown a short while ago, as for changing them."""
        return now - self.authenticated_us < REAUTHENTICATED_S * _SECOND_US


class Sessions:
    """The sessions of one installation."""

    def __init__(self, *, clock: Clock = now_us) -> None:
        self._clock = clock

    async def open(
        self,
        conn: Connection,
        account_id: str,
        assurance: Assurance,
        methods: tuple[str, ...],
        origin: Origin,
        *,
        administrator: bool = False,
    ) -> tuple[str, Session]:
        """A new session, in the caller's transaction, and the value of its cookie.

        With more than SESSIONS_MAX the oldest ends. The account's row is to be locked by the caller, so that
        two sign-ins at once count each other.
        """
        now = self._clock()
        token = random_token()
        row = await conn.fetchrow(
            "INSERT INTO identity.session AS s (session_id, token_digest, account_id, identity_level,"
            " authenticator_level, methods, created_us, authenticated_us, active_us, idle_s, expires_us, source,"
            f" browser) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7, $8, $9, $10, $11) RETURNING {_COLUMNS}",
            uuid7(), token_digest(token), account_id, assurance.identity, assurance.authenticator, list(methods), now,
            SESSION_IDLE_ADMINISTRATOR_S if administrator else SESSION_IDLE_S, now + SESSION_LIFETIME_S * _SECOND_US,
            origin.source[:LOG_TEXT_CHARS], printable(origin.browser),
        )  # fmt: skip
        await conn.fetch(
            "UPDATE identity.session SET ended_us = $2, ended_because = 'too many' WHERE session_id IN"
            " (SELECT session_id FROM identity.session WHERE account_id = $1 AND ended_us IS NULL"
            "  ORDER BY created_us DESC, session_id DESC OFFSET $3)",
            account_id, now, SESSIONS_MAX,
        )  # fmt: skip
        return token, _session(row)

    async def resume(self, conn: Connection, token: str, *, activity: bool = True) -> Session:
        """The session of a cookie.

        activity: whether somebody did something; what a page does by itself (polling, saving) does not count.

        Raises:
            SessionEnded: it is over, or never was; one whose time has run out is ended here.
        """
        digest, now = token_digest(token), self._clock()
        row = await conn.fetchrow(
            f"SELECT {_COLUMNS} FROM identity.session s JOIN identity.account a USING (account_id)"
            f" WHERE s.token_digest = $1 AND {_LIVES}",
            digest, now,
        )  # fmt: skip
        if row is not None and activity and now - row["active_us"] >= SESSION_TOUCH_S * _SECOND_US:
            row = await self._touched(conn, digest, now, row)
        if row is None:
            raise SessionEnded(await self._end_expired(conn, digest, now))
        return _session(row)

    async def _touched(self, conn: Connection, digest: bytes, now: int, present: Any) -> Any:
        """The row with its new activity; as it was while the database takes no writes, so that people can read."""
        try:
            return await conn.fetchrow(
                "UPDATE identity.session s SET active_us = greatest(s.active_us, $2::bigint) FROM identity.account a"
                f" WHERE s.token_digest = $1 AND a.account_id = s.account_id AND {_LIVES} RETURNING {_COLUMNS}",
                digest, now,
            )  # fmt: skip
        except Exception as error:
            if not isinstance(translate(error), StorageFull | ReadOnly):
                raise
            return present

    async def _end_expired(self, conn: Connection, digest: bytes, now: int) -> str:
        """Why there is no session; a row that is over by time is marked as ended."""
        row = await conn.fetchrow(
            "SELECT s.session_id, s.ended_us, s.expires_us <= $2 AS late, a.locked_us IS NOT NULL OR"
            " a.closed_us IS NOT NULL AS shut FROM identity.session s JOIN identity.account a USING (account_id)"
            " WHERE s.token_digest = $1",
            digest, now,
        )  # fmt: skip
        if row is None:
            return "none"
        if row["ended_us"] is not None:
            return "ended"
        reason = "account" if row["shut"] else "limit" if row["late"] else "idle"
        await self.end(conn, row["session_id"], reason)
        return reason

    async def step_up(
        self, conn: Connection, session: Session, assurance: Assurance, methods: tuple[str, ...]
    ) -> tuple[str, Session]:
        """The same session at another assurance, under a new cookie value: an old copy is worth nothing."""
        token = random_token()
        row = await conn.fetchrow(
            "UPDATE identity.session s SET token_digest = $2, identity_level = $3, authenticator_level = $4,"
            " methods = $5, authenticated_us = $6, active_us = $6 WHERE s.session_id = $1 AND s.ended_us IS NULL"
            f" RETURNING {_COLUMNS}",
            session.session_id, token_digest(token), assurance.identity, assurance.authenticator, list(methods),
            self._clock(),
        )  # fmt: skip
        if row is None:
            raise SessionEnded("ended")
        return token, _session(row)

    async def act_as(self, conn: Connection, session: Session, privilege_id: str) -> None:
        """From now on the session acts as this one of its holder's roles."""
        await conn.fetch(
            "UPDATE identity.session SET privilege_id = $2 WHERE session_id = $1 AND ended_us IS NULL",
            session.session_id, privilege_id,
        )  # fmt: skip

    async def end(self, conn: Connection, session_id: str, because: str) -> bool:
        """Ends one; whether it was still open."""
        rows = await conn.fetch(
            "UPDATE identity.session SET ended_us = $2, ended_because = $3 WHERE session_id = $1 AND ended_us IS NULL"
            " RETURNING session_id",
            session_id, self._clock(), because,
        )  # fmt: skip
        return bool(rows)

    async def end_all(self, conn: Connection, account_id: str, because: str, *, but: str = "") -> int:
        """Ends every session of an account but one; how many there were."""
        rows = await conn.fetch(
            "UPDATE identity.session SET ended_us = $2, ended_because = $3"
            " WHERE account_id = $1 AND session_id <> $4 AND ended_us IS NULL RETURNING session_id",
            account_id, self._clock(), because, but,
        )  # fmt: skip
        return len(rows)

    async def of(self, conn: Connection, account_id: str) -> list[Session]:
        """The sessions of an account that live, the latest used first."""
        rows = await conn.fetch(
            f"SELECT {_COLUMNS} FROM identity.session s JOIN identity.account a USING (account_id)"
            f" WHERE s.account_id = $1 AND {_LIVES} ORDER BY s.active_us DESC, s.session_id LIMIT $3",
            account_id, self._clock(), SESSIONS_MAX,
        )  # fmt: skip
        return [_session(row) for row in rows]

    async def lives(self, conn: Connection, session_id: str) -> Session | None:
        """The session of an id, for tokens that hang on it; nothing counts as activity here."""
        row = await conn.fetchrow(
            f"SELECT {_COLUMNS} FROM identity.session s JOIN identity.account a USING (account_id)"
            f" WHERE s.session_id = $1 AND {_LIVES}",
            session_id, self._clock(),
        )  # fmt: skip
        return None if row is None else _session(row)


def printable(text: str) -> str:
    """What a browser says of itself, fit to be stored and shown."""
    return "".join(sign for sign in text if sign.isprintable() and sign.isascii())[:LOG_TEXT_CHARS]


def _session(row: Any) -> Session:
    return Session(
        session_id=row["session_id"],
        account_id=row["account_id"],
        assurance=Assurance(row["identity_level"], row["authenticator_level"]),
        methods=tuple(row["methods"]),
        created_us=row["created_us"],
        authenticated_us=row["authenticated_us"],
        active_us=row["active_us"],
        idle_s=row["idle_s"],
        expires_us=row["expires_us"],
        source=row["source"],
        browser=row["browser"],
        privilege_id=row["privilege_id"],
    )

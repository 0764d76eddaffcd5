"""Signing in and out: what is shown, what it is worth, and what follows.

Every way ends in `arrive`, which is the only place that opens a session.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from ipaddress import ip_address, ip_network

from continuum.identity import accounts, factors, staff
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin, Trace
from continuum.identity.attempts import Attempt, Attempts, TooManyAttempts
from continuum.identity.breached import Breached
from continuum.identity.browsers import told
from continuum.identity.factors.apps import Apps
from continuum.identity.factors.passkeys import Passkeys, Question
from continuum.identity.factors.recovery import RecoveryCodes
from continuum.identity.marks import Marks
from continuum.identity.passwords import Hasher, Profile
from continuum.identity.sessions import RECOVERY, Assurance, Session, Sessions
from continuum.identity.tickets import Tickets
from continuum.identity.vault import Vault
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import DomainError
from continuum.record.read import Connect, Connection

SECOND_STEP = "second step"
EXPIRED = "expired"
"""The method of a session whose password is older than the profile allows: it may change it, and nothing else."""
_IPV6_PREFIX = 64
_IPV6 = 6


class SignInRefused(DomainError):
    """What was shown does not open the account; the words are the same whether there is one or not."""

    status = 401
    code = "login"

    def __init__(self, text: str = "The sign-in name and the password do not belong together.") -> None:
        super().__init__(text)


class AccountLocked(DomainError):
    """The password was right, but the account is locked (profile dod-stig) or closed."""

    status = 401
    code = "login"


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody is signed in. token: the cookie's value. mark: for the browser to be known again."""

    token: str
    session: Session
    mark: str


@dataclass(frozen=True, slots=True)
class FactorNeeded:
    """The password was right; one of these is to be shown with the ticket."""

    ticket: str
    apps: bool
    passkeys: bool
    recovery_codes: bool


class SignOn:
    """The sign-on of one worker.

    connect: a connection for one piece of work. host, origin: of the pages (see Passkeys). trace: writes acts
    down. breached: passwords that nobody may choose.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        vault: Vault,
        profile: Profile,
        hasher: Hasher,
        trace: Trace,
        host: str,
        origin: str,
        clock: Clock = now_us,
        breached: Breached | None = None,
    ) -> None:
        self.breached = breached
        self.connect = connect
        self.vault = vault
        self.profile = profile
        self.hasher = hasher
        self.trace = trace
        self.clock = clock
        self.tickets = Tickets(clock=clock)
        self.sessions = Sessions(clock=clock)
        self.attempts = Attempts(vault, profile, clock=clock)
        self.marks = Marks(vault, clock=clock)
        self.apps = Apps(vault, clock=clock)
        self.passkeys = Passkeys(self.tickets, host=host, origin=origin, clock=clock)
        self.recovery_codes = RecoveryCodes(vault, clock=clock)

    async def is_breached(self, password: str) -> bool:
        """Whether the operator's list has the password; without one it has none."""
        return self.breached is not None and await asyncio.to_thread(self.breached.holds, password)

    def today(self) -> date:
        """The present day in UTC."""
        return datetime.fromtimestamp(self.clock() / 1_000_000, UTC).date()

    async def with_password(self, name: str, password: str, origin: Origin) -> Arrived | FactorNeeded:
        """The first step, and for an account without a second factor the only one.

        Raises:
            SignInRefused: name and password do not belong together. AccountLocked: they do, but it is locked.
            TooManyAttempts: it comes too early and was not judged. Busy: too many sign in at once.
        """
        async with self.connect() as conn:
            account = await accounts.by_name(conn, name)
            mark = self.marks.read(account.account_id, origin.mark) if account else ""
            subject = password_subject(account.sign_in_name if account else name)
            attempt = await self._begin(conn, subject, account, origin, mark)
        right = await self.hasher.verify(password, account.password_hash if account else None)
        rehashed = (
            await self.hasher.hash(password)
            if right and account and account.password_hash and self.hasher.outdated(account.password_hash)
            else None
        )
        async with self.connect() as conn, conn.transaction():
            present = await accounts.locked(conn, account.account_id) if account else None
            if not right or account is None or present is None or present.password_hash != account.password_hash:
                refusal = await self._password_refused(conn, present, attempt, origin)
            elif not present.open:
                refusal = await self._shut(conn, present, origin)
            else:
                if rehashed is not None:
                    await accounts.rehash(conn, present, rehashed)
                await self.attempts.succeeded(conn, attempt)
                return await self._after_password(conn, present, origin)
        raise refusal

    async def _begin(
        self, conn: Connection, subject: str, account: Account | None, origin: Origin, mark: str
    ) -> Attempt:
        """Writes an attempt down; one that comes too early leaves its trace. Raises TooManyAttempts."""
        try:
            return await self.attempts.begin(conn, subject, network=network(origin.source), mark=mark)
        except TooManyAttempts:
            async with conn.transaction():
                await self.trace(conn, Act("sign-in", _actor(account), origin, refused=True, detail="too early"))
            raise

    async def _password_refused(
        self, conn: Connection, account: Account | None, attempt: Attempt, origin: Origin
    ) -> DomainError:
        lock = await self.attempts.failed(conn, attempt)
        detail = "wrong password" if account else "no such account"
        if lock and account is not None:
            await accounts.lock(conn, account.account_id, self.clock())
            await self.sessions.end_all(conn, account.account_id, "account")
            detail = "wrong password; the account is locked"
        await self.trace(conn, Act("sign-in", _actor(account), origin, refused=True, detail=detail))
        return SignInRefused()

    async def _shut(self, conn: Connection, account: Account, origin: Origin) -> DomainError:
        how = "closed" if account.closed_us else "locked"
        await self.trace(conn, Act("sign-in", account.account_id, origin, refused=True, detail=f"account {how}"))
        return AccountLocked(f"This account is {how}. The help desk of your facility can tell you more.")

    async def _after_password(self, conn: Connection, account: Account, origin: Origin) -> Arrived | FactorNeeded:
        present = await factors.of(conn, account.account_id)
        if present.any:
            ticket = await self.tickets.issue(conn, SECOND_STEP, account.account_id)
            await self.trace(conn, Act("sign-in-step", account.account_id, origin, detail="password"))
            codes = present.recovery_codes + present.posted_codes
            return FactorNeeded(ticket, present.apps > 0, present.passkeys > 0, codes > 0)
        return await self.arrive(conn, account, 1, ("pwd",), origin)

    async def with_code(self, ticket: str, code: str, origin: Origin) -> Arrived:
        """The second step with an authenticator app.

        Raises:
            TicketGone: the first step is too long ago. SignInRefused: the code is wrong or was used.
            TooManyAttempts: too many wrong codes.
        """

        async def check(conn: Connection, account: Account) -> tuple[str, ...] | None:
            return ("pwd", "otp", "mfa") if await self.apps.check(conn, account.account_id, code) else None

        return await self._second_step(ticket, check, 2, "The code is wrong, or was used already.", origin)

    async def with_recovery_code(self, ticket: str, code: str, origin: Origin) -> Arrived:
        """The second step when the other factors are lost: opens a session that may set up a new one. As with_code."""

        async def check(conn: Connection, account: Account) -> tuple[str, ...] | None:
            if not await self.recovery_codes.use(conn, account.account_id, code):
                return None
            await accounts.notify(
                conn, account.account_id, "A recovery code was used to sign in. If it was not you, call us.",
                self.clock(),
            )  # fmt: skip
            return ("pwd", RECOVERY)

        return await self._second_step(ticket, check, 1, "This is none of your unused recovery codes.", origin)

    async def _second_step(self, ticket: str, check: "Check", level: int, otherwise: str, origin: Origin) -> Arrived:
        async with self.connect() as conn:
            account_id = (await self.tickets.look(conn, SECOND_STEP, ticket)).account_id or ""
            mark = self.marks.read(account_id, origin.mark)
            account = await accounts.get(conn, account_id)
            attempt = await self._begin(conn, factor_subject(account_id), account, origin, mark)
            async with conn.transaction():
                account = await accounts.locked(conn, account_id)
                assert account is not None, "a ticket goes with its account"
                methods = await check(conn, account) if account.open else None
                if methods is not None:
                    await self.tickets.take(conn, SECOND_STEP, ticket)
                    await self.attempts.succeeded(conn, attempt)
                    return await self.arrive(conn, account, level, methods, origin)
                if await self.attempts.failed(conn, attempt):
                    await accounts.lock(conn, account_id, self.clock())
                await self.trace(
                    conn, Act("sign-in", account_id, origin, refused=True, detail="wrong second factor")
                )  # fmt: skip
        raise SignInRefused(otherwise)

    async def ask_passkey(self, ticket: str = "") -> Question:
        """The question to a passkey: to anybody, or with the ticket of a first step to that account's."""
        async with self.connect() as conn:
            account_id = (await self.tickets.look(conn, SECOND_STEP, ticket)).account_id if ticket else None
            return await self.passkeys.ask_to_sign_in(conn, account_id)

    async def with_passkey(self, ticket: str, answer: str, origin: Origin) -> Arrived:
        """Signs in with a passkey alone: the device, and what opens it, are two factors.

        Raises:
            TicketGone, PasskeyRefused: the answer does not fit. AccountLocked: it does, but the account is shut.
        """
        async with self.connect() as conn:
            try:
                asked = await self.passkeys.taken_to_sign_in(conn, ticket)
                async with conn.transaction():
                    account_id = await self.passkeys.sign_in(conn, asked, answer)
                    account = await accounts.locked(conn, account_id)
                    assert account is not None, "a passkey goes with its account"
                    if account.open:
                        return await self.arrive(conn, account, 2, ("hwk", "user", "mfa"), origin)
                    refusal = await self._shut(conn, account, origin)
            except DomainError as error:
                async with conn.transaction():
                    act = Act("sign-in", "unknown", origin, refused=True, detail=f"passkey: {type(error).__name__}")
                    await self.trace(conn, act)
                raise
        raise refusal

    async def arrive(
        self,
        conn: Connection,
        account: Account,
        level: int,
        methods: tuple[str, ...],
        origin: Origin,
        *,
        identity_level: int | None = None,
    ) -> Arrived:
        """Opens the session, in the caller's transaction with the account's row locked.

        identity_level: how surely it is known who this is; None: as the account says.
        """
        if "pwd" in methods and self._password_expired(account):
            methods, level = (*methods, EXPIRED), 1
        administrator = await staff.is_administrator(conn, account.account_id, self.today())
        known = self.marks.read(account.account_id, origin.mark)
        if not known:
            text = f"Somebody signed in from a browser that was not known: {told(origin.browser)}"
            await accounts.notify(conn, account.account_id, text, self.clock())
        token, session = await self.sessions.open(
            conn, account.account_id, Assurance(identity_level or account.identity_level, level), methods, origin,
            administrator=administrator,
        )  # fmt: skip
        act = Act("sign-in", account.account_id, origin, detail=" ".join(methods))
        await self.trace(conn, act)
        return Arrived(token, session, origin.mark if known else self.marks.make(account.account_id))

    def _password_expired(self, account: Account) -> bool:
        if not self.profile.max_age_s or account.password_set_us is None:
            return False
        return self.clock() - account.password_set_us > self.profile.max_age_s * 1_000_000

    async def resume(self, token: str, *, activity: bool = True) -> tuple[Session, Account]:
        """Who is here, by the cookie. Raises SessionEnded."""
        async with self.connect() as conn:
            session = await self.sessions.resume(conn, token, activity=activity)
            account = await accounts.get(conn, session.account_id)
        assert account is not None, "a session goes with its account"
        return session, account

    async def sign_out(self, session: Session, origin: Origin) -> None:
        """Ends one session, and with it everything that was given out under it."""
        async with self.connect() as conn, conn.transaction():
            if await self.sessions.end(conn, session.session_id, "signed out"):
                await self.trace(conn, Act("sign-out", session.account_id, origin))

    async def sign_out_everywhere(self, session: Session, origin: Origin) -> int:
        """Ends every session of the account, this one too; how many there were."""
        async with self.connect() as conn, conn.transaction():
            await accounts.locked(conn, session.account_id)
            ended = await self.sessions.end_all(conn, session.account_id, "signed out everywhere")
            await self.trace(conn, Act("sign-out", session.account_id, origin, detail=f"{ended} sessions"))
        return ended

    async def sign_out_one(self, session: Session, session_id: str, origin: Origin) -> None:
        """Ends another session of the same account."""
        async with self.connect() as conn, conn.transaction():
            own = {one.session_id for one in await self.sessions.of(conn, session.account_id)}
            if session_id in own and await self.sessions.end(conn, session_id, "signed out from another"):
                await self.trace(conn, Act("sign-out", session.account_id, origin, detail="another session"))


Check = Callable[[Connection, Account], Awaitable[tuple[str, ...] | None]]


def password_subject(name: str) -> str:
    """Under what failed passwords are counted."""
    return f"password/{name.strip().casefold()}"


def factor_subject(account_id: str) -> str:
    """Under what failed second factors are counted."""
    return f"factor/{account_id}"


def network(source: str) -> str:
    """The address for which failures are counted: one IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if address.version != _IPV6:
        return source
    return str(ip_network((address, _IPV6_PREFIX), strict=False))


def _actor(account: Account | None) -> str:
    # What was typed as a name is not written down: now and then it is a password.
    return account.account_id if account else "unknown"

"""Changing what opens an account: password, authenticator apps, passkeys, recovery codes.

Whoever changes them must have shown them a short while ago, and all of them: a session left open on a table, or one
opened with a recovery code, cannot be used to take the account over.
"""

from dataclasses import dataclass

from continuum.identity import accounts, factors, registry
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.factors.apps import App, Enrolment
from continuum.identity.factors.passkeys import Passkey, Question
from continuum.identity.passwords import PasswordRefused, objections
from continuum.identity.sessions import Assurance, Session
from continuum.identity.sign_on import EXPIRED, SignOn
from continuum.kernel.errors import Forbidden, NotFound
from continuum.record.read import Connection


class SignInAgain(Forbidden):
    """The change needs credentials that were shown just now, the second factor among them."""

    def __init__(self) -> None:
        super().__init__("For this, please sign in again, with your second factor if you have one.")


class CodeWrong(PasswordRefused):
    """The first code of a new authenticator app is wrong: the app is not set up."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change came to. token: the session's new cookie, None when every session ended.

    recovery_codes: to be shown once; empty when there were some already.
    """

    token: str | None
    recovery_codes: tuple[str, ...] = ()


class Credentials:
    """Changes to credentials, for one installation."""

    def __init__(self, sign_on: SignOn) -> None:
        self._sign_on = sign_on

    async def change_password(
        self, session: Session, present: str, new: str, origin: Origin
    ) -> Changed:  # fmt: skip
        """Replaces the password and ends every other session.

        present: the password as it is; "" is right for one who signed in with a passkey or has none.

        Raises:
            SignInAgain: too long ago, or without the second factor. PasswordRefused: the words say why.
        """
        on = self._sign_on
        async with on.connect() as conn:
            account = await self.allowed(conn, session, expired=True)
            second_factor = (await factors.of(conn, account.account_id)).any
            about = await self._about(conn, account)
            kept = await accounts.former_passwords(conn, account)
        if "hwk" not in session.methods and not await on.hasher.verify(present, account.password_hash):
            raise PasswordRefused("The present password is not right.")
        await self._judge(account, new, present=present, about=about, second_factor=second_factor, kept=kept)
        hashed = await on.hasher.hash(new)
        async with on.connect() as conn, conn.transaction():
            now_there = await accounts.locked(conn, account.account_id)
            if now_there is None or now_there.password_hash != account.password_hash:
                raise SignInAgain
            await accounts.set_password(conn, account, hashed, on.profile, on.clock())
            await on.sessions.end_all(conn, account.account_id, "password changed", but=session.session_id)
            await self._tell(conn, account, "Your password was changed.", "password", origin)
            methods = tuple(method for method in session.methods if method != EXPIRED)
            level = 2 if "mfa" in methods else 1
            token, _ = await on.sessions.step_up(conn, session, Assurance(session.assurance.identity, level), methods)
        return Changed(token)

    async def _judge(
        self, account: Account, new: str, *, present: str, about: list[str], second_factor: bool, kept: list[str]
    ) -> None:
        on, profile = self._sign_on, self._sign_on.profile
        breached = await on.is_breached(new)
        wrong = list(
            objections(
                new, profile, about=about, second_factor=second_factor, former=present or None, breached=breached
            )
        )
        young = account.password_set_us is not None and (
            on.clock() - account.password_set_us < profile.min_age_s * 1_000_000
        )
        if young:
            wrong.append("The present password is less than a day old; it can be changed again tomorrow.")
        if not wrong:
            for former in kept if profile.former_refused else kept[:1]:
                if await on.hasher.verify(new, former):
                    wrong.append("It was your password before; please think of a new one.")
                    break
        if wrong:
            raise PasswordRefused(" ".join(wrong))

    async def begin_app(self, session: Session, name: str) -> Enrolment:
        """A seed for a new authenticator app. Raises SignInAgain, TooManyFactors."""
        async with self._sign_on.connect() as conn, conn.transaction():
            account = await self.allowed(conn, session)
            return await self._sign_on.apps.begin(
                conn, account.account_id, name=name, account_label=account.sign_in_name
            )

    async def confirm_app(self, session: Session, factor_id: str, code: str, origin: Origin) -> Changed:
        """Makes the app a factor with its first right code. Raises SignInAgain, CodeWrong."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            account = await self.allowed(conn, session)
            await accounts.locked(conn, account.account_id)
            if not await on.apps.confirm(conn, account.account_id, factor_id, code):
                raise CodeWrong("The code is wrong. Is the time on your phone right?")
            return await self._added(conn, session, account, "An authenticator app was set up.", "otp", origin)

    async def ask_passkey(self, session: Session) -> Question:
        """The question for a new passkey. Raises SignInAgain, TooManyFactors."""
        async with self._sign_on.connect() as conn:
            account = await self.allowed(conn, session)
            return await self._sign_on.passkeys.ask_to_register(conn, account)

    async def add_passkey(self, session: Session, ticket: str, answer: str, name: str, origin: Origin) -> Changed:
        """Keeps a new passkey. Raises SignInAgain, TicketGone, PasskeyRefused."""
        on = self._sign_on
        async with on.connect() as conn:
            account = await self.allowed(conn, session)
            asked = await on.passkeys.taken_to_register(conn, ticket)
            async with conn.transaction():
                await accounts.locked(conn, account.account_id)
                await on.passkeys.register(conn, account, asked, answer, name=name)
                return await self._added(conn, session, account, "A passkey was set up.", "hwk", origin)

    async def _added(
        self, conn: Connection, session: Session, account: Account, text: str, method: str, origin: Origin
    ) -> Changed:
        """What follows a new factor: it raises the session that set it up; one of recovery ends with all others."""
        on = self._sign_on
        await self._tell(conn, account, text, "factor", origin)
        present = await factors.of(conn, account.account_id)
        codes = () if present.recovery_codes else tuple(await on.recovery_codes.renew(conn, account.account_id))
        if session.recovering:
            await on.sessions.end_all(conn, account.account_id, "recovered")
            return Changed(None, codes)
        methods = tuple(dict.fromkeys((*session.methods, method, "mfa")))
        raised = Assurance(session.assurance.identity, max(2, session.assurance.authenticator))
        token, _ = await on.sessions.step_up(conn, session, raised, methods)
        return Changed(token, codes)

    async def renew_recovery_codes(self, session: Session, origin: Origin) -> tuple[str, ...]:
        """New recovery codes, to be shown once. Raises SignInAgain."""
        async with self._sign_on.connect() as conn, conn.transaction():
            account = await self.allowed(conn, session, recovering=False)
            await self._tell(conn, account, "New recovery codes were made; the old ones are void.", "factor", origin)
            return tuple(await self._sign_on.recovery_codes.renew(conn, account.account_id))

    async def remove_app(self, session: Session, factor_id: str, origin: Origin) -> None:
        """Takes an authenticator app away. Raises SignInAgain, NotFound."""
        async with self._sign_on.connect() as conn, conn.transaction():
            account = await self.allowed(conn, session, recovering=False)
            if not await self._sign_on.apps.remove(conn, account.account_id, factor_id):
                raise NotFound("There is no such authenticator app.")
            await self._tell(conn, account, "An authenticator app was removed.", "factor", origin)

    async def remove_passkey(self, session: Session, credential_id: bytes, origin: Origin) -> None:
        """Takes a passkey away. Raises SignInAgain, NotFound."""
        async with self._sign_on.connect() as conn, conn.transaction():
            account = await self.allowed(conn, session, recovering=False)
            if not await self._sign_on.passkeys.remove(conn, account.account_id, credential_id):
                raise NotFound("There is no such passkey.")
            await self._tell(conn, account, "A passkey was removed.", "factor", origin)

    async def present(self, session: Session) -> tuple[list[App], list[Passkey], int]:
        """The account's apps, its passkeys, and how many recovery codes are left."""
        async with self._sign_on.connect() as conn:
            account_id = session.account_id
            left = (await factors.of(conn, account_id)).recovery_codes
            return (
                await self._sign_on.apps.of(conn, account_id),
                await self._sign_on.passkeys.of(conn, account_id),
                left,
            )

    async def allowed(
        self, conn: Connection, session: Session, *, recovering: bool = True, expired: bool = False
    ) -> Account:
        """The account, if this session may change its credentials now.

        recovering: whether a session of recovery may. expired: whether one with an expired password may.
        """
        account = await accounts.get(conn, session.account_id)
        present = await factors.of(conn, session.account_id)
        whole = not present.any or "mfa" in session.methods or (recovering and session.recovering and not expired)
        restricted = (session.recovering and not recovering) or (EXPIRED in session.methods and not expired)
        if account is None or not account.open or restricted or not whole or not session.fresh(self._sign_on.clock()):
            raise SignInAgain
        return account

    async def _about(self, conn: Connection, account: Account) -> list[str]:
        """What others know of the person, which a password must not hold."""
        entry = await registry.get(conn, account.person_id) if account.person_id else None
        known = [account.sign_in_name, account.display_name, account.email or ""]
        if entry is not None:
            known += [entry.person.name, entry.person.dod_id, entry.person.born.isoformat(), entry.person.phone or ""]
        return [text for text in known if text]

    async def _tell(self, conn: Connection, account: Account, text: str, what: str, origin: Origin) -> None:
        now = self._sign_on.clock()
        await accounts.notify(conn, account.account_id, f"{text} If it was not you, call us.", now)
        await self._sign_on.trace(conn, Act(f"change-{what}", account.account_id, origin, detail=text))

"""The help desk: finds an account, sees how it stands, signs it out, and has a code posted to the address of record.

It sees no record, no address and no code, changes no credential and opens no lock: whoever talks somebody at the help
desk into something has gained nothing. Each act leaves a row, and its holder is told of what was done.
"""

from dataclasses import dataclass

from continuum.identity import accounts, factors, notices, posting, registry, staff
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.factors import Factors
from continuum.identity.limits import ACCOUNTS_FOUND_MAX
from continuum.identity.posting import ACTIVATION, RECOVERY
from continuum.identity.proofing import ACCOUNT_RECOVERY
from continuum.identity.sessions import PREMIUM, Session
from continuum.identity.sign_on import SignOn, factor_subject, password_subject
from continuum.kernel.errors import Conflict, Forbidden, NotFound
from continuum.record.read import Connection


@dataclass(frozen=True, slots=True)
class State:
    """How an account stands. Instants in microseconds, None where not (yet).

    state: open, locked or closed. failures: attempts of the last day that failed. letters: kind, when it was asked
    for, when it was printed, of codes that are on their way. way_back: what the help desk can have posted: a kind, or
    "" where that helps nobody.
    """

    account_id: str
    sign_in_name: str
    display_name: str
    identity_level: int
    created_us: int
    password_set_us: int | None
    locked_us: int | None
    closed_us: int | None
    person: bool
    factors: Factors
    sessions: tuple[Session, ...]
    failures: int
    roles: tuple[str, ...]
    letters: tuple[tuple[str, int, int | None], ...]
    way_back: str

    @property
    def state(self) -> str:
        """In one word."""
        return "closed" if self.closed_us else "locked" if self.locked_us else "open"


class HelpDesk:
    """What the help desk of one installation may do."""

    def __init__(self, sign_on: SignOn) -> None:
        self._sign_on = sign_on

    async def find(self, agent: Session, said: str, origin: Origin) -> list[Account]:
        """The accounts of a sign-in name, a DoD ID number or an e-mail address, said whole; by name. Raises Forbidden.

        Nothing is found by a part of it, so that nobody leafs through the people of an installation.
        """
        on, text = self._sign_on, said.strip()
        async with on.connect() as conn, conn.transaction():
            await self._require_agent(conn, agent)
            found = await accounts.by_facts(conn, text, limit=ACCOUNTS_FOUND_MAX) if text else []
            detail = f"found {' '.join(one.account_id for one in found) or 'nobody'}"
            await on.trace(conn, Act("help-find", agent.account_id, origin, detail=detail))
        return found

    async def look(self, agent: Session, account_id: str, origin: Origin) -> State:
        """How an account stands. Raises Forbidden, NotFound."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            account = await self._about(conn, agent, account_id)
            await on.trace(conn, Act("help-look", agent.account_id, origin, detail=account_id))
            return await self._state(conn, account)

    async def end_sessions(self, agent: Session, account_id: str, origin: Origin) -> int:
        """Signs the account out everywhere; how many sessions there were. Raises Forbidden, NotFound."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            account = await self._about(conn, agent, account_id)
            ended = await on.sessions.end_all(conn, account.account_id, "help desk")
            text = "The help desk signed you out everywhere. If you did not ask for it, call us."
            await accounts.notify(conn, account_id, text, on.clock())
            detail = f"{ended} sessions of {account_id}"
            await on.trace(conn, Act("help-sign-out", agent.account_id, origin, detail=detail))
        return ended

    async def send_code(self, agent: Session, account_id: str, origin: Origin) -> str:
        """Has a code posted to the address of record, and tells the holder; which kind it is.

        Before the account is Premium: the activation code. After that: a recovery code, which opens with the password
        a session that may set up a new second factor and do nothing else.

        Raises:
            Forbidden: whoever asks is none of the help desk, or it is their own account. NotFound: no such account, or
                no address. Conflict: a code would help nobody, or is on its way.
        """
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            account = await self._about(conn, agent, account_id)
            if account_id == agent.account_id:
                raise Forbidden("Nobody does this for their own account; please ask a colleague.")
            kind = _way_back(account, await factors.of(conn, account_id))
            if not kind:
                raise Conflict("A code would not help here: the account is shut, or has no second factor to replace.")
            await posting.post(on, conn, account, kind)
            text = "The help desk had a code sent to your address of record. If you did not ask for it, call us."
            await accounts.notify(conn, account_id, text, on.clock())
            await self._mail(conn, account)
            await on.trace(conn, Act("help-post-code", agent.account_id, origin, detail=f"{kind} for {account_id}"))
        return kind

    async def _mail(self, conn: Connection, account: Account) -> None:
        entry = await registry.get(conn, account.person_id or "")
        if entry is not None and entry.person.patient_id is not None:
            now = self._sign_on.clock()
            await notices.queue(
                conn, ACCOUNT_RECOVERY, f"{account.account_id}@{now}", patient_id=entry.person.patient_id, due_us=now
            )

    async def _about(self, conn: Connection, agent: Session, account_id: str) -> Account:
        await self._require_agent(conn, agent)
        account = await accounts.locked(conn, account_id)
        if account is None:
            raise NotFound("There is no such account.")
        return account

    async def _require_agent(self, conn: Connection, agent: Session) -> None:
        roles = {one.role for one in await staff.of(conn, agent.account_id, self._sign_on.today())}
        if staff.HELP_DESK not in roles or not agent.assurance.reaches(PREMIUM):
            raise Forbidden("Only the help desk, signed in with a second factor, may do this.")

    async def _state(self, conn: Connection, account: Account) -> State:
        on, account_id = self._sign_on, account.account_id
        present = await factors.of(conn, account_id)
        failures = [
            await on.attempts.failures(conn, subject)
            for subject in (password_subject(account.sign_in_name), factor_subject(account_id))
        ]
        letters = await conn.fetch(
            "SELECT kind, asked_us, printed_us FROM identity.activation"
            " WHERE account_id = $1 AND used_us IS NULL AND expires_us > $2 ORDER BY asked_us DESC LIMIT $3",
            account_id, on.clock(), ACCOUNTS_FOUND_MAX,
        )  # fmt: skip
        return State(
            account_id=account_id,
            sign_in_name=account.sign_in_name,
            display_name=account.display_name,
            identity_level=account.identity_level,
            created_us=account.created_us,
            password_set_us=account.password_set_us,
            locked_us=account.locked_us,
            closed_us=account.closed_us,
            person=account.person_id is not None,
            factors=present,
            sessions=tuple(await on.sessions.of(conn, account_id)),
            failures=sum(failures),
            roles=tuple(sorted({one.role for one in await staff.of(conn, account_id, on.today())})),
            letters=tuple((row["kind"], row["asked_us"], row["printed_us"]) for row in letters),
            way_back=_way_back(account, present),
        )


def _way_back(account: Account, present: Factors) -> str:
    if account.person_id is None or not account.open:
        return ""
    if account.identity_level < PREMIUM.identity:
        return ACTIVATION
    return RECOVERY if present.any and account.password_hash is not None else ""

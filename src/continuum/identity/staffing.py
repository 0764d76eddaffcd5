"""Accounts of staff: opened by an administrator, set up by their holder, closed at once when somebody leaves."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from continuum.identity import accounts, staff
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.attempts import Attempts
from continuum.identity.enrolment import enrol, enrolment
from continuum.identity.limits import (
    LABEL_MAX_CHARS,
    STAFF_SHOWN_MAX,
)
from continuum.identity.sessions import PREMIUM, Session
from continuum.identity.sign_on import Arrived, SignOn, factor_subject, password_subject
from continuum.identity.staff import Privilege
from continuum.kernel.errors import Forbidden, Invalid, NotFound
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff as the administrator's page lists them. state: open, locked or closed."""

    account_id: str
    sign_in_name: str
    display_name: str
    state: str
    privileges: tuple[Privilege, ...]
    practitioner_id: str | None = None


class Staffing:
    """Staff of one installation."""

    def __init__(self, sign_on: SignOn) -> None:
        self._sign_on = sign_on

    async def first_administrator(self, sign_in_name: str, display_name: str, origin: Origin) -> str:
        """Opens an administrator's account from the command line; returns the ticket to set it up with.

        Raises:
            NameRefused, NameTaken: another sign-in name is needed.
        """
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            account = await self._open(conn, sign_in_name, display_name, None, None)
            await staff.grant(
                conn, account.account_id, staff.ADMINISTRATOR, facility_id=None, starts=on.today(), ends=None,
                by_account=None, now=on.clock(),
            )  # fmt: skip
            act = Act("open-account", "command-line", origin, detail=f"administrator {account.account_id}")
            await on.trace(conn, act)
            return await enrolment(on, conn, account)

    async def open_account(
        self, administrator: Session, *, sign_in_name: str, display_name: str, email: str | None, origin: Origin
    ) -> tuple[Account, str]:
        """Opens an account for somebody who works here; returns it with the ticket to set it up with.

        The administrator vouches for who it is: the account is at identity level 2.

        Raises:
            Forbidden: whoever asks is no administrator. NameRefused, NameTaken: another name is needed.
        """
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_administrator(conn, administrator)
            account = await self._open(conn, sign_in_name, display_name, email, administrator.account_id)
            act = Act("open-account", administrator.account_id, origin, detail=account.account_id)
            await on.trace(conn, act)
            return account, await enrolment(on, conn, account)

    async def _open(
        self, conn: Connection, sign_in_name: str, display_name: str, email: str | None, by_account: str | None
    ) -> Account:
        name = " ".join(display_name.split())
        if not 0 < len(name) <= LABEL_MAX_CHARS or not name.isprintable():
            raise Invalid(f"A name has 1 to {LABEL_MAX_CHARS} characters.")
        on = self._sign_on
        account = await accounts.create(
            conn, sign_in_name=sign_in_name, display_name=name, password_hash=None, now=on.clock(), email=email
        )
        await conn.fetch(
            "INSERT INTO identity.proofing VALUES ($1, $2, 'in_person', $3, $4, $5, '[]')",
            uuid7(), account.account_id, PREMIUM.identity, on.clock(), by_account,
        )  # fmt: skip
        await accounts.raise_identity_level(conn, account.account_id, PREMIUM.identity)
        return account

    async def enrol(self, ticket: str, password: str, origin: Origin) -> Arrived:
        """Sets the first password and signs in. Raises as `enrolment.enrol`."""
        return await enrol(self._sign_on, ticket, password, origin)

    async def set_up_anew(self, administrator: Session, account_id: str, origin: Origin) -> tuple[Account, str]:
        """For somebody of the staff who has lost every factor: the ticket with which they set the account up again.

        Raises:
            Forbidden: whoever asks is no administrator, it is their own account, or that of a person of the registry,
                who is proofed by a clerk with two documents. NotFound: there is no such open account.
        """
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_administrator(conn, administrator)
            account = await self._existing(conn, account_id)
            if account_id == administrator.account_id or account.person_id is not None or not account.open:
                raise Forbidden("This account is set up anew at a registration desk, or by another administrator.")
            text = "An administrator had your account set up anew. If you did not ask for it, call us."
            await accounts.notify(conn, account_id, text, on.clock())
            await on.trace(conn, Act("recover", administrator.account_id, origin, detail=account_id))
            return account, await enrolment(on, conn, account, anew=True)

    async def grant(
        self,
        administrator: Session,
        account_id: str,
        role: str,
        *,
        facility_id: str | None,
        starts: date,
        ends: date | None,
        origin: Origin,
    ) -> Privilege:
        """Gives a role. Raises Forbidden, Invalid, NotFound."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_administrator(conn, administrator)
            await self._existing(conn, account_id)
            made = await staff.grant(
                conn, account_id, role, facility_id=facility_id, starts=starts, ends=ends,
                by_account=administrator.account_id, now=on.clock(),
            )  # fmt: skip
            detail = f"{role} {facility_id or 'everywhere'} {starts} to {ends or 'open'} for {account_id}"
            await on.trace(conn, Act("grant", administrator.account_id, origin, detail=detail))
        return made

    async def withdraw(self, administrator: Session, account_id: str, privilege_id: str, origin: Origin) -> None:
        """Takes a role away; the person's sessions end, so that it holds at once. Raises Forbidden, NotFound."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_administrator(conn, administrator)
            await staff.withdraw(conn, account_id, privilege_id, on.clock())
            await on.sessions.end_all(conn, account_id, "privilege withdrawn")
            detail = f"{privilege_id} of {account_id}"
            await on.trace(conn, Act("withdraw", administrator.account_id, origin, detail=detail))

    async def name_practitioner(
        self, administrator: Session, account_id: str, practitioner_id: str | None, origin: Origin
    ) -> None:
        """Says which Practitioner of the record somebody is: what makes them one of those who treat a patient.

        Raises:
            Forbidden: whoever asks is no administrator. NotFound: no such account. Conflict: it is somebody else.
        """
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_administrator(conn, administrator)
            await self._existing(conn, account_id)
            await accounts.set_practitioner(conn, account_id, practitioner_id)
            detail = f"Practitioner/{practitioner_id or 'none'} is {account_id}"
            await on.trace(conn, Act("name-practitioner", administrator.account_id, origin, detail=detail))

    async def act_as(self, session: Session, privilege_id: str, origin: Origin) -> Privilege:
        """Whoever holds several roles acts as this one in this session. Raises NotFound for one that is not theirs."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            held = await staff.of(conn, session.account_id, on.today())
            chosen = next((one for one in held if one.privilege_id == privilege_id), None)
            if chosen is None:
                raise NotFound("That role is not one of yours today.")
            await on.sessions.act_as(conn, session, privilege_id)
            detail = f"{chosen.role} {chosen.facility_id or 'everywhere'}"
            await on.trace(conn, Act("act-as", session.account_id, origin, detail=detail))
        return chosen

    async def leave(
        self, administrator: Session, account_id: str, *, hand_to: str | None, origin: Origin
    ) -> tuple[Account, Account | None]:
        """Closes the account of somebody who leaves: no sign-in, no session, no privilege from this moment.

        hand_to: the sign-in name of whoever takes over their open work; written in the trail.

        Returns:
            who has left, and who takes over.

        Raises:
            Forbidden: whoever asks is no administrator, or would close their own. NotFound: no such account.
        """
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_administrator(conn, administrator)
            if account_id == administrator.account_id:
                raise Forbidden("Nobody closes their own account; another administrator does that.")
            leaver = await self._existing(conn, account_id)
            heir = await accounts.by_name(conn, hand_to) if hand_to else None
            if hand_to and (heir is None or not heir.open or heir.account_id == account_id):
                raise NotFound("Whoever takes over the work must have an open account of their own.")
            await accounts.close(conn, account_id, on.clock())
            await staff.withdraw_all(conn, account_id, on.clock())
            await on.sessions.end_all(conn, account_id, "account")
            detail = f"{account_id} work to {heir.account_id if heir else 'nobody'}"
            await on.trace(conn, Act("leave", administrator.account_id, origin, detail=detail))
        return leaver, heir

    async def unlock(self, administrator: Session, account_id: str, origin: Origin) -> None:
        """Opens an account that failed attempts have locked (profile dod-stig). Raises Forbidden, NotFound."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_administrator(conn, administrator)
            account = await self._existing(conn, account_id)
            await accounts.unlock(conn, account_id)
            attempts: Attempts = on.attempts
            for subject in (password_subject(account.sign_in_name), factor_subject(account_id)):
                await attempts.forget(conn, subject)
            await on.trace(conn, Act("unlock", administrator.account_id, origin, detail=account_id))

    async def members(self, administrator: Session) -> list[Member]:
        """Accounts with privileges, or opened for staff, by name. Raises Forbidden."""
        on = self._sign_on
        async with on.connect() as conn:
            await self._require_administrator(conn, administrator)
            rows = await conn.fetch(
                "SELECT account_id, sign_in_name, display_name, locked_us, closed_us, practitioner_id"
                " FROM identity.account a"
                " WHERE a.person_id IS NULL OR EXISTS"
                "  (SELECT 1 FROM identity.privilege p WHERE p.account_id = a.account_id AND p.withdrawn_us IS NULL)"
                " ORDER BY sign_in_name LIMIT $1",
                STAFF_SHOWN_MAX,
            )
            privileges = await conn.fetch(
                "SELECT account_id, privilege_id, role, facility_id, starts, ends FROM identity.privilege"
                " WHERE withdrawn_us IS NULL AND account_id = ANY($1::text[]) ORDER BY role, facility_id, starts",
                [row["account_id"] for row in rows],
            )
        return [_member(row, privileges) for row in rows]

    async def _require_administrator(self, conn: Connection, session: Session) -> None:
        administers = await staff.is_administrator(conn, session.account_id, self._sign_on.today())
        if not administers or not session.assurance.reaches(PREMIUM):
            raise Forbidden("Only administrators who signed in with a second factor may do this.")

    async def _existing(self, conn: Connection, account_id: str) -> Account:
        account = await accounts.get(conn, account_id)
        if account is None:
            raise NotFound("There is no such account.")
        return account


def _member(row: Any, privileges: list[Any]) -> Member:
    own = tuple(
        Privilege(one["privilege_id"], one["role"], one["facility_id"], one["starts"], one["ends"])
        for one in privileges
        if one["account_id"] == row["account_id"]
    )
    state = "closed" if row["closed_us"] else "locked" if row["locked_us"] else "open"
    return Member(
        row["account_id"], row["sign_in_name"], row["display_name"], state, own, row["practitioner_id"]
    )  # fmt: skip

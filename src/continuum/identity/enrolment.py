"""The link with which somebody sets an account up: a new one, or their own once more after everything was lost."""

from continuum.identity import accounts
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.limits import ENROLMENT_S, RECOVERY_AT_DESK_S
from continuum.identity.passwords import PasswordRefused, objections
from continuum.identity.sign_on import Arrived, SignOn
from continuum.kernel.errors import Forbidden
from continuum.record.read import Connection

_ENROLMENT = "enrolment"
_WAYS_IN = ("authenticator_app", "passkey", "recovery_code", "linked_account")


async def enrolment(on: SignOn, conn: Connection, account: Account, *, anew: bool = False) -> str:
    """The ticket. anew: all that opened the account before is void once it is used."""
    lifetime_s = RECOVERY_AT_DESK_S if anew else ENROLMENT_S
    return await on.tickets.issue(conn, _ENROLMENT, account.account_id, lifetime_s=lifetime_s, anew=anew)


async def enrol(on: SignOn, ticket: str, password: str, origin: Origin) -> Arrived:
    """Sets the password and signs in; the second factor follows on the account's page.

    Raises:
        TicketGone: the link was used or is too old. PasswordRefused: another one is needed. Forbidden: it is closed.
    """
    async with on.connect() as conn:
        account_id = (await on.tickets.look(conn, _ENROLMENT, ticket)).account_id or ""
        account = await accounts.get(conn, account_id)
    assert account is not None, "a ticket goes with its account"
    known = [account.sign_in_name, account.display_name]
    wrong = objections(password, on.profile, about=known, breached=await on.is_breached(password))
    if wrong:
        raise PasswordRefused(" ".join(wrong))
    hashed = await on.hasher.hash(password)
    async with on.connect() as conn, conn.transaction():
        taken = await on.tickets.take(conn, _ENROLMENT, ticket)
        present = await accounts.locked(conn, account_id)
        if present is None or not present.open:
            raise Forbidden("This account is closed or locked.")
        if taken.content.get("anew"):
            await _void(on, conn, present, origin)
        await accounts.set_password(conn, present, hashed, on.profile, on.clock())
        return await on.arrive(conn, present, 1, ("pwd",), origin)


async def _void(on: SignOn, conn: Connection, account: Account, origin: Origin) -> None:
    """Nothing that opened the account before opens it any more, whoever has it now."""
    for table in _WAYS_IN:
        await conn.fetch(f"DELETE FROM identity.{table} WHERE account_id = $1", account.account_id)
    await on.sessions.end_all(conn, account.account_id, "recovered")
    text = "The account was set up anew at a desk; former factors are void. If it was not you, call us."
    await accounts.notify(conn, account.account_id, text, on.clock())
    await on.trace(conn, Act("change-factor", account.account_id, origin, detail="set up anew"))

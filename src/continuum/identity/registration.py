"""Opening an account: three facts find the person in the registry, a rule says whether they are eligible."""

from dataclasses import dataclass
from datetime import date

from continuum.identity import accounts, registry
from continuum.identity.acts import Act, Origin
from continuum.identity.attempts import Attempt, TooManyAttempts
from continuum.identity.limits import (
    REGISTRATION_S,
)
from continuum.identity.passwords import PasswordRefused, objections
from continuum.identity.sign_on import Arrived, SignOn, network
from continuum.kernel.errors import Forbidden
from continuum.record.read import Connection

_REGISTERING = "registration"


class NotRecognised(Forbidden):
    """The three facts do not lead to one person. Which of them is wrong is not said."""


class NotEligible(Forbidden):
    """The person was found, and is not eligible today; the text says why, and whom to call."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who may open an account. ticket: for `create`. name: as in the registry."""

    ticket: str
    name: str
    email: str | None


class Registration:
    """Opens accounts. contact: whom to call about eligibility, in words, such as a name and a number."""

    def __init__(self, sign_on: SignOn, *, contact: str) -> None:
        self._sign_on = sign_on
        self._contact = contact

    async def look_up(self, *, dod_id: str, family_name: str, born: date, origin: Origin) -> Found:
        """Finds the person and judges.

        Raises:
            NotRecognised, NotEligible: with words for the person. HasAccount: they have an account already.
            TooManyAttempts: too many searches from here, or for this number, led nowhere.
        """
        on, digits = self._sign_on, "".join(sign for sign in dod_id if sign.isalnum())
        async with on.connect() as conn:
            counted = await self._begin(conn, digits, origin)
            async with conn.transaction():
                entry = await registry.find(conn, dod_id=digits, family_name=family_name, born=born)
                if entry is None:
                    for attempt in counted:
                        await on.attempts.failed(conn, attempt)
                    refusal = await self._refuse(conn, "not recognised", origin)
                else:
                    for attempt in counted:
                        await on.attempts.succeeded(conn, attempt)
                    verdict = registry.judge(entry, on.today())
                    if verdict.eligible:
                        return await self._found(conn, entry.person)
                    words = f"{verdict.reason} If that is not so, please call {self._contact}. The call is free."
                    refusal = await self._refuse(conn, "not eligible", origin, words)
        raise refusal

    async def _begin(self, conn: Connection, digits: str, origin: Origin) -> list[Attempt]:
        """Counts against the number that is tried, and against the network that tries."""
        where = network(origin.source)
        try:
            return [
                await self._sign_on.attempts.begin(conn, f"registry/{digits}", network=where),
                await self._sign_on.attempts.begin(conn, f"registry from {where}", network=where),
            ]
        except TooManyAttempts:
            async with conn.transaction():
                await self._sign_on.trace(conn, Act("register", "unknown", origin, refused=True, detail="too early"))
            raise

    async def _refuse(self, conn: Connection, detail: str, origin: Origin, words: str = "") -> Forbidden:
        await self._sign_on.trace(conn, Act("register", "unknown", origin, refused=True, detail=detail))
        if words:
            return NotEligible(words)
        return NotRecognised(
            "We did not find a person with these three facts together. Please compare them with your ID card: the"
            f" DoD ID number has ten digits. If they are right, please call {self._contact}. The call is free."
        )

    async def _found(self, conn: Connection, person: registry.Person) -> Found:
        if await accounts.by_person(conn, person.person_id) is not None:
            raise accounts.HasAccount("There is an account for this person already. Sign in, or recover it.")
        ticket = await self._sign_on.tickets.issue(
            conn, _REGISTERING, lifetime_s=REGISTRATION_S, person_id=person.person_id
        )
        return Found(ticket, person.name, person.email)

    async def create(
        self, ticket: str, *, sign_in_name: str, password: str, email: str | None, origin: Origin
    ) -> Arrived:
        """Opens the account, Basic, and signs in.

        Raises:
            TicketGone: looked up too long ago. NameRefused, NameTaken, PasswordRefused: to be chosen anew.
            HasAccount: opened meanwhile.
        """
        on = self._sign_on
        async with on.connect() as conn:
            began = await on.tickets.look(conn, _REGISTERING, ticket)
            entry = await registry.get(conn, str(began.content["person_id"]))
        assert entry is not None, "people are not taken out of the registry"
        key, person = accounts.sign_in_key(sign_in_name), entry.person
        about = [key, person.name, person.dod_id, person.born.isoformat(), person.phone or "", email or ""]
        breached = await on.is_breached(password)
        wrong = objections(password, on.profile, about=[text for text in about if text], breached=breached)
        if wrong:
            raise PasswordRefused(" ".join(wrong))
        hashed = await on.hasher.hash(password)
        async with on.connect() as conn, conn.transaction():
            account = await accounts.create(
                conn, sign_in_name=key, display_name=person.name, password_hash=hashed, now=on.clock(),
                person_id=person.person_id, email=email or None,
            )  # fmt: skip
            await on.tickets.take(conn, _REGISTERING, ticket)
            act = Act("register", account.account_id, origin, patient_id=person.patient_id)
            await on.trace(conn, act)
            return await on.arrive(conn, account, 1, ("pwd",), origin)

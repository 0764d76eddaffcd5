"""From Basic to Premium: somebody is proofed in person, or by a code sent to their address of record.

It costs nothing. Documents are recorded by kind, issuer and last day of validity; they are not copied.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from continuum.identity import accounts, notices, registry, staff
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.enrolment import enrolment
from continuum.identity.limits import (
    DOCUMENT_TEXT_CHARS,
)
from continuum.identity.posting import ACTIVATION, Letter, activation_digest, post, printed
from continuum.identity.sessions import PREMIUM, Assurance, Session
from continuum.identity.sign_on import SignOn, network
from continuum.kernel.errors import Forbidden, Invalid, NotFound
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection

WITH_PHOTO = frozenset(
    {"uniformed services ID card", "passport", "driver's license", "state ID card", "veteran ID card"}
)
WITHOUT_PHOTO = frozenset({"birth certificate", "social security card", "marriage certificate", "utility bill"})
_DOCUMENTS = 2
ACCOUNT_RECOVERY = "account-recovery"
"""The kind of the mail that says that somebody sets an account up anew."""


class ProofingRefused(Invalid):
    """The documents do not prove who somebody is; the text says what is missing."""


class CodeRefused(Forbidden):
    """The activation code is wrong, was used, or is too old."""


@dataclass(frozen=True, slots=True)
class Document:
    """An identity document as a clerk saw it. `valid_until` is None for one that does not expire."""

    kind: str
    issuer: str
    valid_until: date | None


def objections(documents: Sequence[Document], today: date) -> tuple[str, ...]:
    """What is wrong with the documents, in words for the clerk; empty if they prove the identity (IAL2)."""
    found = []
    if len({document.kind for document in documents}) < _DOCUMENTS or len(documents) > _DOCUMENTS:
        found.append("Two documents of different kinds are needed.")
    unknown = sorted({document.kind for document in documents} - WITH_PHOTO - WITHOUT_PHOTO)
    if unknown:
        found.append(f"Not accepted: {', '.join(unknown)}.")
    if not any(document.kind in WITH_PHOTO for document in documents):
        found.append(f"One of them must show a photo: {', '.join(sorted(WITH_PHOTO))}.")
    expired = [one.kind for one in documents if one.valid_until is not None and one.valid_until < today]
    if expired:
        found.append(f"No longer valid: {', '.join(expired)}.")
    if any(not one.issuer.strip() or len(one.issuer) > DOCUMENT_TEXT_CHARS for one in documents):
        found.append("Each document needs its issuer, in a few words.")
    return tuple(found)


class Proofing:
    """Raises identity levels, for one installation."""

    def __init__(self, sign_on: SignOn) -> None:
        self._sign_on = sign_on

    async def in_person(
        self, clerk: Session, sign_in_name: str, documents: Sequence[Document], origin: Origin
    ) -> Account:
        """Records that a clerk saw somebody with two documents; their next sign-in is at identity level 2.

        Raises:
            Forbidden: whoever records it is no registrar, not signed in at level 2, or the person themselves.
            ProofingRefused: the documents do not do. NotFound: there is no such account, or nobody behind it.
        """
        on = self._sign_on
        wrong = objections(documents, on.today())
        if wrong:
            raise ProofingRefused(" ".join(wrong))
        async with on.connect() as conn, conn.transaction():
            await self._require_registrar(conn, clerk)
            account = await accounts.by_name(conn, sign_in_name)
            if account is None or account.person_id is None or not account.open:
                raise NotFound("There is no open account of a person under this name.")
            if account.account_id == clerk.account_id:
                raise Forbidden("Nobody proofs themselves; please ask a colleague.")
            await self._proofed(conn, account, "in_person", clerk.account_id, documents, origin)
        return account

    async def recover(
        self, clerk: Session, sign_in_name: str, documents: Sequence[Document], origin: Origin
    ) -> tuple[Account, str]:
        """Proofs somebody anew who has lost every way in: the ticket with which they set the account up again, soon.

        Nothing is taken away before the ticket is used, and its holder is told at once: on their page, and by mail
        where there is an address. Raises as `in_person`.
        """
        on = self._sign_on
        account = await self.in_person(clerk, sign_in_name, documents, origin)
        async with on.connect() as conn, conn.transaction():
            text = "At a registration desk somebody asked to set your account up anew. If it was not you, call us."
            await accounts.notify(conn, account.account_id, text, on.clock())
            entry = await registry.get(conn, account.person_id or "")
            if entry is not None and entry.person.patient_id is not None:
                about = f"{account.account_id}@{on.clock()}"
                await notices.queue(
                    conn, ACCOUNT_RECOVERY, about, patient_id=entry.person.patient_id, due_us=on.clock()
                )
            await on.trace(conn, Act("recover", clerk.account_id, origin, detail=account.account_id))
            return account, await enrolment(on, conn, account, anew=True)

    async def _require_registrar(self, conn: Connection, clerk: Session) -> None:
        roles = {one.role for one in await staff.of(conn, clerk.account_id, self._sign_on.today())}
        if staff.REGISTRAR not in roles or not clerk.assurance.reaches(PREMIUM):
            raise Forbidden("Only registrars who signed in with a second factor may do this.")

    async def _proofed(
        self,
        conn: Connection,
        account: Account,
        method: str,
        by_account: str | None,
        documents: Sequence[Document],
        origin: Origin,
    ) -> None:
        on = self._sign_on
        seen = json.dumps([asdict(one) for one in documents], default=str)
        await conn.fetch(
            "INSERT INTO identity.proofing VALUES ($1, $2, $3, $4, $5, $6, $7)",
            uuid7(), account.account_id, method, PREMIUM.identity, on.clock(), by_account, seen,
        )  # fmt: skip
        await accounts.raise_identity_level(conn, account.account_id, PREMIUM.identity)
        await accounts.notify(conn, account.account_id, "Your account is Premium now.", on.clock())
        actor = by_account or account.account_id
        await on.trace(conn, Act("proof", actor, origin, detail=f"{method} {account.account_id}"))

    async def ask_letter(self, session: Session, origin: Origin) -> None:
        """Has an activation code sent to the address of record; a code that is under way stays good.

        Raises:
            Conflict: one was sent a few days ago. NotFound: the account belongs to nobody in the registry.
        """
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            account = await accounts.locked(conn, session.account_id)
            if account is None:
                raise NotFound("The registry has no address for this account.")
            await post(on, conn, account, ACTIVATION)
            await on.trace(conn, Act("activation-letter", account.account_id, origin))

    async def letters(self, clerk: Session, origin: Origin) -> list[Letter]:
        """The letters to print, oldest first; each is handed out once. Raises Forbidden."""
        on = self._sign_on
        async with on.connect() as conn, conn.transaction():
            await self._require_registrar(conn, clerk)
            found = await printed(on, conn)
            await on.trace(conn, Act("print-letters", clerk.account_id, origin, detail=f"{len(found)} letters"))
        return found

    async def activate(self, session: Session, code: str, origin: Origin) -> tuple[str, Session]:
        """Takes the code from the letter: account and session are at identity level 2. The session's new cookie.

        Raises:
            CodeRefused: it is wrong, used, or too old. TooManyAttempts: too many wrong ones.
        """
        on, account_id = self._sign_on, session.account_id
        async with on.connect() as conn:
            attempt = await on.attempts.begin(conn, f"activation/{account_id}", network=network(origin.source))
            async with conn.transaction():
                account = await accounts.locked(conn, account_id)
                rows = await conn.fetch(
                    "UPDATE identity.activation SET used_us = $3"
                    " WHERE account_id = $1 AND code_digest = $2 AND kind = $4 AND used_us IS NULL AND expires_us > $3"
                    " RETURNING activation_id",
                    account_id, activation_digest(on.vault, account_id, code), on.clock(), ACTIVATION,
                )  # fmt: skip
                if account is not None and rows:
                    await on.attempts.succeeded(conn, attempt)
                    await self._proofed(conn, account, "letter", None, (), origin)
                    raised = Assurance(PREMIUM.identity, session.assurance.authenticator)
                    return await on.sessions.step_up(conn, session, raised, session.methods)
                await on.attempts.failed(conn, attempt)
                await on.trace(conn, Act("activate", account_id, origin, refused=True, detail="wrong code"))
        raise CodeRefused("The code is wrong, was used already, or is more than three weeks old.")

"""Passkeys (W3C WebAuthn Level 3): a key that a device keeps and opens with a finger, a face or a PIN.

One alone is two factors: the device, and what opens it. So user verification is required everywhere, and keys are
discoverable: nobody has to type a name.
"""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg
import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from continuum.identity.accounts import Account
from continuum.identity.factors import TooManyFactors, label
from continuum.identity.limits import (
    FACTORS_MAX,
)
from continuum.identity.tickets import Ticket, Tickets
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import DomainError
from continuum.record.read import Connection

_REGISTER, _SIGN_IN = "passkey registration", "passkey sign-in"
_RELYING_PARTY = "Continuum"


class PasskeyRefused(DomainError):
    """What the device answered does not fit what was asked."""

    status = 422
    code = "invalid"

    def __init__(self, text: str = "The passkey was not accepted. Please try again, or sign in another way.") -> None:
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of an account. backed_up: whether a provider keeps copies of it for other devices."""

    credential_id: bytes
    label: str
    backed_up: bool
    created_us: int
    used_us: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """What a page hands to the browser: `options` as JSON, and the ticket that comes back with the answer."""

    ticket: str
    options: str


class Passkeys:
    """The passkeys of one installation.

    host: the relying party's id, the host name without port. origin: the pages' address, such as
    `https://ehr.example.org`; what comes from another is refused, so a copied page cannot use the key.
    """

    def __init__(self, tickets: Tickets, *, host: str, origin: str, clock: Clock = now_us) -> None:
        self._tickets = tickets
        self._host = host
        self._origin = origin
        self._clock = clock

    async def ask_to_register(self, conn: Connection, account: Account) -> Question:
        """The question for a new passkey. Raises TooManyFactors."""
        present = await self.of(conn, account.account_id)
        if len(present) >= FACTORS_MAX:
            raise TooManyFactors
        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name=_RELYING_PARTY,
            user_id=account.webauthn_handle,
            user_name=account.sign_in_name,
            user_display_name=account.display_name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in present],
        )
        ticket = await self._tickets.issue(conn, _REGISTER, account.account_id, challenge=options.challenge.hex())
        return Question(ticket, webauthn.options_to_json(options))

    async def register(
        self, conn: Connection, account: Account, asked: Ticket, answer: str, *, name: str = ""
    ) -> Passkey:
        """Keeps the new passkey. asked: what `taken_to_register` gave. Raises PasskeyRefused."""
        if asked.account_id != account.account_id:
            raise PasskeyRefused
        try:
            checked = webauthn.verify_registration_response(
                credential=_parsed(answer),
                expected_challenge=bytes.fromhex(asked.content["challenge"]),
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused from error
        made = Passkey(checked.credential_id, label(name, "Passkey"), checked.credential_backed_up, self._clock(), None)
        try:
            await conn.fetch(
                "INSERT INTO identity.passkey VALUES ($1, $2, $3, $4, $5, $6, $7)",
                made.credential_id, account.account_id, made.label, checked.credential_public_key,
                checked.sign_count, made.backed_up, made.created_us,
            )  # fmt: skip
        except asyncpg.UniqueViolationError as error:
            raise PasskeyRefused("This passkey is in use already.") from error
        return made

    async def ask_to_sign_in(self, conn: Connection, account_id: str | None = None) -> Question:
        """The question to anybody, or to the holder of one account who steps up."""
        options = webauthn.generate_authentication_options(
            rp_id=self._host, user_verification=UserVerificationRequirement.REQUIRED
        )
        ticket = await self._tickets.issue(conn, _SIGN_IN, account_id, challenge=options.challenge.hex())
        return Question(ticket, webauthn.options_to_json(options))

    async def taken_to_register(self, conn: Connection, ticket: str) -> Ticket:
        """The question that is being answered, which nobody can answer again. Raises TicketGone."""
        return await self._tickets.take(conn, _REGISTER, ticket)

    async def taken_to_sign_in(self, conn: Connection, ticket: str) -> Ticket:
        """As `taken_to_register`. In a transaction of its own: a wrong answer uses the question up, too."""
        return await self._tickets.take(conn, _SIGN_IN, ticket)

    async def sign_in(self, conn: Connection, asked: Ticket, answer: str) -> str:
        """The id of the account whose passkey answered.

        Raises:
            PasskeyRefused: the answer does not fit, or the key was copied: its counter is behind the one we know.
        """
        given = _parsed(answer)
        try:
            credential_id = base64url_to_bytes(given["rawId"])
        except (ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused from error
        row = await conn.fetchrow(
            "SELECT account_id, public_key, sign_count FROM identity.passkey WHERE credential_id = $1 FOR UPDATE",
            credential_id,
        )
        if row is None or asked.account_id not in (None, row["account_id"]):
            raise PasskeyRefused
        try:
            checked = webauthn.verify_authentication_response(
                credential=given,
                expected_challenge=bytes.fromhex(asked.content["challenge"]),
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused from error
        await conn.fetch(
            "UPDATE identity.passkey SET sign_count = $2, backed_up = $3, used_us = $4 WHERE credential_id = $1",
            credential_id, checked.new_sign_count, checked.credential_backed_up, self._clock(),
        )  # fmt: skip
        return str(row["account_id"])

    async def of(self, conn: Connection, account_id: str) -> list[Passkey]:
        """The account's passkeys, oldest first."""
        rows = await conn.fetch(
            "SELECT credential_id, label, backed_up, created_us, used_us FROM identity.passkey"
            " WHERE account_id = $1 ORDER BY created_us, credential_id LIMIT $2",
            account_id, FACTORS_MAX,
        )  # fmt: skip
        return [Passkey(**dict(row.items())) for row in rows]

    async def remove(self, conn: Connection, account_id: str, credential_id: bytes) -> bool:
        """Whether there was such a passkey; it opens nothing any more."""
        rows = await conn.fetch(
            "DELETE FROM identity.passkey WHERE account_id = $1 AND credential_id = $2 RETURNING credential_id",
            account_id, credential_id,
        )  # fmt: skip
        return bool(rows)


def _parsed(answer: str) -> dict[str, Any]:
    try:
        given = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise PasskeyRefused from error
    if not isinstance(given, dict):
        raise PasskeyRefused
    return given

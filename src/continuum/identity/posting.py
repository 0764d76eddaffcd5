"""Codes that go by post to the address of record: to become Premium, or back in after every second factor was lost.

Whoever asks for one never sees it; the registration desk prints the letters, each once.
"""

from dataclasses import dataclass

from continuum.identity import accounts, registry
from continuum.identity.accounts import Account
from continuum.identity.factors.recovery import new_code, plain
from continuum.identity.limits import ACTIVATION_AGAIN_S, ACTIVATION_LIFETIME_S, LETTERS_PAGE_MAX
from continuum.identity.sign_on import SignOn
from continuum.identity.vault import Vault
from continuum.kernel.errors import Conflict, NotFound
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection

ACTIVATION, RECOVERY = "activation", "recovery"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a clerk prints and posts: the code, what it is for, and the address of record."""

    name: str
    street: str
    city: str
    code: str
    kind: str


def activation_digest(vault: Vault, account_id: str, code: str) -> bytes:
    """How an activation code is kept."""
    return vault.digest("activation", account_id, plain(code))


async def post(on: SignOn, conn: Connection, account: Account, kind: str) -> None:
    """Has a letter printed, in the caller's transaction with the account's row locked.

    Raises:
        NotFound: the account belongs to nobody in the registry. Conflict: one was sent a few days ago.
    """
    if account.person_id is None:
        raise NotFound("The registry has no address for this account.")
    now = on.clock()
    recent = await conn.fetchrow(
        "SELECT 1 FROM identity.activation WHERE account_id = $1 AND kind = $2 AND asked_us > $3",
        account.account_id, kind, now - ACTIVATION_AGAIN_S * 1_000_000,
    )  # fmt: skip
    if recent is not None:
        raise Conflict("A letter is on its way already. Please give it a few days.")
    letter_id, code, expires_us = uuid7(), new_code(), now + ACTIVATION_LIFETIME_S * 1_000_000
    await conn.fetch(
        "INSERT INTO identity.activation (activation_id, account_id, kind, code_digest, sealed_code, asked_us,"
        " expires_us) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        letter_id, account.account_id, kind, activation_digest(on.vault, account.account_id, code),
        on.vault.seal(code.encode(), f"activation/{letter_id}"), now, expires_us,
    )  # fmt: skip
    if kind == RECOVERY:
        await on.recovery_codes.add(conn, account.account_id, code, expires_us)


async def printed(on: SignOn, conn: Connection) -> list[Letter]:
    """The letters that nobody has printed, oldest first; each is handed out once."""
    rows = await conn.fetch(
        "SELECT activation_id, account_id, kind, sealed_code FROM identity.activation"
        " WHERE printed_us IS NULL AND expires_us > $1 ORDER BY asked_us LIMIT $2 FOR UPDATE SKIP LOCKED",
        on.clock(), LETTERS_PAGE_MAX,
    )  # fmt: skip
    found = []
    for row in rows:
        account = await accounts.get(conn, row["account_id"])
        entry = await registry.get(conn, account.person_id) if account and account.person_id else None
        if entry is None:
            continue
        person = entry.person
        code = on.vault.unseal(row["sealed_code"], f"activation/{row['activation_id']}").decode()
        place = " ".join(part for part in (person.city, person.state, person.postal_code) if part)
        found.append(Letter(person.name, person.street, f"{place}, {person.country}", code, row["kind"]))
    await conn.fetch(
        "UPDATE identity.activation SET printed_us = $2, sealed_code = NULL WHERE activation_id = ANY($1::text[])",
        [row["activation_id"] for row in rows], on.clock(),
    )  # fmt: skip
    return found

"""Accounts: one for each person, named by what they type to sign in."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from continuum.identity.limits import (
    NOTICES_SHOWN_MAX,
)
from continuum.identity.passwords import Profile
from continuum.kernel.errors import Conflict, DomainError
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,63}\Z")
_HANDLE_BYTES = 32
_COLUMNS = (
    "account_id, sign_in_name, display_name, person_id, email, identity_level, password_hash, password_set_us,"
    " webauthn_handle, created_us, locked_us, closed_us, practitioner_id"
)


class NameRefused(DomainError):
    """A sign-in name that cannot be used."""

    status = 422
    code = "invalid"


class NameTaken(Conflict):
    """Somebody else signs in under this name."""


class HasAccount(Conflict):
    """The person has an account already."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it stands. Levels after NIST SP 800-63-4; instants in microseconds, None where not (yet)."""

    account_id: str
    sign_in_name: str
    display_name: str
    person_id: str | None
    email: str | None
    identity_level: int
    password_hash: str | None
    password_set_us: int | None
    webauthn_handle: bytes
    created_us: int
    locked_us: int | None
    closed_us: int | None
    practitioner_id: str | None = None
    """The Practitioner that a member of staff is in the record."""

    @property
    def open(self) -> bool:
        """Whether it may be signed in to."""
        return self.locked_us is None and self.closed_us is None


def sign_in_key(name: str) -> str:
    """A sign-in name in the one form that is kept. Raises NameRefused."""
    key = unicodedata.normalize("NFKC", name).strip().casefold()
    if not _NAME.match(key):
        raise NameRefused("A sign-in name has 3 to 64 letters from a to z, digits, dots, hyphens or an e-mail address.")
    return key


async def create(
    conn: Connection,
    *,
    sign_in_name: str,
    display_name: str,
    password_hash: str | None,
    now: int,
    person_id: str | None = None,
    email: str | None = None,
) -> Account:
    """A new account at identity level 1.

    Raises:
        NameRefused, NameTaken: another sign-in name is needed. HasAccount: the person has one.
    """
    try:
        async with conn.transaction():
            row = await conn.fetchrow(
                "INSERT INTO identity.account (account_id, sign_in_name, display_name, person_id, email, password_hash,"
                " password_set_us, webauthn_handle, created_us)"
                f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {_COLUMNS}",
                uuid7(), sign_in_key(sign_in_name), display_name, person_id, email, password_hash,
                None if password_hash is None else now, secrets.token_bytes(_HANDLE_BYTES), now,
            )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "account_person_id_key":
            raise HasAccount("There is an account for this person already. Sign in, or recover it.") from error
        raise NameTaken("This sign-in name is taken; please choose another one.") from error
    return _account(row)


async def by_name(conn: Connection, name: str) -> Account | None:
    """The account of a sign-in name; None if there is none."""
    try:
        key = sign_in_key(name)
    except NameRefused:
        return None
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM identity.account WHERE sign_in_name = $1", key)
    return None if row is None else _account(row)


async def get(conn: Connection, account_id: str) -> Account | None:
    """The account of an id; None if there is none."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM identity.account WHERE account_id = $1", account_id)
    return None if row is None else _account(row)


async def by_person(conn: Connection, person_id: str) -> Account | None:
    """The account of a person in the registry; None if there is none."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM identity.account WHERE person_id = $1", person_id)
    return None if row is None else _account(row)


async def by_facts(conn: Connection, text: str, *, limit: int) -> list[Account]:
    """The accounts with this sign-in name, e-mail address or DoD ID number, said whole, by name."""
    columns = ", ".join(f"a.{column}" for column in _COLUMNS.replace(",", " ").split())
    rows = await conn.fetch(
        f"SELECT {columns} FROM identity.account a WHERE a.account_id IN"
        " (SELECT account_id FROM identity.account WHERE sign_in_name = $1 OR lower(email) = $1 UNION"
        "  SELECT account_id FROM identity.account JOIN identity.person p USING (person_id)"
        "   WHERE p.dod_id = $1 OR lower(p.email) = $1) ORDER BY a.display_name, a.account_id LIMIT $2",
        unicodedata.normalize("NFKC", text).strip().casefold(), limit,
    )  # fmt: skip
    return [_account(row) for row in rows]


async def names(conn: Connection, account_ids: Sequence[str]) -> dict[str, str]:
    """The display names of accounts, by id; of strange ids, nothing."""
    rows = await conn.fetch(
        "SELECT account_id, display_name FROM identity.account WHERE account_id = ANY($1::text[])", list(account_ids)
    )
    return {row["account_id"]: row["display_name"] for row in rows}


async def by_handle(conn: Connection, handle: bytes) -> Account | None:
    """The account that an authenticator knows under this handle; None if there is none."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM identity.account WHERE webauthn_handle = $1", handle)
    return None if row is None else _account(row)


async def locked(conn: Connection, account_id: str) -> Account | None:
    """The account, with its row locked until the transaction ends: what follows happens one after the other."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM identity.account WHERE account_id = $1 FOR UPDATE", account_id)
    return None if row is None else _account(row)


async def set_password(conn: Connection, account: Account, password_hash: str, profile: Profile, now: int) -> None:
    """Replaces the password; the profile says how many former ones are remembered."""
    if profile.former_refused and account.password_hash is not None:
        await conn.fetch(
            "INSERT INTO identity.former_password (account_id, replaced_us, password_hash) VALUES ($1, $2, $3)"
            " ON CONFLICT DO NOTHING",
            account.account_id, now, account.password_hash,
        )  # fmt: skip
    await conn.fetch(
        "DELETE FROM identity.former_password WHERE account_id = $1 AND replaced_us NOT IN"
        " (SELECT replaced_us FROM identity.former_password WHERE account_id = $1 ORDER BY replaced_us DESC LIMIT $2)",
        account.account_id, profile.former_refused,
    )  # fmt: skip
    await conn.fetch(
        "UPDATE identity.account SET password_hash = $2, password_set_us = $3 WHERE account_id = $1",
        account.account_id, password_hash, now,
    )  # fmt: skip


async def rehash(conn: Connection, account: Account, password_hash: str) -> None:
    """The same password at today's cost, unless it was changed meanwhile."""
    await conn.fetch(
        "UPDATE identity.account SET password_hash = $2 WHERE account_id = $1 AND password_hash = $3",
        account.account_id, password_hash, account.password_hash,
    )  # fmt: skip


async def former_passwords(conn: Connection, account: Account) -> list[str]:
    """Hashes of the present password and of the former ones that may not be used again."""
    rows = await conn.fetch(
        "SELECT password_hash FROM identity.former_password WHERE account_id = $1 ORDER BY replaced_us DESC",
        account.account_id,
    )
    return [*([account.password_hash] if account.password_hash else []), *(row[0] for row in rows)]


async def lock(conn: Connection, account_id: str, now: int) -> None:
    """Locks until an administrator opens it (profile dod-stig)."""
    await conn.fetch(
        "UPDATE identity.account SET locked_us = coalesce(locked_us, $2) WHERE account_id = $1", account_id, now
    )


async def unlock(conn: Connection, account_id: str) -> None:
    """Opens a locked account."""
    await conn.fetch("UPDATE identity.account SET locked_us = NULL WHERE account_id = $1", account_id)


async def close(conn: Connection, account_id: str, now: int) -> None:
    """Closes for good: somebody has left. The row stays, for the trace."""
    await conn.fetch(
        "UPDATE identity.account SET closed_us = coalesce(closed_us, $2) WHERE account_id = $1", account_id, now
    )


async def set_practitioner(conn: Connection, account_id: str, practitioner_id: str | None) -> None:
    """Says who the holder is in the record. Raises Conflict for a Practitioner who is somebody else."""
    try:
        async with conn.transaction():
            await conn.fetch(
                "UPDATE identity.account SET practitioner_id = $2 WHERE account_id = $1", account_id, practitioner_id
            )
    except asyncpg.UniqueViolationError as error:
        raise Conflict("That practitioner has another account already.") from error


async def raise_identity_level(conn: Connection, account_id: str, level: int) -> None:
    """Records that more is known of who this is; a level never falls."""
    await conn.fetch(
        "UPDATE identity.account SET identity_level = greatest(identity_level, $2) WHERE account_id = $1",
        account_id, level,
    )  # fmt: skip


async def notify(conn: Connection, account_id: str, text: str, now: int) -> None:
    """Leaves word for the account's holder."""
    await conn.fetch("INSERT INTO identity.notice VALUES ($1, $2, $3, $4)", uuid7(), account_id, now, text)


async def notices(conn: Connection, account_id: str) -> list[tuple[int, str]]:
    """The newest words for the holder: instants and texts."""
    rows = await conn.fetch(
        "SELECT at_us, text FROM identity.notice WHERE account_id = $1 ORDER BY at_us DESC, notice_id DESC LIMIT $2",
        account_id, NOTICES_SHOWN_MAX,
    )  # fmt: skip
    return [(row["at_us"], row["text"]) for row in rows]


def _account(row: Any) -> Account:
    return Account(**dict(row.items()))

"""Recovery codes: printed once, used once each, and never enough alone."""

import secrets

from continuum.identity.limits import (
    RECOVERY_CODES,
)
from continuum.identity.vault import Vault
from continuum.kernel.clock import Clock, now_us
from continuum.record.read import Connection

_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No sign is taken for another: neither 0, 1, I, L, O nor U."""
_GROUPS, _GROUP_CHARS = 4, 4
"""16 signs of 30 are 78 bits; SP 800-63B-4 §3.1.2 asks for 64 of a saved recovery code."""


class RecoveryCodes:
    """The recovery codes of one installation."""

    def __init__(self, vault: Vault, *, clock: Clock = now_us) -> None:
        self._vault = vault
        self._clock = clock

    async def renew(self, conn: Connection, account_id: str) -> list[str]:
        """New codes, to be shown once; the former ones are worth nothing any more."""
        codes = [new_code() for _ in range(RECOVERY_CODES)]
        await conn.fetch("DELETE FROM identity.recovery_code WHERE account_id = $1", account_id)
        await conn.fetch(
            "INSERT INTO identity.recovery_code (account_id, code_digest) SELECT $1, unnest($2::bytea[])",
            account_id, [self._digest(account_id, code) for code in codes],
        )  # fmt: skip
        return codes

    async def add(self, conn: Connection, account_id: str, code: str, expires_us: int) -> None:
        """One more code, which is sent by post and holds for a while."""
        await conn.fetch(
            "INSERT INTO identity.recovery_code (account_id, code_digest, expires_us) VALUES ($1, $2, $3)",
            account_id, self._digest(account_id, code), expires_us,
        )  # fmt: skip

    async def use(self, conn: Connection, account_id: str, code: str) -> bool:
        """Whether it is one of the codes, unused until now, and not too old."""
        rows = await conn.fetch(
            "UPDATE identity.recovery_code SET used_us = $3"
            " WHERE account_id = $1 AND code_digest = $2 AND used_us IS NULL"
            " AND (expires_us IS NULL OR expires_us > $3) RETURNING account_id",
            account_id, self._digest(account_id, code), self._clock(),
        )  # fmt: skip
        return bool(rows)

    def _digest(self, account_id: str, code: str) -> bytes:
        return recovery_digest(self._vault, account_id, code)


def recovery_digest(vault: Vault, account_id: str, code: str) -> bytes:
    """How a recovery code is kept."""
    return vault.digest("recovery", account_id, plain(code))


def new_code() -> str:
    """A random code in groups, as it is printed: `7KQM-2XHT-9BVC-4WJD`."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
    return "-".join(groups)


def plain(code: str) -> str:
    """A code as it is compared: without hyphens, spaces and case."""
    return "".join(sign for sign in code.upper() if sign.isalnum())

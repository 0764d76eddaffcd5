"""Authenticator apps: one-time passwords by time (TOTP, RFC 6238), each taken once."""

import hmac
from dataclasses import dataclass

import pyotp

from continuum.identity.factors import TooManyFactors, label
from continuum.identity.limits import (
    FACTORS_MAX,
)
from continuum.identity.vault import Vault
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection

STEP_S = 30
_AROUND = (0, -1, 1)
"""Steps around the present one whose code is taken: phones are not on time (RFC 6238 §5.2)."""
ISSUER = "Continuum"


@dataclass(frozen=True, slots=True)
class App:
    """An authenticator app that has shown a right code."""

    factor_id: str
    label: str
    created_us: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is shown once: `seed` in base32 to type, `uri` (otpauth) to scan."""

    factor_id: str
    seed: str
    uri: str


class Apps:
    """The authenticator apps of one installation."""

    def __init__(self, vault: Vault, *, clock: Clock = now_us) -> None:
        self._vault = vault
        self._clock = clock

    async def begin(self, conn: Connection, account_id: str, *, name: str, account_label: str) -> Enrolment:
        """A new seed, which counts from its first right code on; one begun earlier is dropped.

        Raises:
            TooManyFactors: there are FACTORS_MAX.
        """
        await conn.fetch(
            "DELETE FROM identity.authenticator_app WHERE account_id = $1 AND confirmed_us IS NULL", account_id
        )
        if len(await self.of(conn, account_id)) >= FACTORS_MAX:
            raise TooManyFactors
        factor_id, seed = uuid7(), pyotp.random_base32()
        await conn.fetch(
            "INSERT INTO identity.authenticator_app (factor_id, account_id, label, sealed_seed, created_us)"
            " VALUES ($1, $2, $3, $4, $5)",
            factor_id, account_id, label(name, "Authenticator app"),
            self._vault.seal(seed.encode(), f"authenticator_app/{factor_id}"), self._clock(),
        )  # fmt: skip
        return Enrolment(factor_id, seed, pyotp.TOTP(seed).provisioning_uri(name=account_label, issuer_name=ISSUER))

    async def put(self, conn: Connection, account_id: str, seed: str, *, name: str) -> None:
        """Sets up an app whose seed is known already (base32), as in a demonstration; it counts at once."""
        factor_id = uuid7()
        await conn.fetch(
            "INSERT INTO identity.authenticator_app (factor_id, account_id, label, sealed_seed, created_us,"
            " confirmed_us) VALUES ($1, $2, $3, $4, $5, $5)",
            factor_id, account_id, label(name, "Authenticator app"),
            self._vault.seal(seed.encode(), f"authenticator_app/{factor_id}"), self._clock(),
        )  # fmt: skip

    async def confirm(self, conn: Connection, account_id: str, factor_id: str, code: str) -> bool:
        """Whether the first code is right; from then on the app is a factor."""
        row = await conn.fetchrow(
            "SELECT sealed_seed FROM identity.authenticator_app"
            " WHERE account_id = $1 AND factor_id = $2 AND confirmed_us IS NULL",
            account_id, factor_id,
        )  # fmt: skip
        step = None if row is None else self._step(factor_id, row["sealed_seed"], code)
        if step is None:
            return False
        done = await conn.fetch(
            "UPDATE identity.authenticator_app SET confirmed_us = $2, last_step = $3"
            " WHERE factor_id = $1 AND confirmed_us IS NULL RETURNING factor_id",
            factor_id, self._clock(), step,
        )  # fmt: skip
        return bool(done)

    async def check(self, conn: Connection, account_id: str, code: str) -> bool:
        """Whether one of the account's apps shows this code, which nobody has used yet; it is used up."""
        rows = await conn.fetch(
            "SELECT factor_id, sealed_seed FROM identity.authenticator_app"
            " WHERE account_id = $1 AND confirmed_us IS NOT NULL LIMIT $2",
            account_id, FACTORS_MAX,
        )  # fmt: skip
        for row in rows:
            step = self._step(row["factor_id"], row["sealed_seed"], code)
            if step is not None and await conn.fetch(
                "UPDATE identity.authenticator_app SET last_step = $2 WHERE factor_id = $1 AND last_step < $2"
                " RETURNING factor_id",
                row["factor_id"], step,
            ):  # fmt: skip
                return True
        return False

    async def of(self, conn: Connection, account_id: str) -> list[App]:
        """The account's apps, oldest first."""
        rows = await conn.fetch(
            "SELECT factor_id, label, created_us FROM identity.authenticator_app"
            " WHERE account_id = $1 AND confirmed_us IS NOT NULL ORDER BY created_us, factor_id LIMIT $2",
            account_id, FACTORS_MAX,
        )  # fmt: skip
        return [App(row["factor_id"], row["label"], row["created_us"]) for row in rows]

    async def remove(self, conn: Connection, account_id: str, factor_id: str) -> bool:
        """Whether there was such an app; it is no factor any more."""
        rows = await conn.fetch(
            "DELETE FROM identity.authenticator_app WHERE account_id = $1 AND factor_id = $2 RETURNING factor_id",
            account_id, factor_id,
        )  # fmt: skip
        return bool(rows)

    def _step(self, factor_id: str, sealed_seed: bytes, code: str) -> int | None:
        """The time step whose code this is; None if it is none of the present ones."""
        digits = "".join(code.split())
        totp = pyotp.TOTP(self._vault.unseal(sealed_seed, f"authenticator_app/{factor_id}").decode())
        present = self._clock() // 1_000_000 // STEP_S
        for around in _AROUND:
            if hmac.compare_digest(totp.generate_otp(present + around).encode(), digits.encode()):
                return int(present + around)
        return None

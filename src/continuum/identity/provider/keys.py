"""The provider's signing keys: made when needed, sealed in the database, published while anybody may need them."""

import asyncio
import json

from joserfc.jwk import KeySet, RSAKey

from continuum.identity.limits import (
    SIGNING_KEY_SHOWN_S,
    SIGNING_KEY_SIGNS_S,
    SIGNING_KEYS_CACHED_S,
)
from continuum.identity.vault import Vault
from continuum.kernel.clock import Clock, now_us
from continuum.record.read import Connection

ALGORITHM = "RS256"
"""What every client must understand (OpenID Connect Core §15.1)."""
_BITS = 3072
LOCK = 7_203_000_001
"""The advisory lock under which one worker at a time makes a key."""


class SigningKeys:
    """The keys as one worker knows them."""

    def __init__(self, vault: Vault, *, clock: Clock = now_us) -> None:
        self._vault = vault
        self._clock = clock
        self._private: RSAKey | None = None
        self._public: dict[str, list[dict[str, str]]] = {"keys": []}
        self._read_us = -SIGNING_KEYS_CACHED_S * 1_000_000

    async def signing(self, conn: Connection) -> RSAKey:
        """The key to sign with; made now if none signs any more."""
        await self._read(conn)
        if self._private is None:
            made = await asyncio.to_thread(RSAKey.generate_key, _BITS)
            await self._keep(conn, made)
            await self._read(conn, again=True)
        assert self._private is not None, "a key was made"
        return self._private

    async def public(self, conn: Connection) -> dict[str, list[dict[str, str]]]:
        """The JSON Web Key Set (RFC 7517 §5) of all keys whose signatures may still be met."""
        await self.signing(conn)
        return self._public

    async def verifying(self, conn: Connection) -> KeySet:
        """The same, to check signatures with."""
        return KeySet.import_key_set(await self.public(conn))  # type: ignore[arg-type]  # a plain dictionary is one

    async def _keep(self, conn: Connection, key: RSAKey) -> None:
        async with conn.transaction():
            await conn.fetch("SELECT pg_advisory_xact_lock($1::bigint)", LOCK)
            signs = await conn.fetchrow(
                "SELECT 1 FROM identity.signing_key WHERE algorithm = $1 AND retires_us > $2", ALGORITHM, self._clock()
            )
            if signs is not None:
                return  # another worker was quicker
            key_id = key.thumbprint()
            public = {**key.as_dict(private=False), "kid": key_id, "use": "sig", "alg": ALGORITHM}
            await conn.fetch(
                "INSERT INTO identity.signing_key VALUES ($1, $2, $3, $4, $5, $6)",
                key_id, ALGORITHM, json.dumps(public),
                self._vault.seal(json.dumps(key.as_dict(private=True)).encode(), f"signing_key/{key_id}"),
                self._clock(), self._clock() + SIGNING_KEY_SIGNS_S * 1_000_000,
            )  # fmt: skip

    async def _read(self, conn: Connection, *, again: bool = False) -> None:
        now = self._clock()
        if not again and now - self._read_us < SIGNING_KEYS_CACHED_S * 1_000_000:
            return
        rows = await conn.fetch(
            "SELECT key_id, public_key, sealed_key, retires_us FROM identity.signing_key"
            " WHERE algorithm = $1 AND retires_us > $2 ORDER BY created_us DESC LIMIT 10",
            ALGORITHM, now - SIGNING_KEY_SHOWN_S * 1_000_000,
        )  # fmt: skip
        self._public = {"keys": [json.loads(row["public_key"]) for row in rows]}
        self._private = None
        if rows and rows[0]["retires_us"] > now:
            key_id = rows[0]["key_id"]
            plain = json.loads(self._vault.unseal(rows[0]["sealed_key"], f"signing_key/{key_id}"))
            self._private = RSAKey.import_key(plain, {"kid": key_id})
        self._read_us = now

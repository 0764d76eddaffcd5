"""Codes and refresh tokens as they are kept. Each is used once; a second use ends all that came of the first."""

from dataclasses import dataclass
from typing import Any

from continuum.identity.limits import (
    ACCESS_TOKEN_S,
    AUTHORIZATION_CODE_S,
)
from continuum.identity.sessions import Session
from continuum.identity.vault import token_digest
from continuum.record.read import Connection


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, with the methods by which Authlib asks (`oidc.core.AuthorizationCodeMixin`)."""

    client_id: str
    session_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Where the code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it opens."""
        return self.scope

    def get_nonce(self) -> str | None:
        """What ties the ID token to the client's request."""
        return self.nonce

    def get_auth_time(self) -> None:
        """None: what is known of the session is added with the other claims."""
        return

    get_acr = get_amr = get_auth_time


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token that has not been used, with the methods by which Authlib asks (`rfc6749.TokenMixin`)."""

    family_id: str
    client_id: str
    session_id: str
    scope: str

    def check_client(self, client: Any) -> bool:
        """Whether it was given to this client."""
        return bool(client.client_id == self.client_id)

    def get_scope(self) -> str:
        """What it opens."""
        return self.scope


async def keep_code(conn: Connection, value: str, code: Code, now: int) -> None:
    """Keeps a code that is about to be given out."""
    await conn.fetch(
        "INSERT INTO identity.authorization_code VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        token_digest(value), code.client_id, code.session_id, code.redirect_uri, code.scope, code.nonce,
        code.code_challenge, now, now + AUTHORIZATION_CODE_S * 1_000_000,
    )  # fmt: skip


async def use_code(conn: Connection, value: str, now: int) -> Code | None:
    """The code, which is used up, whatever comes of it; None if it is not good any more.

    One that is shown a second time was stolen, before or now: what came of it is revoked (RFC 6749 §4.1.2).
    """
    digest = token_digest(value)
    row = await conn.fetchrow(
        "UPDATE identity.authorization_code SET used_us = $2 WHERE code_digest = $1 AND used_us IS NULL"
        " RETURNING client_id, session_id, redirect_uri, scope, nonce, code_challenge, expires_us",
        digest, now,
    )  # fmt: skip
    if row is None:
        await revoke_family(conn, digest.hex(), now)
        return None
    if row["expires_us"] <= now:
        return None
    return Code(
        row["client_id"], row["session_id"], row["redirect_uri"], row["scope"], row["nonce"], row["code_challenge"]
    )


def family_of(code: str) -> str:
    """The family of all refresh tokens that come of a code."""
    return token_digest(code).hex()


async def keep_refresh(conn: Connection, value: str, refresh: Refresh, session: Session, now: int) -> None:
    """Keeps a refresh token; it cannot outlive its session."""
    await conn.fetch(
        "INSERT INTO identity.refresh_token VALUES ($1, $2, $3, $4, $5, $6, $7)",
        token_digest(value), refresh.family_id, refresh.client_id, refresh.session_id, refresh.scope, now,
        session.expires_us,
    )  # fmt: skip


async def use_refresh(conn: Connection, value: str, now: int) -> Refresh | None:
    """The refresh token, which is used up; None if it is not good any more. As with codes, a second use revokes."""
    digest = token_digest(value)
    row = await conn.fetchrow(
        "UPDATE identity.refresh_token SET used_us = $2"
        " WHERE token_digest = $1 AND used_us IS NULL AND revoked_us IS NULL AND expires_us > $2"
        " RETURNING family_id, client_id, session_id, scope",
        digest, now,
    )  # fmt: skip
    if row is not None:
        return Refresh(row["family_id"], row["client_id"], row["session_id"], row["scope"])
    used = await conn.fetchrow(
        "SELECT family_id FROM identity.refresh_token WHERE token_digest = $1 AND used_us IS NOT NULL", digest
    )
    if used is not None:
        await revoke_family(conn, used["family_id"], now)
    return None


async def revoke(conn: Connection, value: str, client_id: str, now: int) -> None:
    """Revokes a refresh token with its family, if it is this client's (RFC 7009)."""
    row = await conn.fetchrow(
        "SELECT family_id FROM identity.refresh_token WHERE token_digest = $1 AND client_id = $2",
        token_digest(value), client_id,
    )  # fmt: skip
    if row is not None:
        await revoke_family(conn, row["family_id"], now)


async def revoke_family(conn: Connection, family_id: str, now: int) -> None:
    """Revokes every refresh token that came of one code."""
    await conn.fetch(
        "UPDATE identity.refresh_token SET revoked_us = $2 WHERE family_id = $1 AND revoked_us IS NULL", family_id, now
    )


async def sweep(conn: Connection, now: int) -> None:
    """Removes codes and tokens that nobody can use, nor misuse, any more."""
    long_ago = now - ACCESS_TOKEN_S * 1_000_000
    await conn.fetch("DELETE FROM identity.refresh_token WHERE expires_us < $1", long_ago)
    await conn.fetch(
        "DELETE FROM identity.authorization_code c WHERE c.expires_us < $1 AND NOT EXISTS"
        " (SELECT 1 FROM identity.session s WHERE s.session_id = c.session_id AND s.ended_us IS NULL)",
        long_ago,
    )

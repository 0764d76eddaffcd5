"""The programs that send people here to sign in, and what each may ask for."""

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from continuum.identity.limits import (
    REDIRECT_URIS_MAX,
)
from continuum.identity.sessions import BASIC, CARD, PREMIUM, Assurance
from continuum.identity.vault import random_token, token_digest
from continuum.kernel.errors import Conflict, Invalid
from continuum.record.read import Connection

SCOPES = {
    "openid": "who you are",
    "profile": "your name and your sign-in name",
    "email": "your e-mail address",
    "patient": "your own record",
    "staff": "the records that your work needs",
}
"""What may be asked for, in the words in which people are told."""
RECORD_SCOPES = frozenset({"patient", "staff"})
"""Scopes that open the record, and so need Premium."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Client:
    """One program. It has the methods by which Authlib asks (`rfc6749.ClientMixin`).

    assurance: what every session that it is told of must reach. secret_digest: None for a public client.
    """

    client_id: str
    name: str
    secret_digest: bytes | None
    redirect_uris: tuple[str, ...]
    post_logout_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    assurance: Assurance

    def wanted(self, scope: str, acr_values: str) -> Assurance:
        """What a session must reach for this request."""
        levels = [self.assurance]
        if RECORD_SCOPES & set(scope.split()):
            levels.append(PREMIUM)
        # acr_values are in order of preference (OpenID Connect Core §3.1.2.1); the first that is known is meant.
        known = [ACR[name] for name in acr_values.split() if name in ACR]
        levels += known[:1]
        return Assurance(max(one.identity for one in levels), max(one.authenticator for one in levels))

    def get_client_id(self) -> str:
        """For Authlib."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """None: a request names its address (RFC 9700 §2.1)."""
        return ""

    def get_allowed_scope(self, scope: str | None) -> str:
        """The part of a scope that this client may ask for."""
        return " ".join(name for name in (scope or "").split() if name in self.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is one of the addresses, sign for sign (RFC 9700 §2.1)."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the secret."""
        return self.secret_digest is not None and hmac.compare_digest(self.secret_digest, token_digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  Authlib's signature
        """Public clients show no secret, others must."""
        return (method == "none") == (self.secret_digest is None)

    def check_response_type(self, response_type: str) -> bool:
        """Only the authorization code flow."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes and refresh tokens."""
        return grant_type in ("authorization_code", "refresh_token")

    @property
    def client_metadata(self) -> dict[str, Any]:
        """For Authlib's end of a session."""
        return {"post_logout_redirect_uris": list(self.post_logout_uris)}


CARD_ACR, PREMIUM_ACR, BASIC_ACR = "card", "premium", "basic"
ACR = {BASIC_ACR: BASIC, PREMIUM_ACR: PREMIUM, CARD_ACR: CARD}
"""The names of assurance levels in `acr` and `acr_values`."""


def acr_of(assurance: Assurance) -> str:
    """The highest level that a session reaches."""
    return next(name for name in (CARD_ACR, PREMIUM_ACR, BASIC_ACR) if assurance.reaches(ACR[name]))


async def register(
    conn: Connection,
    client_id: str,
    name: str,
    *,
    redirect_uris: tuple[str, ...],
    post_logout_uris: tuple[str, ...] = (),
    scopes: tuple[str, ...] = ("openid", "profile"),
    confidential: bool = True,
    assurance: Assurance = BASIC,
    now: int,
) -> str | None:
    """Takes on a client; returns its secret, which is shown once, or None for a public one.

    Raises:
        Invalid: an address or a scope cannot be used. Conflict: there is a client of this id.
    """
    for uri in (*redirect_uris, *post_logout_uris):
        _require_address(uri)
    strange = sorted(set(scopes) - set(SCOPES))
    if strange or not redirect_uris or len(redirect_uris) > REDIRECT_URIS_MAX:
        raise Invalid(f"A client needs 1 to {REDIRECT_URIS_MAX} addresses and scopes out of {', '.join(SCOPES)}.")
    secret = random_token() if confidential else None
    rows = await conn.fetch(
        "INSERT INTO identity.client (client_id, name, secret_digest, redirect_uris, post_logout_uris, scopes,"
        " identity_level, authenticator_level, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT DO NOTHING RETURNING client_id",
        client_id, name, None if secret is None else token_digest(secret), list(redirect_uris),
        list(post_logout_uris), list(scopes), assurance.identity, assurance.authenticator, now,
    )  # fmt: skip
    if not rows:
        raise Conflict(f"There is a client called {client_id} already.")
    return secret


async def get(conn: Connection, client_id: str) -> Client | None:
    """The client of an id; None if there is none, or not any more."""
    row = await conn.fetchrow(
        "SELECT client_id, name, secret_digest, redirect_uris, post_logout_uris, scopes, identity_level,"
        " authenticator_level FROM identity.client WHERE client_id = $1 AND closed_us IS NULL",
        client_id,
    )
    if row is None:
        return None
    return Client(
        row["client_id"], row["name"], row["secret_digest"], tuple(row["redirect_uris"]),
        tuple(row["post_logout_uris"]), tuple(row["scopes"]),
        Assurance(row["identity_level"], row["authenticator_level"]),
    )  # fmt: skip


def _require_address(uri: str) -> None:
    """Https everywhere, http only to the same machine, no fragment (RFC 9700 §2.1, RFC 8252 §7.3)."""
    parts = urlsplit(uri)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.fragment or "*" in uri:
        raise Invalid(f"{uri} cannot be used: it must be https, whole, and without a fragment.")

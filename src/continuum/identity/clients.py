"""Programs that sign on by themselves: SMART backend services (SMART App Launch 2.2), without any secret of theirs.

An administrator registers a program's public keys and what it may do. To get a token the program signs a short-lived
assertion with its private key (RFC 7523, `private_key_jwt`); each assertion is taken once.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from continuum.identity.scopes import granted, scope
from continuum.identity.tokens import Claims
from continuum.kernel.errors import DomainError, Malformed
from continuum.kernel.limits import ASSERTION_LIFETIME_MAX_S, BACKEND_TOKEN_LIFETIME_S, CLIENT_KEYS_MAX
from continuum.record.read import Connection

ALGORITHMS = ["RS384", "ES384"]
"""What SMART asks a server to take; both are taken, and nothing weaker."""
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_JTI_MAX_CHARS = 255
_SKEW_S = 5
_RSA_MIN_BITS = 2048


class OAuthRefused(DomainError):
    """A request for a token that is refused; `error` is the code of RFC 6749 §5.2."""

    code = "login"

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error = error


@dataclass(frozen=True, slots=True)
class Client:
    """A registered program. keys: its public keys, a JWK set as JSON. scopes: with blanks between."""

    id: str
    name: str
    keys: str
    scopes: str
    created_us: int


@dataclass(frozen=True, slots=True)
class SignedOn:
    """A token for a program: its claims, and the scopes that it was given."""

    claims: Claims
    scope: str
    lifetime_s: int


def public_keys(text: str) -> str:
    """The JWK set, as JSON, of a file that holds one, a single JWK or a public key in PEM.

    Raises:
        Malformed: it holds none, a private one, too many, or one that no algorithm of ours can use.
    """
    if "PRIVATE KEY" in text:
        raise Malformed("This is a private key; it stays with the program. Register its public key.")
    try:
        keys = [_from_pem(text)] if "BEGIN" in text else _from_json(text)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Malformed("The file holds neither a JWK set nor a public key in PEM.") from error
    if not 1 <= len(keys) <= CLIENT_KEYS_MAX:
        raise Malformed(f"A program has from 1 to {CLIENT_KEYS_MAX} public keys.")
    for key in keys:
        if isinstance(key, ECKey) and key.as_dict().get("crv") != "P-384":
            raise Malformed("An elliptic key must be on the curve P-384 (ES384).")
        if isinstance(key, RSAKey) and key.raw_value.key_size < _RSA_MIN_BITS:
            raise Malformed(f"An RSA key must have at least {_RSA_MIN_BITS} bits (RS384).")
    return json.dumps({"keys": [{**key.as_dict(private=False), "kid": _kid(key)} for key in keys]})


def _kid(key: RSAKey | ECKey) -> str:
    return key.kid or key.thumbprint()


def _from_pem(text: str) -> RSAKey | ECKey:
    try:
        return RSAKey.import_key(text)
    except (JoseError, ValueError, TypeError, AttributeError):
        return ECKey.import_key(text)


def _from_json(text: str) -> list[RSAKey | ECKey]:
    said = json.loads(text)
    found: list[RSAKey | ECKey] = []
    for one in said.get("keys", [said]):
        if "d" in one or "k" in one:
            raise Malformed("This holds a private key; it stays with the program. Register its public key.")
        found.append(RSAKey.import_key(one) if one["kty"] == "RSA" else ECKey.import_key(one))
    return found


def checked_scopes(text: str) -> str:
    """Scopes of a registration, each once.

    Raises:
        Malformed: there is none, or one that is never granted.
    """
    scopes = list(dict.fromkeys(text.replace(",", " ").split()))
    for one in scopes:
        if scope(one) is None:
            raise Malformed(f"{one} is no scope that a program can have; write system/Patient.rs or system/*.read.")
    if not scopes:
        raise Malformed("Name at least one scope, such as system/*.rs.")
    return " ".join(scopes)


async def register(conn: Connection, client: Client) -> None:
    """Adds a program, or replaces the one of that id.

    Raises:
        Malformed: the id cannot be one.
    """
    if not _ID.match(client.id):
        raise Malformed("The id of a program has 1 to 64 letters, digits, '.', '_' and '-'.")
    await conn.execute(
        "INSERT INTO record.backend_client VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE"
        " SET name = excluded.name, keys = excluded.keys, scopes = excluded.scopes",
        client.id, client.name, client.keys, client.scopes, client.created_us,
    )  # fmt: skip


async def registered(conn: Connection) -> list[Client]:
    """All programs, by their id."""
    rows = await conn.fetch("SELECT id, name, keys, scopes, created FROM record.backend_client ORDER BY id")
    return [Client(*row) for row in rows]


async def find(conn: Connection, client_id: str) -> Client | None:
    """One program."""
    row = await conn.fetchrow(
        "SELECT id, name, keys, scopes, created FROM record.backend_client WHERE id = $1", client_id
    )  # fmt: skip
    return None if row is None else Client(*row)


async def remove(conn: Connection, client_id: str) -> bool:
    """Removes a program; tokens that it has live on for BACKEND_TOKEN_LIFETIME_S at most."""
    row = await conn.fetchrow("DELETE FROM record.backend_client WHERE id = $1 RETURNING 1", client_id)
    return row is not None


async def sign_on(conn: Connection, form: dict[str, str], *, audience: str, now_us: int) -> SignedOn:
    """What a request for a token gets (RFC 6749 §4.4 with RFC 7523 §2.2).

    audience: the address of our token endpoint, as the program sees it.

    Raises:
        OAuthRefused: the grant, the assertion or all of the scopes.
    """
    if form.get("grant_type") != "client_credentials":
        raise OAuthRefused("unsupported_grant_type", "Only grant_type=client_credentials is offered.")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthRefused("invalid_client", f"client_assertion_type must be {ASSERTION_TYPE}.")
    assertion = form.get("client_assertion", "")
    claimed = _unverified(assertion)
    client = await find(conn, claimed) if _ID.match(claimed) else None
    if client is None:
        raise OAuthRefused("invalid_client", "The assertion is not one of a program that is registered here.")
    claims = _verified(assertion, client)
    now_s = now_us // 1_000_000
    _judge(claims, client, audience, now_s)
    if not await _first_use(conn, client, claims, now_s):
        raise OAuthRefused("invalid_client", "The assertion was used before; sign a new one for each token.")
    given = granted(form.get("scope", ""), client.scopes)
    if not given:
        raise OAuthRefused("invalid_scope", f"This program may have {client.scopes}; ask for some of it.")
    token = Claims(client.id, "system", now_s + BACKEND_TOKEN_LIFETIME_S, name=client.name, scope=given)
    return SignedOn(token, given, BACKEND_TOKEN_LIFETIME_S)


def _unverified(assertion: str) -> str:
    """Who an assertion says that it comes from; nothing of it is believed yet."""
    try:
        payload = json.loads(jws.extract_compact(assertion.encode("ascii")).payload)
    except (JoseError, ValueError) as error:
        raise OAuthRefused("invalid_client", "client_assertion is not a signed JWT.") from error
    issuer = payload.get("iss") if isinstance(payload, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _verified(assertion: str, client: Client) -> dict[str, Any]:
    """The claims of an assertion that one of the program's keys has signed."""
    keys = KeySet.import_key_set(json.loads(client.keys))
    kid = jws.extract_compact(assertion.encode("ascii")).headers().get("kid")
    # A program may name its key in a way of its own; the signature says which key it was.
    named = [key for key in keys if key.kid == kid]
    for key in named or list(keys):
        try:
            return dict(jwt.decode(assertion, key, algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError, TypeError):
            continue
    raise OAuthRefused("invalid_client", f"No registered key has signed the assertion with {' or '.join(ALGORITHMS)}.")


def _judge(claims: dict[str, Any], client: Client, audience: str, now_s: int) -> None:
    """Holds an assertion to SMART App Launch 2.2, "Authenticating to the token endpoint"."""
    audiences = claims.get("aud")
    audiences = audiences if isinstance(audiences, list) else [audiences]
    expires_s, jti = claims.get("exp"), claims.get("jti")
    begins_s = claims.get("nbf", now_s)
    words = ""
    if claims.get("iss") != client.id or claims.get("sub") != client.id:
        words = "iss and sub must both be the id of the program."
    elif audience not in audiences:
        words = f"aud must be {audience}."
    elif not isinstance(expires_s, int) or expires_s <= now_s - _SKEW_S:
        words = "The assertion has expired."
    elif expires_s > now_s + ASSERTION_LIFETIME_MAX_S + _SKEW_S:
        words = f"The assertion must expire within {ASSERTION_LIFETIME_MAX_S} seconds."
    elif not isinstance(begins_s, int) or begins_s > now_s + _SKEW_S:
        words = "The assertion is not valid yet."
    elif not isinstance(jti, str) or not 1 <= len(jti) <= _JTI_MAX_CHARS or "\x00" in jti:
        words = "The assertion needs a jti of its own."
    if words:
        raise OAuthRefused("invalid_client", words)


async def _first_use(conn: Connection, client: Client, claims: dict[str, Any], now_s: int) -> bool:
    """Notes that an assertion was used; False when it was before."""
    await conn.execute("DELETE FROM record.backend_assertion WHERE expires < $1", now_s - 2 * _SKEW_S)
    row = await conn.fetchrow(
        "INSERT INTO record.backend_assertion VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1",
        client.id, claims["jti"], claims["exp"],
    )  # fmt: skip
    return row is not None

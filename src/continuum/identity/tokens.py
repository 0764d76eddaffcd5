"""Bearer tokens: signed statements of who acts, for whom and why (JWT, RFC 7519; HS256, RFC 7518 §3.2).

One installation both makes and checks them, so one secret does. Whoever can read it can be anybody.
"""

import binascii
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from continuum.identity.limits import TOKEN_LIFETIME_MAX_S, TOKEN_MAX_BYTES, TOKENS_CACHED_MAX
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import NotAuthenticated
from continuum.kernel.ids import uuid7

ISSUER = "continuum"
SECRET_MIN_BYTES = 32
"""As many as the digest has (RFC 7518 §3.2)."""
_ALGORITHMS = ["HS256"]
_TEXTS = ("sub", "role", "name", "facility", "patient", "purpose", "scope", "session", "openid_scope", "practitioner")
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])\Z")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SKEW_S = 5
"""How far two clocks of one installation may be apart."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. expires_s: seconds since 1970 UTC. purpose "" leaves it to the role's usual one.

    scope: SMART scopes with blanks between, which only take away from what the role may; "": no such limit.
    practitioner: the Practitioner that a member of staff is in the record. identity_level, authenticator_level: how
    surely it is they (`ial`, `aal`; NIST SP 800-63-4): a token that does not say so names nobody surely.
    session, openid_scope: of a token that was given out at sign-on; "" in others.
    """

    subject: str
    role: str
    expires_s: int
    name: str = ""
    facility: str | None = None
    patient: str | None = None
    purpose: str = ""
    session: str = ""
    openid_scope: str = ""
    scope: str = ""
    practitioner: str | None = None
    identity_level: int = 2
    authenticator_level: int = 2


def duration_s(text: str) -> int:
    """Seconds in `90s`, `15m`, `1h` or `30d`.

    Raises:
        ValueError: it is none of these, or longer than a token may live.
    """
    found = _DURATION.match(text.strip())
    if found is None:
        raise ValueError(f"{text} is no length of time; write 90s, 15m, 1h or 30d.")
    seconds = int(found.group(1)) * _UNITS_S[found.group(2)]
    if not 0 < seconds <= TOKEN_LIFETIME_MAX_S:
        raise ValueError(f"A token may live from 1 second to {TOKEN_LIFETIME_MAX_S // 86_400} days.")
    return seconds


def signing_key(secret: bytes) -> OctKey:
    """The key of an installation from its secret (32 bytes, `runtime.secrets`)."""
    if len(secret) < SECRET_MIN_BYTES:
        raise ValueError(f"A signing secret has at least {SECRET_MIN_BYTES} bytes.")
    return OctKey.import_key(secret)


def issue(key: OctKey, claims: Claims, *, clock: Clock = now_us) -> str:
    """A signed token for the claims."""
    said: dict[str, Any] = {
        "iss": ISSUER,
        "sub": claims.subject,
        "role": claims.role,
        "iat": clock() // 1_000_000,
        "exp": claims.expires_s,
        "jti": uuid7(),
    }
    said |= {"ial": claims.identity_level, "aal": claims.authenticator_level}
    for name in ("name", "facility", "patient", "purpose", "scope", "session", "openid_scope", "practitioner"):
        value = getattr(claims, name)
        if value:
            said[name] = value
    return jwt.encode({"alg": "HS256"}, said, key, algorithms=_ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Makes tokens for those who signed on; one per worker."""

    key: OctKey

    def issue(self, claims: Claims) -> str:
        """A signed token."""
        return issue(self.key, claims)


class Verifier:
    """Checks tokens; one per worker. What was verified is kept by its digest until it expires."""

    def __init__(self, key: OctKey, *, clock: Clock = now_us) -> None:
        self._key = key
        self._clock = clock
        self._known: OrderedDict[bytes, Claims] = OrderedDict()

    def verify(self, token: bytes) -> Claims:
        """What the token says.

        Raises:
            NotAuthenticated: it is not ours, was changed, has expired or lacks what a token must say.
        """
        digest = hashlib.blake2b(token, digest_size=16).digest()
        claims = self._known.get(digest)
        if claims is None:
            claims = self._read(token)
            if len(self._known) >= TOKENS_CACHED_MAX:
                self._known.popitem(last=False)
            self._known[digest] = claims
        if self._clock() // 1_000_000 >= claims.expires_s + _SKEW_S:
            self._known.pop(digest, None)
            raise NotAuthenticated("The token has expired; get a new one.")
        return claims

    def _read(self, token: bytes) -> Claims:
        if len(token) > TOKEN_MAX_BYTES:
            raise NotAuthenticated("The token is too long to be one of ours.")
        try:
            said = jwt.decode(token.decode("ascii"), self._key, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError, KeyError, TypeError, binascii.Error) as error:
            raise NotAuthenticated("The token is not one of this server's, or was changed.") from error
        texts = {name: said.get(name, "") for name in _TEXTS}
        expires_s = said.get("exp")
        if said.get("iss") != ISSUER or not isinstance(expires_s, int) or not texts["sub"] or not texts["role"]:
            raise NotAuthenticated("The token does not say who acts, as which role and until when.")
        if not all(isinstance(text, str) and "\0" not in text for text in texts.values()):
            raise NotAuthenticated("The token's claims are not text.")
        levels = [said.get(name, 0) for name in ("ial", "aal")]
        if not all(isinstance(level, int) and not isinstance(level, bool) for level in levels):
            raise NotAuthenticated("The token's levels are not numbers.")
        return Claims(
            subject=texts["sub"],
            role=texts["role"],
            expires_s=expires_s,
            name=texts["name"],
            facility=texts["facility"] or None,
            patient=texts["patient"] or None,
            purpose=texts["purpose"],
            session=texts["session"],
            openid_scope=texts["openid_scope"],
            scope=texts["scope"],
            practitioner=texts["practitioner"] or None,
            identity_level=levels[0],
            authenticator_level=levels[1],
        )

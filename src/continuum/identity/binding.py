"""Tokens that bind a websocket to subscriptions: made for somebody who may read them, good for a short while.

A websocket of a browser cannot carry an Authorization header, so its first message carries one of these.
"""

import binascii
from collections.abc import Sequence

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from continuum.identity.limits import BINDING_LIFETIME_S, TOKEN_MAX_BYTES
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import NotAuthenticated
from continuum.kernel.limits import SOCKET_SUBSCRIPTIONS_MAX

ISSUER = "continuum:binding"
"""Another issuer than that of access tokens, so that neither is taken for the other."""
_ALGORITHMS = ["HS256"]


class Binder:
    """Makes and checks binding tokens under an installation's signing key."""

    def __init__(self, key: OctKey, *, clock: Clock = now_us) -> None:
        self._key = key
        self._clock = clock

    def bind(self, subscriptions: Sequence[str]) -> tuple[str, int]:
        """A token for subscriptions, by the ids of their resources, and when it ends, in microseconds."""
        expires_s = self._clock() // 1_000_000 + BINDING_LIFETIME_S
        claims = {"iss": ISSUER, "exp": expires_s, "subscriptions": list(subscriptions)}
        return jwt.encode({"alg": "HS256"}, claims, self._key, algorithms=_ALGORITHMS), expires_s * 1_000_000

    def bound(self, token: str) -> list[str]:
        """The subscriptions of a token.

        Raises:
            NotAuthenticated: it is not ours, was changed, or has expired.
        """
        if len(token) > TOKEN_MAX_BYTES:
            raise NotAuthenticated("The binding token is too long to be one of ours.")
        try:
            claims = jwt.decode(token, self._key, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError, KeyError, TypeError, binascii.Error) as error:
            raise NotAuthenticated("The binding token is not one of this server's, or was changed.") from error
        wanted, expires_s = claims.get("subscriptions"), claims.get("exp")
        if claims.get("iss") != ISSUER or not isinstance(expires_s, int) or not isinstance(wanted, list):
            raise NotAuthenticated("The token binds nothing; Subscription/$get-ws-binding-token makes those that do.")
        if self._clock() // 1_000_000 >= expires_s:
            raise NotAuthenticated("The binding token has expired; get a new one.")
        return [str(one) for one in wanted[:SOCKET_SUBSCRIPTIONS_MAX]]

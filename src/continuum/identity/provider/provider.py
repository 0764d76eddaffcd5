"""The provider: each method answers one endpoint. Addresses are below the issuer's, such as `ISSUER/token`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from continuum.identity import accounts, standing
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.limits import (
    ACCESS_TOKEN_S,
)
from continuum.identity.provider import clients, grants
from continuum.identity.provider.clients import ACR, SCOPES, Client
from continuum.identity.provider.grants import Refresh
from continuum.identity.provider.keys import ALGORITHM, SigningKeys
from continuum.identity.provider.protocol import Answer, Desk, Pairs, Request
from continuum.identity.sessions import Assurance, Session
from continuum.identity.sign_on import EXPIRED, SignOn
from continuum.identity.tokens import Claims, Verifier, issue
from continuum.kernel.errors import Malformed, NotAuthenticated
from continuum.record.read import Connection

_RESPONSE_TYPE = re.compile(r"[A-Za-z0-9_ ]*")
_NO_STORE = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]


@dataclass(frozen=True, slots=True)
class Redirect:
    """The browser goes on to a client."""

    address: str


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """Somebody has to sign in, or to do so again, before the request can go on."""

    client: Client


@dataclass(frozen=True, slots=True)
class StepUpNeeded:
    """Somebody is signed in, but not surely enough; pages lead them on to what is missing."""

    client: Client
    wanted: Assurance
    present: Assurance


class BadAuthorization(Malformed):
    """A request that cannot be sent back, because it is not known to whom; it is told to the person."""


Decision = Redirect | SignInNeeded | StepUpNeeded


class Provider:
    """The OpenID Connect provider of one worker.

    issuer: its address as clients know it, such as `https://ehr.example.org/signon`. token_key: signs access
    tokens, which this installation's API checks.
    """

    def __init__(self, sign_on: SignOn, *, issuer: str, token_key: OctKey) -> None:
        self._sign_on = sign_on
        self._issuer = issuer
        self._token_key = token_key
        self._verifier = Verifier(token_key, clock=sign_on.clock)
        self._keys = SigningKeys(sign_on.vault, clock=sign_on.clock)

    def discovery(self) -> dict[str, Any]:
        """The metadata (OpenID Connect Discovery 1.0 §3, RFC 8414)."""
        at = self._issuer
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "userinfo_endpoint": f"{at}/userinfo",
            "jwks_uri": f"{at}/jwks",
            "revocation_endpoint": f"{at}/revoke",
            "end_session_endpoint": f"{at}/end-session",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(SCOPES),
            "acr_values_supported": list(ACR),
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "ial", "aal", "name",
                "preferred_username", "email",
            ],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }  # fmt: skip

    async def jwks(self) -> dict[str, Any]:
        """The keys with which ID tokens are signed."""
        async with self._sign_on.connect() as conn:
            return await self._keys.public(conn)

    async def authorize(self, pairs: Pairs, session: Session | None, origin: Origin, *, asked_us: int = 0) -> Decision:
        """Decides on a request to sign somebody in for a client (OpenID Connect Core §3.1.2).

        session: who is here. asked_us: when the request first came, if it comes again after signing in: what
        was shown since then is what `prompt=login` asks for.

        Raises:
            BadAuthorization: the client or its address is not known, so nothing may be sent there.
        """
        on, said = self._sign_on, dict(pairs)
        async with on.connect() as conn:
            client = await clients.get(conn, said.get("client_id", ""))
        desk = Desk(issuer=self._issuer, now_s=on.clock() // 1_000_000, client=client)
        request = Request("GET", pairs, {})
        usable = session if session is not None and not session.recovering and EXPIRED not in session.methods else None
        try:
            _require_offered(client, said)
            grant = desk.get_consent_grant(request, usable)
            assert client is not None, "it was validated"
            wanted = client.wanted(request.scope, said.get("acr_values", ""))
            if usable is None or self._again(said, usable, asked_us):
                _require_may_ask(said, "login_required")
                return SignInNeeded(client)
            if not usable.assurance.reaches(wanted):
                _require_may_ask(said, "interaction_required")
                return StepUpNeeded(client, wanted, usable.assurance)
            _, _, headers = desk.create_authorization_response(request, usable, grant)
            assert desk.kept_code is not None, "a code was made"
        except OAuth2Error as error:
            error.state = said.get("state")
            return self._sent_back(error)
        async with on.connect() as conn, conn.transaction():
            value, code = desk.kept_code
            await grants.keep_code(conn, value, code, on.clock())
            act = Act("authorize", usable.account_id, origin, detail=f"{client.client_id} {code.scope}")
            await on.trace(conn, act)
        return Redirect(self._with_issuer(dict(headers)["Location"]))

    def _again(self, said: Mapping[str, str], session: Session, asked_us: int) -> bool:
        """Whether credentials have to be shown although somebody is signed in."""
        if "login" in said.get("prompt", "").split() and session.authenticated_us <= (
            asked_us or self._sign_on.clock()
        ):
            return True
        max_age = said.get("max_age", "")
        if not max_age.isascii() or not max_age.isdigit():
            return False
        return self._sign_on.clock() - session.authenticated_us > int(max_age[:9]) * 1_000_000

    def _sent_back(self, error: OAuth2Error) -> Redirect:
        if not error.redirect_uri:
            raise BadAuthorization(
                "The program that sent you here is not known, or asked for something that it may not. It said: "
                f"{error.description or error.error}"
            )
        pairs = [("error", error.error), ("error_description", error.description or error.error)]
        if error.state:
            pairs.append(("state", error.state))
        joint = "&" if "?" in error.redirect_uri else "?"
        return Redirect(self._with_issuer(f"{error.redirect_uri}{joint}{urlencode(pairs)}"))

    def _with_issuer(self, address: str) -> str:
        """With `iss`, so that a client of several providers cannot be confused (RFC 9207)."""
        return f"{address}{'&' if '?' in address else '?'}{urlencode({'iss': self._issuer})}"

    async def token(self, pairs: Pairs, headers: Mapping[str, str], origin: Origin) -> Answer:
        """Answers the token endpoint (RFC 6749 §3.2)."""
        on, said = self._sign_on, dict(pairs)
        if len(said) != len(pairs):
            return 400, {"error": "invalid_request", "error_description": "A parameter is there twice."}, _NO_STORE
        async with on.connect() as conn, conn.transaction():
            desk = await self._desk(conn, said, headers)
            answer: Answer = desk.create_token_response(Request("POST", pairs, headers))
            if answer[0] == 200:
                await self._keep(conn, desk, said, answer[1], origin)
            elif desk.client is not None:
                act = Act(
                    "token", desk.session.account_id if desk.session else "unknown", origin, refused=True,
                    detail=f"{desk.client.client_id} {answer[1].get('error', '')}",
                )  # fmt: skip
                await on.trace(conn, act)
        return answer

    async def _desk(self, conn: Connection, said: Mapping[str, str], headers: Mapping[str, str]) -> Desk:
        """Reads what the request may need. Codes and refresh tokens are used up by a client that proves itself."""
        on = self._sign_on
        given_id, given_secret = _credentials(said, headers)
        client = await clients.get(conn, given_id)
        proven = client is not None and (client.secret_digest is None or client.check_client_secret(given_secret))
        code = refresh = session = account = None
        if proven and said.get("grant_type") == "authorization_code":
            code = await grants.use_code(conn, said.get("code", ""), on.clock())
        elif proven and said.get("grant_type") == "refresh_token":
            refresh = await grants.use_refresh(conn, said.get("refresh_token", ""), on.clock())
        source = code or refresh
        if source is not None:
            session = await on.sessions.lives(conn, source.session_id)
            account = await accounts.get(conn, session.account_id) if session else None
        if source is None or session is None or account is None:
            # Without its session a code is good for nothing; Authlib then says that it is not valid.
            return Desk(issuer=self._issuer, now_s=on.clock() // 1_000_000, client=client)
        # Only a refresh may ask for less than it was given; Authlib refuses one that asks for more.
        scope = said.get("scope") or refresh.scope if refresh is not None else source.scope
        return Desk(
            issuer=self._issuer, now_s=on.clock() // 1_000_000, client=client, session=session, code=code,
            refresh=refresh, claims=self._claims(account, session, scope),
            access_token=await self._access_token(conn, account, session, scope),
            key=await self._keys.signing(conn),
        )  # fmt: skip

    async def _access_token(self, conn: Connection, account: Account, session: Session, scope: str) -> str:
        on = self._sign_on
        stands = await standing.of(conn, account, session, scope, on.today())
        claims = Claims(
            subject=account.account_id,
            role=stands.role,
            expires_s=min(on.clock() // 1_000_000 + ACCESS_TOKEN_S, session.expires_us // 1_000_000),
            name=account.display_name,
            facility=stands.facility_id,
            patient=stands.patient_id,
            practitioner=stands.practitioner_id,
            session=session.session_id,
            openid_scope=scope,
            identity_level=session.assurance.identity,
            authenticator_level=session.assurance.authenticator,
        )
        return issue(self._token_key, claims, clock=on.clock)

    async def _keep(
        self, conn: Connection, desk: Desk, said: Mapping[str, str], body: Mapping[str, Any], origin: Origin
    ) -> None:
        assert desk.session is not None, "tokens are given out under a session"
        assert desk.client is not None, "tokens are given to a client"
        on, now = self._sign_on, self._sign_on.clock()
        if desk.kept_refresh is not None:
            kept = desk.refresh or Refresh(
                grants.family_of(said.get("code", "")), desk.client.client_id, desk.session.session_id, ""
            )
            await grants.keep_refresh(
                conn, desk.kept_refresh, replace(kept, scope=body.get("scope", "")), desk.session, now
            )
        detail = f"{desk.client.client_id} {said.get('grant_type')} {body.get('scope', '')}"
        await on.trace(conn, Act("token", desk.session.account_id, origin, detail=detail))

    def _claims(self, account: Account, session: Session, scope: str) -> dict[str, Any]:
        """What is said of the person and the session, in ID tokens and by userinfo."""
        wanted = set(scope.split())
        said: dict[str, Any] = {
            "auth_time": session.authenticated_us // 1_000_000,
            "acr": clients.acr_of(session.assurance),
            "amr": list(session.methods),
            "sid": session.session_id,
            "ial": session.assurance.identity,
            "aal": session.assurance.authenticator,
        }
        if "profile" in wanted:
            said |= {"name": account.display_name, "preferred_username": account.sign_in_name}
        if "email" in wanted and account.email:
            said |= {"email": account.email, "email_verified": False}
        return said

    async def userinfo(self, token: str, origin: Origin) -> dict[str, Any]:
        """What is said of the holder of an access token (OpenID Connect Core §5.3), while their session lives.

        Raises:
            NotAuthenticated: the token, or the session, is not good any more.
        """
        try:
            claims = self._verifier.verify(token.encode("ascii"))
        except UnicodeEncodeError as error:
            raise NotAuthenticated("The token is not one of this server's, or was changed.") from error
        async with self._sign_on.connect() as conn, conn.transaction():
            session = await self._sign_on.sessions.lives(conn, claims.session)
            account = await accounts.get(conn, session.account_id) if session else None
            if session is None or account is None or "openid" not in claims.openid_scope.split():
                raise NotAuthenticated("The session is over, or the token was not given out for this.")
            await self._sign_on.trace(conn, Act("userinfo", account.account_id, origin))
        return {"sub": account.account_id, **self._claims(account, session, claims.openid_scope)}

    async def revoke(self, pairs: Pairs, headers: Mapping[str, str], origin: Origin) -> Answer:
        """Revokes a refresh token (RFC 7009); whatever else is shown counts as revoked already."""
        on, said = self._sign_on, dict(pairs)
        given_id, given_secret = _credentials(said, headers)
        async with on.connect() as conn, conn.transaction():
            client = await clients.get(conn, given_id)
            if client is None or not (client.secret_digest is None or client.check_client_secret(given_secret)):
                return 401, {"error": "invalid_client"}, [*_NO_STORE, ("WWW-Authenticate", "Basic")]
            await grants.revoke(conn, said.get("token", ""), client.client_id, on.clock())
            await on.trace(conn, Act("revoke", client.client_id, origin))
        return 200, {}, _NO_STORE

    async def end_session(self, pairs: Pairs, session: Session | None) -> tuple[bool, str | None]:
        """Reads a client's wish to sign somebody out (OpenID Connect RP-Initiated Logout 1.0).

        Returns:
            Whether the person should be asked first, because nothing proves that the wish comes from a client
            that they are signed in to; and where to go afterwards, None for our own page.
        """
        said = dict(pairs)
        async with self._sign_on.connect() as conn:
            hint = await self._hint(conn, said.get("id_token_hint", ""))
            audience = (hint.get("aud") or [""])[0]
            client = await clients.get(conn, said.get("client_id") or audience)
        if client is None or not hint or client.client_id != audience:
            return True, None
        wanted = said.get("post_logout_redirect_uri", "")
        address = wanted if wanted in client.post_logout_uris else None
        if address and said.get("state"):
            address += ("&" if "?" in address else "?") + urlencode({"state": said["state"]})
        return session is not None and hint.get("sid") != session.session_id, address

    async def _hint(self, conn: Connection, token: str) -> dict[str, Any]:
        """The claims of an ID token of ours, however old; none if it is not."""
        if not token:
            return {}
        try:
            found = jwt.decode(token, await self._keys.verifying(conn), algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, KeyError, TypeError):
            return {}
        return dict(found) if found.get("iss") == self._issuer and isinstance(found.get("aud"), list) else {}


def _require_offered(client: Client | None, said: Mapping[str, str]) -> None:
    """Refuses the ways of OpenID Connect Core §6 and §7.2.1, which are not offered, and what is no response type."""
    address = said.get("redirect_uri", "")
    known = address if client is not None and client.check_redirect_uri(address) else None
    for name in ("request", "request_uri", "registration"):
        if name in said:
            raise OAuth2Error(error=f"{name}_not_supported", redirect_uri=known)
    if not _RESPONSE_TYPE.fullmatch(said.get("response_type", "")):
        # The library repeats it in its description, which may not hold every character (RFC 6749 §4.1.2.1).
        raise OAuth2Error(error="unsupported_response_type", redirect_uri=known)


def _require_may_ask(said: Mapping[str, str], error: str) -> None:
    """Refuses when something would have to be asked and `prompt=none` forbids it (OpenID Connect Core §3.1.2.6)."""
    if "none" in said.get("prompt", "").split():
        raise OAuth2Error(error=error, redirect_uri=said["redirect_uri"])


def _credentials(said: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret, from the header or from the form."""
    basic_id, basic_secret = extract_basic_authorization({name.title(): value for name, value in headers.items()})
    if basic_id and "\0" not in basic_id:  # which no text in the database may hold
        return basic_id, basic_secret or ""
    return said.get("client_id", ""), said.get("client_secret", "")

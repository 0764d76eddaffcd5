"""Somebody who signs in by way of another provider: to whose account, and at which level.

An account is linked by (issuer, subject), never by a name or an address that another provider could claim too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from continuum.identity import accounts
from continuum.identity.accounts import Account
from continuum.identity.acts import Act, Origin
from continuum.identity.credentials import Credentials
from continuum.identity.federation.asking import Asking, ProviderRefused
from continuum.identity.federation.providers import OtherProvider
from continuum.identity.limits import LINKS_MAX
from continuum.identity.sessions import Session
from continuum.identity.sign_on import Arrived, SignInRefused, SignOn
from continuum.identity.vault import random_token
from continuum.kernel.errors import Conflict, DomainError, NotFound
from continuum.record.read import Connection

PURPOSE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Linked:
    """The account can be opened by way of this provider from now on."""

    provider: OtherProvider


class Elsewhere:
    """Signing in by way of the other providers of one installation.

    asking: one for each provider. origin: of our pages; `{origin}/signon/elsewhere/{key}/back` is where providers
    send people back to.
    """

    def __init__(self, sign_on: SignOn, credentials: Credentials, asking: tuple[Asking, ...], *, origin: str) -> None:
        self._on = sign_on
        self._credentials = credentials
        self._asking = {one.provider.key: one for one in asking}
        self._origin = origin

    @property
    def providers(self) -> tuple[OtherProvider, ...]:
        """What people may choose from."""
        return tuple(one.provider for one in self._asking.values())

    def back(self, key: str) -> str:
        """Where a provider sends people back to."""
        return f"{self._origin}/signon/elsewhere/{key}/back"

    async def begin(self, key: str, visit: str, next_: str, *, session: Session | None = None) -> str:
        """Where to send the browser. visit: what ties its answer to this browser. session: to link its account.

        Raises:
            NotFound: there is no such provider. ProviderRefused: it cannot be reached. SignInAgain: see Credentials.
        """
        asking = self._of(key)
        nonce, verifier = random_token(), random_token()
        async with self._on.connect() as conn:
            account = await self._credentials.allowed(conn, session, recovering=False) if session is not None else None
            state = await self._on.tickets.issue(
                conn, PURPOSE, account.account_id if account else None,
                key=key, nonce=nonce, verifier=verifier, next=next_, visit=self._visit(visit),
            )  # fmt: skip
        return await asking.address(self.back(key), state=state, nonce=nonce, verifier=verifier)

    async def end(
        self, key: str, visit: str, said: Mapping[str, str], origin: Origin
    ) -> tuple[Arrived | Linked, str]:  # fmt: skip
        """Who came back, and where they wanted to go on to.

        Raises:
            TicketGone: it was begun too long ago or in another browser. ProviderRefused: the provider did not say.
            SignInRefused: it did, but no account here belongs to that. Conflict: another account is linked to it.
        """
        asking = self._of(key)
        async with self._on.connect() as conn:
            begun = await self._on.tickets.take(conn, PURPOSE, said.get("state", ""))
        about, provider = begun.content, asking.provider
        try:
            if about["key"] != key or about["visit"] != self._visit(visit):
                raise ProviderRefused(provider.name, "another browser")
            if said.get("iss", provider.issuer) != provider.issuer or not said.get("code"):
                raise ProviderRefused(provider.name, said.get("error", "no code")[:64])
            claims = await asking.claims(
                said["code"], self.back(key), nonce=about["nonce"], verifier=about["verifier"]
            )  # fmt: skip
            if begun.account_id is not None:
                return await self._link(begun.account_id, provider, claims, origin), about["next"]
            return await self._arrive(provider, claims, origin), about["next"]
        except DomainError as error:
            detail = f"{key}: {error.why if isinstance(error, ProviderRefused) else type(error).__name__}"
            async with self._on.connect() as conn, conn.transaction():
                await self._on.trace(conn, Act("sign-in", "unknown", origin, refused=True, detail=detail))
            raise

    async def links(self, account_id: str) -> tuple[tuple[OtherProvider, int], ...]:
        """By which providers an account can be opened, and since when (microseconds)."""
        async with self._on.connect() as conn:
            rows = await conn.fetch(
                "SELECT issuer, linked_us FROM identity.linked_account WHERE account_id = $1", account_id
            )
        known = {one.issuer: one for one in self.providers}
        return tuple((known[row["issuer"]], row["linked_us"]) for row in rows if row["issuer"] in known)

    async def unlink(self, session: Session, key: str, origin: Origin) -> None:
        """Takes a link away, and ends the sessions that came of it. Raises SignInAgain."""
        provider = self._of(key).provider
        async with self._on.connect() as conn, conn.transaction():
            account = await self._credentials.allowed(conn, session, recovering=False)
            gone = await conn.fetch(
                "DELETE FROM identity.linked_account WHERE account_id = $1 AND issuer = $2 RETURNING subject",
                account.account_id, provider.issuer,
            )  # fmt: skip
            if gone:
                await self._on.sessions.end_all(conn, account.account_id, "unlinked", but=session.session_id)
                await accounts.notify(conn, account.account_id, "A way to sign in was removed.", self._on.clock())
                act = Act("change-link", account.account_id, origin, detail=f"{key} removed")
                await self._on.trace(conn, act)

    async def _link(
        self, account_id: str, provider: OtherProvider, claims: Mapping[str, Any], origin: Origin
    ) -> Linked:
        async with self._on.connect() as conn, conn.transaction():
            account = await accounts.locked(conn, account_id)
            if account is None or not account.open:
                raise SignInRefused("This account is not open.")
            sql = "SELECT count(*) AS present FROM identity.linked_account WHERE account_id = $1"
            if (await conn.fetchrow(sql, account_id))["present"] >= LINKS_MAX:
                raise Conflict("This account has as many ways to sign in as it may have.")
            row = await conn.fetchrow(
                "INSERT INTO identity.linked_account VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (issuer, subject) DO UPDATE SET subject = EXCLUDED.subject RETURNING account_id",
                provider.issuer, claims["sub"], account_id, self._on.clock(),
            )  # fmt: skip
            if row["account_id"] != account_id:
                raise Conflict("Somebody else signs in here with that account already.")
            await accounts.notify(conn, account_id, "A way to sign in was added.", self._on.clock())
            await self._on.trace(conn, Act("change-link", account_id, origin, detail=f"{provider.key} connected"))
        return Linked(provider)

    async def _arrive(self, provider: OtherProvider, claims: Mapping[str, Any], origin: Origin) -> Arrived:
        async with self._on.connect() as conn, conn.transaction():
            account = await self._account(conn, provider, claims)
            if account is None:
                raise SignInRefused(
                    "No account here belongs to that sign-in yet. Sign in and connect it on your account page."
                )
            if not account.open:
                raise SignInRefused("This account is closed. The help desk of your facility can tell you more.")
            identity = _level(claims.get(provider.ial_claim))
            if not provider.person_claim:
                identity = min(identity, account.identity_level)
            level = _level(claims.get(provider.aal_claim))
            methods = ("fed", provider.key, *(("mfa",) if level > 1 else ()))
            return await self._on.arrive(conn, account, level, methods, origin, identity_level=identity)

    async def _account(self, conn: Connection, provider: OtherProvider, claims: Mapping[str, Any]) -> Account | None:
        row = await conn.fetchrow(
            "SELECT account_id FROM identity.linked_account WHERE issuer = $1 AND subject = $2",
            provider.issuer, claims["sub"],
        )  # fmt: skip
        if row is None and provider.person_claim and claims.get(provider.person_claim):
            row = await conn.fetchrow(
                "SELECT a.account_id FROM identity.account a JOIN identity.person p USING (person_id)"
                " WHERE p.dod_id = $1",
                str(claims[provider.person_claim]),
            )
        return await accounts.locked(conn, row["account_id"]) if row is not None else None

    def _of(self, key: str) -> Asking:
        try:
            return self._asking[key]
        except KeyError:
            raise NotFound("There is no such way to sign in.") from None

    def _visit(self, visit: str) -> str:
        return self._on.vault.digest(PURPOSE, visit).hex()


def _level(said: Any) -> int:
    """A level as a provider says it; 1 when it says none that we know."""
    return said if isinstance(said, int) and not isinstance(said, bool) and said in (1, 2, 3) else 1

"""What the pages of one worker need."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import structlog

from continuum.access import Access
from continuum.identity.acts import Connect, Trace
from continuum.identity.breached import Breached
from continuum.identity.credentials import Credentials
from continuum.identity.federation.asking import Asking
from continuum.identity.federation.elsewhere import Elsewhere
from continuum.identity.federation.providers import OtherProvider
from continuum.identity.helping import HelpDesk
from continuum.identity.limits import SWEEP_S
from continuum.identity.passwords import PROFILES, Hasher
from continuum.identity.proofing import Proofing
from continuum.identity.provider import grants
from continuum.identity.provider.provider import Provider
from continuum.identity.registration import Registration
from continuum.identity.sign_on import SignOn
from continuum.identity.staffing import Staffing
from continuum.identity.tokens import signing_key
from continuum.identity.vault import Vault
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import PASSWORD_MEMORY_MIB

BASE = "/signon"
CONTACT = "the ID card office of your installation"
log = structlog.get_logger("continuum.signon")


@dataclass(frozen=True, slots=True)
class SignonSettings:
    """What an operator sets. origin: of the pages as browsers see them, such as `https://ehr.example.org`.

    contact: whom people call about eligibility, in words. banner: the text before sign-in, paragraphs parted by
    empty lines. providers: others by which people may sign in. video_url: where visits by video take place,
    with `{room}` in it; "" for nowhere of ours. clamav: a virus scanner (runtime/virus_scan.py); "" for none.
    older_portal_url: of facilities that are not live yet, "" for none. backups: their folder, "" for one unknown.
    breached: a list of passwords that nobody may choose (identity/breached.py), "" for none.
    password_memory_mib: what the hash of one password takes.
    """

    origin: str
    identity_secret: bytes = field(repr=False)
    token_secret: bytes = field(repr=False)
    password_profile: str = "nist-63b-4"  # noqa: S105  the name of rules, not a password
    password_memory_mib: int = PASSWORD_MEMORY_MIB
    contact: str = CONTACT
    banner: str = ""
    providers: tuple[OtherProvider, ...] = ()
    video_url: str = ""
    older_portal_url: str = ""
    backups: str = ""
    clamav: str = ""
    breached: str = ""

    @property
    def host(self) -> str:
        """The host name without port: what passkeys are bound to."""
        return urlsplit(self.origin).hostname or "localhost"

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages over https."""
        return self.origin.startswith("https://")


@dataclass(frozen=True, slots=True)
class SignonServices:
    """The services behind the pages of one worker."""

    settings: SignonSettings
    sign_on: SignOn
    credentials: Credentials
    registration: Registration
    proofing: Proofing
    staffing: Staffing
    help_desk: HelpDesk
    provider: Provider
    elsewhere: Elsewhere
    notice: tuple[str, ...]
    notice_digest: str
    access: Access | None = None
    """The door to the record, for the pages that show the trace; without it there are none."""


def services(
    connect: Connect,
    settings: SignonSettings,
    trace: Trace,
    *,
    hasher: Hasher | None = None,
    clock: Clock = now_us,
    access: Access | None = None,
) -> SignonServices:
    """Puts them together."""
    sign_on = SignOn(
        connect,
        vault=Vault(settings.identity_secret),
        profile=PROFILES[settings.password_profile],
        hasher=hasher or Hasher(memory_kib=settings.password_memory_mib * 1024),
        trace=trace,
        host=settings.host,
        origin=settings.origin,
        clock=clock,
        breached=Breached(Path(settings.breached)) if settings.breached else None,
    )
    text = settings.banner or default_banner()
    credentials = Credentials(sign_on)
    asking = tuple(Asking(one, clock=clock) for one in settings.providers)
    return SignonServices(
        settings=settings,
        sign_on=sign_on,
        credentials=credentials,
        registration=Registration(sign_on, contact=settings.contact or CONTACT),
        proofing=Proofing(sign_on),
        staffing=Staffing(sign_on),
        help_desk=HelpDesk(sign_on),
        provider=Provider(sign_on, issuer=f"{settings.origin}{BASE}", token_key=signing_key(settings.token_secret)),
        elsewhere=Elsewhere(sign_on, credentials, asking, origin=settings.origin),
        notice=tuple(part.strip() for part in text.split("\n\n") if part.strip()),
        notice_digest=hashlib.sha256(text.encode()).hexdigest(),
        access=access,
    )


@contextlib.asynccontextmanager
async def swept(made: SignonServices) -> AsyncIterator[None]:
    """Removes, now and then, what nobody can use any more; ends the threads that hash at the end."""

    async def sweep() -> None:
        on = made.sign_on
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                async with on.connect() as conn:
                    await on.attempts.sweep(conn)
                    await on.tickets.sweep(conn)
                    await grants.sweep(conn, on.clock())
            except (DomainError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("nothing was swept this time", error=type(error).__name__)

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
        made.sign_on.hasher.close()


def default_banner() -> str:
    """The notice in our own words, for installations that set none."""
    return (files("continuum.apps.signon") / "files" / "notice.txt").read_text(encoding="utf-8")

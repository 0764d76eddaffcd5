"""Accounts of an installation whose server is away, made for a benchmark, and their way in."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import pyotp

from continuum.access.audit import Auditor
from continuum.access.sign_ons import tracer
from continuum.apps.signon.services import SignonSettings, services
from continuum.identity import accounts, registry, staff
from continuum.identity.sign_on import SignOn
from continuum.kernel.clock import now_us
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection
from continuum.runtime import postgres, secrets
from continuum.runtime.pool import Pool
from continuum.runtime.settings import Settings

PASSWORD = "sandpiper-harbor-lantern-42"  # noqa: S105  of an account that lives as long as this program
CODE_WAIT_MOST_S = 60
"""Longer than an authenticator app shows a code."""
WAVES, MOVES, FOR_OTHERS = "/workspace/waves", "/workspace/moves", "/workspace/representatives"
"""Pages that a physician does not have; those who have them are measured once."""


async def physician(data: Path, facility: str) -> tuple[str, str]:
    """A physician of a facility who can sign in: (name, seed of the authenticator app)."""
    async with desk(data) as opened:
        return await opened.account("Dr. Bench", facility=facility)


async def planners(data: Path, facility: str) -> dict[str, tuple[str, str]]:
    """Who has the pages of waves and moves, by what they open."""
    async with desk(data) as opened:
        return {
            WAVES: await opened.account("Ada Bench", role="administrator"),
            MOVES: await opened.account("Kim Bench", facility=facility, role="registrar"),
            FOR_OTHERS: await opened.account("Lee Bench", facility=facility, role="registrar"),
        }


async def person(data: Path, patient_id: str) -> tuple[str, str]:
    """Somebody Premium whose own record this is, as `physician`."""
    async with desk(data) as opened:
        return await opened.account("Pat Bench", patient_id=patient_id)


@dataclass(frozen=True, slots=True)
class Desk:
    """Makes accounts in an installation. hashed: of PASSWORD."""

    on: SignOn
    hashed: str

    async def account(
        self, shown: str, *, facility: str = "", patient_id: str = "", role: str = "physician"
    ) -> tuple[str, str]:
        """Somebody who can sign in: (name, seed of the authenticator app)."""
        name, seed, on = f"bench-{uuid7()[-8:]}", pyotp.random_base32(32), self.on
        async with on.connect() as conn, conn.transaction():
            account = await accounts.create(
                conn, sign_in_name=name, display_name=shown, password_hash=self.hashed, now=on.clock(),
                person_id=await _registered(conn, patient_id) if patient_id else None,
            )  # fmt: skip
            await accounts.raise_identity_level(conn, account.account_id, 2)
            await on.apps.put(conn, account.account_id, seed, name="Bench")
            if not patient_id:
                await staff.grant(
                    conn, account.account_id, role, facility_id=facility or None, starts=on.today(), ends=None,
                    by_account=None, now=on.clock(),
                )  # fmt: skip
        return name, seed


@asynccontextmanager
async def desk(data: Path) -> AsyncIterator[Desk]:
    """The desk of an installation whose server is away."""
    known = secrets.load(data)
    async with postgres.open(Settings.load(data=str(data))) as server, Pool.open(server.app.dsn, size=2) as pool:
        made = services(
            pool.connection, SignonSettings("http://localhost", known.identity, known.token),
            tracer(Auditor(known.audit, pool.connection, now_us)),
        )  # fmt: skip
        try:
            yield Desk(made.sign_on, await made.sign_on.hasher.hash(PASSWORD))
        finally:
            made.sign_on.hasher.close()


async def _registered(conn: Connection, patient_id: str) -> str:
    """Somebody in the registry with this record, whoever they are there."""
    known = registry.Person(
        f"bench-{patient_id}", f"97{zlib.crc32(patient_id.encode()) % 10**8:08}", "Pat", "Bench", "male",
        date(1958, 11, 30), "1 Main Street", "San Antonio", "TX", "78236", "US", patient_id=patient_id,
    )  # fmt: skip
    periods = (registry.Eligibility("retired", date(2001, 7, 1)),)
    await registry.store(conn, [registry.Entry(known, periods)])
    return known.person_id


_shown: dict[str, str] = {}
"""The code that each authenticator app showed when it was last used: none is taken twice."""


async def _code(seed: str) -> str:
    """What an authenticator app shows now, or, where that has been used, next."""
    app = pyotp.TOTP(seed)
    for _ in range(CODE_WAIT_MOST_S):
        if app.now() != _shown.get(seed):
            break
        await asyncio.sleep(1)
    _shown[seed] = app.now()
    return _shown[seed]


async def signed_in(origin: str, who: tuple[str, str], home: str) -> httpx.AsyncClient:
    """A client with the cookies of a session."""
    client = httpx.AsyncClient(base_url=origin, timeout=30, follow_redirects=True)
    page = await client.get("/signon/sign-in")
    for action, fields in (
        ("/signon/notice", {"next": "/signon/sign-in"}),
        ("/signon/sign-in", {"name": who[0], "password": PASSWORD}),
        ("/signon/second-step", {"kind": "app", "kinds": "app", "code": await _code(who[1])}),
    ):
        hidden = dict(re.findall(r'<input type="hidden" name="(csrf|ticket)" value="([^"]*)"', page.text))
        page = await client.post(action, data={**hidden, **fields})
        assert page.status_code == 200, (action, page.status_code, page.text[:500])
    assert (await client.get(home)).url.path == home, "they are in"
    return client

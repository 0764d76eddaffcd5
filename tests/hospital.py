"""A hospital for stories in a browser: the people with a story in its record, and staff and people who can sign in."""

import hashlib
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pyotp

from continuum.access.audit import Auditor
from continuum.access.sign_ons import tracer
from continuum.apps.admin.importing.run import run
from continuum.apps.admin.importing.sources import files
from continuum.apps.admin.importing.work import Target
from continuum.apps.fhir_api.orders import Worker
from continuum.apps.signon.services import SignonServices, SignonSettings, services
from continuum.chart.reading import DOD_ID
from continuum.fhir.json import dump
from continuum.identity import accounts, registry, staff
from continuum.identity.limits import FACTORS_MAX
from continuum.identity.registry import Eligibility, Entry, Person
from continuum.identity.tokens import Claims, issue, signing_key
from continuum.kernel.clock import now_us
from continuum.kernel.limits import PASSWORD_MEMORY_MIN_MIB
from continuum.runtime.pool import Pool
from continuum.runtime.postgres.address import Address
from continuum.samples.registry import entries, person_id
from continuum.samples.world import TODAY, Persona, people, personas, shared
from tests.browsing import Browser
from tests.live import started

PASSWORD = "sandpiper-harbor-lantern-42"
PEOPLE_LOCK = 7_200_000_006
SECRETS = {
    f"{name}_secret": hashlib.sha256(name.encode()).digest() for name in ("record", "audit", "token", "identity")
}
"""Of all hospitals: their databases are copies of one, which holds what these have signed."""
_hashed: list[str] = []
"""That password as it is kept: hashed once, for it takes a tenth of a second and hundreds of people are made."""


@dataclass(frozen=True)
class SignIn:
    """Somebody who can sign in. seed: of their authenticator app; "" for those without one."""

    name: str
    seed: str

    def code(self) -> str:
        return pyotp.TOTP(self.seed).now()


@dataclass(frozen=True)
class Hospital:
    """Its server comes and goes; its database and its address stay."""

    orders: Worker
    owner: str
    port: int

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def elsewhere(self) -> "Hospital":
        """The same at another address, for those who stop its server."""
        port = free_port()
        return replace(self, port=port, orders=replace(self.orders, origin=f"http://localhost:{port}"))

    @contextmanager
    def open(self):
        with started(self.orders, self.owner, self.port) as running:
            yield running

    def persona(self, key: str) -> Persona:
        return next(one for one in personas() if one.key == key)

    def facility_of(self, patient_id: str) -> str:
        for resource in people():
            if resource["resourceType"] == "Patient" and resource["id"] == patient_id:
                return str(resource["managingOrganization"]["reference"]).partition("/")[2]
        raise AssertionError(patient_id)

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[SignonServices]:
        """The services behind sign-on, as an administrator's program has them."""
        orders = self.orders
        async with Pool.open(orders.database, size=2) as pool:
            made = services(
                pool.connection,
                SignonSettings(
                    self.origin,
                    orders.identity_secret,
                    orders.token_secret,
                    password_memory_mib=orders.password_memory_mib,
                ),
                tracer(Auditor(orders.audit_secret, pool.connection, now_us)),
            )
            try:
                yield made
            finally:
                made.sign_on.hasher.close()

    async def member(self, role: str, facility: str | None, *, display: str, practitioner: str = "") -> SignIn:
        """A new member of staff with a second factor. practitioner: who they are in the record."""
        async with self.desk() as desk:
            made = await self._account(desk, display, role=role, facility=facility)
            if practitioner:
                async with desk.sign_on.connect() as conn:
                    account = await accounts.by_name(conn, made.name)
                    await accounts.set_practitioner(conn, account.account_id, practitioner)
            return made

    async def also(self, who: SignIn, role: str, facility: str | None) -> None:
        """One more role of a member of staff."""
        async with self.desk() as desk:
            on = desk.sign_on
            async with on.connect() as conn:
                account = await accounts.by_name(conn, who.name)
                await staff.grant(
                    conn, account.account_id, role, facility_id=facility, starts=on.today(), ends=None,
                    by_account=None, now=on.clock(),
                )  # fmt: skip

    def client(self, role: str, **more: Any) -> httpx.AsyncClient:
        """A client of the FHIR service that speaks for a role."""
        claims = Claims(f"tests-{role}", role, int(time.time()) + 3600, **more)
        bearer = {"authorization": f"Bearer {issue(signing_key(self.orders.token_secret), claims)}"}
        return httpx.AsyncClient(base_url=f"{self.origin}/fhir", headers=bearer, timeout=30)

    async def enter(self, who: SignIn) -> Browser:
        """A browser in which they have signed in."""
        browser = Browser(self.origin)
        await browser.get("/signon/sign-in")
        await browser.submit("/notice")
        await browser.submit("/sign-in", name=who.name, password=PASSWORD)
        if who.seed:
            await browser.submit("/second-step", code=who.code())
        assert browser.path == "/signon/account", browser.page.text
        return browser

    async def person(self, persona: Persona, *, premium: bool) -> SignIn:
        """An account of somebody with a story: Premium with an authenticator app, or Basic."""
        return await self.relative(persona, persona.patient_id, premium=premium)

    async def relative(self, persona: Persona, patient_id: str, *, premium: bool = True) -> SignIn:
        """The same of somebody in the family. Who has an account already gets one more authenticator app."""
        member = next(one for one in persona.family.members if one.id == patient_id)
        async with self.desk() as desk:
            on, seed = desk.sign_on, pyotp.random_base32(32)
            async with on.connect() as conn, conn.transaction():
                present = await accounts.by_person(conn, person_id(member))
                if present is not None:
                    assert premium == (present.identity_level > 1), "an account is not made less"
                    if premium:
                        # An account has room for a few phones only; those of earlier tests have signed in.
                        for app in (await on.apps.of(conn, present.account_id))[: -FACTORS_MAX // 2]:
                            await on.apps.remove(conn, present.account_id, app.factor_id)
                        await on.apps.put(conn, present.account_id, seed, name="Another phone")
                    return SignIn(present.sign_in_name, seed if premium else "")
            return await self._account(desk, member.name, person=person_id(member), premium=premium)

    async def newcomer(self, family_name: str, facility: str, *, premium: bool = True) -> SignIn:
        """Somebody of whom no other test knows: in the registry, with a record and an account, Premium or Basic."""
        number = str(9_600_000_000 + secrets.randbelow(100_000_000))
        somebody = Person(
            f"b-{number}", number, "Rory", family_name, "male", date(1958, 11, 30), "1 Harbor Road", "Newport",
            "RI", "02840", "US", patient_id=f"patient-{number}",
        )  # fmt: skip
        record = {
            "resourceType": "Patient", "id": f"patient-{number}", "birthDate": "1958-11-30",
            "name": [{"family": family_name, "given": ["Rory"]}], "identifier": [{"system": DOD_ID, "value": number}],
            "managingOrganization": {"reference": f"Organization/{facility}"},
        }  # fmt: skip
        async with self.client("system") as client:
            (await client.put(f"/Patient/patient-{number}", json=record)).raise_for_status()
        async with self.desk() as desk:
            async with desk.sign_on.connect() as conn, conn.transaction():
                await registry.store(conn, [Entry(somebody, (Eligibility("retired", date(2001, 7, 1)),))])
            return await self._account(desk, somebody.name, person=somebody.person_id, premium=premium)

    async def _account(self, desk, display, *, role="", facility=None, person=None, premium=True) -> SignIn:
        on = desk.sign_on
        name = f"user-{secrets.token_hex(4)}"
        seed = pyotp.random_base32(32) if premium else ""
        if not _hashed:
            _hashed.append(await on.hasher.hash(PASSWORD))
        async with on.connect() as conn, conn.transaction():
            account = await accounts.create(
                conn, sign_in_name=name, display_name=display, password_hash=_hashed[0], now=on.clock(),
                person_id=person,
            )  # fmt: skip
            if premium:
                await accounts.raise_identity_level(conn, account.account_id, 2)
                await on.apps.put(conn, account.account_id, seed, name="Phone")
            if role:
                await staff.grant(
                    conn, account.account_id, role, facility_id=facility, starts=on.today(), ends=None,
                    by_account=None, now=on.clock(),
                )  # fmt: skip
        return SignIn(name, seed)


def free_port() -> int:
    """A port that nobody listens on now."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def peopled(test_server, template: str, folder: Path) -> str:
    """The name of a database with the people with a story in record and registry; made once by a run's processes."""
    name = f"{template}_people"
    connection = await asyncpg.connect(**test_server.maker.connect)
    try:
        await connection.execute("SELECT pg_advisory_lock($1::bigint)", PEOPLE_LOCK)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            making = f"{name}_making"
            await connection.execute(f"DROP DATABASE IF EXISTS {making} WITH (FORCE)")
            await connection.execute(
                f'CREATE DATABASE {making} TEMPLATE {template} OWNER "{test_server.server.owner.user}"'
            )
            await _settled(test_server.server.app.to(making), test_server.server.owner.to(making), folder)
            await connection.execute(f"ALTER DATABASE {making} RENAME TO {name}")
    finally:
        await connection.close()
    return name


async def _settled(app: Address, owner: Address, folder: Path) -> None:
    source = folder / "people.ndjson"
    with source.open("wb") as file:
        for resource in (*shared(), *people()):
            if resource["resourceType"] != "Slot":
                file.write(dump(resource) + b"\n")
    to = Target(app.connect, owner.connect, SECRETS["record_secret"], SECRETS["audit_secret"])
    report = await run(files(source), to, workers=1, rejects=folder / "rejects.ndjson", progress=lambda _, __: None)
    assert report.rejected == 0
    async with Pool.open(app.dsn, size=1) as pool, pool.connection() as conn, conn.transaction():
        await registry.store(conn, list(entries(range(0), seed=1, today=TODAY)))


def founded(app: str, owner: str) -> Hospital:
    """A hospital on a copy of that database."""
    port = free_port()
    orders = Worker(
        database=app, connections=8, origin=f"http://localhost:{port}",
        older_portal_url="https://www.tricareonline.com", password_memory_mib=PASSWORD_MEMORY_MIN_MIB, **SECRETS,
    )  # fmt: skip
    return Hospital(orders, owner, port)

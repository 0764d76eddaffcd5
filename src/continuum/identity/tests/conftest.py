"""An installation's sign-on on a real database, with a clock that the test turns."""

import importlib.util
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyotp
import pytest

from continuum.access.audit import Auditor
from continuum.access.sign_ons import tracer
from continuum.identity import accounts, registry, staff
from continuum.identity.acts import Origin
from continuum.identity.credentials import Credentials
from continuum.identity.passwords import PROFILES, Hasher
from continuum.identity.proofing import Proofing
from continuum.identity.registration import Registration
from continuum.identity.registry import Eligibility, Entry, Person
from continuum.identity.sign_on import Arrived, SignOn
from continuum.identity.vault import Vault

HOST, PAGES = "ehr.example.org", "https://ehr.example.org"
ORIGIN = Origin("192.0.2.7", "Firefox on Linux", request_id="r-1")
STRANGER = Origin("203.0.113.66", "curl", request_id="r-2")
PASSWORD = "seven yellow ferries at dawn, 4 Blue!"
BORN = date(1958, 11, 30)
ROBERT = Person(
    "p-1", "9900000001", "Robert James", "O'Brien", "male", BORN, "88 Juniper Circle", "San Antonio", "TX", "78236",
    "US", email="robert@mail.example", phone="555-0117", patient_id="pat-1",
)  # fmt: skip
LINDA = replace(ROBERT, person_id="p-2", dod_id="9900000002", given_names="Linda", patient_id="pat-2", email=None)


class Clock:
    def __init__(self):
        self.now_us = 1_795_430_000_000_000

    def __call__(self):
        return self.now_us

    def pass_s(self, seconds):
        self.now_us += int(seconds * 1_000_000)


class Installation:
    """All services of one installation, and what tests ask about it."""

    here, stranger, password = ORIGIN, STRANGER, PASSWORD
    robert, linda, born = ROBERT, LINDA, BORN

    def __init__(self, pool, clock, hasher, profile, secret=bytes(range(32))):
        self.pool, self.clock, self.profile = pool, clock, profile
        self.on = SignOn(
            pool.connection, vault=Vault(secret), profile=PROFILES[profile], hasher=hasher,
            trace=tracer(Auditor(bytes(32), pool.connection, clock)), host=HOST, origin=PAGES, clock=clock,
        )  # fmt: skip
        self.credentials = Credentials(self.on)
        self.registration = Registration(self.on, contact="the ID card office, 555-0100")
        self.proofing = Proofing(self.on)

    def under(self, secret):
        """The same installation, started with another key."""
        return Installation(self.pool, self.clock, self.on.hasher, self.profile, secret)

    async def store(self, *entries):
        async with self.pool.connection() as conn, conn.transaction():
            await registry.store(conn, entries)

    async def account(self, name="robert", person_id=None, password=PASSWORD):
        hashed = await self.on.hasher.hash(password) if password else None
        async with self.pool.connection() as conn:
            return await accounts.create(
                conn, sign_in_name=name, display_name=name.title(), password_hash=hashed, now=self.clock(),
                person_id=person_id,
            )  # fmt: skip

    async def get(self, account_id):
        async with self.pool.connection() as conn:
            return await accounts.get(conn, account_id)

    async def grant(self, account, role, **options):
        async with self.pool.connection() as conn:
            await staff.grant(
                conn, account.account_id, role, starts=self.on.today(), ends=None, by_account=None, now=self.clock(),
                **{"facility_id": None, **options},
            )  # fmt: skip

    async def arrive(self, name="robert", password=PASSWORD, origin=ORIGIN):
        """Signed in with a password alone."""
        arrived = await self.on.with_password(name, password, origin)
        assert isinstance(arrived, Arrived)
        return arrived

    async def with_app(self, name="robert"):
        """An account with an authenticator app, signed in at level 2: (what it arrived with, the app, the codes)."""
        arrived = await self.arrive(name)
        begun = await self.credentials.begin_app(arrived.session, "My phone")
        app = pyotp.TOTP(begun.seed)
        changed = await self.credentials.confirm_app(arrived.session, begun.factor_id, self.code(app), ORIGIN)
        session, _ = await self.on.resume(changed.token)
        return replace(arrived, token=changed.token, session=session), app, changed.recovery_codes

    async def with_passkey(self, device, name="robert"):
        """An account with a passkey, signed in at level 2: what it arrived with."""
        arrived = await self.arrive(name)
        asked = await self.credentials.ask_passkey(arrived.session)
        answer = device.register(asked.options)
        changed = await self.credentials.add_passkey(arrived.session, asked.ticket, answer, "My key", ORIGIN)
        session, _ = await self.on.resume(changed.token)
        return replace(arrived, token=changed.token, session=session)

    def code(self, app):
        return app.at(self.clock() // 1_000_000)

    async def trail(self, *columns):
        """The audit rows so far, in their order."""
        async with self.pool.connection() as conn:
            rows = await conn.fetch("SELECT * FROM record.audit ORDER BY seq")
        return [tuple(row[column] for column in columns or ("interaction", "actor", "outcome")) for row in rows]

    async def notices(self, account_id):
        async with self.pool.connection() as conn:
            return [text for _, text in await accounts.notices(conn, account_id)]


def _authenticator():
    """The module beside this file: tests are no package."""
    spec = importlib.util.spec_from_file_location("authenticator", Path(__file__).parent / "authenticator.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Authenticator


@pytest.fixture(scope="session")
def passkey():
    """Makes passkeys in software for the installation's pages, or for another address."""
    made = _authenticator()
    return lambda host=HOST, origin=PAGES: made(host, origin)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def hasher():
    made = Hasher(memory_kib=64, passes=1)
    yield made
    made.close()


@pytest.fixture
async def home(pool, clock, hasher):
    return Installation(pool, clock, hasher, "nist-63b-4")


@pytest.fixture
async def stig_home(pool, clock, hasher):
    return Installation(pool, clock, hasher, "dod-stig")


@pytest.fixture
async def registered(home):
    await home.store(
        Entry(ROBERT, (Eligibility("retired", date(2001, 7, 1)),)),
        Entry(LINDA, (Eligibility("spouse", date(1982, 6, 19), date(2012, 3, 1)),)),
    )
    return home

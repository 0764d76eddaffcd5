"""People for the pages of sign-on: in the registry, with accounts, as staff."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import asyncpg
import pyotp
import pytest

from continuum.identity import registry
from continuum.identity.acts import Origin
from continuum.identity.registry import Eligibility, Entry, Person
from continuum.runtime.postgres.address import Address
from tests.browsing import Browser
from tests.live import Running
from tests.workspace.conftest import enter

__all__ = ["enter"]

PASSWORD = "seven yellow ferries at dawn"
ROBERT = Person(
    "p-0", "9700000000", "Robert James", "O'Brien", "male", date(1958, 11, 30), "88 Juniper Circle", "San Antonio",
    "TX", "78236", "US",
)  # fmt: skip
_NUMBERS = itertools.count(1)


@pytest.fixture
async def browser(running: Running) -> AsyncIterator[Browser]:
    async with Browser(running.origin) as opened:
        yield opened


@pytest.fixture
async def other_browser(running: Running) -> AsyncIterator[Browser]:
    async with Browser(running.origin) as opened:
        yield opened


@pytest.fixture
async def database(running: Running) -> AsyncIterator[asyncpg.Connection]:
    """The server's database, as the owner."""
    conn = await asyncpg.connect(**Address.from_url(running.owner).connect)
    yield conn
    await conn.close()


def enlisting(database):
    """Puts somebody new into the registry of a database: (person, the facts to type)."""

    async def put(*periods, **changes):
        number = next(_NUMBERS)
        changes = {"patient_id": f"patient-{number}", **changes}
        person = replace(ROBERT, person_id=f"p-{number}", dod_id=str(9_700_000_000 + number), **changes)
        periods = periods or (Eligibility("retired", date(2001, 7, 1)),)
        async with database.transaction():
            await registry.store(database, [Entry(person, periods)])
        facts = {"dod_id": person.dod_id, "family_name": person.family_name, "born": person.born.isoformat()}
        return person, facts

    return put


@pytest.fixture
def enlist(database):
    return enlisting(database)


class Steps:
    """What people do on the pages, step after step."""

    def __init__(self, enlist):
        self.enlist = enlist

    async def register(self, browser, **changes):
        """Somebody new with an account, signed in: (person, sign-in name)."""
        person, facts = await self.enlist(**changes)
        name = f"person-{person.dod_id}"
        await browser.get("/signon/register")
        await browser.submit("/notice")
        await browser.submit("/register", **facts)
        await browser.submit("/register/choose", name=name, password=PASSWORD, again=PASSWORD)
        assert browser.path == "/signon/account", browser.page.text
        return person, name

    async def sign_in(self, browser, name, password=PASSWORD, app=None):
        await browser.get("/signon/sign-in")
        if browser.path.endswith("/notice"):
            await browser.submit("/notice")
        await browser.submit("/sign-in", name=name, password=password)
        if app is not None:
            await browser.submit("/second-step", code=app.now())

    async def add_app(self, browser):
        """An authenticator app on the account: the app, the recovery codes."""
        await browser.get("/signon/account")
        await browser.submit("/account/app", label="My phone")
        uri = next(link for link in browser.page.links if link.startswith("otpauth:"))
        app = pyotp.parse_uri(uri)
        await browser.submit("/account/app/confirm", code=app.now())
        codes = [word for word in browser.page.words if len(word) == 19 and word.count("-") == 3]
        return app, codes


@pytest.fixture
def steps(enlist):
    return Steps(enlist)


@pytest.fixture
def here():
    return Origin("127.0.0.1", "tests")

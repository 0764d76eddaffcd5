"""Signing on in a real browser: registering, passkeys, authenticator apps, recovery, being asked if one is there."""

import itertools
import socket
from contextlib import closing
from dataclasses import replace
from datetime import date

import asyncpg
import pyotp
import pytest

from continuum.identity import registry, staff
from continuum.identity.registry import Eligibility, Entry
from continuum.kernel.clock import now_us
from continuum.runtime.postgres.address import Address
from tests.browser.variants import ON_A_PHONE
from tests.passing import pass_time
from tests.signon.conftest import PASSWORD, ROBERT

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
_NUMBERS = itertools.count(1)


@pytest.fixture
def at_localhost(another):
    """A server under a name that browsers take passkeys from: its origin."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    origin = f"http://localhost:{port}"
    with another(port=port, origin=origin):
        yield origin


@pytest.fixture
async def retiree(running):
    """Puts a retiree into the registry: (what to type, the sign-in name to choose)."""

    async def put():
        number = 9_800_000_000 + next(_NUMBERS)
        person = replace(ROBERT, person_id=f"b-{number}", dod_id=str(number), patient_id=f"patient-{number}")
        conn = await asyncpg.connect(**Address.from_url(running.owner).connect)
        try:
            async with conn.transaction():
                await registry.store(conn, [Entry(person, (Eligibility("retired", date(2001, 7, 1)),))])
        finally:
            await conn.close()
        return {"dod_id": person.dod_id, "family_name": person.family_name, "born": person.born.isoformat()}

    return put


class Person:
    """Somebody at a browser. Every page that they come to is judged."""

    def __init__(self, sight, axe):
        self.sight, self.page, self.axe = sight, sight.page, axe
        self.seen = []

    async def judged(self):
        """The page that is shown now keeps the rules of accessibility and fits the window."""
        path = self.page.url.removeprefix(self.sight.origin)
        self.seen.append(path)
        assert await self.sight.violations(self.axe) == [], path
        assert await self.sight.overflow_px() <= 0, path

    async def go(self, path):
        await self.sight.go(path)
        if self.page.url.partition("?")[0].endswith("/notice"):
            await self.judged()
            await self.press("I have read this and agree")
        await self.judged()

    async def press(self, name):
        await self.page.get_by_role("button", name=name, exact=True).click()
        await self.page.wait_for_load_state()

    async def register(self, facts):
        await self.go("/signon/register")
        for name, value in facts.items():
            await self.page.fill(f"#{name}", value)
        await self.press("Look me up")
        await self.judged()
        self.name = f"person-{facts['dod_id']}"
        await self.page.fill("#name", self.name)
        await self.page.fill("#password", PASSWORD)
        await self.page.fill("#again", PASSWORD)
        await self.press("Open the account")
        await self.page.wait_for_url("**/signon/account")
        await self.judged()

    async def sign_in(self, *, code=None):
        await self.go("/signon/sign-in")
        await self.page.fill("#name", self.name)
        await self.page.fill("#password", PASSWORD)
        await self.press("Sign in")
        if code is not None:
            await self.page.wait_for_url("**/signon/sign-in")
            await self.judged()
            await self.page.fill("#code", code)
            await self.press("Continue")
        await self.page.wait_for_url("**/signon/account")

    async def authenticator(self):
        """A device with a fingerprint reader, as Chromium plays one."""
        tools = await self.sight.context.new_cdp_session(self.page)
        await tools.send("WebAuthn.enable")
        await tools.send("WebAuthn.addVirtualAuthenticator", {"options": {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True,
        }})  # fmt: skip


@ON_A_PHONE
async def test_somebody_registers_adds_a_passkey_and_comes_back_with_it(at_localhost, look, axe, retiree, width):
    async with look(width=width, origin=at_localhost) as sight:
        robert = Person(sight, axe)
        await robert.authenticator()
        await robert.register(await retiree())
        await robert.go("/signon/premium")
        await robert.go("/signon/account")
        await robert.page.fill("#passkey-label", "This laptop")
        await robert.press("Add a passkey")
        await robert.page.wait_for_url("**/signon/account/passkey")
        await robert.judged()
        await robert.press("Make the passkey")
        await robert.page.get_by_role("heading", name="Your recovery codes").wait_for()
        await robert.judged()
        assert await robert.page.locator(".codes li").count() == 10
        await robert.page.get_by_role("link", name="I have kept them").click()
        assert "This laptop" in await robert.page.inner_text("main")

        if width < 600:
            await robert.page.get_by_role("button", name="Menu").click()
        await robert.page.get_by_role("banner").get_by_role("button", name="Sign out").click()
        await robert.page.wait_for_url("**/signon/signed-out**")
        await robert.judged()
        await robert.go("/signon/sign-in")
        await robert.press("Sign in with a passkey")
        await robert.page.wait_for_url("**/signon/account")
        assert "This laptop" in await robert.page.inner_text("main")
        assert sight.complaints == []


async def test_a_lost_phone_is_replaced_with_a_recovery_code_and_every_session_can_be_ended(
    at_localhost, look, axe, retiree
):
    async with look(origin=at_localhost) as sight, look(origin=at_localhost) as elsewhere:
        robert = Person(sight, axe)
        await robert.register(await retiree())
        await robert.page.fill("#app-label", "My phone")
        await robert.press("Add an authenticator app")
        await robert.page.get_by_role("img", name="QR code").wait_for()
        await robert.judged()
        app = pyotp.parse_uri(await robert.page.get_by_role("link", name="Open the app").get_attribute("href"))
        await robert.page.fill("#code", "000000")
        await robert.press("Set up")
        await robert.judged()
        assert (await sight.focused()).startswith("div#refused"), "what went wrong takes the focus"
        await robert.go("/signon/account")
        await robert.page.fill("#app-label", "My phone")
        await robert.press("Add an authenticator app")
        app = pyotp.parse_uri(await robert.page.get_by_role("link", name="Open the app").get_attribute("href"))
        await robert.page.fill("#code", app.now())
        await robert.press("Set up")
        codes = await robert.page.locator(".codes code").all_inner_texts()

        lost = Person(elsewhere, axe)
        lost.name = robert.name
        await lost.go("/signon/sign-in")
        await lost.page.fill("#name", lost.name)
        await lost.page.fill("#password", PASSWORD)
        await lost.press("Sign in")
        await lost.judged()
        await lost.page.get_by_text("I have lost these").click()
        await lost.page.fill("#recovery", codes[0])
        await lost.press("Use this code")
        await lost.page.wait_for_url("**/signon/account")
        await lost.judged()
        assert "recovery code" in await lost.page.inner_text("main")

        await robert.go("/signon/account")
        await robert.press("Sign out everywhere")
        await robert.page.wait_for_url("**/signon/signed-out**")
        await lost.page.goto(at_localhost + "/signon/account")
        assert "/signon/sign-in" in lost.page.url, "the other browser is signed out as well"


async def _raise(owner, sign_in_name):
    """Makes somebody who is signed in Premium, as a card reader would, and a privacy officer."""
    conn = await asyncpg.connect(**Address.from_url(owner).connect)
    try:
        row = await conn.fetchrow(
            "UPDATE identity.session s SET identity_level = 2, authenticator_level = 2 FROM identity.account a"
            " WHERE a.account_id = s.account_id AND a.sign_in_name = $1 RETURNING a.account_id",
            sign_in_name,
        )
        await staff.grant(
            conn, row["account_id"], "privacy-officer", facility_id=None, starts=date(2026, 1, 1), ends=None,
            by_account=None, now=now_us(),
        )  # fmt: skip
    finally:
        await conn.close()


@pytest.mark.parametrize(("locale", "width", "words"), [
    ("en-US", 1280, "broke the glass to open the record, for emergency treatment: <i>found</i> on the street."),
    ("es-US", 320, "abrió el expediente por emergencia; motivo: atención de emergencia: <i>found</i> on the street."),
])  # fmt: skip
async def test_a_patient_reads_who_looked_and_a_privacy_officer_who_broke_the_glass(
    at_localhost, running, look, axe, retiree, locale, width, words
):
    facts = await retiree()
    async with look(origin=at_localhost) as sight:
        robert = Person(sight, axe)
        await robert.register(facts)
        state = await sight.context.storage_state()
        await _raise(running.owner, robert.name)
    patient = f"patient-{facts['dod_id']}"
    async with running.client("system", subject="import-program") as client:
        person = {"resourceType": "Patient", "id": patient}
        (await client.put(f"/Patient/{patient}", json=person)).raise_for_status()
    async with running.client("physician", subject="dr-who", facility="elsewhere", purpose="ETREAT") as doctor:
        reason = {"name": "reason", "valueString": "<i>found</i> on the street"}
        body = {"resourceType": "Parameters", "parameter": [reason]}
        (await doctor.post(f"/Patient/{patient}/$break-the-glass", json=body)).raise_for_status()
    async with look(origin=at_localhost, locale=locale, width=width, storage_state=state) as sight:
        robert = Person(sight, axe)
        await robert.go("/signon/who-looked")
        assert words in await sight.page.inner_text("main")
        await robert.go("/signon/emergencies")
        text = await sight.page.inner_text("main")
        assert patient in text
        assert "<i>found</i> on the street" in text
        assert sight.complaints == []


async def test_who_does_nothing_is_asked_and_can_stay_and_who_stays_away_is_signed_out(
    at_localhost, running, look, axe, retiree
):
    async with look(origin=at_localhost) as sight:
        robert = Person(sight, axe)
        await sight.page.clock.install()
        await robert.register(await retiree())
        await pass_time(running.owner, sight.page, robert.name, minutes=14)
        asked = sight.page.get_by_role("alertdialog", name="Are you still there?")
        await asked.wait_for()
        assert "Stay signed in" in await sight.focused(), "the question has the focus"
        await robert.judged()
        await sight.page.keyboard.press("Enter")
        await asked.wait_for(state="hidden")
        await pass_time(running.owner, sight.page, robert.name, minutes=16)
        await sight.page.wait_for_url("**/signon/sign-in?why=idle")
        assert "nothing was done for a while" in await sight.page.inner_text("main")


async def test_the_pages_are_there_in_spanish_and_in_the_dark(at_localhost, look, axe):
    async with look(origin=at_localhost, locale="es-US", color_scheme="dark", width=360) as sight:
        ines = Person(sight, axe)
        await sight.go("/signon/register")
        await ines.judged()
        await sight.page.get_by_role("button", name="He leído esto y estoy de acuerdo").click()
        await ines.judged()
        await sight.page.fill("#dod_id", "1")
        await sight.page.fill("#family_name", "Núñez")
        await sight.page.fill("#born", "1990-01-01")
        await sight.page.get_by_role("button", name="Buscarme").click()
        assert await sight.page.input_value("#family_name") == "Núñez", "what was typed is kept"
        assert await sight.page.get_attribute("html", "lang") == "es"
        await ines.judged()


async def test_everything_can_be_done_with_the_keyboard(at_localhost, look, axe, retiree):
    async with look(origin=at_localhost) as sight:
        robert = Person(sight, axe)
        await robert.register(await retiree())
        await sight.context.clear_cookies()
        await robert.go("/signon/sign-in")
        await sight.page.keyboard.press("Tab")
        assert "Skip to the main content" in await sight.focused()
        await sight.page.keyboard.press("Enter")
        for text in (robert.name, PASSWORD):
            await sight.page.keyboard.press("Tab")
            await sight.page.keyboard.type(text)
        await sight.page.keyboard.press("Enter")
        await sight.page.wait_for_url("**/signon/account")

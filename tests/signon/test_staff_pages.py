"""Staff from the command line to the last day, and passkeys, on the pages of a server started by `continuum serve`."""

import html
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browsing import Browser
from tests.serve.test_serve import serving

pytestmark = pytest.mark.server
PASSWORD = "eleven purple kites over town"
BESIDE = Path(__file__).parents[2] / "src" / "continuum" / "identity" / "tests" / "authenticator.py"


def passkey(origin):
    """A passkey in software, for the pages at this address."""
    spec = importlib.util.spec_from_file_location("authenticator", BESIDE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Authenticator("localhost", origin)


def continuum(*words):
    program = [sys.executable, "-c", "from continuum.apps.admin.cli import main; main()"]
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def enrol(browser, link):
    await browser.get(urlsplit(link).path + "?" + urlsplit(link).query)
    await browser.submit("/notice")
    await browser.submit("/enrol", password=PASSWORD, again=PASSWORD)
    assert browser.path == "/signon/account", browser.page.text


async def add_passkey(browser, device):
    await browser.submit("/account/passkey", label="Key")
    answer = device.register(browser.page.options[0])
    await browser.submit("/account/passkey", answer=answer)
    assert "Your recovery codes" in browser.page.title
    await browser.get("/signon/account")


async def test_from_the_first_administrator_to_a_leaver(data_folder):
    said = continuum("administrator", "ada", "--name", "Ada Example", "--data", str(data_folder))
    link = re.search(r"http://\S+", said).group()
    assert "client_secret" in continuum(
        "client", "sign-in", "portal", "--name", "Portal", "--redirect", "https://portal.example.org/back", "--data",
        str(data_folder),
    )  # fmt: skip
    os.environ.pop("CONTINUUM_BASE_URL", None)
    with serving(data_folder) as (process, origin):
        pages = origin.replace("127.0.0.1", "localhost")
        async with Browser(origin) as ada, Browser(origin) as nick:
            await enrol(ada, link)
            await ada.get("/signon/staff")
            assert "Only administrators who signed in with a second factor" in ada.page.text
            await ada.get("/signon/account")
            key = passkey(pages)
            await add_passkey(ada, key)
            assert "administrator" in ada.page.text
            await ada.get("/signon/emergencies")
            assert "Nobody has broken the glass" in ada.page.text

            await ada.get("/signon/staff")
            await ada.submit("/staff/open", display_name="Nick Nurse", name="nick")
            await enrol(nick, html.unescape(re.search(r"http://\S+", ada.page.text).group()))
            account = next(
                form.fields["account"] for form in ada.page.forms if form.action.endswith("/staff/leave")
                and form.fields["account"] != _own(ada)
            )  # fmt: skip
            await ada.submit("/staff/grant", account=account, role="nurse", facility="org-1", starts="2026-01-01")
            assert "nurse · Facility org-1 · from Jan 1, 2026" in ada.page.text
            await nick.get("/signon/account")
            assert "nurse · Facility org-1" in nick.page.text

            await ada.submit("/staff/leave", account=account, hand_to="nobody")
            assert "open account of their own" in ada.page.text
            await ada.submit("/staff/leave", account=account, hand_to="ada")
            assert "Nick Nurse (nick) closed" in ada.page.text
            await nick.get("/signon/account")
            assert nick.path == "/signon/sign-in"
            await nick.submit("/sign-in", name="nick", password=PASSWORD)
            assert "closed" in nick.page.text

            await ada.submit("/sign-out")
            await ada.get("/signon/sign-in")
            assert json.loads(ada.page.options[0])["rpId"] == "localhost"
            await ada.submit("/passkey", answer=key.sign_in(ada.page.options[0]))
            assert ada.path == "/signon/account"
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _own(browser):
    """The account of the one administrator on the page: the first section, by name."""
    return next(form.fields["account"] for form in browser.page.forms if form.action.endswith("/staff/grant"))


async def test_a_passkey_made_for_another_address_is_refused(browser, steps):
    await steps.register(browser)
    await browser.submit("/account/passkey", label="Key")
    answer = passkey("http://localhost.evil.example").register(browser.page.options[0])
    await browser.submit("/account/passkey", answer=answer)
    assert browser.answer.status_code == 422
    assert "not accepted" in browser.page.text


async def test_patients_see_neither_staff_nor_the_clerks_desk(browser, steps):
    await steps.register(browser)
    await steps.add_app(browser)
    await browser.get("/signon/staff")
    assert browser.answer.status_code == 403
    await browser.get("/signon/emergencies")
    assert browser.answer.status_code == 403
    await browser.get("/signon/clerk/letters")
    await browser.submit("/clerk/letters")
    assert browser.answer.status_code == 403

"""Staff who are signed in, without a browser's window."""

import pytest

from tests.browsing import Browser
from tests.hospital import PASSWORD


@pytest.fixture(scope="session")
def retiree(open_hospital):
    return open_hospital.persona("retiree")


@pytest.fixture(scope="session")
def at_home(open_hospital, retiree):
    return open_hospital.facility_of(retiree.patient_id)


@pytest.fixture
async def signed_in(open_hospital):
    """Opens a browser and signs somebody in: `await signed_in(who)`."""
    opened = []

    async def enter(who):
        browser = Browser(open_hospital.origin)
        opened.append(browser)
        await browser.get("/signon/sign-in")
        await browser.submit("/notice")
        await browser.submit("/sign-in", name=who.name, password=PASSWORD)
        if who.seed:
            await browser.submit("/second-step", code=who.code())
        assert browser.path == "/signon/account", browser.page.text
        return browser

    yield enter
    for browser in opened:
        await browser.http.aclose()

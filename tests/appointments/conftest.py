"""People who book, at a hospital whose server keeps its calendars open."""

import pytest

from tests.browsing import Browser
from tests.hospital import PASSWORD
from tests.portal.conftest import browser, clinic, database, enlist, here, other_browser, steps

__all__ = ["browser", "clinic", "database", "enlist", "here", "other_browser", "steps"]


@pytest.fixture
async def staffed(clinic):
    """Signs in new members of staff at the retiree's facility, or at another."""
    opened = []
    home = clinic.hospital.facility_of(clinic.hospital.persona("retiree").patient_id)

    async def made(role, *, elsewhere=False):
        facility = home
        if elsewhere:
            facility = clinic.hospital.facility_of(clinic.hospital.persona("mother").patient_id)
        member = await clinic.hospital.member(role, facility, display=f"Demo {role}")
        browser = Browser(clinic.hospital.origin)
        opened.append(browser)
        await browser.get("/signon/sign-in")
        await browser.submit("/notice")
        await browser.submit("/sign-in", name=member.name, password=PASSWORD)
        await browser.submit("/second-step", code=member.code())
        assert browser.path == "/signon/account", browser.page.text
        return browser

    yield made
    for one in opened:
        await one.http.aclose()


@pytest.fixture
async def retiree(clinic):
    return await clinic.at("retiree", "Robert")

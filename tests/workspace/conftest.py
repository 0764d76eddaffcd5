"""Staff at the one hospital, each in a browser of their own."""

import pytest


@pytest.fixture
async def enter(open_hospital):
    """Signs somebody in: `await enter(who)` is their browser."""
    opened = []

    async def sign_in(who):
        opened.append(await open_hospital.enter(who))
        return opened[-1]

    yield sign_in
    for browser in opened:
        await browser.http.aclose()


@pytest.fixture(scope="session")
def retiree(open_hospital):
    return open_hospital.persona("retiree")


@pytest.fixture(scope="session")
def at_home(open_hospital, retiree):
    return open_hospital.facility_of(retiree.patient_id)

"""People who book, at a hospital whose server keeps its calendars open."""

import pytest

from tests.appointments.booking import call_all_off
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
        opened.append(await clinic.hospital.enter(member))
        return opened[-1]

    yield made
    for one in opened:
        await one.http.aclose()


@pytest.fixture
async def retiree(clinic):
    person = await clinic.at("retiree", "Robert")
    yield person
    await call_all_off(person)

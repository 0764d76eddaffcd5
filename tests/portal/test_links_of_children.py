"""A parent's health links of a child: they end with the right to share the whole record, by themselves."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from continuum.chart.trust import birthday
from continuum.identity import registry
from continuum.runtime.postgres.address import Address
from tests.portal.test_links import ask, fetch, make

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


@pytest.fixture
async def ines(clinic):
    return await clinic.at("mother", "Inés")


@pytest.fixture
async def toddler(clinic):
    """(Patient, a way to have another date of birth for a while)."""
    patient_id = clinic.member("mother", "Mateo")

    @asynccontextmanager
    async def born(day):
        conn = await asyncpg.connect(**Address.from_url(clinic.hospital.owner).connect)
        text = "UPDATE identity.person SET born = $2 WHERE patient_id = $1"
        before = await registry.of_patient(conn, patient_id)
        try:
            await conn.execute(text, patient_id, day)
            yield
        finally:
            await conn.execute(text, patient_id, before.born)
            await conn.close()

    return patient_id, born


def today():
    return datetime.now(UTC).date()


@pytest.mark.parametrize("years", [12, 18])
@pytest.mark.requirement("V8.2.1")
async def test_on_the_birthday_a_link_of_a_child_opens_no_more_nor_does_its_file(ines, toddler, years):
    patient_id, born = toddler
    link = await make(ines, of=patient_id)
    file = ask(link, embeddedLengthMax=1).json()["files"][0]["location"]
    async with born(birthday(today(), -years) + timedelta(days=1)):
        opened = ask(link).status_code
        assert opened == (200 if years == 12 else 404), "the day before the 12th birthday it is a child still"
    if opened == 200:
        async with born(birthday(today(), -years)):
            assert fetch("GET", file).status_code == 404
            assert ask(link).status_code == 404
    assert ask(link).status_code == 404, "closed is closed"
    assert fetch("GET", file).status_code == 404


async def test_a_new_link_says_that_it_ends_with_the_12th_birthday(ines, toddler):
    patient_id, born = toddler
    in_a_week = today() + timedelta(days=7)
    async with born(birthday(in_a_week, -12)):
        link = await make(ines, of=patient_id, lives="90")
        assert datetime.fromtimestamp(link["exp"], UTC) == datetime(
            in_a_week.year, in_a_week.month, in_a_week.day, tzinfo=UTC
        )
        await ines.get(f"/portal/record/{patient_id}/links")
        assert "from its 12th birthday on" in ines.page.text
        assert ask(link).status_code == 200


async def test_who_does_not_care_for_the_child_any_more_has_no_link_of_it(ines, toddler, clinic):
    patient_id, _ = toddler
    link = await make(ines, of=patient_id)
    own = await make(ines)
    conn = await asyncpg.connect(**Address.from_url(clinic.hospital.owner).connect)
    of = "dependent_id = (SELECT person_id FROM identity.person WHERE patient_id = $1)"
    try:
        rows = await conn.fetch(
            f"SELECT dependent_id, sponsor_id, ends FROM identity.sponsorship WHERE {of}", patient_id
        )
        await conn.execute(
            f"UPDATE identity.sponsorship SET ends = $2 WHERE {of}", patient_id, today() - timedelta(days=1)
        )
        try:
            assert ask(link).status_code == 404
            assert ask(own).status_code == 200, "the own record is shared as before"
        finally:
            for row in rows:
                await conn.execute(
                    "UPDATE identity.sponsorship SET ends = $3 WHERE dependent_id = $1 AND sponsor_id = $2", *row
                )
    finally:
        await conn.close()

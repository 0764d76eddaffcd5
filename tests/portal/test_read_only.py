"""Pages of a server that takes no writes: everybody reads, nothing is saved, and every page says so."""

from dataclasses import replace
from datetime import date

import asyncpg
import pytest

from continuum.apps.frame.visit import CLOSED
from continuum.runtime.postgres.address import Address
from continuum.ui import View
from continuum.ui.language import gettext
from continuum.ui.view import showing
from tests.portal.conftest import Clinic

pytestmark = pytest.mark.server
WRITES = (
    ("own/new/note", {"text": "Dizzy in the morning."}),
    ("own/new/reading", {"systolic": "131", "diastolic": "82"}),
)


@pytest.fixture
async def reading(open_hospital):
    """Somebody signed in at a read-only server of the hospital."""
    shut = open_hospital.elsewhere()
    shut = replace(shut, orders=replace(shut.orders, read_only=True))
    with shut.open():
        clinic = Clinic(shut)
        found = await clinic.at("retiree", "Robert")
        yield found
        await found.http.aclose()


async def versions(owner):
    connection = await asyncpg.connect(**Address.from_url(owner).connect)
    try:
        return await connection.fetchval("SELECT count(*) + sum(version) FROM record.resource")
    finally:
        await connection.close()


async def test_a_read_only_server_shows_records_and_says_on_each_page_that_nothing_can_be_saved(reading):
    for path in ("/portal", "/portal/record/me", "/portal/record/me/problems", "/portal/record/me/own/new/note"):
        await reading.get(path)
        assert reading.answer.status_code == 200, path
        assert CLOSED in reading.page.text, path
    await reading.get("/portal/record/me/problems")
    assert "iabetes" in reading.page.text


@pytest.mark.parametrize(("page", "fields"), WRITES)
async def test_a_form_of_a_read_only_server_is_refused_in_words_and_nothing_is_written(
    reading, open_hospital, page, fields
):
    before = await versions(open_hospital.owner)
    address = f"/portal/record/me/{page}"
    await reading.get(address)
    answer = await reading.http.post(address, data={**fields, "csrf": reading.page.csrf})
    assert answer.status_code == 503
    assert CLOSED in answer.text
    assert await versions(open_hospital.owner) == before


async def test_a_server_that_writes_says_nothing_of_it(clinic):
    robert = await clinic.at("retiree", "Robert")
    await robert.get("/portal")
    assert CLOSED not in robert.page.text


def test_it_is_said_in_spanish_too():
    with showing(View(date(2026, 11, 23), language="es")):
        assert gettext(CLOSED).startswith("Por ahora no se puede guardar nada.")

"""Pages of a server that takes no writes: everybody reads, nothing is saved, and every page says so."""

from dataclasses import replace
from datetime import date

import asyncpg
import pytest

from continuum.apps.signon.exchange import CLOSED
from continuum.runtime.postgres.address import Address
from continuum.ui import View
from continuum.ui.language import gettext
from continuum.ui.view import showing
from tests import exchanges
from tests.browsing import Browser
from tests.hospital import PASSWORD
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


@pytest.fixture
async def refusing(open_hospital, tmp_path):
    """Browsers at a server whose database takes no writes, signed in before that at one whose database did."""
    shut = open_hospital.elsewhere()
    database = f"{shut.orders.database}&default_transaction_read_only=on"
    shut = replace(shut, orders=replace(shut.orders, database=database, audit=str(tmp_path / "spill")))
    story, opened = shut.persona("retiree"), []

    async def signed_in(who):
        before, after = Browser(open_hospital.origin), Browser(shut.origin)
        opened.extend([before, after])
        await before.get("/signon/sign-in")
        await before.submit("/notice")
        await before.submit("/sign-in", name=who.name, password=PASSWORD)
        await before.submit("/second-step", code=who.code())
        assert before.path == "/signon/account", before.page.text
        after.http.cookies.update(before.http.cookies)
        return after

    facility = shut.facility_of(story.patient_id)
    robert = await signed_in(await open_hospital.person(story, premium=True))
    doctor = await signed_in(await open_hospital.member("physician", facility, display="Dr. Lena Fox"))
    connection = await asyncpg.connect(**Address.from_url(shut.owner).connect)
    try:
        # Both were here a while ago: whoever goes on is noted as active, which the database does not take now.
        await connection.execute("UPDATE identity.session SET active_us = active_us - 60000000")
    finally:
        await connection.close()
    with shut.open():
        yield robert, doctor, story.patient_id
        exchanges.forget()  # the trace of what was done waits in the spill file
        for one in opened:
            await one.http.aclose()


async def test_everybody_goes_on_reading_while_the_database_takes_no_writes(refusing):
    robert, doctor, patient_id = refusing
    pages = (
        (robert, ("/portal", "/portal/record/me", "/portal/record/me/problems", "/portal/record/me/timeline",
                  "/portal/messages", "/portal/appointments")),
        (doctor, ("/workspace", f"/workspace/patients/{patient_id}", f"/workspace/patients/{patient_id}/timeline",
                  "/workspace/messages")),
    )  # fmt: skip
    for browser, paths in pages:
        await browser.get(paths[0])  # the first to be refused by the database tells the others
        for path in paths:
            await browser.get(path)
            assert browser.answer.status_code == 200, f"{path}: {browser.page.text[:300]}"
            assert CLOSED in browser.page.text, path
    refused = await robert.http.post(
        "/portal/record/me/own/new/note", data={"text": "Dizzy.", "csrf": robert.page.csrf}
    )
    assert refused.status_code == 503
    assert CLOSED in refused.text


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

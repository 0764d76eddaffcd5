"""Leaflets in the workspace and from the command line: chosen, looked at, downloaded."""

import re

import pytest
from click.testing import CliRunner

from continuum.adoption.pieces import PIECES
from continuum.apps.admin.cli import main
from tests.browsing import Browser
from tests.hospital import PASSWORD

pytestmark = pytest.mark.server
HOME = "/workspace/leaflets"


@pytest.fixture
async def registrar(open_hospital):
    facility = open_hospital.facility_of(open_hospital.persona("retiree").patient_id)
    who = await open_hospital.member("registrar", facility, display="Kim Alvarez")
    async with Browser(open_hospital.origin) as browser:
        await browser.get("/signon/sign-in")
        await browser.submit("/notice")
        await browser.submit("/sign-in", name=who.name, password=PASSWORD)
        await browser.submit("/second-step", code=who.code())
        browser.facility = facility
        yield browser


async def test_staff_choose_a_facility_look_at_the_pieces_and_download_them(registrar):
    await registrar.get(f"{HOME}?language=es&day=2027-01-04")
    assert "Leaflets and posters" in registrar.page.text
    files = [link for link in registrar.page.links if ".pdf?" in link]
    assert len(files) == 2 * len(PIECES)
    assert all(f"facility={registrar.facility}" in link for link in files)
    for link in files:
        answer = await registrar.http.get(link)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        name = re.search(r'filename="([a-z0-9-]+-es(-printer)?\.pdf)"', answer.headers["content-disposition"])
        assert (name[2] is not None) == link.endswith("for=printer")
    picture = await registrar.http.get(re.sub(r"\.pdf", ".png", files[0]))
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize(
    ("asked", "status"),
    [("portal-poster.pdf?day=tomorrow", 404), ("portal-poster.pdf?facility=nowhere", 404), ("portal-poster.doc", 404),
     ("poster-of-another.pdf", 404), ("portal-poster.pdf?language=de", 422)],
)  # fmt: skip
async def test_what_cannot_be_made_is_refused_in_words(registrar, asked, status):
    answer = await registrar.http.get(f"{HOME}/{asked}")
    assert answer.status_code == status
    assert "piece" in answer.text or "English" in answer.text


async def test_a_day_that_cannot_be_read_stays_in_the_form(registrar):
    answer = await registrar.http.get(f"{HOME}?day=soon")
    assert answer.status_code == 422
    assert 'value="soon"' in answer.text
    assert "Write the day as 2027-03-31." in answer.text


async def test_people_who_are_not_staff_make_no_leaflets(open_hospital):
    who = await open_hospital.person(open_hospital.persona("boatswain"), premium=True)
    async with Browser(open_hospital.origin) as browser:
        await browser.get("/signon/sign-in")
        await browser.submit("/notice")
        await browser.submit("/sign-in", name=who.name, password=PASSWORD)
        await browser.submit("/second-step", code=who.code())
        for path in (HOME, f"{HOME}/portal-poster.pdf"):
            assert (await browser.http.get(path)).status_code == 403


def test_the_command_says_what_to_write_when_something_is_missing():
    run = CliRunner().invoke
    said = run(main, ["adoption", "make", "--facility", "x", "--portal", "ehr.example.org", "--day", "2027-01-04"])
    assert said.exit_code == 2
    assert "must be an address that begins with https://" in said.output
    said = run(main, ["adoption", "make", "--facility", "x", "--portal", "https://e.org", "--day", "soon"])
    assert said.exit_code == 2

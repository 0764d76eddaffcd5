"""Every page of the workspace, asked for by those who may and by those who may not; each act leaves its trace."""

import re
from collections import defaultdict

import asyncpg
import pytest

from continuum.chart.section import sections
from continuum.runtime.postgres.address import Address
from tests.browsing import Browser
from tests.routes import ROUTES

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
_PARTS = {"kind": "problems", "section": "labs", "thread_id": "00000000-0000-7000-8000-000000000000"}
"""What stands for parts of addresses whose form matters; every other one is called `e0`."""


def address(path, patient_id):
    parts = defaultdict(lambda: "e0", _PARTS, patient_id=patient_id)
    return "/workspace" + path.format_map(parts)


async def request(browser, method, path, patient_id):
    if method == "GET":
        return await browser.http.get(address(path, patient_id))
    return await browser.http.post(address(path, patient_id), data={"csrf": browser.page.csrf, "on": "yes"})


EVERY = [(method, path.removeprefix("/workspace")) for app, method, path in ROUTES if app == "workspace"]


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_nobody_gets_in_without_signing_in(open_hospital, retiree, method, path):
    async with Browser(open_hospital.origin) as browser:
        await browser.get("/signon/sign-in")
        answer = await request(browser, method, path, retiree.patient_id)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/signon/sign-in?")


@pytest.mark.requirement("V8.4.1")
async def test_people_who_are_not_staff_and_staff_of_elsewhere_see_no_chart(open_hospital, enter, retiree, at_home):
    mother = open_hospital.persona("mother")
    elsewhere = open_hospital.facility_of(mother.patient_id)
    assert elsewhere != at_home
    person = await enter(await open_hospital.person(open_hospital.persona("boatswain"), premium=True))
    stranger = await enter(await open_hospital.member("physician", elsewhere, display="Dr. Elsewhere"))
    for method, path in EVERY:
        refused = await request(person, method, path, retiree.patient_id)
        assert refused.status_code == 403, (method, path)
        answer = await request(stranger, method, path, retiree.patient_id)
        assert "Brien" not in answer.text, (method, path)
        if "{patient_id}" in path:
            # Pages of registrars only are closed to others whoever the patient is.
            for_others = {403} if path.startswith(("/moves/", "/representatives/")) else set()
            assert answer.status_code in {404, 422} | for_others, (method, path, answer.status_code)


@pytest.mark.requirement("V3.5.1", "V3.5.3")
async def test_a_form_from_elsewhere_changes_nothing(open_hospital, enter, retiree, at_home):
    ada = await enter(await open_hospital.member("physician", at_home, display="Dr. Ada Okoye"))
    for method, path in EVERY:
        if method == "POST":
            for data, headers in (({}, {}), ({"csrf": "00" * 64}, {}), ({"csrf": "xyz"}, {}),
                                  ({"csrf": ada.page.csrf}, {"origin": "https://evil.example"})):  # fmt: skip
                answer = await ada.http.post(address(path, retiree.patient_id), data=data, headers=headers)
                assert answer.status_code == 403, (path, data)


async def test_every_page_of_a_chart_leaves_one_row_that_says_what_was_shown(open_hospital, enter, retiree, at_home):
    who = await open_hospital.member("physician", at_home, display="Dr. One Row")
    ada = await enter(who)
    conn = await asyncpg.connect(**Address.from_url(open_hospital.owner).connect)

    async def rows():
        return await conn.fetch(
            "SELECT a.query, a.patient_id, a.outcome FROM record.audit a"
            " JOIN identity.account c ON c.account_id = a.actor"
            " WHERE c.sign_in_name = $1 AND a.interaction = 'search' AND a.query NOT LIKE '%=%' ORDER BY a.seq",
            who.name,
        )  # fmt: skip

    try:
        pages = ["", "/timeline", *(f"/{key}" for key in sections()), "/notes/new"]
        for number, page in enumerate(pages, 1):
            answer = await ada.http.get(f"/workspace/patients/{retiree.patient_id}{page}")
            assert answer.status_code == 200, page
            found = await rows()
            assert len(found) == number, page
            assert found[-1]["patient_id"] == retiree.patient_id
            assert found[-1]["outcome"] == 0
    finally:
        await conn.close()


async def test_a_bad_address_is_answered_in_words(open_hospital, enter, retiree, at_home):
    ada = await enter(await open_hospital.member("physician", at_home, display="Dr. Ada Okoye"))
    chart = f"/workspace/patients/{retiree.patient_id}"
    for path in ("/workspace/patients/nobody", "/workspace/patients/a%2Cb", f"{chart}/nonsense", f"{chart}/labs/new",
                 f"{chart}/problems/nothing/wrong", f"{chart}/problems/nothing/change"):  # fmt: skip
        answer = await ada.http.get(path)
        assert answer.status_code == 404, path
        assert "Something went wrong" not in answer.text
    for path in (f"{chart}/labs?from=nonsense", f"{chart}/timeline?only=nonsense"):
        answer = await ada.http.get(path)
        assert 400 <= answer.status_code < 500, path
    for odd in ("?before=2026-99", "?before=%00", "?before=1", "?code=%27"):
        answer = await ada.http.get(f"{chart}/timeline{odd}")
        assert answer.status_code < 500, odd


async def test_a_page_is_small_over_the_wire(open_hospital, enter, retiree, at_home):
    """15 KB a page after the first visit, for a retiree of more than twenty years of records."""
    ada = await enter(await open_hospital.member("physician", at_home, display="Dr. Ada Okoye"))
    for page in ["", "/timeline", *(f"/{key}" for key in sections()), "/who-looked"]:
        address = f"/workspace/patients/{retiree.patient_id}{page}"
        async with ada.http.stream("GET", address, headers={"accept-encoding": "zstd"}) as answer:
            size = sum([len(chunk) async for chunk in answer.aiter_raw()])
        assert answer.status_code == 200
        assert size <= 15_000, (page, size)


async def test_every_entry_says_where_it_comes_from(open_hospital, enter, retiree, at_home):
    ada = await enter(await open_hospital.member("physician", at_home, display="Dr. Ada Okoye"))
    entries = 0
    for page in (*sections(), "labs?code=4548-4", "vitals?code=85354-9"):
        answer = await ada.http.get(f"/workspace/patients/{retiree.patient_id}/{page}")
        for entry in answer.text.split('<li class="record')[1:]:
            assert re.search(r'<p class="source">[^<]*\w', entry), (page, entry[:300])
            entries += 1
    assert entries > 100
    answer = await ada.http.get(f"/workspace/patients/{retiree.patient_id}/dental")
    assert "Hiroshi Wang DDS, " in answer.text, "the place is that of the visit"

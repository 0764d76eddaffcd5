"""Breaking the glass in a real browser: two clicks and a reason; who watches and the patient see it within a second."""

import time
from dataclasses import dataclass

import pytest

from continuum.chart.reading import DOD_ID
from tests.browser.variants import AT_A_DESK
from tests.trail import account_of, rows_of

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
REASON = "found unconscious at the gym, round {}"
WITHIN_S = 1.0
"""From the row of the act to the page that shows it, by the server's own clock."""
ROUNDS = 3
"""The quickest of these counts: the others say how busy the machine was."""


@pytest.fixture(scope="session")
def retiree(hospital):
    return hospital.persona("retiree")


@pytest.fixture(scope="session")
def elsewhere(hospital):
    return hospital.facility_of(hospital.persona("mother").patient_id)


@pytest.fixture(scope="session")
async def dod_id(open_hospital, retiree):
    async with open_hospital.client("system") as client:
        person = (await client.get(f"/Patient/{retiree.patient_id}")).json()
    return next(one["value"] for one in person["identifier"] if one["system"] == DOD_ID)


@AT_A_DESK
async def test_two_clicks_and_a_reason_and_everybody_reads_why(
    open_hospital, look, person, retiree, elsewhere, dod_id, width
):
    doctor = await open_hospital.member("physician", elsewhere, display="Dr. Rosa Rescue")
    officer = await open_hospital.member("privacy-officer", None, display="Olga Officer")
    robert = await open_hospital.person(retiree, premium=True)
    at = open_hospital.origin
    reason = REASON.format(width)
    async with (
        look(width=width, origin=at) as one,
        look(width=width, origin=at) as two,
        look(width=width, origin=at) as three,
    ):
        rosa, olga, him = person(one), person(two), person(three)
        await rosa.sign_in(doctor, "/workspace")
        if width < 600:
            await rosa.page.get_by_role("button", name="Menu").click()
        await rosa.page.get_by_role("banner").get_by_role("link", name="Emergency", exact=True).click()
        await rosa.page.wait_for_url("**/workspace/emergency")
        await rosa.judged()
        await rosa.press("Open the record")
        await rosa.judged()
        assert "Write the DoD ID" in await rosa.main(), "who and why are asked for"
        one.complaints.clear()  # the browser's own words on a form that was refused
        await rosa.page.get_by_label("DoD ID or another number of the patient").fill(dod_id)
        await rosa.page.get_by_label("Why").fill(reason)
        await rosa.press("Open the record")
        await rosa.page.wait_for_url(f"**/patients/{retiree.patient_id}")
        await rosa.judged()
        assert reason in await rosa.main(), "the chart says why it is open"

        await olga.sign_in(officer, "/signon/account")
        await olga.follow("Broken glass")
        shown = await olga.main()
        assert reason in shown
        assert "Dr. Rosa Rescue (physician" in shown
        assert "Robert James O'Brien" in shown
        await him.sign_in(robert, "/portal/record/me/who-looked")
        assert reason in await him.main(), "on the page that patients know"
        await him.go("/signon/who-looked")
        told = await him.main()
        assert reason in told
        assert "Dr. Rosa Rescue" in told
        assert [*one.complaints, *two.complaints, *three.complaints] == []


@dataclass
class Seen:
    """One round, in seconds: from the click to the answer, from the row of the act to each page that shows it."""

    click_s: float
    officer_s: float
    patient_s: float


@pytest.mark.requirement("V16.3.3")
async def test_who_watches_and_the_patient_see_it_within_a_second(open_hospital, look, person, retiree, elsewhere):
    doctor = await open_hospital.member("physician", elsewhere, display="Dr. Rosa Rescue")
    officer = await open_hospital.member("privacy-officer", None, display="Olga Officer")
    patient = await open_hospital.person(retiree, premium=True)
    rows = {"interaction": "break-the-glass", "actor": await account_of(open_hospital, doctor)}
    at = open_hospital.origin
    rounds = []
    async with look(origin=at) as one, look(origin=at) as two, await open_hospital.enter(patient) as robert:
        rosa, olga = person(one), person(two)
        await rosa.sign_in(doctor, "/workspace")
        await olga.sign_in(officer, "/signon/emergencies")
        for number in range(ROUNDS):
            reason = REASON.format(f"{number} for the clock")
            await rosa.go(f"/workspace/emergency?patient={retiree.patient_id}")
            await rosa.page.get_by_label("Why").fill(reason)
            # The officer's page lies open and nobody touches it.
            watched = olga.page.evaluate(
                "words => new Promise(done => { const look = () =>"
                " document.querySelector('main').innerText.includes(words) ? done(Date.now()) : setTimeout(look, 5);"
                " look() })",
                reason,
            )
            clicked = time.time()
            await rosa.page.get_by_role("button", name="Open the record").click()
            while reason not in (await robert.get("/signon/who-looked")).page.text:
                assert time.time() < clicked + 30, "the patient was never told"
            told = time.time()
            officer_ms = await watched
            act = (await rows_of(open_hospital, **rows))[-1]["at"] / 1_000_000
            rounds.append(Seen(act - clicked, officer_ms / 1000 - act, told - act))
    for name in ("officer_s", "patient_s"):
        best = min(getattr(one, name) for one in rounds)
        assert best <= WITHIN_S, rounds


async def test_with_the_keyboard_alone_from_a_chart_that_is_open_in_part(open_hospital, look, person, retiree):
    nurse = await open_hospital.member("nurse", open_hospital.facility_of(retiree.patient_id), display="Nurse Nell")
    async with look(origin=open_hospital.origin) as sight:
        nell = person(sight)
        await nell.sign_in(nurse, "/workspace")
        await nell.go(f"/workspace/patients/{retiree.patient_id}")
        await nell.reach("Emergency access to all of this chart")
        await nell.page.keyboard.press("Enter")
        await nell.page.wait_for_url("**/workspace/emergency?patient=*")
        await nell.judged()
        await nell.reach("Open the record")
        await nell.page.keyboard.press("Enter")
        await nell.page.get_by_role("alert").or_(nell.page.locator(".usa-alert--error")).first.wait_for()
        assert "reason" in (await sight.focused()).lower() or "error" in (await nell.main()).lower()
        await nell.judged()
        sight.complaints.clear()  # the browser's own words on a form that was refused
        await nell.reach("Why")
        await nell.page.keyboard.type("seizure in the waiting room")
        await nell.reach("Open the record")
        await nell.page.keyboard.press("Enter")
        await nell.page.wait_for_url(f"**/patients/{retiree.patient_id}")
        await nell.judged()
        assert "seizure in the waiting room" in await nell.main()
        assert sight.complaints == []

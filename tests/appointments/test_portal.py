"""People and their appointments through the pages: found, booked, moved, called off, offered on, checked in."""

import asyncio
import re
from datetime import datetime

import icalendar
import pytest

from continuum.samples.places import world
from tests.appointments.booking import HOME, ahead, book, send, times
from tests.browsing import Browser
from tests.hospital import PASSWORD

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


async def until(browser, address, words):
    """Opens an address until it says something."""
    for _ in range(80):
        await browser.get(address)
        if words in browser.page.text:
            return
        await asyncio.sleep(0.25)
    raise AssertionError(browser.page.text)


@pytest.fixture
async def retiree(clinic):
    return await clinic.at("retiree", clinic.hospital.persona("retiree").name.split()[0])


async def test_a_time_is_booked_moved_and_called_off(retiree):
    free = await times(retiree, **ahead())
    first = await book(retiree, free[5], comment="A cough <b>that</b> stays")
    assert "It is booked" in retiree.page.text
    assert "A cough <b>that</b> stays" in retiree.page.text
    await retiree.get(f"{HOME}/me")
    assert f"{HOME}/me/{first}" in retiree.page.links
    assert free[5] not in await times(retiree, **ahead()), "nobody is offered what somebody has"

    await retiree.get(free[5])
    assert "just been taken" in retiree.page.text
    await retiree.get(f"{HOME}/me/find?moves={first}&from={ahead()['from']}")
    other = [link for link in retiree.page.links if "/book/" in link][9]
    assert f"moves={first}" in other
    assert await book(retiree, other) == first
    assert "It is moved" in retiree.page.text
    assert free[5] in await times(retiree, **ahead())

    await retiree.get(f"{HOME}/me/{first}/cancel")
    await send(retiree, "/cancel", reason="Well again")
    assert "It is called off" in retiree.page.text
    await retiree.get(f"{HOME}/me/{first}/cancel")
    assert retiree.answer.status_code == 409
    assert "over, or was called off" in retiree.page.text


async def test_two_at_one_time_are_refused_and_what_was_typed_stays(retiree):
    free = await times(retiree)
    assert await book(retiree, free[8])
    await retiree.get(free[8])
    await send(retiree, "/book/", comment="My knee again")
    assert retiree.answer.status_code == 409
    assert "another appointment of the same person" in retiree.page.text
    assert "My knee again" in retiree.answer.text
    assert "Book it" in retiree.page.text


async def test_the_calendar_file_says_when_and_where_and_nothing_of_why(retiree):
    free = await times(retiree)
    made = await book(retiree, free[12], comment="Secret matter")
    file = await retiree.http.get(f"{HOME}/me/{made}/calendar.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    (event,) = icalendar.Calendar.from_ical(file.content).walk("VEVENT")
    shown = re.search(r'datetime="([^"]+)"', retiree.answer.text)
    assert event["dtstart"].dt == datetime.fromisoformat(shown[1])
    assert "Hospital" in event["location"] or "Clinic" in event["location"]
    assert b"Secret" not in file.content
    assert b"Family practice" not in file.content


async def test_who_waits_is_offered_an_earlier_time_and_takes_it(clinic, retiree):
    other = await clinic.at("captain", clinic.hospital.persona("captain").name.split()[0])
    facility = re.search(r'<option value="([^"]+)" selected', (await retiree.get(f"{HOME}/me/find")).answer.text)[1]
    free = await times(retiree, facility=facility, words="Psychiatry", **ahead())
    early, late = free[1], free[-1]
    taken = await book(other, early.replace("/me/", "/me/"))
    mine = await book(retiree, late)
    await send(retiree, "/waiting")
    assert "You are on the waiting list" in retiree.page.text

    await other.get(f"{HOME}/me/{taken}/cancel")
    await send(other, "/cancel")
    await until(retiree, f"{HOME}/me", "A time is offered to you")
    await other.get(early)
    assert "just been taken" in other.page.text, "an offer holds its time"
    await retiree.get(f"{HOME}/me")
    for offer in [link for link in retiree.page.links if "/offer/" in link]:
        await retiree.get(offer)
        if "Psychiatry" in retiree.page.text:
            break
    stranger = await other.http.get(offer)
    assert stranger.status_code == 404
    await retiree.get(offer)
    await send(retiree, "/offer/", answer="take")
    assert "The earlier time is yours" in retiree.page.text
    await retiree.get(f"{HOME}/me/{mine}")
    assert "called off" in retiree.page.text
    await retiree.get(offer)
    assert "This offer is over" in retiree.page.text


async def test_a_mother_books_for_her_toddler_and_checks_him_in_and_only_her_own_see_it(clinic):
    mother = await clinic.at("mother", clinic.hospital.persona("mother").name.split()[0])
    toddler = clinic.member("mother", "Mateo")
    free = await times(mother, toddler, "Pediatric specialty")
    made = await book(mother, free[0], comment="He pulls his ear")
    page = f"{HOME}/{toddler}/{made}"
    assert "Mateo" in mother.page.text
    if "Check in" in mother.page.text:
        await mother.get(f"{page}/check-in")
        assert "hardly drinks" not in mother.page.text
        await send(mother, "/check-in", **{"q-drinks": "hardly", "q-fever": "yes"})
        assert mother.answer.status_code == 422
        assert "hardly drinks may need help today" in mother.page.text
        assert "The highest temperature, in °F: Please answer this question." in mother.page.text
        answers = {"q-fever": "yes", "q-fever-degrees": "101.3", "q-drinks": "less", "q-better": "worse",
                   "q-pain": "no", "q-medicines": "no"}  # fmt: skip
        await send(mother, "/check-in", **answers)
        assert "You are checked in" in mother.page.text
        await mother.get(f"{page}/check-in")
        assert 'value="101.3"' in mother.answer.text, "the answers can be looked at and changed"
    stranger = await clinic.at("retiree", clinic.hospital.persona("retiree").name.split()[0])
    for address in (f"{HOME}/{toddler}", page, f"{page}/calendar.ics", f"{HOME}/{toddler}/find"):
        assert (await stranger.http.get(address)).status_code == 404, address
    assert (await stranger.http.get(f"{HOME}/me/{made}")).status_code == 404


async def test_hours_of_a_facility_in_another_zone_are_those_of_its_own_clock(clinic, retiree):
    """Who looks for a time far from home reads when to be there, before and after booking it."""
    await retiree.get(f"{HOME}/me/find")
    sites = {site.organization: site for site in world().sites.values()}
    home = sites[clinic.hospital.facility_of(clinic.hospital.persona("retiree").patient_id)]
    offered = re.findall(r'<option value="([0-9a-f-]{36})"', retiree.answer.text.partition('id="need"')[0])
    far = next(sites[one] for one in offered if sites[one].zone != home.zone and sites[one].kind == "clinic")
    query = f"{HOME}/me/find?facility={far.organization}"
    await retiree.get(query)
    kinds = re.findall(
        r'<option value="([^"]+)">', retiree.answer.text.partition('id="need"')[2].partition("</select")[0]
    )
    for kind in kinds:
        await retiree.get(f"{query}&need={kind}")
        if "time__clock" in retiree.answer.text:
            break
    assert "Hours are by the clock of the place" in retiree.page.text
    hour = re.findall(r'class="time__clock">([^<]+)<', retiree.answer.text)[-1]
    link = [one for one in retiree.page.links if "/book/" in one][-1]
    await retiree.get(link)
    assert re.search(rf"{hour} [A-Z]", retiree.page.text), retiree.page.text
    starts = datetime.fromisoformat(re.search(r'datetime="([^"]+)"', retiree.answer.text)[1])
    assert starts.astimezone(far.zone).strftime("%H:%M") == hour
    assert await book(retiree, link)
    assert re.search(rf"{hour} [A-Z]", retiree.page.text), retiree.page.text


async def test_bad_input_is_answered_in_words(retiree):
    for address, status in (
        (f"{HOME}/me/book/nonsense", 404), (f"{HOME}/me/nothing-there", 404), (f"{HOME}/me/%27%3B--", 404),
        (f"{HOME}/me/find?facility=%27&need=%22&from=tomorrow", 200), (f"{HOME}/me/find?moves=nothing", 404),
    ):  # fmt: skip
        await retiree.get(address)
        assert retiree.answer.status_code == status, address
    await retiree.get(f"{HOME}/me/find?from=tomorrow")
    assert "Write the day as 2027-03-31." in retiree.page.text


async def test_the_clinic_reads_the_answers_in_the_chart_and_ticks_them_off(clinic):
    mother = await clinic.at("mother", clinic.hospital.persona("mother").name.split()[0])
    toddler = clinic.member("mother", "Mateo")
    free = await times(mother, toddler, "Pediatric specialty")
    made = await book(mother, free[1])
    await mother.get(f"{HOME}/{toddler}/{made}/check-in")
    answers = {"q-fever": "no", "q-drinks": "usual", "q-better": "better", "q-pain": "no", "q-medicines": "yes"}
    await send(mother, "/check-in", **answers)
    await send(mother, "/check-in", **answers, **{"q-medicines-which": "Ibuprofen, 5 mL"})
    assert "You are checked in" in mother.page.text

    member = await clinic.hospital.member("nurse", clinic.hospital.facility_of(toddler), display="Nurse Quill")
    nurse = Browser(clinic.hospital.origin)
    async with nurse:
        await nurse.get("/signon/sign-in")
        await nurse.submit("/notice")
        await nurse.submit("/sign-in", name=member.name, password=PASSWORD)
        await nurse.submit("/second-step", code=member.code())
        chart = f"/workspace/patients/{toddler}/answers"
        await nurse.get(chart)
        assert "Which ones, and how much? Ibuprofen, 5 mL" in nurse.page.text
        assert "waiting for review" in nurse.page.text
        await send(nurse, "/reviewed")
        assert "Nurse Quill" in nurse.page.text
        await nurse.get(chart)
        assert not [form for form in nurse.page.forms if "/reviewed" in form.action and made in form.action]

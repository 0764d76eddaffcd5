"""Staff and the messages of their facility: taken, answered, handed over, covered; two cannot have the same."""

import re

import pytest

from tests.browsing import Browser
from tests.hospital import PASSWORD
from tests.messages.letters import HOME, send, write

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
LISTS = "/workspace/messages"


@pytest.fixture
async def retiree(clinic):
    return await clinic.at("retiree", clinic.hospital.persona("retiree").name.split()[0])


@pytest.fixture
async def enter(clinic):
    opened = []

    async def sign_in(display, role="nurse", of="retiree"):
        hospital = clinic.hospital
        who = await hospital.member(role, hospital.facility_of(hospital.persona(of).patient_id), display=display)
        browser = Browser(hospital.origin)
        opened.append(browser)
        await browser.get("/signon/sign-in")
        await browser.submit("/notice")
        await browser.submit("/sign-in", name=who.name, password=PASSWORD)
        await browser.submit("/second-step", code=who.code())
        return browser

    yield sign_in
    for browser in opened:
        await browser.http.aclose()


async def test_a_question_is_taken_by_one_answered_and_read(clinic, retiree, enter):
    thread = await write(retiree, subject="Knee and running", text="May I run again?")
    patient_id = clinic.hospital.persona("retiree").patient_id
    address = f"{LISTS}/{patient_id}/{thread}"
    tom, ann = await enter("Tomás Reyes RN"), await enter("Ann Baker RN")
    await tom.get(f"{LISTS}?list=all")
    assert "Knee and running" in tom.page.text
    assert "O'Brien" in tom.page.text
    await ann.get(address)
    await tom.get(address)
    await send(tom, "/claim")
    assert "It is yours now" in tom.page.text
    await send(ann, "/claim")
    assert ann.answer.status_code == 409
    assert "Somebody else has just taken this" in ann.page.text
    await retiree.get(f"{HOME}/me/thread/{thread}")
    assert "somebody has it" in retiree.page.text
    assert "Tomás Reyes RN" in retiree.page.text
    await send(tom, "/begin")
    await send(tom, "/answer", text="Yes, <b>slowly</b>.")
    assert "The answer is sent" in tom.page.text
    await retiree.get(f"{HOME}/me")
    assert "Not read: Knee and running" in retiree.page.text
    await retiree.get(f"{HOME}/me/thread/{thread}")
    assert "Yes, <b>slowly</b>." in retiree.page.text
    assert "answered" in retiree.page.text
    await retiree.get(f"{HOME}/me")
    assert "Not read: Knee and running" not in retiree.page.text
    await retiree.get(f"{HOME}/me/thread/{thread}")
    await send(retiree, "/reply", text="And cycling?")
    assert "It is sent" in retiree.page.text
    await tom.get(f"{LISTS}?list=all")
    assert "Knee and running" in tom.page.text


async def test_what_is_done_with_a_thread_is_told(clinic, retiree, enter):
    thread = await write(retiree, subject="Refill of metformin", category="medication", text="Ten days are left.")
    patient_id = clinic.hospital.persona("retiree").patient_id
    tom = await enter("Tomás Reyes RN")
    await enter("Ada Okoye MD", "physician")
    address = f"{LISTS}/{patient_id}/{thread}"
    await tom.get(address)
    await send(tom, "/triage", priority="urgent")
    assert "The urgency is changed" in tom.page.text
    await send(tom, "/claim")
    await send(tom, "/offer", note="Blood pressure check within two weeks")
    assert "schedulers are asked" in tom.page.text
    await send(tom, "/note", note="Refill discussed.", right_person=patient_id)
    assert "It is in the chart now" in tom.page.text
    physician = re.search(r'<option value="([^"]+)">Ada Okoye MD', tom.answer.text)[1]
    await send(tom, "/task", to=physician, note="Check the last HbA1c")
    assert "The task is given" in tom.page.text
    await send(tom, "/hand-over", to=physician, note="Dose question")
    assert "It is handed over" in tom.page.text
    assert "Ada Okoye MD: Dose question" in tom.page.text
    await send(tom, "/answer", text="too late") if any("/answer" in f.action for f in tom.page.forms) else None
    await tom.get(f"/workspace/patients/{patient_id}/notes")
    assert "Refill of metformin" in tom.page.text

"""Staff and the messages of their facility: taken, answered, handed over, covered; two cannot have the same."""

import re

import pytest

from continuum.apps.messages.workspace_part import PART
from tests.appointments.booking import times
from tests.browsing import Browser
from tests.hospital import PASSWORD
from tests.messages.letters import HOME, PNG, send, write

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
    kind = re.search(r'<option value="([^"]+)">Family practice', tom.answer.text)[1]
    await send(tom, "/offer", note="Blood pressure check", within="14", kind="")
    assert "Choose what kind of visit it is." in tom.page.text
    await send(tom, "/offer", note="Blood pressure check", within="14", kind=kind)
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


async def test_a_task_stands_in_the_list_of_who_is_to_do_it_until_it_is_done(clinic, retiree, enter):
    thread = await write(retiree, subject="Feeling faint", text="Since the new dose.")
    patient_id = clinic.hospital.persona("retiree").patient_id
    address = f"{LISTS}/{patient_id}/{thread}"
    tom, ada = await enter("Tomás Asks RN"), await enter("Ada Does MD", "physician")
    await tom.get(address)
    physician = re.search(r'<option value="([^"]+)">Ada Does MD', tom.answer.text)[1]
    await send(tom, "/task", to=physician, note="Look at the potassium of May")
    await tom.get(f"{LISTS}/tasks")
    yours, _, others = tom.page.text.partition("Of the teams and of others")
    assert "potassium" not in yours
    assert "Look at the potassium of May" in others
    await ada.get(LISTS)
    assert f"{LISTS}/tasks" in ada.page.links
    await ada.get(f"{LISTS}/tasks")
    assert "Look at the potassium of May" in ada.page.text.partition("Of the teams and of others")[0]
    form = next(one for one in ada.page.forms if "/tasks/" in one.action)
    await ada.arrive(await ada.http.post(form.action, data={**form.fields, "note": "It was 4.1"}))
    assert "It is done" in ada.page.text
    assert "potassium" not in ada.page.text.partition("Of the teams and of others")[0]
    answer = await tom.http.post(form.action, data={"csrf": tom.page.csrf})
    assert answer.status_code == 422
    assert "This is done already." in answer.text
    await tom.get(address)
    assert "Look at the potassium of May: It was 4.1" in tom.page.text
    await tom.get(f"{LISTS}/times")
    assert "Within the promise" in tom.page.text
    assert "Family Health Team" in tom.page.text


async def test_a_visit_that_a_team_asks_for_is_offered_by_the_schedulers_and_taken_by_the_person(
    clinic, retiree, enter
):
    """From the message to the waiting list, from there to the portal: nothing falls between."""
    thread = await write(retiree, subject="Wound", text="It is red.")
    patient_id = clinic.hospital.persona("retiree").patient_id
    tom, sam = await enter("Tomás Needs RN"), await enter("Sam Books", "scheduler")
    await tom.get(f"{LISTS}/{patient_id}/{thread}")
    # A kind of visit of which no other story leaves a place on the list.
    offered = re.findall(r'<option value="([^"]+)">([^<]+)<', tom.answer.text.partition('id="kind"')[2])
    used = ("Audiological", "Psychiatry", "Internal", "Family")
    kind, need = next(one for one in offered if not one[1].startswith(used))
    await times(retiree, words=need)
    await send(tom, "/offer", note="Look at the wound", within="30", kind=kind)
    await retiree.get("/portal/appointments/me")
    assert re.search(rf"Do not wait any more<[^>]*>: {re.escape(need)}", retiree.answer.text)
    await sam.get("/workspace/clinic/waiting")
    for words in ("O'Brien", "asked for by Tomás Needs RN", "wanted by"):
        assert words in sam.page.text
    assert "wound" not in sam.page.text, "who schedules needs not know why"
    kim = await enter("Kim Registers", "registrar")
    await kim.get("/workspace/clinic/waiting")
    assert "Look at the wound" in kim.page.text
    assert "It is red" not in kim.page.text, "the message itself stays with those who treat"
    asked = sam.answer.text.partition("asked for by Tomás Needs RN")[2]
    place = re.search(r'href="(/workspace/clinic/waiting/[^"]+)"', asked)[1]
    await sam.get(place)
    await send(sam, "/waiting/", slot="")
    assert "Choose a time." in sam.page.text
    slots = re.findall(r'name="slot" id="slot-\d+" value="([^"]+)"', sam.answer.text)
    await send(sam, "/waiting/", slot=slots[-1])
    assert "The time is offered" in sam.page.text
    await sam.get("/workspace/clinic/waiting")
    assert "Offered now" in sam.page.text
    await sam.get(place)
    await send(sam, "/waiting/", slot=slots[0])
    assert "thinking about another offer" in sam.page.text
    stranger = await enter("Sam Elsewhere", "scheduler", of="mother")
    assert (await stranger.http.get(place)).status_code == 404

    await retiree.get("/portal/appointments/me")
    for offer in [link for link in retiree.page.links if "/offer/" in link]:
        await retiree.get(offer)
        if need in retiree.answer.text:
            break
    assert "A time for you" in retiree.page.text
    assert "the later appointment" not in retiree.page.text
    await send(retiree, "/offer/", answer="take")
    assert "done=taken" in str(retiree.answer.url), retiree.page.text
    await retiree.get("/portal/appointments/me")
    assert not re.search(rf"Do not wait any more<[^>]*>: {re.escape(need)}", retiree.answer.text)
    await kim.get("/workspace/clinic/waiting")
    assert "Look at the wound" not in kim.page.text


async def test_who_stands_in_sees_and_answers_while_the_nurse_is_away(clinic, retiree, enter):
    thread = await write(retiree, subject="While away", text="Is the result there?")
    address = f"{LISTS}/{clinic.hospital.persona('retiree').patient_id}/{thread}"
    tom, ann = await enter("Tomás Gone RN"), await enter("Ann Stays RN")
    await tom.get(address)
    await send(tom, "/claim")
    await ann.get(LISTS)
    assert "While away" not in ann.page.text
    await tom.get(f"{LISTS}/away")
    cover = re.search(r'<option value="([^"]+)">Ann Stays RN', tom.answer.text)[1]
    await send(tom, "/away", first="2026-01-01", last="2020-01-01", cover=cover)
    assert tom.answer.status_code == 422
    await send(tom, "/away", first="2020-01-01", last="2099-12-31", cover=cover)
    assert "It is planned" in tom.page.text
    await ann.get(LISTS)
    assert "While away" in ann.page.text
    assert "cover for Tomás Gone RN" in ann.page.text
    await ann.get(address)
    await send(ann, "/claim")
    await send(ann, "/answer", text="It is there, and normal.", right_person="")
    assert "The answer is sent" in ann.page.text
    await retiree.get(f"{HOME}/me/thread/{thread}")
    assert "Taken on in place of" in retiree.page.text
    assert "It is there, and normal." in retiree.page.text


async def test_an_answer_to_another_than_whose_chart_was_open_has_to_be_confirmed(clinic, retiree, enter):
    thread = await write(retiree, subject="Right person", text="Mine.")
    retirees, other = clinic.hospital.persona("retiree").patient_id, None
    tom = await enter("Tomás Careful RN")
    await tom.get("/workspace/find?q=a")
    family = clinic.hospital.persona("retiree").family
    other = next(one.id for one in family.members if one.id != retirees)
    await tom.get(f"/workspace/patients/{other}")
    assert tom.answer.status_code == 200
    address = f"{LISTS}/{retirees}/{thread}"
    await tom.get(address)
    await send(tom, "/claim")
    assert "Another chart was open before" in tom.page.text
    await send(tom, "/answer", text="Take two.", right_person="")
    assert tom.answer.status_code == 422
    assert "Take two." in tom.answer.text, "what was typed stays"
    await send(tom, "/answer", text="Take two.", right_person=other)
    assert tom.answer.status_code == 422
    await send(tom, "/answer", text="Take two.", right_person=retirees)
    assert "The answer is sent" in tom.page.text


async def test_templates_are_kept_and_shown_where_one_answers(clinic, retiree, enter):
    thread = await write(retiree, subject="Template", text="?")
    tom = await enter("Tomás Words RN")
    await tom.get(f"{LISTS}/templates")
    await send(tom, "/templates", title="Normal <b>", text="Your result is normal.")
    assert "Normal <b>" in tom.page.text
    await tom.get(f"{LISTS}/{clinic.hospital.persona('retiree').patient_id}/{thread}")
    await send(tom, "/claim")
    assert 'data-template="Your result is normal."' in tom.answer.text


async def test_a_picture_is_looked_at_and_the_thread_is_settled_without_a_letter(clinic, retiree, enter):
    thread = await write(retiree, subject="A new rash", text="See the picture.", files=[("rash.png", PNG)])
    tom = await enter("Tomás Settles RN")
    await tom.get(f"{LISTS}/{clinic.hospital.persona('retiree').patient_id}/{thread}")
    picture = next(link for link in tom.page.links if "/file/" in link)
    answer = await tom.http.get(picture)
    assert answer.content == PNG
    assert answer.headers["content-disposition"].startswith("attachment")
    await send(tom, "/claim")
    await send(tom, "/close", note="")
    assert tom.answer.status_code == 422
    await send(tom, "/close", note="Seen at the desk this morning.")
    await retiree.get(f"{HOME}/me/thread/{thread}")
    assert "Seen at the desk this morning." in retiree.page.text


async def test_those_who_may_not_get_nothing(clinic, retiree, enter):
    thread = await write(retiree, subject="Secret subject", text="Secret words")
    patient_id = clinic.hospital.persona("retiree").patient_id
    pages = [(method, path) for path, _, methods in PART.pages for method in methods]
    stranger = await enter("Dr. Elsewhere", "physician", of="mother")
    scheduler = await enter("Sam Desk", "scheduler")
    async with Browser(clinic.hospital.origin) as nobody:
        await nobody.get("/signon/sign-in")
        for method, path in pages:
            address = "/workspace" + path.format(patient_id=patient_id, thread_id=thread, file_id="x", task_id="x")
            for who in (stranger, scheduler, retiree, nobody):
                form = {"csrf": who.page.csrf, "note": "x", "text": "x", "to": "x", "priority": "urgent"}
                answer = await (who.http.get(address) if method == "GET" else who.http.post(address, data=form))
                assert "Secret" not in answer.text, (method, path)
                if who is nobody:
                    assert answer.status_code == 303, (method, path)
                    assert "/sign-in" in answer.headers["location"]
                elif who is not stranger:
                    assert answer.status_code == 403, (method, path)
                elif "{patient_id}" in path:
                    assert answer.status_code == 404, (method, path)

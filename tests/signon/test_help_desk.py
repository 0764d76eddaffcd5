"""The help desk at its pages: from a call to a letter, and no record, no code and no address on the way."""

import re

import pytest

from tests.trail import account_of, rows_of

pytestmark = pytest.mark.server


@pytest.mark.requirement("V8.2.1")
async def test_a_call_is_answered_without_seeing_a_record_or_a_code(open_hospital, enter):
    retiree = open_hospital.persona("retiree")
    agent = await open_hospital.member("help-desk", None, display="Hella Help")
    caller = await open_hospital.person(retiree, premium=True)
    robert = await enter(caller)
    desk = await enter(agent)
    await desk.get("/signon/account")
    assert "/signon/help" in desk.page.links
    await desk.get("/signon/help")
    await desk.submit("/help", said="nobody-of-this-name")
    assert "No account has this name" in desk.page.text
    await desk.submit("/help", said=f" {caller.name.upper()} ")
    assert desk.path == "/signon/help/account"
    assert retiree.name in desk.page.title
    assert "authenticator app" in desk.page.text
    assert "Test browser" in desk.answer.text or "unknown browser" in desk.page.text

    await desk.submit("/help/post-code")
    assert "A letter is printed at the registration desk" in desk.page.text
    assert "Letter with a recovery code" in desk.page.text
    assert not re.search(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", desk.answer.text), "no code"
    await desk.submit("/help/post-code")
    assert desk.answer.status_code == 409
    await desk.submit("/help/sign-out")
    assert "signed out everywhere" in desk.page.text
    await robert.get("/signon/account")
    assert robert.path == "/signon/sign-in"

    for path in (f"/workspace/patients/{retiree.patient_id}", "/signon/staff"):
        answer = await desk.http.get(path)
        assert answer.status_code in (403, 404), path
        assert "Brien" not in answer.text
    acts = [one["interaction"] for one in await rows_of(open_hospital, actor=await account_of(open_hospital, agent))]
    looks = "help-look"
    wanted = ["help-find", "help-find", looks, "help-post-code", looks, looks, "help-sign-out", looks]
    assert [one for one in acts if one.startswith("help-")] == wanted
    answer = await desk.http.get("/signon/help", headers={"accept-language": "es"})
    assert "Mesa de ayuda" in answer.text


async def test_the_letter_is_printed_once_and_says_what_its_code_is_for(open_hospital, enter):
    mother = open_hospital.persona("mother")
    caller = await open_hospital.person(mother, premium=True)
    agent = await enter(await open_hospital.member("help-desk", None, display="Hal Help"))
    await agent.get("/signon/help")
    await agent.submit("/help", said=caller.name)
    await agent.submit("/help/post-code")
    clerk = await open_hospital.member(
        "registrar", open_hospital.facility_of(mother.patient_id), display="Cleo Clerk"
    )  # fmt: skip
    desk = await enter(clerk)
    await desk.get("/signon/clerk/letters")
    await desk.submit("/clerk/letters")
    assert "Your recovery code for Continuum" in desk.page.text
    await desk.get("/signon/clerk/letters")
    await desk.submit("/clerk/letters")
    assert "There are none to print" in desk.page.text


async def test_others_do_not_find_the_page(open_hospital, enter):
    for role, facility in (("administrator", None), ("nurse", "org-1")):
        browser = await enter(await open_hospital.member(role, facility, display="Nora Other"))
        await browser.get("/signon/help")
        await browser.submit("/help", said="anybody")
        assert browser.answer.status_code == 403
        await browser.get("/signon/help/account?account=nobody")
        assert browser.answer.status_code == 403
        assert "Only the help desk" in browser.page.text

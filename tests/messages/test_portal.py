"""People and their messages through the pages: written, sorted, answered to, with files, for a child."""

import hashlib

import asyncpg
import pytest

from continuum.runtime.postgres.address import Address
from tests.messages.letters import HOME, PNG, send, teams, write

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture
async def retiree(clinic):
    return await clinic.at("retiree", clinic.hospital.persona("retiree").name.split()[0])


@pytest.mark.requirement("V2.3.1")
async def test_nobody_writes_before_the_notice_about_emergencies(retiree):
    await retiree.get(f"{HOME}/me/new")
    assert retiree.path.endswith("/before")
    assert "call 911" in retiree.page.text


async def test_a_message_is_sent_and_says_until_when_it_is_answered(retiree):
    thread = await write(retiree, subject="My <b>knee</b>", text="It hurts <i>again</i>.")
    assert "It is sent" in retiree.page.text
    assert "The team answers until" in retiree.page.text
    assert "It hurts <i>again</i>." in retiree.page.text
    await retiree.get(f"{HOME}/me?folder=sent")
    assert "My <b>knee</b>" in retiree.page.text
    assert f"{HOME}/me/thread/{thread}" in retiree.page.links
    assert "waiting for the team" in retiree.page.text


async def test_files_go_with_a_message_and_come_back_as_they_were(retiree):
    files = [("rash.png", PNG), ("dia\u0301rio <b>.txt", "mañana".encode())]
    thread = await write(retiree, subject="Photo", files=files)
    assert "rash.png" in retiree.page.text
    links = [link for link in retiree.page.links if f"/thread/{thread}/file/" in link]
    assert len(links) == 2
    answer = await retiree.http.get(links[0])
    assert answer.content == PNG
    assert answer.headers["content-disposition"].startswith('attachment; filename="rash.png"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await retiree.http.get(links[1])).content == "mañana".encode()


@pytest.mark.requirement("V5.2.2")
async def test_a_file_that_is_not_what_it_says_is_refused_and_the_words_stay(retiree):
    assert await write(retiree, subject="Tool", text="Long words", files=[("tool.pdf", b"MZ" + bytes(200))]) == ""
    assert retiree.answer.status_code == 422
    assert "is not what its name says" in retiree.page.text
    assert "Long words" in retiree.answer.text
    await retiree.get(f"{HOME}/me?folder=drafts")
    assert "Tool" in retiree.page.text
    assert await write(retiree, files=[(f"{n}.txt", b"x") for n in range(5)]) == ""
    assert retiree.answer.status_code in {400, 413, 422}


async def test_a_form_sent_twice_makes_one_message(retiree):
    known = await teams(retiree)
    form = next(one for one in retiree.page.forms if "/new" in one.action)
    said = {
        **form.fields,
        "team": next(known[one] for one in known if "Family" in one),
        "category": "test",
        "subject": "Twice",
        "text": "Once.",
    }
    first = await retiree.http.post(form.action, data=said)
    second = await retiree.http.post(form.action, data=said)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    await retiree.get(f"{HOME}/me?folder=sent&q=Twice")
    assert "1 conversation found" in retiree.page.text


@pytest.mark.requirement("V2.2.1")
async def test_what_is_missing_is_said_beside_its_field(retiree):
    await teams(retiree)
    await send(retiree, "/new", team="", subject="", text="", category="nonsense")
    assert retiree.answer.status_code == 422
    for words in ("Choose whom you write to", "what it is about", "Choose what it is about", "The message is empty"):
        assert words in retiree.page.text


async def test_a_team_that_asks_for_a_typed_name_gets_it(clinic, retiree):
    assert await write(retiree, to="Behavioral Health", signature="Bob") == ""
    assert "Type your full name" in retiree.page.text
    name = next(
        one.name for one in clinic.hospital.persona("retiree").family.members
        if one.id == clinic.hospital.persona("retiree").patient_id
    )  # fmt: skip
    assert await write(retiree, to="Behavioral Health", signature=name.upper())
    assert "Signed:" in retiree.page.text


async def test_drafts_are_kept_sealed_and_folders_hold_what_is_moved(clinic, retiree):
    await teams(retiree)
    form = next(one for one in retiree.page.forms if "/new" in one.action)
    draft = f"{HOME}/me/draft/{form.fields['id']}"
    said = {"csrf": form.fields["csrf"], "subject": "Draft of mine", "text": "Zebra words", "signature": "never kept"}
    for number in ("1", "2"):
        answer = await retiree.http.post(draft, data=said)
        assert (answer.status_code, answer.headers["x-revision"]) == (200, number)
    await retiree.get(f"{HOME}/me?folder=drafts")
    assert "Draft of mine" in retiree.page.text
    await retiree.get(f"{HOME}/me/new?draft={form.fields['id']}")
    assert "Zebra words" in retiree.answer.text
    assert "never kept" not in retiree.answer.text
    conn = await asyncpg.connect(**Address.from_url(clinic.hospital.owner).connect)
    try:
        sealed = await conn.fetchval("SELECT sealed FROM messages.draft WHERE draft_id = $1", form.fields["id"])
    finally:
        await conn.close()
    assert b"Zebra" not in sealed
    await send(retiree, "/draft/")
    await retiree.get(f"{HOME}/me?folder=drafts")
    assert "Draft of mine" not in retiree.page.text

    thread = await write(retiree, subject="To be moved")
    await retiree.get(f"{HOME}/me/folders")
    await send(retiree, "/folders", name="<b>")
    assert retiree.answer.status_code == 422
    await send(retiree, "/folders", name="Knee  matters")
    assert "The folder is there" in retiree.page.text
    await retiree.get(f"{HOME}/me/thread/{thread}")
    await send(retiree, "/move", folder="Knee matters")
    assert "To be moved" in retiree.page.text
    await retiree.get(f"{HOME}/me/folders")
    await send(retiree, "/folders", remove="Knee matters")
    assert "Only an empty folder" in retiree.page.text
    await retiree.get(f"{HOME}/me/thread/{thread}")
    await send(retiree, "/move", folder="trash")
    await retiree.get(f"{HOME}/me?folder=sent")
    assert "To be moved" not in retiree.page.text
    await retiree.get(f"{HOME}/me?q=to+be+MOVED")
    assert "To be moved" in retiree.page.text


@pytest.mark.requirement("V7.3.1", "V-222389")
async def test_a_draft_that_is_kept_by_itself_keeps_nobody_signed_in(clinic, retiree):
    await teams(retiree)
    form = next(one for one in retiree.page.forms if "/new" in one.action)
    draft, said = f"{HOME}/me/draft/{form.fields['id']}", {"csrf": form.fields["csrf"], "text": "Left on the table"}
    cookie = retiree.http.cookies["continuum-session"]
    digest = hashlib.sha256(cookie.encode()).digest()
    conn = await asyncpg.connect(**Address.from_url(clinic.hospital.owner).connect)
    active = "SELECT active_us FROM identity.session WHERE token_digest = $1"
    try:
        back = "UPDATE identity.session SET active_us = active_us - 60000000 WHERE token_digest = $1"
        await conn.execute(back, digest)
        before = await conn.fetchval(active, digest)
        assert (await retiree.http.post(draft, data=said)).text == "saved"
        assert await conn.fetchval(active, digest) == before
        await retiree.get(f"{HOME}/me")
        assert await conn.fetchval(active, digest) > before
        await conn.execute(
            "UPDATE identity.session SET active_us = active_us - 900000000 WHERE token_digest = $1", digest
        )
        answer = await retiree.http.post(draft, data=said)
        assert answer.headers["location"].startswith("/signon/sign-in?")
    finally:
        await conn.close()
        clinic.signed_in = {name: one for name, one in clinic.signed_in.items() if one is not retiree}
        await retiree.http.aclose()


async def test_a_mother_writes_for_her_toddler_and_not_for_her_teenager(clinic):
    family = clinic.hospital.persona("mother").family
    mother = await clinic.at("mother", clinic.hospital.persona("mother").name.split()[0])
    by_age = sorted(family.children, key=lambda one: one.born)
    toddler, teenager = by_age[-1], by_age[0]
    thread = await write(mother, who=toddler.id, to="Pediatrics", subject="Fever", text="39 degrees since noon.")
    assert "You write on behalf of your child" in mother.page.text
    assert mother.page.text.count("39 degrees since noon.") == 1
    await mother.get(f"{HOME}/{toddler.id}/thread/{thread}")
    assert mother.answer.status_code == 200
    await mother.get(f"{HOME}/me/thread/{thread}")
    assert mother.answer.status_code == 404, "each person's messages are under their own address"
    await mother.get(f"{HOME}/{teenager.id}")
    assert mother.answer.status_code == 403
    assert not any("Pediatrics" in words for words in await teams(mother)), "she is too old for it herself"
    stranger = clinic.hospital.persona("retiree").patient_id
    await mother.get(f"{HOME}/{stranger}")
    assert mother.answer.status_code == 404

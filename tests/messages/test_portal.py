"""People and their messages through the pages: written, sorted, answered to, with files, for a child."""

import pytest

from tests.messages.letters import HOME, send, teams, write

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture
async def retiree(clinic):
    return await clinic.at("retiree", clinic.hospital.persona("retiree").name.split()[0])


async def test_nobody_writes_before_the_notice_about_emergencies(retiree):
    await retiree.get(f"{HOME}/me/new")
    assert retiree.path.endswith("/before")
    assert "call 911" in retiree.page.text


async def test_a_message_is_sent_and_says_until_when_it_is_answered(retiree):
    thread = await write(retiree, subject="My <b>knee</b>", text="It hurts <i>again</i>.")
    assert "It is sent" in retiree.page.text, print(retiree.page.text)
    assert "The team answers until" in retiree.page.text
    assert "It hurts <i>again</i>." in retiree.page.text
    await retiree.get(f"{HOME}/me?folder=sent")
    assert "My <b>knee</b>" in retiree.page.text
    assert f"{HOME}/me/thread/{thread}" in retiree.page.links
    assert "waiting for the team" in retiree.page.text

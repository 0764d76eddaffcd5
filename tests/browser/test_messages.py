"""Messages in a real browser, both sides in one story: asked, taken, sorted, answered by cover while one is away."""

import re

import pytest

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
LISTS = "/workspace/messages"


async def asked(sam, who):
    """The sergeant writes on the phone."""
    await sam.sign_in(who, "/portal/messages/me")
    await sam.follow("Write a message")
    await sam.follow("It can wait: write")
    await sam.send_message("Ankle after the march", "It is swollen. May I take ibuprofen twice a day?")
    await sam.judged()
    assert "It is sent" in await sam.sight.focused()


async def claimed(tom, who):
    """The nurse takes it."""
    await tom.sign_in(who, LISTS)
    await tom.go(f"{LISTS}?list=all")
    await tom.page.get_by_role("button", name=re.compile("Take it.*Ankle")).first.click()
    await tom.page.wait_for_url("**done=claimed")
    await tom.judged()


async def goes_away(tom):
    """The nurse is away, and says who covers."""
    await tom.go(f"{LISTS}/away")
    await tom.page.fill("#first", "2020-01-01")
    await tom.page.fill("#last", "2099-12-31")
    await tom.page.select_option("#cover", label="Ann Baker RN")
    await tom.press("Plan it")
    await tom.page.wait_for_url("**done=planned")
    await tom.judged()


async def test_a_sergeants_question_is_claimed_triaged_and_answered_by_cover_while_the_nurse_is_away(
    hospital, look, person
):
    sergeant = hospital.persona("sergeant")
    facility = hospital.facility_of(sergeant.patient_id)
    asking = await hospital.person(sergeant, premium=True)
    nurse = await hospital.member("nurse", facility, display="Tomás Reyes RN")
    cover = await hospital.member("nurse", facility, display="Ann Baker RN")
    hospital = hospital.elsewhere()
    async with (
        look(width=320, height=700, origin=hospital.origin) as phone,
        look(origin=hospital.origin) as desk,
        look(origin=hospital.origin) as other,
    ):
        sam, tom, ann = person(phone), person(desk), person(other)
        with hospital.open():
            await asked(sam, asking)
            thread = sam.page.url.partition("?")[0].removeprefix(hospital.origin)
        with hospital.open():  # The server goes and comes back at every turn; nothing of it is lost.
            await claimed(tom, nurse)
            banner = await tom.page.inner_text(".patient")
            assert sergeant.name.split()[-1] in banner
        with hospital.open():
            await tom.page.locator("summary", has_text="Urgency").press("Enter")
            await tom.page.select_option("#priority", "urgent")
            await tom.press("Change")
            await tom.page.wait_for_url("**done=triaged")
        with hospital.open():
            await goes_away(tom)
        with hospital.open():
            await ann.sign_in(cover, LISTS)
            assert "cover for Tomás Reyes RN" in await ann.main()
            await ann.follow("Ankle after the march")
            await ann.press("Take it")
            await ann.page.wait_for_url("**done=claimed")
            await ann.page.fill("#text", "Yes, with food, for three days. Come in on Thursday if it stays swollen.")
            await ann.judged()
        await ann.page.get_by_role("button", name="Send the answer").click()
        await ann.page.get_by_role("alert").get_by_text("what you typed stays here").wait_for()
        with hospital.open():
            await ann.press("Send the answer")
            await ann.page.wait_for_url("**done=answered")
            await ann.judged()

            await sam.go("/portal/messages/me")
            assert "Ankle after the march" in await sam.main()
            await sam.go(thread)
            shown = await sam.main()
            for words in ("Taken on", "Sorted by urgency", "Taken on in place of", "Answered", "with food"):
                assert words in shown
            # As somebody hears it: what it is about, what has happened since in order, what was said, what can be done.
            heard = await sam.page.locator("main").aria_snapshot()
            turns = ('heading "Ankle after the march"', "May I take", "with food", 'list "What has happened since"',
                     "Taken on", "Sorted by urgency", "Taken on in place of", "Answered")  # fmt: skip
            assert sorted(turns, key=heard.index) == list(turns)
        for sight in (phone, desk, other):
            assert [one for one in sight.complaints if "ERR_CONNECTION" not in one] == []


@pytest.mark.requirement("V14.3.3")
async def test_what_is_typed_is_kept_through_a_lost_connection_and_a_crash(hospital, look, person):
    """Every ten seconds on the server; while that is away, encrypted on a device that the person says is theirs."""
    veteran = hospital.persona("retiree")
    asking = await hospital.person(veteran, premium=True)
    hospital = hospital.elsewhere()
    async with look(origin=hospital.origin) as sight:
        vic = person(sight)
        with hospital.open():
            await vic.sign_in(asking, "/portal/messages/me")
            await vic.go("/portal/messages/me/new?read=yes")
            await vic.page.fill("#subject", "Prosthesis")
            await vic.page.fill("#text", "The socket hurts.")
            await vic.page.locator("#draft-state", has_text="Kept").wait_for(timeout=20_000)
            await vic.choose("This is my own device")
        await vic.page.fill("#text", "The socket hurts. Worse on stairs.")
        await vic.page.locator("#draft-state", has_text="trying again").wait_for(timeout=20_000)
        kept = await vic.page.evaluate("() => JSON.stringify({...localStorage})")
        assert "continuum-copy" in kept
        assert "stairs" not in kept, "nothing is on the disk in clear"
        # The tab dies with what was typed; the browser keeps the session.
        crashed = await sight.context.new_page()
        await vic.page.close(run_before_unload=False)
        sight.page = vic.page = crashed
        with hospital.open():
            await vic.go("/portal/messages/me/new?read=yes")
            await vic.page.locator("#draft-state").get_by_text(re.compile("is back|Kept")).wait_for()
            assert await vic.page.input_value("#text") == "The socket hurts. Worse on stairs."
            await vic.page.locator("#draft-state", has_text="Kept").wait_for(timeout=20_000)
            assert "continuum-copy" not in await vic.page.evaluate("() => JSON.stringify({...localStorage})")
            await vic.go("/portal/messages/me?folder=drafts")
            assert "Prosthesis" in await vic.main()

"""Appointments in a real browser, both sides in one story; the server away or killed between."""

import re
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tests.hospital import SignIn

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
HOME = "/portal/appointments"
TARGET_PX = 24
"""How high what is touched must be (WCAG 2.2, 2.5.8)."""


async def found(them, who, kind):
    """Looks for a time until the server has opened its calendars."""
    for _ in range(60):
        await them.sight.go(f"{HOME}/{who}/find")
        await them.page.select_option("#need", label=kind)
        await them.press("Find times")
        if await them.page.locator(".time").count():
            break
        await them.page.wait_for_timeout(250)
    await them.judged()
    return them.page.locator(".time")


async def latest(them, times):
    """Takes the last of the times at which they have no other appointment, with the keyboard alone."""
    addresses = [await one.get_attribute("href") for one in await times.all()]
    for address in reversed(addresses):
        await them.page.locator(f".time[href='{address}']").focus()
        await them.page.keyboard.press("Enter")
        await them.page.get_by_role("button", name="Book it").focus()
        async with them.page.expect_navigation():
            await them.page.keyboard.press("Enter")
        if them.page.url.endswith("done=booked"):
            return
        assert "another appointment" in await them.main()
        await them.page.go_back()
        await them.page.go_back()
    raise AssertionError("each time is another appointment's")


async def checked_in_from_home(ines):
    """The questions with their conditions: what is missing is said, and what was answered stays."""
    await ines.follow("Check in")
    await ines.choose("hardly anything")
    await ines.page.get_by_text("A child who hardly drinks may need help today").wait_for()
    await ines.judged()
    await ines.press("I am coming: check me in")
    await ines.judged()
    assert "problem" in await ines.sight.focused()
    for group, words in (
        ("q-fever", "No"), ("q-better", "getting worse"), ("q-pain", "No"), ("q-medicines", "No"),
    ):  # fmt: skip
        field = ines.page.locator(f"fieldset:has(input[name={group}])")
        await field.locator("label", has_text=words).first.click()
        await ines.page.wait_for_timeout(150)
    await ines.press("I am coming: check me in")
    assert "You are checked in" in await ines.sight.focused()
    await ines.judged()


async def roomed(nurse, booked):
    """The nurse reads that he is checked in from home, and takes him through the clinic; the pages fit a phone too."""
    await nurse.go(f"/workspace/clinic/{booked}")
    words = await nurse.main()
    assert "Mateo" in words
    assert "He pulls his ear" in words
    for step in ("Check in", "To a room", "Begin", "Done"):
        await nurse.page.get_by_role("button", name=re.compile(f"^{step}")).first.click()
        await nurse.page.wait_for_load_state()
        await nurse.go(f"/workspace/clinic/{booked}")
    assert "over" in await nurse.main()
    day = await nurse.page.locator("dd time").first.get_attribute("datetime")
    for path in ("/workspace/clinic", f"/workspace/clinic/day?date={day[:10]}", "/workspace/clinic/calendars",
                 "/workspace/clinic/waiting", "/workspace/clinic/walk-in?q=nunez"):  # fmt: skip
        await nurse.go(path)
        if "date=" in path:
            # Two people of one time stand under each other: each name is large enough to be hit alone.
            heights = await nurse.page.eval_on_selector_all(
                ".day-table td a, .day-table td button", "all => all.map(one => one.getBoundingClientRect().height)"
            )
            assert heights
            assert min(heights) >= TARGET_PX
    await nurse.page.set_viewport_size({"width": 320, "height": 700})
    for path in ("/workspace/clinic", "/workspace/clinic/day", "/workspace/clinic/calendars"):
        await nurse.go(path)


async def test_a_mother_books_for_her_toddler_checks_him_in_the_clinic_rooms_him_and_she_reads_of_the_visit(
    hospital, look, person
):
    """One story on both sides, at her phone and at the clinic's desk; the server goes away at every turn of it."""
    hospital = hospital.elsewhere()
    story = hospital.persona("mother")
    who: SignIn = await hospital.person(story, premium=True)
    toddler = next(one.id for one in story.family.members if one.name.startswith("Mateo"))
    member = await hospital.member("nurse", hospital.facility_of(toddler), display="Nurse Quill")
    async with look(width=320, origin=hospital.origin) as phone, look(origin=hospital.origin) as desk:
        ines, nurse = person(phone), person(desk)
        with hospital.open():
            await ines.sign_in(who, "/portal")
            await nurse.sign_in(member, "/workspace")
            await ines.go(HOME)
            await ines.page.get_by_role("link", name=re.compile("Mateo")).first.click()
            await ines.judged()
            assert "These are the appointments of Mateo" in await ines.page.locator(".whose").inner_text()
            await found(ines, toddler, "Pediatric specialty")
            await ines.page.locator(".time").nth(2).click()
            await ines.judged()
            assert "until 60 minutes before" in await ines.main(), "the rules are said before"
            await ines.page.fill("#comment", "He pulls his ear")
        await ines.page.get_by_role("button", name="Book it").click()
        await ines.page.get_by_role("alert").get_by_text("what you typed stays here").wait_for()
        assert await ines.page.input_value("#comment") == "He pulls his ear"
        with hospital.open():
            # Nothing was booked half, nothing was forgotten: the same page sends it once the server is back.
            await ines.press("Book it")
            await ines.page.wait_for_url("**done=booked")
            await ines.judged()
            assert "It is booked" in await phone.focused()
            assert "He pulls his ear" in await ines.main()
            booked = ines.page.url.partition("?")[0].rpartition("/")[2]
        with hospital.open():
            await ines.go(f"{HOME}/{toddler}/{booked}")
            if await ines.page.get_by_role("link", name="Check in", exact=True).count():
                await checked_in_from_home(ines)
        with hospital.open():
            await roomed(nurse, booked)
        with hospital.open():
            await ines.go(f"/portal/record/{toddler}/visits")
            assert str(datetime.now(UTC).year) in await ines.main()
            await ines.go(f"{HOME}/{toddler}/{booked}")
            assert "over" in await ines.main()
        for sight in (phone, desk):
            assert [one for one in sight.complaints if "ERR_CONNECTION" not in one and "422" not in one] == []


async def test_a_retiree_takes_an_earlier_time_with_the_keyboard_alone_though_the_server_is_killed(
    hospital, look, person
):
    home = hospital.elsewhere()
    robert = await home.person(home.persona("retiree"), premium=True)
    other = await home.person(home.persona("captain"), premium=True)
    async with AsyncExitStack() as stack:
        first = stack.enter_context(ExitStack())
        running = first.enter_context(home.open())
        one, two = [await stack.enter_async_context(look(origin=home.origin)) for _ in range(2)]
        mine, theirs = person(one), person(two)
        await mine.sign_in(robert, "/portal")
        await theirs.sign_in(other, "/portal")
        times = await found(mine, "me", "Audiological medicine")
        # What begins within hours is not offered any more; other tests take the days between.
        day = (datetime.now(UTC) + timedelta(days=8)).date().isoformat()
        await mine.page.fill("[name=from]", day)
        await mine.press("Find times")
        early = await times.first.get_attribute("href")
        await latest(mine, times)
        await theirs.go(early)
        await theirs.press("Book it")
        await theirs.page.wait_for_url("**done=booked")
        await mine.page.get_by_role("button", name="Tell me of an earlier time").focus()
        await mine.page.keyboard.press("Enter")
        await mine.page.wait_for_url("**done=waiting")
        await mine.judged()

        # The server dies while he waits; his place on the list does not.
        running.process.kill()
        first.close()
        stack.enter_context(home.open())
        await theirs.follow("Call off")
        await theirs.press("Call it off")
        await theirs.judged()
        for _ in range(60):
            await mine.go(HOME)
            if await mine.page.get_by_role("link", name="Look at the offer").count():
                break
            await mine.page.wait_for_timeout(250)
        await mine.page.get_by_role("link", name="Look at the offer").first.focus()
        await mine.page.keyboard.press("Enter")
        await mine.page.get_by_role("button", name="Take it").wait_for()
        await mine.judged()
        await mine.page.get_by_role("button", name="Take it").focus()
        await mine.page.keyboard.press("Enter")
        await mine.page.wait_for_url("**done=taken")
        assert "The earlier time is yours" in await one.focused()
        await mine.judged()
        assert [said for said in (*one.complaints, *two.complaints) if "ERR_CONNECTION" not in said] == []


async def test_every_page_of_appointments_reads_in_spanish_and_prints(open_hospital, look, person):
    robert = await open_hospital.person(open_hospital.persona("boatswain"), premium=True)
    async with look(origin=open_hospital.origin, locale="es-US", color_scheme="dark") as sight:
        them = person(sight)
        await sight.go("/signon/sign-in")
        if "/notice" in sight.page.url:
            await sight.page.locator("main button").click()
        await sight.page.fill("#name", robert.name)
        await sight.page.fill("#password", "sandpiper-harbor-lantern-42")
        await sight.page.locator("main form button[type=submit]").first.click()
        await sight.page.wait_for_selector("#code")
        await sight.page.fill("#code", robert.code())
        await sight.page.locator("main form button[type=submit]").first.click()
        await sight.page.wait_for_url("**/account")
        for path, words in ((HOME, "Citas"), (f"{HOME}/me/find", "Reservar una cita")):
            await them.sight.go(path)
            assert words in await them.main()
            await them.judged()
        assert sight.complaints == []

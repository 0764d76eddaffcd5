"""A family moves to a base that is not live and back: the registrar, the mother and the planner in one story."""

import json
import os
import re
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from continuum.samples.places import world
from tests.hospital import PASSWORD

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
TORREY = world().sites["torrey-hospital"]
GRAYCLIFF = world().sites["graycliff-hospital"]


def today(days=0):
    return (datetime.now(TORREY.zone).date() + timedelta(days=days)).isoformat()


def older_file(person, start):
    """What the older portal of the base exports of Inés: an appointment and a conversation."""
    system = "urn:example:older-portal"
    rows = [
        {"row": "person", "key": "1", "dod_id": person.dod_id, "family": "Núñez", "given": "Inés María",
         "born": person.born.isoformat()},
        {"row": "appointment", "person": "1", "origin": {"system": system, "key": "A-1"}, "status": "booked",
         "start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat(), "kind": "Family medicine",
         "clinician": "", "place": "Torrey clinic, room 4", "reason": "headaches"},
        {"row": "thread", "person": "1", "origin": {"system": system, "key": "T-1"}, "subject": "Migraine plan",
         "category": "general", "team": "Family Health Team", "state": "answered", "messages": [
             {"origin": {"system": system, "key": "1"}, "sent": "2026-11-20T18:00:00+00:00", "from": "person",
              "name": "Inés Núñez", "text": "May I keep my plan for the migraines?", "files": []},
             {"origin": {"system": system, "key": "2"}, "sent": "2026-11-21T18:00:00+00:00", "from": "team",
              "name": "Nurse Okafor", "text": "Yes. Bring your diary to the first visit.", "files": []}]},
    ]  # fmt: skip
    broken = {"row": "appointment", "person": "1", "origin": {"system": system, "key": "A-2"}, "status": "booked",
              "start": "soon", "end": "later"}  # fmt: skip
    begin = {"row": "begin", "form": "continuum-cutover", "version": 1, "system": system,
             "made": "2026-11-22T08:00:00Z", "facility": {"id": TORREY.organization, "name": TORREY.name}}  # fmt: skip

    def lines(some):
        return "\n".join(json.dumps(one) for one in (begin, *some, {"row": "end", "rows": len(some)})).encode()

    return lines(rows), lines([*rows, broken])


def contents(path):
    return Path(path).read_text(encoding="utf-8")


async def shot(sight, name):
    """Keeps a picture for whoever wants to look: PICTURES_FOLDER names a folder."""
    folder = os.environ.get("PICTURES_FOLDER")
    if folder:
        await sight.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def upload(them, data, button):
    await them.page.set_input_files(
        "#file", {"name": "torrey.ndjson", "mimeType": "application/x-ndjson", "buffer": data}
    )
    await them.page.get_by_role("button", name=button, exact=True).click()
    await them.page.wait_for_load_state()
    await them.judged()


async def plan_move(them, name, to, button):
    await them.go(f"/workspace/moves?q={name}")
    await them.page.get_by_role("link", name=re.compile("Inés")).first.click()
    await them.judged()
    await them.page.select_option("#to", to.organization)
    await them.page.fill("#day", datetime.now(to.zone).date().isoformat())
    await them.press(button)
    await them.judged()


async def orders_come(clerk):
    # The orders come: the registrar plans the move of all four.
    await clerk.go("/workspace/moves?q=nunez ines")
    await shot(clerk.sight, "moves")
    await clerk.page.get_by_role("link", name=re.compile("Inés")).first.click()
    await clerk.judged()
    assert await clerk.page.locator("#who input:checked").count() == 4
    await clerk.press("Plan it")
    await clerk.judged()
    assert "problem" in await clerk.sight.focused(), "nothing was chosen, and what was typed stands"
    await shot(clerk.sight, "move-problem")
    await clerk.page.select_option("#to", TORREY.organization)
    await clerk.page.fill("#day", today(20))
    await clerk.press("Plan it")
    await clerk.judged()
    assert "The move is planned" in await clerk.sight.focused()
    await shot(clerk.sight, "moves-planned")


async def told_before(mother):
    # Before the move she is told, sees what works where, and books as ever.
    await mother.go("/portal")
    assert "Your care moves" in await mother.main()
    await shot(mother.sight, "home-before-320")
    await mother.follow("What works where")
    words = await mother.main()
    assert "Camp Torrey Pass" in words
    assert "TRICARE Online" in words
    await shot(mother.sight, "care-before-320")
    await mother.go("/portal/appointments/me/find")
    assert "still uses the older portal" not in await mother.main()


async def on_the_day(clerk, mother, ines):
    # The orders change: it is today. The next page that she opens says so.
    await plan_move(clerk, "nunez ines", TORREY, "Change it")
    await mother.go("/portal")
    assert "Your care has moved" in await mother.main()
    await shot(mother.sight, "home-after-320")
    await mother.follow("The way over")
    assert "another system with its own sign-in" in await mother.main()
    await shot(mother.sight, "over-320")
    assert await mother.page.locator('a[href="https://www.tricareonline.com"]').count() == 1
    async with mother.page.expect_download() as waiting:
        await mother.page.get_by_role("link", name="Download the file").click()
    taken = contents(await (await waiting.value).path())
    assert json.loads(taken.splitlines()[0])["form"] == "continuum-cutover"
    assert ines.dod_id in taken
    await mother.go("/portal/appointments/me/find")
    assert "still uses the older portal" in await mother.main()
    assert await mother.page.locator(".time").count() == 0
    await shot(mother.sight, "find-320")

    await mother.go("/portal/messages/me/new?read=yes")
    assert "still uses the older portal" in await mother.main()


async def planned(planner, mother):
    # The planner looks, rehearses, brings in the data, and takes the facility live.
    await planner.go("/workspace/waves")
    await shot(planner.sight, "waves")
    await planner.page.fill("#name-new", "Wave 9, Pacific")
    await planner.press("Plan it")
    await planner.judged()
    assert await planner.page.input_value("#name-new") == "Wave 9, Pacific", "what was typed stands"
    await planner.page.fill("#day-new", today(40))
    await planner.press("Plan it")
    await planner.judged()
    await planner.page.select_option("#facility", TORREY.organization)
    await planner.page.select_option("#into", label="Wave 9, Pacific")
    await planner.press("Put it there")
    await planner.judged()
    await mother.go("/portal/care")
    assert "goes live on Continuum on" in await mother.main(), "her page follows at once"
    await planner.go(f"/workspace/waves/facility/{TORREY.organization}")
    await shot(planner.sight, "facility")


async def brought_in_and_live(planner, mother, ines):
    start = datetime.now(TORREY.zone).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=7)
    whole, broken = older_file(ines, start)
    await upload(planner, broken, "Rehearse")
    words = await planner.main()
    assert "Line 5:" in words
    assert "is not an instant" in words
    await shot(planner.sight, "facility-rehearsed")
    await mother.go("/portal/appointments")
    assert "headaches" not in await mother.main()
    await upload(planner, whole, "Bring it in")
    await upload(planner, whole, "Bring it in")
    await planner.press("Write to them")
    await planner.judged()
    await shot(planner.sight, "facility-imported")
    await planner.page.get_by_text("Go live today").first.click()
    await planner.press("Go live today")
    await planner.judged()
    assert "It is live" in await planner.sight.focused()


async def brought_back(mother):
    # She is brought back: the card, the appointment, the conversation, and booking works.
    await mother.go("/portal")
    assert "Your facility is on Continuum now" in await mother.main()
    await shot(mother.sight, "home-live-320")
    await mother.follow("See your appointments")
    clock = await mother.page.locator(".visit__clock").all_inner_texts()
    assert clock.count("09:00") == 1, "once, though the file came twice"
    await mother.go("/portal/messages/me")
    await mother.page.get_by_role("link", name=re.compile("Migraine plan")).first.click()
    await mother.judged()
    assert "Bring your diary" in await mother.main()
    await mother.go("/portal/appointments/me/find")
    assert "still uses the older portal" not in await mother.main()


async def and_back(there, mother):
    # The staff there have it too; and the family moves back with all of it.
    await plan_move(there, "nunez ines", GRAYCLIFF, "Plan it")
    await mother.go("/portal/care")
    assert "Graycliff" in await mother.main()
    await mother.go("/portal/appointments/me")
    # Its hour is that of the place where it is, which is another zone than hers by now, and says so.
    clock = await mother.page.locator(".visit__clock").all_inner_texts()
    assert sum(one in {"09:00 PST", "09:00 PDT"} for one in clock) == 1, clock
    await mother.go("/portal/messages/me")
    assert "Migraine plan" in await mother.main()


async def at_a_phone(planner, clerk):
    await planner.page.set_viewport_size({"width": 320, "height": 700})
    for path, name in (("", "waves"), (f"/facility/{TORREY.organization}", "facility")):
        await planner.go(f"/workspace/waves{path}")
        await shot(planner.sight, f"{name}-320")
    await clerk.page.set_viewport_size({"width": 320, "height": 700})
    await clerk.go("/workspace/moves?q=nunez")
    await clerk.go("/workspace/waves")


async def test_a_family_moves_to_a_base_that_is_not_live_and_back_though_the_server_goes_away(hospital, look, person):
    hospital = hospital.elsewhere()
    story = hospital.persona("mother")
    ines = next(one for one in story.family.members if one.id == story.patient_id)
    mother_in = await hospital.relative(story, story.patient_id)
    clerk_in = await hospital.member("registrar", GRAYCLIFF.organization, display="Clerk Ames")
    there_in = await hospital.member("registrar", TORREY.organization, display="Clerk Torres")
    planner_in = await hospital.member("administrator", None, display="Planner Reed")
    await hospital.member("nurse", TORREY.organization, display="Nurse Vale")
    async with AsyncExitStack() as stack:
        widths = (1280, 320, 1280, 1280)
        sights = [await stack.enter_async_context(look(width=one, origin=hospital.origin)) for one in widths]
        clerk, mother, planner, there = map(person, sights)
        with hospital.open():
            await clerk.sign_in(clerk_in, "/workspace")
            await mother.sign_in(mother_in, "/portal")
            await planner.sign_in(planner_in, "/workspace")
            await there.sign_in(there_in, "/workspace")
            await orders_come(clerk)
        with hospital.open():
            await told_before(mother)
            await on_the_day(clerk, mother, ines)
        with hospital.open():
            await planned(planner, mother)
            await brought_in_and_live(planner, mother, ines)
        with hospital.open():
            await brought_back(mother)
            await and_back(there, mother)
            await at_a_phone(planner, clerk)
        heard = [text for sight in sights for text in sight.complaints]
        assert [text for text in heard if "422" not in text and "ERR_CONNECTION" not in text] == []


async def test_where_the_care_is_reads_in_spanish_and_in_the_dark(open_hospital, look, person):
    retiree = await open_hospital.person(open_hospital.persona("retiree"), premium=True)
    async with look(origin=open_hospital.origin, width=320, color_scheme="dark") as sight:
        robert = person(sight)
        await robert.sign_in(retiree, "/portal")
        await robert.go("/portal/care")
        assert "on Continuum" in await robert.main()
        await robert.go("/portal/care/over")
        assert "You need no way over" in await robert.main()
    async with look(origin=open_hospital.origin, locale="es-US") as sight:
        again = await open_hospital.person(open_hospital.persona("retiree"), premium=True)
        await sight.go("/signon/sign-in?next=/portal")
        if "/notice" in sight.page.url:
            await sight.page.locator("main button").click()
        await sight.page.fill("#name", again.name)
        await sight.page.fill("#password", PASSWORD)
        await sight.page.locator("main form button[type=submit]").first.click()
        await sight.page.wait_for_selector("#code")
        await sight.page.fill("#code", again.code())
        await sight.page.locator("main form button[type=submit]").first.click()
        await sight.page.wait_for_url("**/portal")
        robert = person(sight)
        await robert.go("/portal/care")
        assert "Dónde se atiende" in await robert.main()
        assert sight.complaints == []

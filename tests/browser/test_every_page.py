"""Every page of workspace, portal and sign-on, walked link by link: WCAG 2.2 AA, wide and narrow, light and dark, CSP.

A new page that no walk comes to, and that is not named here with a reason, fails.
"""

import re

import pytest

from continuum.chart.section import sections
from tests.browser.walking import Walk
from tests.routes import ROUTES
from tests.trail import account_of

pytestmark = [pytest.mark.server, pytest.mark.timeout(900)]
URGENT = ("988", "838255", "911")
"""Whom to call stands on every page of the portal."""


def routes(of):
    """The pages of an app that can be opened."""
    return [path for app, method, path in ROUTES if app == of and method == "GET"]


async def has_written_and_booked(them):
    """A message, a note, a request for correction and an appointment, as somebody makes them on the way.

    Returns:
        where times were found, the appointment, and a time that is free.
    """
    await them.go("/portal/messages/me/new?read=yes")
    await them.send_message("Tablets", "May I halve them?")
    await them.go("/portal/record/me/problems")
    await them.page.get_by_role("link", name="Ask for a correction").first.click()
    await them.page.fill("#text", "This began a year later.")
    await them.press("Send")
    await them.page.wait_for_url("**done=asked")
    await them.go("/portal/record/me/own/new/note")
    await them.page.fill("#text", "Slept badly.")
    await them.press("Keep it")
    await them.page.wait_for_url("**done=own")
    await has_nothing_ahead(them)
    for _ in range(60):  # until the server has opened its calendars
        await them.sight.go("/portal/appointments/me/find")
        await them.page.select_option("#need", label="Audiological medicine")
        await them.press("Find times")
        if await them.page.locator(".time").count():
            break
        await them.page.wait_for_timeout(250)
    searched = them.page.url.removeprefix(them.sight.origin)
    await them.page.locator(".time").nth(3).click()
    await them.press("Book it")
    assert them.page.url.endswith("done=booked"), await them.main()
    booked = them.page.url.partition("?")[0].rpartition("/")[2]
    await them.sight.go(searched)
    free = await them.page.locator(".time").last.get_attribute("href")
    return searched, booked, free.rpartition("/")[2]


async def has_nothing_ahead(them):
    """Calls off what others of these tests have booked: nobody has more than twelve appointments, nor two at once."""
    await them.sight.go("/portal/appointments/me")
    for address in await them.page.locator(".visit a").evaluate_all("all => all.map((one) => one.pathname)"):
        await them.sight.go(address)
        if await them.page.get_by_role("link", name="Call off").count():
            await them.sight.go(f"{address}/cancel")
            await them.press("Call it off")


async def test_every_page_of_the_portal_keeps_the_rules_and_says_whom_to_call(open_hospital, look, person):
    elsewhere = {
        "/portal/record/{who}/take-along/file", "/portal/messages/{who}/thread/{thread_id}/file/{file_id}",
        "/portal/appointments/{who}/{entry_id}/calendar.ics", "/portal/care/over/file",  # files, not pages
        "/portal/record/{who}/disclosures/file",
        "/portal/appointments/{who}/offer/{entry_id}",  # test_appointments: a time that somebody else gave back
    }  # fmt: skip
    walk = Walk(routes("portal"), frozenset(elsewhere))
    async with look(origin=open_hospital.origin) as sight:
        robert = person(sight)
        await robert.sign_in(await open_hospital.person(open_hospital.persona("retiree"), premium=True), "/portal")
        searched, _, _ = await has_written_and_booked(robert)
        await walk.go(
            robert, "/portal", searched, "/portal/care/over", "/portal/record/me/search?q=gout",
            "/portal/messages/me?q=tablets",
            *(f"/portal/record/me/{key}" for key in sections()), "/portal/record/me/own/new/note",
            "/portal/premium", "/portal/messages/me/new?read=yes", says=URGENT,
        )  # fmt: skip
    async with look(origin=open_hospital.origin) as sight:
        ines = person(sight)
        await ines.sign_in(await open_hospital.person(open_hospital.persona("mother"), premium=True), "/portal")
        await walk.go(ines, "/portal/family", says=URGENT)
    assert sorted(walk.missed) == []


async def test_every_page_of_the_workspace_keeps_the_rules(open_hospital, look, person):
    retiree = open_hospital.persona("retiree")
    facility = open_hospital.facility_of(retiree.patient_id)
    elsewhere = {
        "/workspace/palette",  # a part of every page
        "/workspace/leaflets/{piece}", "/workspace/messages/{patient_id}/{thread_id}/file/{file_id}",
        "/workspace/waves/facility/{facility_id}/export",  # files, not pages
        "/workspace/waves/facility/{facility_id}/unmatched/{entry_id}",  # test_cutover: data of a facility that joins
        "/workspace/clinic/waiting/{entry_id}",  # appointments/test_clinic: somebody who waits is offered a time
    }  # fmt: skip
    walk = Walk(routes("workspace"), frozenset(elsewhere))
    chart = f"/workspace/patients/{retiree.patient_id}"
    async with look(origin=open_hospital.origin) as sight:
        robert = person(sight)
        await robert.sign_in(await open_hospital.person(retiree, premium=True), "/portal")
        _, booked, free = await has_written_and_booked(robert)
    for role, first in (
        ("physician", ("/workspace", "/workspace/find?q=obrian", "/workspace/find?q=zzzz", chart,
                       "/workspace/emergency", "/workspace/messages?list=all")),
        ("scheduler", ("/workspace", f"/workspace/clinic/{booked}", f"/workspace/clinic/book/{free}",
                       f"/workspace/clinic/group/{free}",
                       "/workspace/clinic", "/workspace/clinic/walk-in?q=obrien")),
        ("registrar", ("/workspace/moves?q=obrien", f"/workspace/moves/plan/{retiree.patient_id}", "/workspace/waves",
                       "/workspace/representatives?q=obrien",
                       f"/workspace/representatives/{retiree.patient_id}")),
        ("administrator", ("/workspace/waves", f"/workspace/waves/facility/{facility}/data")),
    ):  # fmt: skip
        place = None if role == "administrator" else facility
        who = await open_hospital.member(role, place, display=f"Walker {role}")
        async with look(origin=open_hospital.origin) as sight:
            them = person(sight)
            await them.sign_in(who, "/workspace")
            await walk.go(them, *first)
    assert sorted(walk.missed) == []


async def test_every_page_of_sign_on_keeps_the_rules(open_hospital, look, person):
    facility = open_hospital.facility_of(open_hospital.persona("retiree").patient_id)
    elsewhere = {
        "/signon/elsewhere/{key}/back", "/signon/go-on", "/signon/authorize", "/signon/authorize/go-on",
        "/signon/end-session",  # on the way of programs and other providers; each leads on
        "/signon/left", "/signon/emergencies/news",  # what pages ask by themselves: test_still_there, test_emergency
    }  # fmt: skip
    walk = Walk(routes("signon"), frozenset(elsewhere))
    helped = await open_hospital.person(open_hospital.persona("sergeant"), premium=True)
    async with look(origin=open_hospital.origin) as sight:
        await walk.go(person(sight), "/signon/notice", "/signon/sign-in", "/signon/register", "/signon/enrol",
                      "/signon/signed-out")  # fmt: skip
    for role, first in (
        ("administrator", ("/signon/account", "/signon/staff", "/signon/staff?q=walker")),
        ("registrar", ("/signon/clerk/proof", "/signon/clerk/letters", "/signon/premium")),
        ("privacy-officer", ("/signon/emergencies",)),
        ("help-desk", ("/signon/help", f"/signon/help/account?account={await account_of(open_hospital, helped)}")),
    ):
        place = None if role in {"administrator", "privacy-officer", "help-desk"} else facility
        who = await open_hospital.member(role, place, display=f"Walker {role}")
        async with look(origin=open_hospital.origin) as sight:
            them = person(sight)
            await them.sign_in(who, "/signon/account")
            await walk.go(them, *first)
    async with look(origin=open_hospital.origin) as sight:
        robert = person(sight)
        await robert.sign_in(await open_hospital.person(open_hospital.persona("retiree"), premium=True), "/portal")
        await walk.go(robert, "/signon/who-looked")
    assert sorted(walk.missed) == []


@pytest.mark.parametrize("width", [1280, 320])
async def test_records_are_read_without_script(open_hospital, look, width):
    """Sign in, read chart and record, find, follow the menus: all of it is seen, and no button is dead."""
    retiree = open_hospital.persona("retiree")
    member = await open_hospital.member("physician", open_hospital.facility_of(retiree.patient_id), display="Dr. Plain")
    own = await open_hospital.person(retiree, premium=True)
    for who, home, steps in (
        (member, "/workspace", ("O'Brien, Robert James", "Laboratory", "Timeline", "Earlier entries")),
        (own, "/portal", ("My record", "Lab results", "Hemoglobin A1c", "Timeline", "Earlier entries", "Family")),
    ):
        async with look(width=width, origin=open_hospital.origin, java_script_enabled=False) as sight:
            page = sight.page
            await sight.go(f"/signon/sign-in?next={home}")
            await page.get_by_role("button", name=re.compile("I have read")).click()
            await page.fill("#name", who.name)
            await page.fill("#password", "sandpiper-harbor-lantern-42")
            await page.get_by_role("button", name="Sign in", exact=True).click()
            await page.fill("#code", who.code())
            await page.get_by_role("button", name="Continue", exact=True).click()
            await page.wait_for_url(f"**{home}")
            if home == "/workspace":
                await page.fill("#q", "Robbert OBrian")
                await page.get_by_role("button", name="Find", exact=True).click()
            for name in steps:
                await page.get_by_role("link", name=name).first.click()
                await page.wait_for_load_state()
                assert await page.locator("h1").is_visible(), name
            assert await page.locator("button[data-menu]:visible, [data-opens]:visible").count() == 0
            assert sight.complaints == []

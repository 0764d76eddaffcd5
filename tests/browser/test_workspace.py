"""Clinicians at their work, in a real browser: the first ten seconds, a first note, a nurse's vital signs, errors."""

import re

import pytest

from continuum.chart.section import sections
from tests.browser.variants import AT_A_DESK

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
KEPT = re.compile(r"^Kept")
"""What stands below a form once the server has what was typed; until then it begins with Not."""


@pytest.fixture(scope="session")
def retiree(hospital):
    return hospital.persona("retiree")


@pytest.fixture
async def physician(hospital, retiree):
    return await hospital.member("physician", hospital.facility_of(retiree.patient_id), display="Dr. Ada Okoye")


@pytest.fixture
async def nurse(hospital, retiree):
    return await hospital.member("nurse", hospital.facility_of(retiree.patient_id), display="Tomás Reyes RN")


@AT_A_DESK
async def test_a_physician_finds_a_patient_by_a_misspelt_name_and_sees_what_matters(
    open_hospital, look, person, physician, retiree, width
):
    async with look(width=width, origin=open_hospital.origin) as sight:
        ada = person(sight)
        await ada.sign_in(physician, "/workspace")
        await ada.page.fill("#q", "Robbert OBrian")
        await ada.page.locator("#found .people__one").first.wait_for()
        await ada.judged()
        await ada.page.locator("#found .people__one").first.click()
        await ada.page.wait_for_url(f"**/patients/{retiree.patient_id}")
        await ada.judged()
        shown = await ada.main()
        for words in ("What is due", "Diabetes mellitus type 2", "metformin", "Vital signs", "Not as expected"):
            assert words in shown
        banner = await ada.page.inner_text(".patient")
        assert "O'Brien, Robert James" in banner
        assert "Retiree, Air Force" in banner
        assert "No known allergies" in banner
        for key in ["timeline", *sections(), "who-looked"]:
            await ada.go(f"/workspace/patients/{retiree.patient_id}/{key}")
            assert "did not work" not in await ada.main(), key
        assert sight.complaints == []


async def test_a_pediatrician_sees_a_toddler_grow_and_a_teenager_too(open_hospital, look, person):
    family = open_hospital.persona("mother").family
    facility = open_hospital.facility_of(family.members[1].id)
    pediatrician = await open_hospital.member("physician", facility, display="Dr. Sam Whitaker")
    async with look(origin=open_hospital.origin) as sight:
        sam = person(sight)
        await sam.sign_in(pediatrician, "/workspace")
        for child in family.children:
            await sam.go(f"/workspace/patients/{child.id}/vitals")
            assert "Length and height for age" in await sam.main()
            assert await sam.page.locator("#growth-1 .guide").count() == 5
            assert "Percentile" in await sam.page.locator("#growth-1 table").first.text_content()
        assert "asthma" in (await sam.page.goto(f"{sight.origin}/workspace/patients/{family.children[0].id}") and
                            (await sam.main()).lower())  # fmt: skip
        assert sight.complaints == []


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (768, 1024), (320, 568)])
async def test_who_it_is_and_what_they_do_not_tolerate_stays_in_view(
    open_hospital, look, person, physician, retiree, width, height
):
    async with look(width=width, height=height, origin=open_hospital.origin) as sight:
        ada = person(sight)
        await ada.sign_in(physician, "/workspace")
        await ada.go(f"/workspace/patients/{retiree.patient_id}/timeline")
        await ada.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        tops = []
        for part in (".patient__name", ".patient__line", ".patient__allergies"):
            box = await ada.page.locator(part).bounding_box()
            assert box is not None
            assert 0 <= box["y"] <= height / 4, (part, box)
            tops.append(box["y"] + box["height"])
        assert max(tops) <= height / 4, "and leaves room for the chart"
        if width == 1280:
            box = await ada.page.locator(".patient__facts", has_text="DoD ID").bounding_box()
            assert box is not None
            assert box["y"] >= 0
        await ada.judged()


async def test_who_types_without_a_pause_is_kept_all_the_same(open_hospital, look, person, physician, retiree):
    async with look(origin=open_hospital.origin) as sight:
        ada = person(sight)
        await ada.sign_in(physician, "/workspace")
        await ada.go(f"/workspace/patients/{retiree.patient_id}/notes/new")
        sent = []
        ada.page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/draft") else None)
        for number in range(200):
            await ada.page.locator("#text").press_sequentially(f"{number} ", delay=30)
            if sent:
                break
        assert sent, "nothing was sent while keys were pressed"
        await ada.page.locator("#draft-state", has_text=KEPT).wait_for()


async def test_a_screen_reader_is_told_the_same(open_hospital, look, person, physician, retiree):
    """The accessibility tree of the summary: who it is, where one can go, what matters, in this order."""
    async with look(origin=open_hospital.origin) as sight:
        ada = person(sight)
        await ada.sign_in(physician, "/workspace")
        await ada.go(f"/workspace/patients/{retiree.patient_id}")
        tree = await ada.page.locator("body").aria_snapshot()
        order = [
            'link "Skip to the main content"', "banner:", 'navigation "Main"', 'region "Patient"',
            "O'Brien, Robert James",
            "No known allergies", 'navigation "Chart"', "main:", 'heading "Summary" [level=1]',
            'heading "What is due', 'heading "Problems now', 'table "Latest vital signs"', "contentinfo:",
        ]  # fmt: skip
        places = [tree.find(words) for words in order]
        assert -1 not in places, [words for words, place in zip(order, places, strict=True) if place < 0]
        assert places == sorted(places)
        await ada.go(f"/workspace/patients/{retiree.patient_id}/vitals/new")
        form = await ada.page.locator("main").aria_snapshot()
        for label in ("Upper blood pressure", "Heart rate", "Temperature", "Unit Temperature", "Measured at"):
            assert label in form


async def test_the_charts_of_two_patients_are_not_mixed_up(open_hospital, look, person, physician, retiree):
    mother = open_hospital.persona("mother")
    async with look(origin=open_hospital.origin) as sight:
        ada = person(sight)
        await ada.sign_in(physician, "/workspace")
        await ada.go(f"/workspace/patients/{retiree.patient_id}/problems")
        entry = await ada.page.locator("a", has_text="Change Gout").first.get_attribute("href")
        assert entry is not None
        # The same entry under somebody else's address is not there.
        answer = await ada.page.goto(sight.origin + entry.replace(retiree.patient_id, mother.patient_id))
        assert answer is not None
        assert answer.status == 404


async def test_a_note_is_kept_while_it_is_typed_through_a_restart_and_then_signed_and_added_to(
    hospital, look, person, physician, retiree
):
    address = f"/workspace/patients/{retiree.patient_id}/notes"
    hospital = hospital.elsewhere()
    text = "Gout flared after the weekend. Colchicine for three days, then as before."
    async with look(origin=hospital.origin) as sight:
        ada = person(sight)
        with hospital.open():
            await ada.sign_in(physician, "/workspace")
            await ada.go(f"{address}/new")
            await ada.page.fill("#title", "Gout")
            await ada.page.fill("#text", text)
            await ada.page.locator("#draft-state", has_text=KEPT).wait_for()
        # The server is away: what is typed now is kept once it is back.
        await ada.page.fill("#text", text + " Call on Friday.")
        await ada.page.locator("#draft-state", has_text="trying again").wait_for()
        with hospital.open():
            await ada.page.locator("#draft-state", has_text=KEPT).wait_for(timeout=20_000)
            await ada.go("/workspace/unfinished")
            assert "O'Brien" in await ada.main()
            await ada.go(f"{address}/new")
            assert "begun this before" in await ada.main()
            assert await ada.page.input_value("#text") == text + " Call on Friday."
            await ada.press("Sign")
            await ada.page.wait_for_url("**/notes?done=new")
            await ada.judged()
            assert "It is in the chart now" in await sight.focused()
            first = ada.page.locator(".record").first
            assert "Dr. Ada Okoye" in await first.inner_text()
            await first.get_by_text("Read").click()
            assert "Call on Friday" in await first.inner_text()
            await first.get_by_role("link", name="Add to it").click()
            await ada.page.fill("#text", "He called: better.")
            await ada.press("Sign")
            await ada.page.wait_for_url("**/notes?done=new")
            assert "addendum" in await ada.page.locator(".record").first.inner_text()
            await ada.go("/workspace/unfinished")
            assert "Nothing is unfinished" in await ada.main()


@pytest.mark.requirement("V2.2.2")
async def test_a_nurses_vital_signs_are_checked_while_typed_and_again_before_they_are_stored(
    open_hospital, look, person, nurse, retiree
):
    address = f"/workspace/patients/{retiree.patient_id}/vitals"
    async with look(width=320, origin=open_hospital.origin) as sight:
        tomas = person(sight)
        await tomas.sign_in(nurse, "/workspace")
        await tomas.go(f"{address}/new")
        await tomas.page.fill("#pulse", "700")
        await tomas.page.press("#pulse", "Tab")
        assert "cannot be" in await tomas.page.inner_text("#pulse-say")
        await tomas.page.fill("#systolic", "188")
        await tomas.page.fill("#diastolic", "92")
        await tomas.page.press("#diastolic", "Tab")
        assert "unusual" in await tomas.page.inner_text("#systolic-say")
        await tomas.press("Put into the chart")
        await tomas.judged()
        assert "1 problem" in await sight.focused()
        assert await tomas.page.input_value("#systolic") == "188", "what was typed is still there"
        await tomas.page.fill("#pulse", "71")
        await tomas.page.select_option("#temperature-unit", "[degF]")
        await tomas.page.fill("#temperature", "98.6")
        await tomas.press("Put into the chart")
        await tomas.judged()
        assert "look again" in await sight.focused()
        await tomas.choose("It is right as it stands")
        await tomas.press("Put into the chart")
        await tomas.page.wait_for_url("**/vitals?done=new")
        shown = await tomas.main()
        assert "188/92" in shown
        assert "37.0" in shown, "the record has degrees Celsius"
        assert all("status of 422" in one for one in sight.complaints), "only the two refusals"


async def test_two_who_change_one_problem_are_both_told_and_no_words_are_lost(
    open_hospital, look, person, physician, nurse, retiree
):
    chart = f"/workspace/patients/{retiree.patient_id}"
    async with look(origin=open_hospital.origin) as one, look(origin=open_hospital.origin) as other:
        ada, tomas = person(one), person(other)
        await ada.sign_in(physician, "/workspace")
        await ada.go(f"{chart}/problems/new")
        await ada.page.fill("#problem", "Sprain of ankle")
        await ada.press("Put into the chart")
        await ada.page.wait_for_url("**/problems?done=new")
        address = await ada.page.locator("a", has_text="Change Sprain of ankle").first.get_attribute("href")
        await ada.go(address)
        await ada.page.fill("#since", "2026-02")
        await ada.page.locator("#draft-state", has_text=KEPT).wait_for()
        await tomas.sign_in(nurse, "/workspace")
        await tomas.go(address)
        assert "other person has begun" in await tomas.main()
        await tomas.choose("In remission")
        await tomas.press("Put into the chart")
        await tomas.page.wait_for_url("**/problems?done=changed")
        await ada.press("Put into the chart")
        await ada.judged()
        shown = await ada.main()
        assert "Somebody else changed this" in shown
        assert "remission" in shown
        assert await ada.page.input_value("#since") == "2026-02"
        await ada.choose("In remission")
        await ada.press("Put into the chart")
        await ada.page.wait_for_url("**/problems?done=changed")

        await ada.page.get_by_role("link", name="Entered in error Sprain of ankle").first.click()
        await ada.judged()
        await ada.press("Take it back")
        assert "1 problem" in await one.focused()
        await ada.page.fill("#reason", "Wrong patient: it was his brother.")
        await ada.press("Take it back")
        await ada.page.wait_for_url("**/problems?done=wrong")
        struck = ada.page.locator(".record--wrong", has_text="Sprain of ankle").first
        assert "entered in error" in await struck.inner_text()
        await ada.go(chart)
        assert "Sprain of ankle" not in await ada.page.inner_text(".first-look section:has-text('Problems now')")


async def test_the_palette_and_keys_lead_everywhere_and_can_be_switched_off(
    open_hospital, look, person, physician, retiree
):
    async with look(origin=open_hospital.origin) as sight:
        ada = person(sight)
        await ada.sign_in(physician, "/workspace")
        await ada.page.locator("h1").click()
        await ada.page.keyboard.press("Control+k")
        await ada.page.keyboard.type("brien")
        await ada.page.locator("#palette-patients a").first.wait_for()
        await ada.judged()
        await ada.page.keyboard.press("ArrowDown")
        await ada.page.keyboard.press("Enter")
        await ada.page.wait_for_url(f"**/patients/{retiree.patient_id}")
        await ada.page.keyboard.press("g")
        await ada.page.keyboard.press("m")
        await ada.page.wait_for_url("**/medicines")
        await ada.page.keyboard.press("?")
        assert await ada.page.locator("#keys").is_visible()
        await ada.judged()
        await ada.page.get_by_label("Use keys without Ctrl or Command").uncheck()
        await ada.page.keyboard.press("Escape")
        await ada.page.keyboard.press("g")
        await ada.page.keyboard.press("t")
        await ada.page.keyboard.press("Control+k")
        await ada.page.locator("#palette").wait_for()
        assert ada.page.url.endswith("/medicines")
        assert sight.complaints == []


async def test_the_workspace_is_closed_to_people_who_are_not_staff(open_hospital, look, person, retiree):
    robert = await open_hospital.person(retiree, premium=True)
    async with look(origin=open_hospital.origin) as sight:
        him = person(sight)
        await him.sign_in(robert, "/signon/account")
        for path in ("", "/find?q=mei", f"/patients/{retiree.patient_id}", f"/patients/{retiree.patient_id}/labs"):
            answer = await him.page.goto(f"{sight.origin}/workspace{path}")
            assert answer is not None
            assert answer.status == 403
            assert "for staff" in await him.main()
            await him.judged()

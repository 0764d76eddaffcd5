"""People and their records, in a real browser: from Basic to Premium, a mother at night, a retiree's many years."""

import json
import re
import time

import pyotp
import pytest

from continuum.identity import accounts
from continuum.samples.registry import person_id
from tests.browser.variants import ON_A_PHONE
from tests.hospital import SignIn

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
PARTS = ("problems", "allergies", "medicines", "immunizations", "vitals", "own", "labs", "reports", "notes", "visits",
         "procedures", "dental", "deployments", "plans", "appointments", "care-team", "family", "consents",
         "amendments", "timeline", "who-looked", "take-along", "links")  # fmt: skip


class Later(SignIn):
    """Somebody whose present code is used up: they type the next one."""

    def code(self):
        return pyotp.TOTP(self.seed).at(int(time.time()) + 30)


def patient(hospital, key, given):
    return next(one.id for one in hospital.persona(key).family.members if one.name.startswith(given))


async def menu(sight, width):
    """On a narrow window the main navigation folds."""
    if width < 600:
        await sight.page.get_by_role("button", name="Menu").first.click()


async def urgent(sight):
    """Whom to call stands on the page."""
    footer = await sight.page.inner_text("footer")
    return "988" in footer and "press 1" in footer and "911" in footer


@ON_A_PHONE
async def test_somebody_with_basic_is_shown_the_way_takes_it_and_sees_the_record(open_hospital, look, person, width):
    key = {1280: "reservist", 320: "veteran"}[width]
    story = open_hospital.persona(key)
    who = await open_hospital.person(story, premium=False)
    async with look(width=width, origin=open_hospital.origin) as sight:
        them = person(sight)
        await them.sign_in(who, "/portal")
        assert "Your record is closed until you are Premium" in await them.main()
        for path in ("/portal/topics", "/portal/help"):
            await them.go(path)
            assert await urgent(sight), path
        for path in ("/portal/record/me", "/portal/record/me/labs", "/portal/family"):
            await them.go(path)
            assert them.page.url.endswith("/portal/premium"), path
        assert await urgent(sight)
        await them.follow("Choose how")
        assert "/signon/premium" in them.page.url

        async with open_hospital.desk() as desk, desk.sign_on.connect() as conn:  # the clerk has seen two documents
            member = next(one for one in story.family.members if one.id == story.patient_id)
            account = await accounts.by_person(conn, person_id(member))
            await accounts.raise_identity_level(conn, account.account_id, 2)
        await them.go("/portal/premium")
        assert "Set one up" in await them.main()
        await them.go("/signon/account")
        await them.page.fill("#app-label", "My phone")
        await them.press("Add an authenticator app")
        link = await them.page.get_by_role("link", name="Open the app").get_attribute("href")
        app = pyotp.parse_uri(link)
        await them.page.fill("#code", app.now())
        await them.press("Set up")
        await them.page.get_by_role("heading", name="Your recovery codes").wait_for()
        await them.go("/portal/premium")
        assert "Sign in again" in await them.main()
        await sight.context.clear_cookies()
        await them.sign_in(Later(who.name, app.secret), "/portal")
        await them.go("/portal")
        await them.follow("My record")
        await them.follow("Health conditions")
        assert "Ask for a correction" in await them.main()
        assert await urgent(sight)
        assert sight.complaints == []


async def test_a_mother_looks_after_her_toddler_and_her_teenager(open_hospital, look, person):
    who = await open_hospital.person(open_hospital.persona("mother"), premium=True)
    toddler, teenager = (patient(open_hospital, "mother", name) for name in ("Mateo", "Lucía"))
    async with look(width=360, height=740, origin=open_hospital.origin, color_scheme="dark") as sight:
        ines = person(sight)
        await ines.sign_in(who, "/portal")
        await menu(sight, 360)
        await ines.page.get_by_role("banner").get_by_role("link", name="Family").click()
        await ines.page.wait_for_url("**/portal/family")
        await ines.judged()
        await ines.page.get_by_role("main").get_by_role("link", name="Mateo Núñez").click()
        await ines.page.wait_for_url(f"**/portal/record/{toddler}")
        await ines.judged()
        banner = ines.page.get_by_role("region", name="Whose record this is")
        for part in ("immunizations", "vitals", "notes", "visits", "take-along"):
            await ines.go(f"/portal/record/{toddler}/{part}")
            assert "You are looking at the record of Mateo Núñez" in await banner.inner_text()
        await ines.go(f"/portal/record/{teenager}")
        assert "Lucía Núñez" in await banner.inner_text()
        assert "Some parts of this record are closed to you" in await ines.main()
        await ines.go(f"/portal/record/{teenager}/medicines")
        assert "albuterol" in await ines.main()
        assert await ines.page.get_by_role("link", name="Ask for a correction").count() == 0
        await ines.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        box = await ines.page.locator(".whose__who").bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= 60, "the banner stays in view"
        await banner.get_by_role("link", name="Back to my own record").click()
        await ines.page.wait_for_url("**/portal/record/me")
        assert await banner.count() == 0
        assert sight.complaints == []


@pytest.mark.parametrize(("width", "parts"), [(1280, ("vitals", "notes", "who-looked")), (320, PARTS)])
async def test_a_retiree_reads_twenty_years_page_by_page(open_hospital, look, person, width, parts):
    who = await open_hospital.person(open_hospital.persona("retiree"), premium=True)
    async with look(width=width, origin=open_hospital.origin) as sight:
        robert = person(sight)
        await robert.sign_in(who, "/portal")
        for part in parts:
            await robert.go(f"/portal/record/me/{part}")
            assert "did not work" not in await robert.main(), part
            assert await urgent(sight), part
        await robert.go("/portal/record/me/labs")
        assert "expected" in await robert.main()
        await robert.follow("Hemoglobin A1c")
        assert "time before" in await robert.main()
        assert await robert.page.get_by_role("img").count() > 0, "the course is drawn"
        await robert.go("/portal/record/me/timeline")
        years = set()
        for _ in range(3):
            years |= set(re.findall(r"\b(?:19|20)\d\d\b", await robert.main()))
            await robert.follow("Earlier entries")
        assert len(years) > 1
        await robert.go("/portal/record/me")
        await robert.page.fill("#q", "gout")
        await robert.press("Find")
        await robert.page.get_by_role("heading", name="found").wait_for()
        assert (await sight.focused()).startswith("h2#found"), "what was found takes the focus"
        await robert.judged()
        assert "Gout" in await robert.main()
        assert sight.complaints == []


async def test_readings_links_and_permissions_are_made_with_mistakes_and_put_right(open_hospital, look, person):
    who = await open_hospital.person(open_hospital.persona("retiree"), premium=True)
    async with look(width=320, origin=open_hospital.origin) as sight:
        robert = person(sight)
        await robert.sign_in(who, "/portal/record/me/own")
        await robert.follow("Write down a reading")
        await robert.page.fill("#systolic", "138")
        await robert.press("Keep it")
        assert "error-summary" in await sight.page.evaluate("document.activeElement.className")
        await robert.judged()
        await robert.page.fill("#diastolic", "86")
        await robert.press("Keep it")
        assert "It is in your record now" in await sight.focused()
        await robert.judged()
        assert "own entry" in (await robert.main()).lower()

        await robert.go("/portal/record/me/links")
        await robert.page.fill("#passcode", "abc")
        await robert.press("Make the link")
        await robert.judged()
        assert "at least 6" in await robert.main()
        await robert.page.fill("#passcode", "otter-71")
        await robert.press("Make the link")
        await robert.judged()
        assert "shlink:/" in await robert.page.inner_text(".shared-key")
        assert await robert.page.get_by_role("img", name="QR code of the link").is_visible()
        await robert.press("Close this link Patient summary")
        assert "The link is closed" in await sight.focused()

        await robert.go("/portal/family")
        await robert.follow("Let somebody look")
        await robert.choose("Linda O'Brien")
        await robert.press("Let them look")
        await robert.judged()
        await robert.choose("Linda O'Brien")
        await robert.choose("Medicines and allergies")
        await robert.press("Let them look")
        assert "may look at your record now" in await sight.focused()
        await robert.judged()
        await robert.press("Take back Linda O'Brien")
        assert "It is taken back" in await sight.focused()

        await robert.go("/portal/record/me/problems")
        await robert.page.get_by_role("link", name="Ask for a correction").first.click()
        await robert.page.wait_for_load_state()
        await robert.press("Send")
        await robert.judged()
        await robert.page.fill("#text", "This began a year later.")
        await robert.press("Send")
        assert "Your request is with your care team" in await sight.focused()
        await robert.judged()
        # A browser notes every answer that refuses a form; nothing else went wrong.
        assert [one for one in sight.complaints if "422" not in one] == []


async def test_a_record_is_taken_along_in_three_forms(open_hospital, look, person):
    who = await open_hospital.person(open_hospital.persona("retiree"), premium=True)
    async with look(origin=open_hospital.origin) as sight:
        robert = person(sight)
        await robert.sign_in(who, "/portal/record/me/take-along")
        for words, check in (("PDF", _is_pdf), ("Plain text", _is_text), ("FHIR", _is_bundle)):
            await robert.choose(words)
            async with sight.page.expect_download() as waited:
                await robert.page.get_by_role("button", name="Download").click()
            path = await (await waited.value).path()
            check(path.read_bytes())
        # A browser without a calendar takes any words, and so does the server, to answer them.
        await robert.page.evaluate("() => { document.getElementById('since').type = 'text'; }")
        await robert.page.fill("#since", "yesterday")
        await robert.press("Download")
        assert "Write the date" in await robert.main()
        await robert.judged()


def _is_pdf(content):
    assert content.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in content


def _is_text(content):
    assert "Diabetes mellitus type 2" in content.decode()


def _is_bundle(content):
    bundle = json.loads(content)
    assert (bundle["type"], bundle["entry"][0]["resource"]["resourceType"]) == ("collection", "Patient")


async def test_the_record_is_read_in_spanish_and_with_the_keyboard_alone(open_hospital, look, person):
    who = await open_hospital.person(open_hospital.persona("mother"), premium=True)
    async with look(origin=open_hospital.origin) as sight:
        ines = person(sight)
        await ines.sign_in(who, "/portal")
        await sight.context.add_cookies([{"name": "language", "value": "es", "url": open_hospital.origin}])
        await sight.go("/portal/record/me")
        await ines.judged()
        assert await sight.page.get_attribute("html", "lang") == "es"
        await sight.page.keyboard.press("Tab")
        await sight.page.keyboard.press("Enter")
        for _ in range(40):
            await sight.page.keyboard.press("Tab")
            if "Medicamentos" in await sight.focused():
                break
        await sight.page.keyboard.press("Enter")
        await sight.page.wait_for_url("**/portal/record/me/medicines")
        assert "Cuando no puede esperar" in await sight.page.inner_text("footer")
        for part in ("labs", "who-looked", "take-along", "links", "own/new/reading"):
            await sight.go(f"/portal/record/me/{part}")
            await ines.judged()
        assert sight.complaints == []


async def test_a_screen_reader_is_told_whose_record_it_is_and_what_is_where(open_hospital, look, person):
    who = await open_hospital.person(open_hospital.persona("mother"), premium=True)
    toddler = patient(open_hospital, "mother", "Mateo")
    async with look(origin=open_hospital.origin) as sight:
        ines = person(sight)
        await ines.sign_in(who, f"/portal/record/{toddler}")
        tree = await sight.page.locator("body").aria_snapshot()
        for told in ('region "Whose record this is"', "You are looking at the record of Mateo Núñez",
                     'navigation "Parts of the record"', 'heading "Record of Mateo Núñez" [level=1]',
                     'region "When it cannot wait"', 'link "988"'):  # fmt: skip
            assert told in tree, told


async def test_a_request_for_correction_reaches_staff_is_answered_once_and_the_person_reads_why(
    open_hospital, look, person
):
    story = open_hospital.persona("retiree")
    who = await open_hospital.person(story, premium=True)
    facility = open_hospital.facility_of(story.patient_id)
    nurse = await open_hospital.member("nurse", facility, display="Tomás Reyes RN")
    stranger = await open_hospital.member("nurse", "00000000-0000-4000-8000-000000000000", display="Nurse Elsewhere")
    async with look(width=320, origin=open_hospital.origin) as one, look(origin=open_hospital.origin) as two:
        robert, tomas = person(one), person(two)
        await robert.sign_in(who, "/portal/record/me/problems")
        for words in ("My gout began in 2011.", "My knee was the left one."):
            await robert.go("/portal/record/me/problems")
            await robert.page.get_by_role("link", name="Ask for a correction").first.click()
            await robert.page.fill("#text", words)
            await robert.press("Send")
        await tomas.sign_in(nurse, "/workspace")
        await tomas.page.get_by_role("link", name="Corrections").first.click()
        await tomas.page.wait_for_url("**/workspace/corrections")
        await tomas.judged()
        for words, decision, reply in (
            ("My gout began in 2011.", "Accepted", "Changed to 2011."),
            ("My knee was the left one.", "Denied", "The X-ray of 2019 shows the right knee."),
        ):
            await tomas.go("/workspace/corrections")
            row = tomas.page.locator(".record", has_text=words)
            assert "Answer by" in await row.inner_text()
            await row.get_by_role("link", name="Answer").click()
            await tomas.page.wait_for_load_state()
            await tomas.press("Send the answer")
            assert "2 problems" in await two.focused()
            await tomas.judged()
            await tomas.choose(decision)
            await tomas.page.fill("#answer", reply)
            twice = tomas.page.url.removeprefix(two.origin)
            await tomas.press("Send the answer")
            assert "The answer is in the record now" in await two.focused()
            await tomas.go(twice)
            assert reply in await tomas.main()
            assert await tomas.page.get_by_role("button", name="Send the answer").count() == 0, "answered once"
        await tomas.go("/workspace/corrections")
        assert "My gout" not in await tomas.main()
        await robert.go("/portal/record/me/amendments")
        for words, mark, reply in (("gout", "accepted", "Changed to 2011."), ("knee", "denied", "The X-ray of 2019")):
            shown = await robert.page.locator(".record", has_text=reply).inner_text()
            assert mark in shown, words
            assert "Tomás Reyes RN" in shown
    async with look(origin=open_hospital.origin) as sight:
        outside = person(sight)
        await outside.sign_in(stranger, "/workspace/corrections")
        assert "No request is waiting" in await outside.main()
        answer = await outside.page.goto(sight.origin + twice)
        assert answer is not None
        assert answer.status in {403, 404}

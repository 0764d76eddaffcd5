"""The server is killed and started again in the middle of each journey: nothing typed or sent is lost."""

import re

import pyotp
import pytest
from playwright.async_api import Error

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
KEPT = re.compile(r"^Kept")
"""What stands below a form once the server has what was typed; until then it begins with Not."""


class Power:
    """The current of a hospital's server: on, and cut without a warning."""

    def __init__(self, hospital):
        self.hospital = hospital
        self.opened = self.running = None

    def on(self):
        self.opened = self.hospital.open()
        self.running = self.opened.__enter__()

    def cut(self):
        if self.opened is not None:
            self.running.process.kill()
            self.opened.__exit__(None, None, None)
            self.opened = None

    def again(self):
        self.cut()
        self.on()


@pytest.fixture
def power(hospital):
    found = Power(hospital.elsewhere())
    found.on()
    yield found
    found.cut()


async def sent_in_the_dark(power, them, button):
    """Presses a button while the server is away, then loads the page again, as browsers offer it, once it is back."""
    power.cut()
    with pytest.raises(Error, match="ERR_CONNECTION"):
        async with them.page.expect_navigation():
            await them.press(button)
    power.on()
    await them.page.reload()
    await them.page.wait_for_load_state()


def no_mistake(sight):
    """What the browser complained of, but for the server that was away and forms that were refused."""
    return [
        one for one in sight.complaints if not any(known in one for known in ("ERR_CONNECTION", "422", "ERR_EMPTY"))
    ]


async def test_somebody_on_the_way_to_premium_and_the_registrar_at_the_desk_go_on(power, look, person):
    story = power.hospital.persona("captain")
    arjun = next(one.id for one in story.family.members if one.name.startswith("Arjun"))
    who = await power.hospital.relative(story, arjun, premium=False)
    facility = power.hospital.facility_of(arjun)
    clerk = await power.hospital.member("registrar", facility, display="Kim Alvarez")
    async with look(width=320, origin=power.hospital.origin) as one, look(origin=power.hospital.origin) as two:
        them, kim = person(one), person(two)
        await them.sign_in(who, "/portal")
        await kim.sign_in(clerk, "/signon/clerk/proof")
        await kim.page.fill("#name", who.name)
        await kim.page.select_option("#kind1", index=1)
        await kim.page.fill("#issuer1", "Department of Defense")
        await kim.page.select_option("#kind2", index=9)
        await kim.page.fill("#issuer2", "State of Hawaii")
        await sent_in_the_dark(power, kim, "I have seen the person and both documents")
        assert "is Premium from the next sign-in on" in await kim.main()
        await them.go("/portal/premium")
        assert "Set one up" in await them.main(), "the session of the other goes on, and knows what the desk did"
        await them.go("/signon/account")
        await them.page.fill("#app-label", "My phone")
        await them.press("Add an authenticator app")
        app = pyotp.parse_uri(await them.page.get_by_role("link", name="Open the app").get_attribute("href"))
        power.again()
        await them.page.fill("#code", app.now())
        await them.press("Set up")
        await them.page.get_by_role("heading", name="Your recovery codes").wait_for()
        assert no_mistake(one) == []
        assert no_mistake(two) == []


async def test_a_second_step_of_a_sign_in_goes_on_where_it_was(power, look, person):
    who = await power.hospital.person(power.hospital.persona("mother"), premium=True)
    async with look(origin=power.hospital.origin) as sight:
        ines = person(sight)
        await ines.go("/signon/sign-in?next=/portal/record/me")
        await ines.page.fill("#name", who.name)
        await ines.page.fill("#password", "sandpiper-harbor-lantern-42")
        await ines.press("Sign in")
        await ines.page.wait_for_selector("#code")
        power.again()
        await ines.page.fill("#code", who.code())
        await ines.press("Continue")
        await ines.page.wait_for_url("**/portal/record/me")


async def test_a_mother_stays_in_her_toddlers_record_under_its_banner(power, look, person):
    story = power.hospital.persona("mother")
    who = await power.hospital.person(story, premium=True)
    toddler = next(one.id for one in story.family.members if one.name.startswith("Mateo"))
    async with look(width=320, origin=power.hospital.origin) as sight:
        ines = person(sight)
        await ines.sign_in(who, f"/portal/record/{toddler}")
        power.again()
        await ines.go(f"/portal/record/{toddler}/immunizations")
        banner = ines.page.get_by_role("region", name="Whose record this is")
        assert "You are looking at the record of Mateo Núñez" in await banner.inner_text()
        power.again()
        await banner.get_by_role("link", name="Back to my own record").click()
        await ines.page.wait_for_url("**/portal/record/me")
        assert no_mistake(sight) == []


async def test_what_a_retiree_writes_sends_and_shares_is_there_after_each_restart(power, look, person):
    who = await power.hospital.person(power.hospital.persona("retiree"), premium=True)
    async with look(origin=power.hospital.origin) as sight:
        robert = person(sight)
        await robert.sign_in(who, "/portal/record/me/own/new/note")
        await robert.page.fill("#text", "Slept badly for three nights.")
        await sent_in_the_dark(power, robert, "Keep it")
        assert "It is in your record now" in await robert.main()
        await robert.page.get_by_text("Read Own note").first.click()
        assert (await robert.main()).count("Slept badly for three nights.") == 1

        await robert.go("/portal/record/me/problems")
        await robert.page.get_by_role("link", name="Ask for a correction").first.click()
        await robert.page.fill("#text", "This began in 2009.")
        await sent_in_the_dark(power, robert, "Send")
        assert "Your request is with your care team" in await robert.main()

        await robert.go("/portal/record/me/links")
        await robert.page.fill("#passcode", "otter-71")
        await sent_in_the_dark(power, robert, "Make the link")
        assert "shlink:/" in await robert.page.inner_text(".shared-key")
        power.again()
        await robert.go("/portal/record/me/links")
        await robert.press("Close this link Patient summary")
        assert "The link is closed" in await robert.main()

        await robert.go("/portal/family/grant")
        await robert.choose("Linda O'Brien")
        await robert.choose("Medicines and allergies")
        await sent_in_the_dark(power, robert, "Let them look")
        assert "may look at your record now" in await robert.main()
        await robert.press("Take back Linda O'Brien")

        await robert.go("/portal/record/me/take-along")
        power.again()
        await robert.choose("Plain text")
        async with sight.page.expect_download() as waited:
            await robert.page.get_by_role("button", name="Download").click()
        assert "Slept badly" in (await (await waited.value).path()).read_text()

        await robert.go("/portal/record/me/timeline")
        power.again()
        await robert.follow("Earlier entries")
        await robert.go("/portal/record/me")
        power.again()
        await robert.page.fill("#q", "gout")
        await robert.press("Find")
        assert "Gout" in await robert.main()
        assert no_mistake(sight) == []


async def test_a_nurses_vital_signs_and_her_answer_to_a_patient_survive(power, look, person):
    story = power.hospital.persona("retiree")
    who = await power.hospital.person(story, premium=True)
    nurse = await power.hospital.member("nurse", power.hospital.facility_of(story.patient_id), display="Rosa Lim RN")
    chart = f"/workspace/patients/{story.patient_id}"
    async with look(width=320, origin=power.hospital.origin) as sight, look(origin=power.hospital.origin) as other:
        rosa, robert = person(sight), person(other)
        await robert.sign_in(who, "/portal/record/me/allergies")
        await robert.page.get_by_role("link", name="Ask for a correction").first.click()
        await robert.page.fill("#text", "Penicillin gave me a rash in 1984.")
        await robert.press("Send")
        await rosa.sign_in(nurse, "/workspace")
        await rosa.go(f"{chart}/vitals/new")
        await rosa.page.fill("#pulse", "67")
        await rosa.page.locator("#draft-state", has_text=KEPT).wait_for()
        power.cut()
        await rosa.page.fill("#temperature", "36.9")
        await rosa.page.locator("#draft-state", has_text="trying again").wait_for()
        power.on()
        await rosa.page.locator("#draft-state", has_text=KEPT).wait_for(timeout=20_000)
        await rosa.go(f"{chart}/vitals/new")
        assert await rosa.page.input_value("#pulse") == "67"
        assert await rosa.page.input_value("#temperature") == "36.9"
        await sent_in_the_dark(power, rosa, "Put into the chart")
        assert "It is in the chart now" in await rosa.main()

        await rosa.go("/workspace/corrections")
        row = rosa.page.locator(".record", has_text="Penicillin gave me a rash")
        await row.get_by_role("link", name="Answer").click()
        await rosa.choose("Accepted")
        await rosa.page.fill("#answer", "It is in your allergies now.")
        await sent_in_the_dark(power, rosa, "Send the answer")
        assert "The answer is in the record now" in await rosa.main()
        await robert.go("/portal/record/me/amendments")
        assert "It is in your allergies now." in await robert.main()
        assert no_mistake(sight) == []


async def test_a_physicians_first_ten_seconds_and_what_she_changes_survive(power, look, person):
    story = power.hospital.persona("retiree")
    facility = power.hospital.facility_of(story.patient_id)
    physician = await power.hospital.member("physician", facility, display="Dr. Lena Fox")
    chart = f"/workspace/patients/{story.patient_id}"
    async with look(origin=power.hospital.origin) as sight:
        lena = person(sight)
        await lena.sign_in(physician, "/workspace")
        power.again()
        await lena.page.fill("#q", "Robbert OBrian")
        await lena.page.locator("#found .people__one").first.click()
        await lena.page.wait_for_url(f"**{chart}")
        assert "Diabetes mellitus type 2" in await lena.main()
        await lena.go(f"{chart}/problems/new")
        await lena.page.fill("#problem", "Plantar fasciitis of the left foot")
        await sent_in_the_dark(power, lena, "Put into the chart")
        assert "It is in the chart now" in await lena.main()
        await lena.page.get_by_role("link", name="Change Plantar fasciitis").first.click()
        await lena.choose("In remission")
        await lena.page.locator("#draft-state", has_text=KEPT).wait_for()
        power.again()
        await lena.page.reload()
        assert await lena.page.get_by_label("In remission").is_checked(), "what was chosen is kept"
        await lena.press("Put into the chart")
        await lena.page.wait_for_url("**/problems?done=changed")
        await lena.page.get_by_role("link", name="Entered in error Plantar").first.click()
        await lena.page.fill("#reason", "Said of his brother.")
        await sent_in_the_dark(power, lena, "Take it back")
        assert "It is taken back" in await lena.main()
        assert no_mistake(sight) == []

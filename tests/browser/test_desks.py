"""The desks in a real browser, at two widths: roles, accounts set up anew, representatives, leavers."""

import uuid

import pytest

from continuum.identity import registry
from tests.browser.variants import AT_A_DESK
from tests.hospital import PASSWORD
from tests.messages.letters import write

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
NEW_PASSWORD = "walnut-ferry-lantern-917"


@pytest.fixture(scope="session")
def retiree(hospital):
    return hospital.persona("retiree")


@pytest.fixture(scope="session")
def home(hospital, retiree):
    return hospital.facility_of(retiree.patient_id)


async def menu(person, width):
    """Opens the navigation where it is folded."""
    if width < 600:
        await person.page.get_by_role("button", name="Menu").click()


@AT_A_DESK
async def test_who_has_two_roles_chooses_and_the_workspace_is_that_roles(open_hospital, look, person, home, width):
    who = await open_hospital.member("nurse", home, display="Nora Two Roles")
    await open_hospital.also(who, "scheduler", home)
    async with look(width=width, origin=open_hospital.origin) as sight:
        nora = person(sight)
        await nora.sign_in(who, "/signon/account")
        assert "as whom you work now" in await nora.main()
        await nora.follow("To the workspace")
        await menu(nora, width)
        banner = nora.page.get_by_role("banner")
        assert await banner.get_by_role("link", name="Emergency", exact=True).is_visible()
        await nora.go("/signon/account")
        await nora.reach("Work as scheduler")
        await nora.page.keyboard.press("Enter")
        await nora.page.get_by_role("button", name="Work as nurse").wait_for()
        await nora.judged()
        await nora.reach("To the workspace")
        await nora.page.keyboard.press("Enter")
        await nora.page.wait_for_url("**/workspace")
        await nora.judged()
        await menu(nora, width)
        assert await banner.get_by_role("link", name="Patients", exact=True).is_visible()
        assert not await banner.get_by_role("link", name="Emergency", exact=True).is_visible()
        assert sight.complaints == []


async def fingerprint(sight):
    """A device with a fingerprint reader, as Chromium plays one."""
    tools = await sight.context.new_cdp_session(sight.page)
    await tools.send("WebAuthn.enable")
    await tools.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True,
    }})  # fmt: skip


@AT_A_DESK
async def test_who_lost_every_way_in_comes_to_the_desk_and_is_back_with_a_passkey(
    open_hospital, look, person, home, width
):
    lost = await open_hospital.newcomer("Lostall", home)
    clerk = await open_hospital.member("registrar", home, display="Regina Desk")
    at = open_hospital.origin
    async with look(width=width, origin=at) as one, look(width=width, origin=at) as two:
        regina, they = person(one), person(two)
        await regina.sign_in(clerk, "/signon/account")
        await regina.follow("Check who somebody is")
        await regina.reach("Their sign-in name")
        await regina.page.keyboard.type(lost.name)
        for number in ("1", "2"):
            await regina.page.locator(f"#kind{number}").focus()
            for _ in range(int(number)):
                await regina.page.keyboard.press("ArrowDown")
            await regina.page.keyboard.press("Tab")
            await regina.page.keyboard.type("US Department of State")
        await regina.page.get_by_label("They have lost every way to sign in").focus()
        await regina.page.keyboard.press("Space")
        await regina.judged()
        await regina.reach("I have seen the person and both documents")
        await regina.page.keyboard.press("Enter")
        await regina.page.get_by_role("heading", name="can be set up anew").wait_for()
        await regina.judged()
        link = await regina.page.locator("code").inner_text()

        await fingerprint(two)
        await they.go(link.removeprefix(at))
        for label in ("Password", "The password once more"):
            await they.reach(label)
            await they.page.keyboard.type(NEW_PASSWORD)
        await they.page.keyboard.press("Enter")
        await they.page.wait_for_url("**/signon/account")
        await they.judged()
        await they.page.fill("#passkey-label", "New phone")
        await they.press("Add a passkey")
        await they.press("Make the passkey")
        await they.page.get_by_role("heading", name="Your recovery codes").wait_for()
        await they.judged()
        await they.go("/signon/account")
        await menu(they, width)
        await they.page.get_by_role("banner").get_by_role("button", name="Sign out").click()
        await they.go("/signon/sign-in?next=/portal/record/me")
        await they.press("Sign in with a passkey")
        await they.page.wait_for_url("**/portal/record/me")
        await they.judged()
        assert [*one.complaints, *two.complaints] == []
    async with look(width=width, origin=at) as before:
        thief = person(before)
        await thief.go("/signon/sign-in")
        await thief.page.fill("#name", lost.name)
        await thief.page.fill("#password", PASSWORD)
        await thief.press("Sign in")
        await thief.judged()
        assert "/signon/sign-in" in thief.page.url, "the old password opens nothing"


@AT_A_DESK
async def test_a_clerk_records_a_representative_who_sees_the_record_until_it_is_ended(
    open_hospital, look, person, retiree, home, width
):
    attorney_of = open_hospital.persona("sergeant")
    clerk = await open_hospital.member("registrar", home, display="Regina Desk")
    who = await open_hospital.person(attorney_of, premium=True)
    robert = await open_hospital.person(retiree, premium=True)
    async with open_hospital.desk() as desk, desk.sign_on.connect() as conn:
        attorney = await registry.of_patient(conn, attorney_of.patient_id)
    at, record = open_hospital.origin, f"/portal/record/{retiree.patient_id}"
    async with (
        look(width=width, origin=at) as one,
        look(width=width, origin=at) as two,
        look(width=width, origin=at) as three,
    ):
        regina, marcus, him = person(one), person(two), person(three)
        await regina.sign_in(clerk, "/workspace/representatives")
        await regina.page.get_by_label("Look for a patient").fill("O'Brien")
        await regina.page.keyboard.press("Enter")
        await regina.page.locator(".people__one").first.wait_for()
        await regina.judged()
        await regina.page.locator(".people__one", has_text="Robert James").first.click()
        await regina.page.get_by_role("heading", name="By a paper").wait_for()
        await regina.judged()
        await regina.press("I have seen the paper and the ID card")
        await regina.judged()
        assert "problem" in await regina.main(), "what is missing is said"
        one.complaints.clear()  # the browser's own words on a form that was refused
        await regina.page.get_by_label("What it is").focus()
        await regina.page.keyboard.type("Power")
        said = {"Issued or signed by": "Bexar County", "Day of the paper": "2026-01-05",
                "DoD ID number": attorney.dod_id, "Family name": attorney.family_name,
                "Date of birth": attorney.born.isoformat()}  # fmt: skip
        for label, words in said.items():
            await regina.reach(label)
            await regina.page.keyboard.type(words)
        await regina.reach("Medicines and allergies")
        await regina.page.keyboard.press("Space")
        await regina.reach("I have seen the paper and the ID card")
        await regina.page.keyboard.press("Enter")
        await regina.page.get_by_text("It is recorded.").wait_for()
        await regina.judged()
        assert attorney.name in await regina.main()

        await marcus.sign_in(who, "/portal/family")
        assert "O'Brien" in await marcus.main()
        await marcus.go(f"{record}/medicines")
        assert "metformin" in await marcus.main()
        await him.sign_in(robert, "/portal/family")
        assert "A registration desk recorded it" in await him.main()

        await regina.page.get_by_role("button", name=f"End it {attorney.name}").first.click()
        await regina.page.get_by_text("It is ended.").wait_for()
        await regina.judged()
        assert (await marcus.page.goto(f"{at}{record}/medicines")).status == 404
        await marcus.judged()
        assert one.complaints == []


@AT_A_DESK
async def test_a_leaver_is_out_at_once_and_the_work_is_somebody_elses(
    open_hospital, look, person, retiree, home, width
):
    mark = uuid.uuid4().hex[:6]
    going = await open_hospital.member("nurse", home, display=f"Nan Leaves {mark}")
    staying = await open_hospital.member("nurse", home, display=f"Stan Stays {mark}")
    root = await open_hospital.member("administrator", None, display="Root")
    subject = f"Who has it now {mark}?"
    async with await open_hospital.enter(await open_hospital.person(retiree, premium=True)) as him:
        thread = await write(him, subject=subject)
    at = open_hospital.origin
    async with (
        look(width=width, origin=at) as one,
        look(width=width, origin=at) as two,
        look(width=width, origin=at) as three,
    ):
        nan, stan, admin = person(one), person(two), person(three)
        await nan.sign_in(going, f"/workspace/messages/{retiree.patient_id}/{thread}")
        await nan.press("Take it")
        await nan.judged()
        await stan.sign_in(staying, "/workspace/messages")
        assert subject not in await stan.main()

        await admin.sign_in(root, "/signon/account")
        await admin.follow("Staff")
        card = admin.page.locator("section.card", has_text=f"Nan Leaves {mark}")
        await card.get_by_text(f"Nan Leaves {mark} leaves").focus()
        await admin.page.keyboard.press("Enter")
        await admin.reach("Who takes over the open work (sign-in name)")
        await admin.page.keyboard.type(staying.name)
        await admin.judged()
        await admin.reach("Close the account now")
        await admin.page.keyboard.press("Enter")
        await admin.page.get_by_role("heading", name=f"The account of Nan Leaves {mark} is closed").wait_for()
        await admin.judged()
        assert f"1 piece of work went to Stan Stays {mark}." in await admin.main()
        await nan.page.goto(f"{at}/workspace")
        assert "/signon/sign-in" in nan.page.url, "the leaver is out at once"
        await nan.judged()
        await stan.go("/workspace/messages")
        assert subject in await stan.main()
        assert [*one.complaints, *two.complaints, *three.complaints] == []


@AT_A_DESK
async def test_a_call_for_help_is_answered_and_a_privacy_officer_accounts_for_what_went_out(
    open_hospital, look, person, home, width
):
    """Both by keyboard; the person who called is out of every session, and no page of theirs is seen."""
    caller = await open_hospital.newcomer("Callerson", home)
    agent = await open_hospital.member("help-desk", None, display="Hella Help")
    officer = await open_hospital.member("privacy-officer", None, display="Pat Privacy")
    at = open_hospital.origin
    async with look(width=width, origin=at) as one, look(origin=at) as two:
        hella, they = person(one), person(two)
        await they.sign_in(caller, "/portal")
        await hella.sign_in(agent, "/signon/help")
        await hella.reach("What the person says")
        await hella.page.keyboard.type(caller.name)
        await hella.page.keyboard.press("Enter")
        await hella.page.wait_for_url("**/help/account*")
        await hella.judged()
        shown = await hella.main()
        assert "Failed attempts of the last day\n0" in shown
        assert "Chrom" in shown, "on what device the person is signed in"
        await hella.reach("Have a code posted")
        await hella.page.keyboard.press("Enter")
        await hella.page.get_by_text("A letter is printed at the registration desk").wait_for()
        await hella.judged()
        await hella.reach("Sign it out everywhere")
        await hella.page.keyboard.press("Enter")
        await hella.page.get_by_text("signed out everywhere").wait_for()
        await hella.judged()
        await they.go("/portal/record/me")
        assert "/signon/sign-in" in they.page.url
        assert [*one.complaints, *two.complaints] == []
    async with look(width=width, origin=at) as one:
        pat = person(one)
        await pat.sign_in(officer, "/signon/disclosures")
        await pat.reach("Whose record")
        await pat.page.keyboard.type(open_hospital.persona("mother").patient_id)
        await pat.page.keyboard.press("Enter")
        await pat.page.get_by_role("heading", name="Núñez").wait_for()
        await pat.judged()
        async with one.page.expect_download() as waited:
            await pat.page.get_by_role("button", name="Save as text").click()
        path = await (await waited.value).path()
        assert "Núñez" in path.read_text(encoding="utf-8")
        assert one.complaints == []

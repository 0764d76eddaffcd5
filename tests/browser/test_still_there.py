"""A session that is about to end by itself: nobody who is there loses what they are typing, nobody else stays in."""

import time

import pyotp
import pytest

from tests.hospital import SignIn
from tests.passing import active_us, age, ends_in, pass_time

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


class Later(SignIn):
    """Somebody who has signed in a moment ago: the code of then is used up."""

    def code(self) -> str:
        return pyotp.TOTP(self.seed).at(int(time.time()) + 30)


WORDS = "Slept badly. The knee is warm and swollen since"
TITLE = "Are you still there?"


@pytest.fixture(scope="session")
def retiree(hospital):
    return hospital.persona("retiree")


@pytest.fixture
async def writing(open_hospital, look, person, retiree):
    """A physician in the middle of a sentence: (who, what they see, the question, the field)."""
    physician = await open_hospital.member(
        "physician", open_hospital.facility_of(retiree.patient_id), display="Dr. Iris"
    )
    async with look(origin=open_hospital.origin, width=320) as sight:
        iris = person(sight)
        await iris.sign_in(physician, "/workspace")
        await sight.page.clock.install()
        await iris.go(f"/workspace/patients/{retiree.patient_id}/notes/new")
        field = sight.page.get_by_role("textbox").last
        await field.click()
        await sight.page.keyboard.type(WORDS)
        await sight.page.evaluate("() => { window.same = true }")
        yield physician, iris, sight.page.get_by_role("alertdialog", name=TITLE), field


async def untouched(page, field, words=WORDS):
    """The page was never left, and what was typed is there."""
    assert await page.evaluate("() => window.same === true"), "the page was loaded anew"
    assert await field.input_value() == words


@pytest.mark.requirement("V7.3.1")
async def test_staying_leaves_the_page_and_the_sentence_as_they_are(open_hospital, writing):
    physician, iris, asked, field = writing
    await pass_time(open_hospital.owner, iris.page, physician.name, minutes=14)
    await asked.wait_for()
    before = await active_us(open_hospital.owner, physician.name)
    assert "Stay signed in" in await iris.sight.focused()
    await iris.judged()
    await iris.page.keyboard.press("Enter")
    await asked.wait_for(state="hidden")
    assert await active_us(open_hospital.owner, physician.name) > before + 13 * 60_000_000, "the server knows"
    await untouched(iris.page, field)
    await iris.page.keyboard.type(" Monday.")
    await untouched(iris.page, field, f"{WORDS} Monday.")
    await pass_time(open_hospital.owner, iris.page, physician.name, minutes=14)
    await asked.wait_for()
    await iris.page.keyboard.press("Escape")
    await asked.wait_for(state="hidden")
    await iris.page.keyboard.type(" He")
    await untouched(iris.page, field, f"{WORDS} Monday. He")
    assert iris.sight.complaints == []


async def test_who_types_is_not_asked_and_stays(open_hospital, writing):
    physician, iris, asked, field = writing
    await pass_time(open_hospital.owner, iris.page, physician.name, minutes=12.5)
    await iris.page.keyboard.type(" Monday")
    before = await active_us(open_hospital.owner, physician.name)
    async with iris.page.expect_response("**/signon/stay") as answered:
        await pass_time(open_hospital.owner, iris.page, physician.name, minutes=1)
    assert (await answered.value).ok
    assert await active_us(open_hospital.owner, physician.name) > before + 10 * 60_000_000
    assert not await asked.is_visible()
    await untouched(iris.page, field, f"{WORDS} Monday")


@pytest.mark.requirement("V7.3.2")
async def test_at_the_longest_time_for_a_session_that_is_said_and_nothing_offered(open_hospital, writing):
    physician, iris, asked, field = writing
    await ends_in(open_hospital.owner, physician.name, minutes=1.5)
    await iris.page.clock.run_for(14 * 60_000)
    said = iris.page.get_by_role("alertdialog", name="This session ends soon")
    await said.wait_for()
    await said.get_by_role("alert").get_by_text("Send or save what you are writing").wait_for()
    assert not await said.get_by_role("button", name="Stay signed in").is_visible()
    assert not await asked.is_visible()
    await iris.judged()
    await iris.page.keyboard.type(" Monday")
    await untouched(iris.page, field, f"{WORDS} Monday")
    await said.get_by_role("button", name="Close").click()
    await said.wait_for(state="hidden")
    await field.press("End")
    await iris.page.keyboard.type(".")
    assert not await said.is_visible(), "said once"
    await untouched(iris.page, field, f"{WORDS} Monday.")
    await ends_in(open_hospital.owner, physician.name, minutes=0)
    await iris.page.clock.run_for(2 * 60_000)
    await iris.page.wait_for_url("**/signon/sign-in?why=limit")
    await iris.page.get_by_text("the longest time for one session was over").wait_for()


async def test_what_a_page_saves_by_itself_keeps_nobody_in(open_hospital, writing):
    """The draft is kept without anybody there; the session ends at its time, and the draft is there afterwards."""
    physician, iris, asked, _ = writing
    await pass_time(open_hospital.owner, iris.page, physician.name, minutes=14)
    await asked.wait_for()
    await pass_time(open_hospital.owner, iris.page, physician.name, minutes=2)
    await iris.page.wait_for_url("**/signon/sign-in?why=idle")
    await iris.judged()
    await iris.sign_in(Later(physician.name, physician.seed), "/workspace/unfinished")
    await iris.page.get_by_role("main").get_by_role("link").first.click()
    assert await iris.page.get_by_role("textbox").last.input_value() == WORDS


async def test_who_works_on_another_page_is_not_asked_on_this_one(open_hospital, writing, retiree):
    physician, iris, asked, field = writing
    other = await iris.sight.context.new_page()
    await age(open_hospital.owner, physician.name, minutes=12)
    await other.goto(f"{open_hospital.origin}/workspace/patients/{retiree.patient_id}")
    async with iris.page.expect_response("**/signon/left"):
        await iris.page.clock.run_for(16 * 60_000)
    assert not await asked.is_visible()
    await untouched(iris.page, field)


async def test_a_server_that_is_away_takes_no_words_from_anybody(open_hospital, writing):
    physician, iris, asked, field = writing
    away = "**/signon/*"
    await iris.page.route(away, lambda route: route.abort())
    await pass_time(open_hospital.owner, iris.page, physician.name, minutes=13.5)
    await asked.wait_for()
    await iris.page.keyboard.press("Enter")
    await asked.get_by_text("The server cannot be reached").wait_for()
    await iris.judged()
    await iris.page.clock.run_for(3 * 60_000)
    await untouched(iris.page, field)
    await iris.page.unroute(away)
    await iris.page.keyboard.press("Enter")
    await asked.wait_for(state="hidden")
    await untouched(iris.page, field)

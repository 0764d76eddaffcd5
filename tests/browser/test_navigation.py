"""What stands on top of the workspace for those who have most of it, and a table of totals on a phone."""

import pytest

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
_ROWS = """() => [...new Set([...document.querySelectorAll('header nav a')].map(
  (one) => Math.round(one.getBoundingClientRect().top)))].length"""
_OUTSIDE = """() => [...document.querySelectorAll('main table :is(td, tbody th)')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth || !one.innerText.trim()).length"""


@pytest.mark.parametrize("role", ["registrar", "physician", "administrator"])
async def test_the_navigation_stands_in_one_row_on_a_usual_screen_in_both_languages(open_hospital, look, person, role):
    facility = (
        None if role == "administrator" else open_hospital.facility_of(open_hospital.persona("sergeant").patient_id)
    )
    who = await open_hospital.member(role, facility, display="Lt. Cmdr. Alexandra Fitzgerald")
    async with (
        look(origin=open_hospital.origin) as sight,
        look(origin=open_hospital.origin, locale="es") as other,
    ):
        them = person(sight)
        await them.sign_in(who, "/workspace")
        await other.context.add_cookies(await sight.context.cookies())
        for language, shown in (("en", sight), ("es", other)):
            await person(shown).go("/workspace")
            assert await shown.page.get_attribute("html", "lang") == language
            assert await shown.page.locator("header nav a").count() >= 3
            assert await shown.page.evaluate(_ROWS) == 1, language
        await sight.page.set_viewport_size({"width": 1024, "height": 768})
        assert await sight.page.evaluate(_ROWS) == 1, "a small screen"
        assert await sight.page.get_by_role("link", name="Continuum").count() == 1, "the mark says its name"
        assert await sight.overflow_px() <= 0


async def test_answer_times_are_read_on_a_phone_without_scrolling_sideways(open_hospital, look, person):
    facility = open_hospital.facility_of(open_hospital.persona("sergeant").patient_id)
    who = await open_hospital.member("nurse", facility, display="Tom Narrow RN")
    async with look(width=320, height=700, origin=open_hospital.origin) as sight:
        them = person(sight)
        await them.sign_in(who, "/workspace/messages/times")
        assert await them.page.locator("main tbody tr").count() >= 1
        assert await them.page.evaluate(_OUTSIDE) == 0
        assert "Half of them within" in await them.page.evaluate(
            "() => [...document.querySelectorAll('main td')].map((one) => one.dataset.label).join()"
        )

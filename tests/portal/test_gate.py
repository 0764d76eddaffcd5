"""Who comes in: every address of the portal, tried as nobody, as Basic and as Premium."""

import pytest

from continuum.apps.frame.part import parts
from continuum.apps.portal.app import OPEN, PAGES, RECORD, SIGNED_IN
from continuum.apps.portal.area import BASE
from continuum.identity import accounts

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
_PARTS = {
    "who": "me", "section": "labs", "entry_id": "nothing", "kind": "vitals", "link_id": "nothing", "form": "text",
    "slot_id": "nothing", "thread_id": "nothing", "draft_id": "nothing", "file_id": "nothing",
}  # fmt: skip
OF_PARTS = tuple(page for part in parts("portal") for page in part.pages)
"""Appointments, messages, where the care is: all of them show a record."""


def address(path):
    for name, value in _PARTS.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, path
    return BASE + path


async def asked(browser, method, path, data=None):
    """The answer to a request; an address that only leads on to one's own pages is followed there."""
    answer = await browser.http.request(method, address(path), data=data)
    if answer.headers.get("location") == f"{BASE}{path}/me":
        answer = await browser.http.get(answer.headers["location"])
    return answer


async def answers(browser, path, methods):
    """The answers to every method of an address, redirects not followed."""
    await browser.get(f"{BASE}/help")
    for method in methods:
        data = {"csrf": browser.page.csrf} if method == "POST" and browser.page.forms else None
        yield method, await asked(browser, method, path, data)


def says_whom_to_call(text):
    return "988" in text and "911" in text and "838255" in text


@pytest.mark.parametrize(("path", "methods"), [(path, methods) for path, _, methods in (*PAGES, *OF_PARTS)])
async def test_nobody_sees_a_record_or_a_page_of_ones_own_without_signing_in(browser, path, methods):
    for method in methods:
        answer = await asked(browser, method, path)
        if any(path == open_path for open_path, _, _ in OPEN):
            assert answer.status_code == 200, (method, path)
            assert says_whom_to_call(answer.text)
        else:
            assert answer.status_code == 303 or (method == "POST" and answer.status_code == 403), (method, path)
            assert "/signon/" in answer.headers.get("location", "/signon/")


async def test_a_basic_session_is_led_to_premium_from_every_page_that_shows_a_record(browser, steps):
    await steps.register(browser)
    for path, _, methods in (*RECORD, *OF_PARTS):
        async for method, answer in answers(browser, path, methods):
            assert answer.status_code == 303, (method, path, answer.status_code, answer.text[:200])
            assert answer.headers["location"] == f"{BASE}/premium", (method, path)
    for path, _, _ in (*OPEN, *SIGNED_IN):
        answer = await browser.http.get(address(path))
        assert answer.status_code == 200, path
        assert says_whom_to_call(answer.text), path
    home = (await browser.get(BASE)).page
    assert "Your record is closed until you are Premium" in home.text


async def test_the_way_to_premium_says_which_step_is_next(browser, steps, database):
    person, _ = await steps.register(browser)
    await browser.get(f"{BASE}/premium")
    assert "Choose how" in browser.page.text
    account = await accounts.by_person(database, person.person_id)
    await accounts.raise_identity_level(database, account.account_id, 2)
    await browser.get(f"{BASE}/premium")
    assert "Set one up" in browser.page.text
    await steps.add_app(browser)
    await browser.get(f"{BASE}/premium")
    assert "Sign in again" in browser.page.text or "You are Premium" in browser.page.text


@pytest.mark.parametrize("area", ["/portal", "/workspace", "/signon"])
async def test_an_address_that_is_none_is_a_page_with_a_way_on(browser, steps, area):
    for signed_in in (False, True):
        if signed_in:
            await steps.register(browser)
        answer = await browser.http.get(f"{area}/no/such/page", headers={"accept-language": "es"})
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert "No existe esa página." in answer.text
        assert 'lang="es' in answer.text
        assert f'href="{area}' in answer.text
        assert answer.headers["content-security-policy"]
    taken = await browser.http.delete(BASE)
    assert taken.status_code == 405
    assert taken.headers["allow"]

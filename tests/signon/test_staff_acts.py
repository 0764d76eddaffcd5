"""What an administrator does with accounts of staff, and somebody with their own factors; all leaves its trace."""

import html
import re
import secrets
from urllib.parse import urlsplit

import asyncpg
import pytest

from continuum.identity import accounts
from continuum.kernel.clock import now_us
from continuum.runtime.postgres.address import Address
from tests.browsing import Browser
from tests.hospital import PASSWORD
from tests.trail import account_of

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


def link_of(page):
    """The path and query of the link that is to be handed over."""
    split = urlsplit(html.unescape(re.search(r"http://\S+", page.text).group()))
    return f"{split.path}?{split.query}"


async def test_an_account_is_opened_given_a_role_and_rid_of_it_and_set_up_anew(open_hospital):
    administrator = await open_hospital.member("administrator", None, display="Ada Opens")
    facility = open_hospital.facility_of(open_hospital.persona("retiree").patient_id)
    name = f"nick-{secrets.token_hex(4)}"
    ada = await open_hospital.enter(administrator)

    async def submit(act, **fields):
        """The form of this act about the account; others of these tests have accounts of their own."""
        form = next(one for one in ada.page.forms if one.action.endswith(act) and one.fields.get("account") == account)
        return await ada.arrive(await ada.http.post(form.action, data={**form.fields, **fields}))

    async with Browser(open_hospital.origin) as nick:
        await ada.get("/signon/staff")
        await ada.submit("/staff/open", display_name="Nick Anew", name=name)
        await nick.get(link_of(ada.page))
        await nick.submit("/notice")
        await nick.submit("/enrol", password=PASSWORD, again=PASSWORD)
        assert nick.path == "/signon/account", nick.page.text
        conn = await asyncpg.connect(**Address.from_url(open_hospital.owner).connect)
        try:
            found = await accounts.by_name(conn, name)
            account = found.account_id
            await submit("/staff/grant", role="nurse", facility=facility, starts="2026-01-01")
            await nick.get("/signon/account")
            assert "nurse · " in nick.page.text
            await ada.get("/signon/staff")
            await submit("/staff/withdraw")
            await nick.get("/signon/account")
            assert "nurse · " not in nick.page.text
            await accounts.lock(conn, account, now_us())
        finally:
            await conn.close()
        await ada.get("/signon/staff")
        await submit("/staff/unlock")
        assert "/staff/unlock" not in {urlsplit(one.action).path for one in ada.page.forms}
        await submit("/staff/set-up-anew")
        anew = link_of(ada.page)
        await nick.get("/signon/account")
        assert nick.path == "/signon/sign-in", "all that opened the account before is void"
        await nick.get(anew)
        await nick.submit("/enrol", password=PASSWORD[::-1], again=PASSWORD[::-1])
        assert nick.path == "/signon/account", nick.page.text
    await ada.http.aclose()


async def test_somebody_removes_a_factor_of_theirs_and_the_other_stays(open_hospital):
    facility = open_hospital.facility_of(open_hospital.persona("retiree").patient_id)
    who = await open_hospital.member("nurse", facility, display="Two Phones RN")
    account = await account_of(open_hospital, who)
    async with open_hospital.desk() as desk, desk.sign_on.connect() as conn:
        await desk.sign_on.apps.put(conn, account, "A" * 32, name="Old phone")
    browser = await open_hospital.enter(who)
    await browser.get("/signon/account")
    row = browser.answer.text.partition("Old phone")[2]
    factor = re.search(r'name="app" value="([^"]+)"', row)[1]
    data = {"csrf": browser.page.csrf, "app": factor}
    await browser.arrive(await browser.http.post("/signon/account/remove", data=data))
    assert browser.path == "/signon/account"
    assert "Old phone" not in browser.page.text
    assert "Phone" in browser.page.text
    await browser.http.aclose()

"""The pages of sign-on as people use them, in a browser without JavaScript, over real sockets."""

import re
import time
from datetime import date

import httpx
import pyotp
import pytest

from continuum.identity.registry import Eligibility
from continuum.kernel.limits import PASSWORD_MEMORY_MIN_MIB
from tests.browsing import Browser, Page
from tests.signon.conftest import PASSWORD

pytestmark = pytest.mark.server


async def test_somebody_registers_and_finds_themselves_basic(browser, steps):
    _, name = await steps.register(browser)
    assert "Basic" in browser.page.text
    assert name in browser.page.text
    await browser.submit("/sign-out")
    assert "You are signed out." in browser.page.text
    await browser.get("/signon/account")
    assert browser.path == "/signon/sign-in"


async def test_a_password_is_hashed_at_the_cost_that_the_operator_chose(browser, steps, database):
    _, name = await steps.register(browser)
    kept = await database.fetchval("SELECT password_hash FROM identity.account WHERE sign_in_name = $1", name)
    assert f"$m={PASSWORD_MEMORY_MIN_MIB * 1024},t=3,p=1$" in kept


@pytest.mark.requirement("SRG-APP-000068", "SRG-APP-000070", "V6.3.4")
async def test_the_notice_comes_before_everything_and_is_accepted_once(browser, database):
    for address in ("/signon/sign-in", "/signon/register", "/signon/account", "/signon/enrol?ticket=x"):
        await browser.get(address)
        assert browser.path == "/signon/notice"
    before = await database.fetchval("SELECT count(*) FROM record.audit WHERE interaction = 'accept-notice'")
    await browser.submit("/notice")
    assert browser.path.startswith("/signon/enrol")
    await browser.get("/signon/register")
    assert browser.path == "/signon/register"
    after = await database.fetchval("SELECT count(*) FROM record.audit WHERE interaction = 'accept-notice'")
    assert after == before + 1


@pytest.mark.requirement("SRG-APP-000069", "V2.3.1")
async def test_nobody_signs_in_past_the_notice(browser):
    await browser.get("/signon/notice")
    csrf = browser.page.csrf
    answer = await browser.http.post("/signon/sign-in", data={"csrf": csrf, "name": "x", "password": "y"})
    assert answer.headers["location"].startswith("/signon/notice")


async def test_whoever_is_not_eligible_reads_why_and_whom_to_call(browser, enlist):
    _, facts = await enlist(Eligibility("spouse", date(1982, 6, 19), date(2012, 3, 1)))
    await browser.get("/signon/register")
    await browser.submit("/notice")
    await browser.submit("/register", **facts)
    assert browser.answer.status_code == 403
    assert "ended on 1 March 2012" in browser.page.text
    assert "please call the ID card office" in browser.page.text
    assert facts["dod_id"] == next(form for form in browser.page.forms if "dod_id" in form.fields).fields["dod_id"]


async def test_wrong_facts_are_told_in_one_way(browser, enlist):
    _, facts = await enlist()
    await browser.get("/signon/register")
    await browser.submit("/notice")
    await browser.submit("/register", **{**facts, "family_name": "Smith"})
    assert "three facts together" in browser.page.text
    await browser.submit("/register", **facts)
    assert "Robert James O'Brien" in browser.page.text


@pytest.mark.requirement("V16.5.1")
async def test_a_wrong_password_says_nothing_about_the_name(browser, other_browser, steps):
    _, name = await steps.register(browser)
    said = []
    for tried in (name, "nobody-at-all"):
        await steps.sign_in(other_browser, tried, password="wrong")
        assert other_browser.answer.status_code == 401
        said.append(other_browser.page.text.replace(tried, ""))
    assert said[0] == said[1]
    assert "do not belong together" in said[0]


async def test_an_authenticator_app_makes_the_second_step_without_any_script(browser, other_browser, steps):
    _, name = await steps.register(browser)
    app, codes = await steps.add_app(browser)
    assert len(codes) == 10
    await steps.sign_in(other_browser, name)
    assert other_browser.path == "/signon/sign-in"
    assert "authenticator app" in other_browser.page.text
    await other_browser.submit("/second-step", code="000000")
    assert "wrong" in other_browser.page.text
    await other_browser.submit("/second-step", code=app.at(int(time.time()) + app.interval))
    assert other_browser.path == "/signon/account"


async def test_recovery_leads_to_a_new_factor_and_nowhere_else(browser, other_browser, steps):
    _, name = await steps.register(browser)
    _, codes = await steps.add_app(browser)
    await steps.sign_in(other_browser, name)
    await other_browser.submit("/second-step", code=codes[0], kind="recovery")
    assert "recovery code" in other_browser.page.text
    await other_browser.get("/signon/premium")
    assert other_browser.path == "/signon/sign-in"
    await other_browser.get("/signon/account")
    await other_browser.submit("/account/app", label="New phone")
    uri = next(link for link in other_browser.page.links if link.startswith("otpauth:"))
    await other_browser.submit("/account/app/confirm", code=pyotp.parse_uri(uri).now())
    assert "Please sign in with it" in other_browser.page.text
    await browser.get("/signon/account")
    assert browser.path == "/signon/sign-in"


@pytest.mark.requirement("V7.4.3")
async def test_a_changed_password_ends_the_other_sessions(browser, other_browser, steps):
    _, name = await steps.register(browser)
    await steps.sign_in(other_browser, name)
    new = "twelve green boats, quite late"
    await browser.submit("/account/password", present=PASSWORD, password=new, again="another")
    assert "differ" in browser.page.text
    await browser.submit("/account/password", present=PASSWORD, password=new, again=new)
    assert browser.path == "/signon/account"
    assert "Your password was changed" in browser.page.text
    await other_browser.get("/signon/account")
    assert other_browser.path == "/signon/sign-in"
    await other_browser.submit("/sign-in", name=name, password=new)
    assert other_browser.path == "/signon/account"


@pytest.mark.requirement("V-222391", "V-222392", "V7.4.4", "V7.5.2")
async def test_sessions_are_listed_and_ended_here_there_and_everywhere(browser, other_browser, steps):
    _, name = await steps.register(browser)
    await steps.sign_in(other_browser, name)
    await browser.get("/signon/account")
    assert browser.page.text.count("Test browser · 127.0.0.1") == 2
    await browser.submit("/account/end-session")
    await other_browser.get("/signon/account")
    assert other_browser.path == "/signon/sign-in"
    await other_browser.submit("/sign-in", name=name, password=PASSWORD)
    await browser.get("/signon/account")
    await browser.submit("/sign-out", all="1")
    assert "everywhere" in browser.page.text
    assert browser.answer.history == []
    await other_browser.get("/signon/account")
    assert other_browser.path == "/signon/sign-in"


@pytest.mark.requirement("V3.5.1")
async def test_a_form_from_elsewhere_or_without_its_key_is_refused(browser, steps):
    await steps.register(browser)
    form = next(one for one in browser.page.forms if one.action.endswith("/sign-out") and "all" in one.fields)
    for fields, headers in (
        ({**form.fields, "csrf": "0" * 64}, {}), ({"all": "1"}, {}), (form.fields, {"origin": "https://evil.example"}),
        (form.fields, {"origin": "null"}), (form.fields, {"sec-fetch-site": "cross-site"}),
    ):  # fmt: skip
        answer = await browser.http.post(form.action, data=fields, headers=headers)
        assert answer.status_code == 403
        assert "did not come from this site" in answer.text
    await browser.get("/signon/account")
    assert browser.path == "/signon/account"


@pytest.mark.requirement("V7.2.4")
async def test_forms_of_before_signing_in_are_void_after_it(browser, steps):
    await browser.get("/signon/notice")
    early = browser.page.csrf
    await steps.register(browser)
    answer = await browser.http.post("/signon/sign-out", data={"csrf": early})
    assert answer.status_code == 403


@pytest.mark.requirement("V-222577", "V3.3.2", "V3.3.4")
async def test_cookies_are_closed_to_scripts_and_other_sites(browser):
    await browser.get("/signon/notice")
    csrf = browser.page.csrf
    answer = await browser.http.post("/signon/notice", data={"csrf": csrf})
    for cookie in answer.headers.get_list("set-cookie"):
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
        assert "path=/" in cookie.lower()


@pytest.mark.requirement("V1.3.3")
async def test_a_character_that_no_text_may_hold_is_refused_in_words(browser):
    await browser.get("/signon/notice")
    csrf = browser.page.csrf
    asked = await browser.http.get("/signon/go-on", params={"client_id": "x\0"})
    posted = await browser.http.post("/signon/notice", data={"csrf": csrf, "then": "a\0' OR 1=1"})
    named = await browser.http.post("/signon/notice", data={"csrf": csrf, "\0": "x"})
    for answer in (asked, posted, named):
        assert answer.status_code == 400, answer.text
        assert "U+0000" in answer.text
    odd = await browser.http.get("/signon/account", headers={"cookie": "continuum-session=%00"}, follow_redirects=False)
    assert odd.status_code < 500


@pytest.mark.requirement("V3.3.1", "V3.3.3")
async def test_behind_tls_cookies_are_bound_to_the_host(another):
    with another(origin="https://ehr.example.org") as server:
        async with httpx.AsyncClient(base_url=server.origin) as client:
            answer = await client.get("/signon/notice")
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-continuum-visit=")
    assert "secure" in cookie.lower()


@pytest.mark.parametrize(
    "address", ["/signon/notice", "/signon/sign-in", "/signon/account", "/signon/nothing", "/signon/files/style.css",
                "/signon/.well-known/openid-configuration", "/signon/jwks", "/signon/userinfo"],
)  # fmt: skip
@pytest.mark.requirement("V3.4.3", "V3.4.4", "V3.4.5", "V3.4.6")
async def test_every_answer_is_closed_to_frames_and_foreign_content(browser, address):
    answer = await browser.http.get(address)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/signon//evil.example", "javascript:x", "/fhir/Patient",
               "/signon/x\r\nSet-Cookie: a=b", "/signon/../fhir"],
)  # fmt: skip
@pytest.mark.requirement("V1.2.2", "V3.7.2")
async def test_nobody_is_led_away_after_signing_in(browser, other_browser, steps, wanted):
    _, name = await steps.register(browser)
    await other_browser.get("/signon/sign-in")
    await other_browser.submit("/notice")
    await other_browser.submit("/sign-in", name=name, password=PASSWORD, next=wanted)
    assert other_browser.path == "/signon/account"


@pytest.mark.requirement("V14.2.3")
async def test_no_page_holds_script_or_style_of_its_own(browser, steps):
    pages = ["/signon/notice", "/signon/register", "/signon/sign-in"]
    await browser.get("/signon/notice")
    texts = [browser.answer.text]
    await steps.register(browser)
    for address in (*pages, "/signon/account", "/signon/premium"):
        await browser.get(address)
        texts.append(browser.answer.text)
    for text in texts:
        assert not re.search(r"<style|\son[a-z]+=|\sstyle=|javascript:", text)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


async def test_every_field_has_its_label_and_every_page_one_heading(browser, steps):
    await browser.get("/signon/notice")
    texts = [browser.answer.text]
    await steps.register(browser)
    for address in ("/signon/register", "/signon/sign-in", "/signon/account", "/signon/premium"):
        await browser.get(address)
        texts.append(browser.answer.text)
    for text in texts:
        labelled = set(re.findall(r'<label[^>]*\sfor="([^"]+)"', text))
        around = re.sub(r"<label[^>]*>\s*<input[^>]*>", "", text)  # choices stand inside their labels
        fields = re.findall(r"<(?:input|select)(?![^>]*(?:type=\"hidden\"|aria-hidden=\"true\"))[^>]*>", around)
        assert fields or "notice" in text
        identities = re.findall(r'\sid="([^"]+)"', text)
        assert len(identities) == len(set(identities))
        assert all(re.search(r'\sid="([^"]+)"', tag).group(1) in labelled for tag in fields)
        assert text.count("<h1>") == 1
        assert '<html lang="en"' in text


async def test_a_form_that_is_too_large_is_refused(browser):
    await browser.get("/signon/notice")
    fields = {"csrf": browser.page.csrf, "next": "x" * 100_000}
    assert (await browser.http.post("/signon/notice", data=fields)).status_code == 413


@pytest.mark.requirement("V-222602", "V1.2.1", "V3.2.2")
async def test_what_people_type_is_shown_as_text(browser, enlist):
    _, facts = await enlist()
    await browser.get("/signon/register")
    await browser.submit("/notice")
    await browser.submit("/register", **{**facts, "family_name": '"><script>alert(1)</script>'})
    assert "<script>alert" not in browser.answer.text
    shown = next(form for form in Page(browser.answer.text).forms if "family_name" in form.fields)
    assert shown.fields["family_name"] == '"><script>alert(1)</script>'


@pytest.mark.requirement("V6.2.12")
async def test_a_password_of_the_operators_list_is_refused_in_words(another, enlist, tmp_path):
    known = tmp_path / "breached.txt"
    known.write_text("Eleven Purple Kites Over Town\n", encoding="utf-8")
    with another(breached=str(known)) as server:
        async with Browser(server.origin) as browser:
            person, facts = await enlist()
            await browser.get("/signon/register")
            await browser.submit("/notice")
            await browser.submit("/register", **facts)
            chosen = {"name": f"person-{person.dod_id}", "password": "eleven purple kites over town"}
            await browser.submit("/register/choose", **chosen, again=chosen["password"])
            assert browser.answer.status_code == 422
            assert "known from a breach" in browser.page.text

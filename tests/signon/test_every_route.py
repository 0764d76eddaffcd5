"""Every page of every app, by those who may, those who may not, with what is no request: each refusal is one row."""

import re

import asyncpg
import pytest

from continuum.runtime.postgres.address import Address
from tests.browsing import Browser
from tests.routes import ROUTES
from tests.trail import account_of

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
_PARTS = {
    "who": "me", "section": "labs", "kind": "problems", "key": "nowhere", "piece": "portal-poster.png",
    "entry_id": "e0",
}  # fmt: skip
ENDS_A_SESSION = {"/signon/sign-out", "/signon/end-session"}


def address(path, patient_id):
    """The address of a route, about a patient."""
    return re.sub(r"{(\w+)}", lambda found: {**_PARTS, "patient_id": patient_id}.get(found[1], "nothing"), path)


async def asked(trail, browser, actor, method, path, **given):
    """The answer, and the rows that it left in the actor's name."""
    before = await trail.fetchval("SELECT coalesce(max(seq), 0) FROM record.audit")
    answer = await browser.http.request(method, path, **given)
    rows = await trail.fetch("SELECT * FROM record.audit WHERE seq > $1 AND actor = $2 ORDER BY seq", before, actor)
    return answer, [dict(one) for one in rows]


def one_refusal(answer, rows, what):
    """Exactly one row says that it was refused, when, to whom, and that it was this request."""
    refused = [one for one in rows if one["outcome"]]
    assert len(refused) == 1, (what, answer.status_code, answer.text[:300], rows)
    assert refused[0]["detail"], what
    assert len({one["request"] for one in rows}) == 1, what


@pytest.fixture(scope="module")
async def people(open_hospital):
    """Somebody for each way of being refused: (browser, account) by name."""
    retiree = open_hospital.persona("retiree")
    home = open_hospital.facility_of(retiree.patient_id)
    known = {
        "help-desk": await open_hospital.member("help-desk", None, display="Hella Help"),
        "stranger": await open_hospital.member(
            "physician", open_hospital.facility_of(open_hospital.persona("mother").patient_id), display="Dr. Far"
        ),
        "physician": await open_hospital.member("physician", home, display="Dr. Near"),
        "basic": await open_hospital.newcomer("Basicway", home, premium=False),
        "person": await open_hospital.person(retiree, premium=True),
    }
    opened = {
        name: (await open_hospital.enter(who), await account_of(open_hospital, who)) for name, who in known.items()
    }
    yield opened
    for browser, _ in opened.values():
        await browser.http.aclose()


@pytest.fixture
async def trail(open_hospital):
    """The database, as its owner."""
    conn = await asyncpg.connect(**Address.from_url(open_hospital.owner).connect)
    yield conn
    await conn.close()


WHERE = {
    "help-desk": ("signon", "portal", "workspace"), "stranger": ("workspace",), "basic": ("portal",),
    "person": ("signon", "workspace"), "physician": ("signon", "portal"),
}  # fmt: skip
"""The apps that somebody tries."""


@pytest.mark.requirement("V16.3.2")
async def test_whoever_may_not_leaves_one_row_for_each_page(open_hospital, people, trail):
    patient_id = open_hospital.persona("retiree").patient_id
    refused = set()
    for name, apps in WHERE.items():
        browser, account = people[name]
        for app, method, path in ROUTES:
            if path in ENDS_A_SESSION or app not in apps:
                continue
            data = {"csrf": browser.page.csrf} if method == "POST" else None
            answer, rows = await asked(trail, browser, account, method, address(path, patient_id), data=data)
            assert answer.status_code < 500, (name, method, path, answer.text)
            led = answer.status_code == 303 and answer.headers["location"] == "/portal/premium"
            if answer.status_code in (403, 404) or led:
                one_refusal(answer, rows, (name, method, path))
                refused.add((app, name))
    assert {("signon", "help-desk"), ("workspace", "help-desk"), ("workspace", "stranger"), ("workspace", "person"),
            ("portal", "basic"), ("portal", "physician")} <= refused  # fmt: skip


@pytest.mark.parametrize(("app", "method", "path"), ROUTES)
@pytest.mark.requirement("V16.3.3")
async def test_what_is_no_request_leaves_one_row_and_a_forged_form_too(open_hospital, people, trail, app, method, path):
    browser, account = people["person" if app == "portal" else "physician"]
    where = address(path, open_hospital.persona("retiree").patient_id)
    data = {"csrf": browser.page.csrf} if method == "POST" else None
    answer, rows = await asked(trail, browser, account, method, f"{where}?odd=%00", data=data)
    assert answer.status_code == 400, answer.text
    assert "Something went wrong" not in answer.text
    one_refusal(answer, rows, where)
    odd = re.sub(r"/[^/]+$", "/%00", where) if "{" in path.rpartition("/")[2] else f"{where}/%00"
    answer = await browser.http.request(method, odd, data=data)
    assert answer.status_code in (400, 404, 405), (odd, answer.text)
    if method == "POST":
        answer, rows = await asked(trail, browser, account, method, where, data={"csrf": "00"})
        assert answer.status_code == 403
        one_refusal(answer, rows, where)
        async with Browser(open_hospital.origin) as nobody:
            answer, rows = await asked(trail, nobody, "unknown", "POST", where, data={"csrf": "00"})
        assert answer.status_code == 403
        one_refusal(answer, rows, where)


SHOWS = [(app, path) for app, method, path in ROUTES if method == "GET" and app != "signon" and (
    "/record/{who}" in path or "/messages" in path or "/appointments" in path or "/patients/{patient_id}" in path
    or "/clinic" in path)]  # fmt: skip

NOTHING_YET = {
    "/portal/record/{who}/search", "/portal/record/{who}/take-along", "/portal/record/{who}/links",
    "/workspace/messages/away", "/workspace/messages/templates",
}  # fmt: skip
"""Forms that show nothing of a record before they are sent."""


@pytest.mark.parametrize(("app", "path"), [one for one in SHOWS if one[1] not in NOTHING_YET])
async def test_a_page_that_shows_a_record_says_in_the_trail_to_whom_and_why(open_hospital, people, trail, app, path):
    browser, account = people["person" if app == "portal" else "physician"]
    where = address(path, open_hospital.persona("retiree").patient_id)
    answer, rows = await asked(trail, browser, account, "GET", where)
    if answer.status_code != 200:
        assert answer.status_code in (303, 404, 422, 409, 400), (where, answer.text)
        return
    assert rows, where
    acts = [(one["interaction"], one["type"], one["target"], one["query"]) for one in rows]
    assert len(set(acts)) == len(acts), (where, acts)
    assert {one["purpose"] for one in rows} == {"PATRQT" if app == "portal" else "TREAT"}
    assert 0 in {one["outcome"] for one in rows}
    assert {one["request"] for one in rows} == {rows[0]["request"]}

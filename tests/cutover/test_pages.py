"""Waves and moves through the pages without JavaScript: who may, what is refused and how, who has to be matched."""

import json
import re

import pytest

from continuum.apps.cutover.workspace_part import PART
from continuum.interop.cutover.form import read
from continuum.samples.places import world
from tests.browsing import Browser

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
WAVES, MOVES = "/workspace/waves", "/workspace/moves"
KELP, PINEWATER = world().sites["kelp-clinic"].organization, world().sites["pinewater-hospital"].organization
SYSTEM = "urn:example:older-portal"


@pytest.fixture
async def enter(clinic):
    opened = []

    async def sign_in(role, facility=None):
        who = await clinic.hospital.member(role, facility, display=f"{role.title()} Quill")
        opened.append(await clinic.hospital.enter(who))
        return opened[-1]

    yield sign_in
    for browser in opened:
        await browser.http.aclose()


def file(*rows, facility=KELP):
    begin = {"row": "begin", "form": "continuum-cutover", "version": 1, "system": SYSTEM,
             "made": "2027-01-02T08:00:00Z", "facility": {"id": facility}}  # fmt: skip
    return "\n".join(map(json.dumps, (begin, *rows, {"row": "end", "rows": len(rows)}))).encode()


def person(key, dod_id="", born="1980-02-03"):
    return {"row": "person", "key": key, "dod_id": dod_id, "family": "Lindstrom", "given": "Aoife", "born": born}


def visit(who, key, start="2027-03-01T09:00:00-09:00", end="2027-03-01T09:30:00-09:00"):
    return {"row": "appointment", "person": who, "origin": {"system": SYSTEM, "key": key}, "status": "booked",
            "start": start, "end": end, "reason": "a check"}  # fmt: skip


async def post(browser, part, *, data=b"", **fields):
    """Sends the form of an act, or else the first one whose action has this part."""
    forms = [one for one in browser.page.forms if part in one.action and one.method == "post"]
    named = [one for one in forms if one.fields.get("act") == fields.get("act", "")]
    form = (named or [one for one in forms if not one.fields.get("act")])[0]
    files = [("file", ("older.ndjson", data, "application/x-ndjson"))] if data else None
    return await browser.arrive(await browser.http.post(form.action, data={**form.fields, **fields}, files=files))


@pytest.mark.parametrize("role", ["nurse", "physician", "scheduler"])
async def test_the_plan_is_closed_to_those_who_have_no_part_in_it(enter, role):
    them = await enter(role, KELP)
    for path in (WAVES, f"{WAVES}/facility/{KELP}", f"{WAVES}/facility/{KELP}/export", MOVES):
        assert (await them.http.get(path)).status_code == 403, path


async def test_a_registrar_looks_at_the_plan_and_changes_nothing_of_it(enter):
    clerk = await enter("registrar", KELP)
    await clerk.get(WAVES)
    assert "Wave 1, Atlantic" in clerk.page.text
    assert [one for one in clerk.page.forms if one.action.startswith(WAVES)] == []
    csrf = next(one.fields["csrf"] for one in clerk.page.forms if "csrf" in one.fields)
    for path in (WAVES, f"{WAVES}/facility/{KELP}", f"{WAVES}/facility/{KELP}/data"):
        answer = await clerk.http.post(path, data={"csrf": csrf, "act": "live", "reason": "now"})
        assert answer.status_code == 403, path
    assert (await clerk.http.get(f"{WAVES}/facility/{KELP}/export")).status_code == 403
    await clerk.get(f"{WAVES}/facility/{PINEWATER}")
    assert "Ready to go live?" not in clerk.page.text


async def test_an_administrator_records_no_moves(enter):
    admin = await enter("administrator")
    assert (await admin.http.get(MOVES)).status_code == 403


async def test_what_is_refused_is_said_and_what_was_typed_stands(enter):
    admin = await enter("administrator")
    await admin.get(WAVES)
    await post(admin, WAVES, act="add", **{"name-new": "Wave 7", "day-new": "soon"})
    assert "Write the day as" in admin.page.text
    assert any(one.fields.get("name-new") == "Wave 7" for one in admin.page.forms)
    await admin.get(f"{WAVES}/facility/{PINEWATER}")
    await post(admin, PINEWATER, act="hold", **{"reason-hold": " "})
    assert "Say why, so that people can be told." in admin.page.text
    await post(admin, PINEWATER, act="hold", **{"reason-hold": "Flooded"})
    assert "Flooded" in admin.page.text
    await post(admin, PINEWATER, act="resume")
    assert "going live" in admin.page.text
    await post(admin, PINEWATER, act="details", zone="Mars/Olympus")
    assert "There is no such time zone" in admin.page.text


async def test_files_that_are_none_or_for_elsewhere_are_refused_in_words(enter):
    admin = await enter("administrator")
    await admin.get(f"{WAVES}/facility/{KELP}")
    await post(admin, "/data", act="import", data=b"hello")
    assert "This is not a cutover file" in admin.page.text
    await post(admin, "/data", act="rehearse", data=file(person("P1"), facility=PINEWATER))
    assert "not for Coast Guard Base Kelp Bay Clinic" in admin.page.text


async def test_somebody_whom_nobody_knows_waits_until_a_person_says_who_it_is(clinic, enter):
    boatswain = clinic.hospital.persona("boatswain")
    admin = await enter("administrator")
    await admin.get(f"{WAVES}/facility/{KELP}")
    before = set(admin.page.links)
    await post(admin, "/data", act="import", data=file(person("P7"), visit("P7", "W-1"), visit("P7", "W-2", end="no")))
    assert "no DoD ID" in admin.page.text
    assert "Line 4" in admin.page.text
    # Others of these tests have people who wait at the same facility, and bring in rows of their own.
    waiting = next(one for one in admin.page.links if "/unmatched/" in one and one not in before)
    await admin.get(f"{waiting}?q=lindstrom aoife")
    await post(admin, "/unmatched/", patient="somebody-else")
    assert "Choose who it is." in admin.page.text
    await post(admin, "/unmatched/", patient=boatswain.patient_id)
    assert "Matched" in admin.page.text
    assert waiting not in admin.page.links
    taken = await admin.http.get(f"{WAVES}/facility/{KELP}/export")
    rows = read(taken.content, most_bytes=10_000_000)
    brought = {row["origin"]["key"] for _, row in rows.appointments if row["origin"]["system"] == SYSTEM}
    assert brought & {"W-1", "W-2"} == {"W-1"}
    aoife = await clinic.at("boatswain", boatswain.name.split()[0])
    await aoife.get("/portal/appointments/me")
    assert "Mar 1, 2027" in aoife.page.text or "March 1" in aoife.page.text


async def test_a_planned_move_is_called_off_and_the_person_stays(clinic, enter):
    clerk = await enter("registrar", KELP)
    await clinic.hospital.newcomer("Staysafterall", KELP)
    await clerk.get(f"{MOVES}?q=staysafterall")
    plan = next(link for link in clerk.page.links if link.startswith(f"{MOVES}/plan/"))
    await clerk.get(plan)
    await post(clerk, plan, to=PINEWATER, day="2027-09-01")
    assert "Staysafterall" in clerk.page.text
    own = clerk.answer.text.partition("Staysafterall")[2]
    action = re.search(r'action="([^"]+/call-off)"', own)[1]
    await clerk.arrive(await clerk.http.post(action, data={"csrf": clerk.page.csrf}))
    assert clerk.answer.status_code == 200
    assert "Staysafterall" not in clerk.page.text
    again = await clerk.http.post(action, data={"csrf": clerk.page.csrf})
    assert 400 <= again.status_code < 500, "it does not happen twice"


async def test_every_page_of_the_workspace_asks_who_is_here(clinic):
    stranger = Browser(clinic.hospital.origin)
    for path, _, methods in PART.pages:
        address = (
            f"/workspace{path}".replace("{facility_id}", KELP).replace("{entry_id}", "x").replace("{patient_id}", "x")
        )
        answer = await (stranger.http.get(address) if "GET" in methods else stranger.http.post(address))
        assert answer.status_code in {303, 401, 403}, address
        assert "location" not in answer.headers or "/signon/" in answer.headers["location"], address
    await stranger.http.aclose()

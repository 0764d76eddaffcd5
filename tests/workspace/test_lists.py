"""Whom staff look after: lists of their own by name, and the people of their facility."""

import asyncpg
import pytest

from continuum.runtime.postgres.address import Address

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture
async def ada(open_hospital, enter, at_home):
    return await enter(await open_hospital.member("physician", at_home, display="Dr. Ada Okoye"))


def chart(retiree):
    return f"/workspace/patients/{retiree.patient_id}"


async def test_a_list_is_made_by_its_first_patient_renamed_and_deleted(open_hospital, ada, enter, retiree, at_home):
    await ada.get(f"{chart(retiree)}/lists")
    await ada.submit("/lists", name="Gout group", **{"on-": "yes"})
    assert ada.path == chart(retiree)
    await ada.get("/workspace")
    assert ada.page.text.count("O'Brien, Robert James") >= 3, "opened lately, on the usual list and on the new one"
    assert "Gout group" in ada.page.text
    for name, words in (("gout  GROUP", "of this name already"), ("x" * 61, "needs a name")):
        await ada.get(f"{chart(retiree)}/lists")
        await ada.submit("/lists", name=name)
        assert ada.answer.status_code == 422
        assert words in ada.page.text

    await ada.get("/workspace/lists")
    rename = next(one for one in ada.page.forms if one.fields.get("act") == "rename")
    await ada.arrive(await ada.http.post("/workspace/lists", data={**rename.fields, "name": "On call"}))
    assert "On call" in ada.page.text
    assert "Gout group" not in ada.page.text
    other = await enter(await open_hospital.member("physician", at_home, display="Dr. Other"))
    await other.get("/workspace/lists")
    assert "On call" not in other.page.text
    assert "Brien" not in other.page.text
    for act in ("rename", "delete", "off"):
        stolen = {"csrf": other.page.csrf, "act": act, "list": rename.fields["list"], "name": "Mine"}
        assert (await other.http.post("/workspace/lists", data=stolen)).status_code == 404

    conn = await asyncpg.connect(**Address.from_url(open_hospital.owner).connect)
    try:
        sealed = await conn.fetchval("SELECT sealed FROM chart.list WHERE list_id = $1", rename.fields["list"])
    finally:
        await conn.close()
    assert b"On call" not in sealed, "the database does not know what a list is called"

    await ada.get("/workspace/lists")
    off = next(one for one in ada.page.forms if one.fields.get("act") == "off" and one.fields["list"] == "")
    await ada.arrive(await ada.http.post("/workspace/lists", data=off.fields))
    assert "Taken off the list" in ada.page.text
    await ada.arrive(await ada.http.post("/workspace/lists", data={**rename.fields, "act": "delete"}))
    assert "On call" not in ada.page.text
    assert "Brien" not in ada.page.text


async def test_the_people_of_a_facility_are_listed_page_by_page_and_nobody_elses(open_hospital, ada, retiree):
    await ada.get("/workspace/here")
    assert "O'Brien, Robert James" in ada.page.text
    mother = open_hospital.persona("mother")
    assert open_hospital.facility_of(mother.patient_id) != open_hospital.facility_of(retiree.patient_id)
    assert "Núñez" not in ada.page.text


async def test_who_may_not_write_is_not_offered_it(open_hospital, ada, enter, retiree, at_home):
    await ada.get(chart(retiree))
    offered = {link.removeprefix(chart(retiree)) for link in ada.page.links if link.endswith("/new")}
    assert offered == {"/allergies/new", "/problems/new", "/vitals/new", "/notes/new"}
    pharmacist = await enter(await open_hospital.member("pharmacist", at_home, display="Pharmacist"))
    await pharmacist.get(chart(retiree))
    for link in (one for one in pharmacist.page.links if one.endswith("/new")):
        answer = await pharmacist.http.get(link)
        assert answer.status_code == 200, link
    assert f"{chart(retiree)}/problems/new" not in pharmacist.page.links

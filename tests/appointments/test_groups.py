"""A group visit: who is in it, one step for all who are picked, and an hour that is called off."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.appointments.booking import HOME, send
from tests.appointments.desk import CLINIC, patient, step

THURSDAY = 3
"""When the class of the sample clinics is; calendars that other stories change may have groups on other days."""
pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


async def book_seat(browser, group, name):
    """Books somebody onto a seat of a group; the id of the appointment."""
    await browser.get(group)
    free = next(link for link in browser.page.links if "/clinic/book/" in link)
    await browser.get(f"{free}?q={quote(name)}")
    found = re.search(r'name="patient"[^>]*value="([^"]+)"', browser.answer.text)
    await send(browser, "/book/", patient=found[1], kind="FOLLOWUP")
    assert "It is booked" in browser.page.text, browser.page.text
    return browser.path.rpartition("/")[2]


async def group_day(browser, after=0):
    """The day of the first class that is open, or of one of those after it."""
    for _ in range(60):  # until the server has opened its calendars
        found = []
        for number in range(1, 16):
            there = (datetime.now(UTC) + timedelta(days=number)).date()
            if there.weekday() != THURSDAY:
                continue
            day = there.isoformat()
            await browser.get(f"{CLINIC}/day?date={day}")
            found += [day] if any("/group/" in link for link in browser.page.links) else []
            if len(found) > after:
                return found[after]
        await asyncio.sleep(0.25)
    raise AssertionError("no class in the calendars of this facility")


async def reopened(browser, group):
    """Opens a closed hour again, and looks at it."""
    await browser.get(group)
    await browser.get(next(link for link in browser.page.links if re.search(r"/calendars/[0-9a-f-]{36}$", link)))
    again = next(one for one in browser.page.forms if one.fields.get("act") == "open-hour")
    await browser.arrive(await browser.http.post(again.action, data=again.fields))
    await browser.get(group)


async def test_a_group_is_seen_checked_in_and_called_off_together(clinic, staffed, retiree):
    """Three people at one hour of the class; then the hour is closed, and stays so until it is opened again."""
    nurse = await staffed("nurse")
    await nurse.get(f"{CLINIC}/day?date={await group_day(nurse)}")
    group = next(link for link in nurse.page.links if "/group/" in link)
    home = clinic.hospital.facility_of(patient(clinic))
    await clinic.hospital.newcomer("Groupson", home)
    for name in ("O'Brien Robert", "O'Brien Linda", "Groupson"):
        await book_seat(nurse, group, name)
    await nurse.get(group)
    assert "3 of 8 are taken" in nurse.page.text, nurse.page.text
    form = next(one for one in nurse.page.forms if one.action == group)
    boxes = re.findall(r'name="(who-[0-9a-f-]{36})"', nurse.answer.text)
    assert len(boxes) == 3
    nobody = {name: value for name, value in form.fields.items() if not name.startswith("who-")}
    await nurse.arrive(await nurse.http.post(group, data={**nobody, "act": "arrived"}))
    assert nurse.answer.status_code == 422
    assert "Choose at least one person" in nurse.page.text
    # One of them was checked in by a colleague a moment ago.
    second = await staffed("nurse")
    await second.get(f"{CLINIC}/{boxes[2][4:]}")
    await step(second, boxes[2][4:], "arrived")
    await nurse.arrive(await nurse.http.post(group, data={**nobody, **dict.fromkeys(boxes, "yes"), "act": "arrived"}))
    assert "2 people were taken one step on" in nurse.page.text, nurse.page.text
    assert "1 was somewhere else already" in nurse.page.text
    await nurse.arrive(await nurse.http.post(group, data={**nobody, boxes[0]: "yes", "act": "started"}))
    assert "1 person was taken one step on" in nurse.page.text, nurse.page.text

    # Another hour of the same class is called off for everybody in it.
    await nurse.get(f"{CLINIC}/day?date={await group_day(nurse, after=1)}")
    group = next(link for link in nurse.page.links if "/group/" in link)
    made = await book_seat(nurse, group, "O'Brien Robert")
    await nurse.get(group)
    call_off = next(one for one in nurse.page.forms if one.fields.get("act") == "call-off")
    await nurse.arrive(await nurse.http.post(group, data={**call_off.fields, "reason": " "}))
    assert "Say why" in nurse.page.text
    await nurse.arrive(await nurse.http.post(group, data={**call_off.fields, "reason": "The teacher is ill"}))
    assert "It is called off for everybody" in nurse.page.text
    assert "closed" in nurse.page.text
    await retiree.get(f"{HOME}/me/{made}")
    assert "The teacher is ill" in retiree.page.text
    await reopened(nurse, group)
    assert "0 of 8 are taken" in nurse.page.text, nurse.page.text
    await retiree.get(f"{HOME}/me")
    while any("/leave" in one.action for one in retiree.page.forms):
        await send(retiree, "/leave")
        await retiree.get(f"{HOME}/me")


async def test_who_calls_an_hour_off_is_told_of_those_whom_they_do_not_see(clinic, staffed):
    scheduler = await staffed("scheduler")
    await scheduler.get(f"{CLINIC}/day?date={await group_day(scheduler, after=1)}")
    group = next(link for link in scheduler.page.links if "/group/" in link)
    await book_seat(scheduler, group, "O'Brien Linda")
    shown = scheduler.path.rpartition("/")[2]
    async with clinic.hospital.client("system") as api:
        mine = (await api.get(f"/Appointment/{shown}")).json()
        await scheduler.get(group)
        free = next(link for link in scheduler.page.links if "/clinic/book/" in link).rpartition("/")[2]
        label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
        other = {name: mine[name] for name in ("resourceType", "status", "start", "end", "participant")}
        other |= {"meta": {"security": [label]}, "slot": [{"reference": f"Slot/{free}"}]}
        other["participant"] = [
            one for one in other["participant"] if not one["actor"]["reference"].startswith("Patient/")
        ] + [{"actor": {"reference": f"Patient/{patient(clinic)}"}, "status": "accepted"}]
        hidden = (await api.post("/Appointment", json=other)).json()
        await scheduler.get(group)
        assert "2 of 8 are taken" in scheduler.page.text
        assert "Robert" not in scheduler.page.text
        form = next(one for one in scheduler.page.forms if one.fields.get("act") == "call-off")
        data = {**form.fields, "reason": "The teacher is ill"}
        await scheduler.arrive(await scheduler.http.post(group, data=data))
        assert "1 person is still in it" in scheduler.page.text, scheduler.page.text[200:700]
        assert (await api.get(f"/Appointment/{shown}")).json()["status"] == "cancelled"
        assert (await api.get(f"/Appointment/{hidden['id']}")).json()["status"] == "booked"
        (await api.put(f"/Appointment/{hidden['id']}", json=hidden | {"status": "cancelled"})).raise_for_status()
    await reopened(scheduler, group)

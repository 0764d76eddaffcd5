"""A clinic's staff and their pages: the board, the day, calendars, calling off; and who may not."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from continuum.apps.appointments.clinic_calendars import in_words
from continuum.clinical.scheduling.model import Rule
from tests.appointments.booking import HOME, ahead, book, send, times
from tests.appointments.desk import CLINIC, forms, patient, step
from tests.browsing import Browser

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


async def walk_in(browser, patient_id):
    """Somebody comes in without an appointment; the id of the new one."""
    await browser.get(f"{CLINIC}/walk-in?q=obrien+robert")
    assert patient_id in browser.answer.text, browser.page.text
    schedule = re.search(r'<select[^>]+id="schedule"[^>]*>\s*<option value="([^"]+)"', browser.answer.text)
    before = set(browser.page.links)
    await send(browser, "/walk-in", patient=patient_id, schedule=schedule[1])
    assert browser.path == CLINIC, browser.page.text
    names = [link.rpartition("/")[2] for link in browser.page.links if re.search(r"/clinic/[0-9a-f-]{36}$", link)]
    return names[-1] if names else before


async def test_somebody_who_walks_in_goes_over_the_board_and_into_the_chart(clinic, staffed):
    nurse = await staffed("nurse")
    made = await walk_in(nurse, patient(clinic))
    second = await staffed("nurse")
    await second.get(CLINIC)
    await step(nurse, made, "roomed", room="Room 4")
    assert "Room 4" in nurse.page.text
    await step(second, made, "roomed", room="Room 5")
    assert "Somebody was quicker" in second.page.text
    assert "Room 4" in second.page.text
    await step(nurse, made, "started")
    await step(nurse, made, "finished")
    await nurse.get(f"{CLINIC}/{made}")
    assert "over" in nurse.page.text
    await nurse.get(f"/workspace/patients/{patient(clinic)}/visits")
    assert datetime.now(UTC).strftime("%Y") in nurse.page.text


async def test_a_clinic_books_moves_and_calls_off_and_the_person_sees_it(clinic, staffed, retiree):
    registrar = await staffed("registrar")
    free = await times(retiree)
    slot = free[20].partition("/book/")[2].partition("?")[0]
    await registrar.get(f"{CLINIC}/book/{slot}?q=obrien+robert")
    await send(registrar, "/book/", patient=patient(clinic), kind="FOLLOWUP", comment="Bring your readings")
    made = registrar.path.rpartition("/")[2]
    assert "It is booked" in registrar.page.text
    await retiree.get(f"{HOME}/me/{made}")
    assert retiree.answer.status_code == 200

    await registrar.get(f"{CLINIC}/{made}/move")
    other = re.findall(r'name="slot" id="slot-\d+" value="([^"]+)"', registrar.answer.text)
    await send(registrar, "/move", slot="")
    assert "Choose a time." in registrar.page.text
    await send(registrar, "/move", slot=other[-1], why=" ")
    assert "Say why" in registrar.page.text
    await send(registrar, "/move", slot=other[-1], why="The room is painted")
    assert "It is moved" in registrar.page.text
    await retiree.get(f"{HOME}/me/{made}")
    assert "Moved from" in retiree.page.text
    assert "The room is painted" in retiree.page.text

    await registrar.get(f"{CLINIC}/{made}/cancel")
    await send(registrar, "/cancel", reason=" ")
    assert "Say why" in registrar.page.text
    await send(registrar, "/cancel", reason="The roof leaks", wait="yes")
    assert "It is called off" in registrar.page.text
    await retiree.get(f"{HOME}/me/{made}")
    assert "The roof leaks" in retiree.page.text
    await retiree.get(f"{HOME}/me")
    assert "Waiting for a time" in retiree.page.text
    await registrar.get(f"{CLINIC}/waiting")
    assert "O'Brien" in registrar.page.text


async def test_who_only_schedules_runs_the_calendar_and_keeps_what_they_may_not_read(staffed, retiree):
    made = await book(retiree, (await times(retiree))[30], comment="My left knee hurts since May")
    scheduler, physician = await staffed("scheduler"), await staffed("physician")
    await scheduler.get(f"{CLINIC}/{made}/move")
    other = re.findall(r'name="slot" id="slot-\d+" value="([^"]+)"', scheduler.answer.text)
    await send(scheduler, "/move", slot=other[-1], why="The room is painted")
    assert "It is moved" in scheduler.page.text
    assert "The room is painted" in scheduler.page.text
    await step(scheduler, made, "arrived")
    assert scheduler.path == CLINIC, scheduler.page.text
    await scheduler.get(f"{CLINIC}/{made}")
    assert "knee" not in scheduler.page.text
    assert forms(scheduler, "/step") == [], "the rest of the way is for those who treat"
    await physician.get(f"{CLINIC}/{made}")
    assert "My left knee hurts since May" in physician.page.text
    assert "The room is painted" in physician.page.text
    assert forms(physician, "/step"), "and they take it on from there"
    data = {**forms(physician, "/step")[0].fields, "csrf": scheduler.page.csrf, "step": "roomed"}
    refused = await scheduler.http.post(f"{CLINIC}/{made}/step", data=data)
    assert refused.status_code == 403
    await scheduler.get(f"{CLINIC}/{made}/cancel")
    await send(scheduler, "/cancel", reason="The roof leaks", wait="yes")
    assert "It is called off" in scheduler.page.text
    await physician.get(f"{CLINIC}/{made}")
    assert "My left knee hurts since May" in physician.page.text
    await retiree.get(f"{HOME}/me")
    while any("/leave" in one.action for one in retiree.page.forms):
        await send(retiree, "/leave")
        await retiree.get(f"{HOME}/me")


async def test_who_is_called_off_is_offered_another_time_in_the_same_act(staffed, retiree):
    free = await times(retiree, words="Audiological medicine", **ahead())
    made = await book(retiree, free[3])
    registrar = await staffed("registrar")
    await registrar.get(f"{CLINIC}/{made}/cancel")
    other = [one for one in re.findall(r'name="slot" id="slot-\d+" value="([^"]+)"', registrar.answer.text) if one]
    await send(registrar, "/cancel", reason="The booth is broken", slot=other[-1])
    assert "another time is offered" in registrar.page.text
    await retiree.get(f"{HOME}/me")
    assert "A time is offered to you" in retiree.page.text
    offer = next(link for link in retiree.page.links if "/offer/" in link)
    await retiree.get(offer)
    await send(retiree, "/offer/", answer="take")
    taken = retiree.path
    assert taken.startswith(f"{HOME}/me/")
    await retiree.get(f"{taken}/cancel")
    await send(retiree, "/cancel", reason="So that other stories find it free")

    # Somebody else has the time that is to be offered: it is called off, and staff choose another one.
    again = await book(retiree, (await times(retiree, words="Audiological medicine", **ahead()))[0])
    await registrar.get(f"{CLINIC}/{again}/cancel")
    await send(registrar, "/cancel", reason="The booth is broken", slot="gone-meanwhile")
    assert "the other time has just been taken" in registrar.page.text
    assert "/clinic/waiting/" in registrar.path
    await retiree.get(f"{HOME}/me")
    while any("/leave" in one.action for one in retiree.page.forms):
        await send(retiree, "/leave")
        await retiree.get(f"{HOME}/me")


@pytest.mark.parametrize("role", ["physician", "scheduler"])
async def test_a_calendar_is_changed_after_a_look_at_what_it_would_open(staffed, role):
    physician = await staffed(role)
    await physician.get(f"{CLINIC}/calendars")
    address = next(link for link in physician.page.links if re.search(r"/calendars/[0-9a-f-]{36}$", link))
    await physician.get(address)
    rules = len(forms(physician, address))
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    rule = {"day-SA": "yes", "day-SU": "yes", "every": "1", "starts": "17:00", "ends": "18:00", "minutes": "30",
            "seats": "2", "overbooked": "1", "since": day, "until": ""}  # fmt: skip
    form = next(one for one in physician.page.forms if "day-SA" in one.fields)

    async def post(**more):
        fields = {name: value for name, value in form.fields.items() if not name.startswith("day-")}
        answer = await physician.http.post(form.action, data={**fields, "csrf": physician.page.csrf, **more})
        return await physician.arrive(answer)

    await post(**rule, act="preview")
    assert "Not kept yet" in physician.page.text
    assert "4 times" in physician.page.text
    await physician.get(address)
    assert len(forms(physician, address)) == rules, "a preview keeps nothing"
    await post(**rule | {"ends": "16:00"}, act="rule")
    assert "The end must come after the start." in physician.page.text
    await post(**{name: value for name, value in rule.items() if not name.startswith("day-")}, act="rule")
    assert "Choose at least one day" in physician.page.text
    await post(**rule, act="rule")
    assert "It is kept" in physician.page.text
    await physician.get(f"{address}/week?date={day}")
    assert "17:30" in physician.page.text
    assert re.search(r"free . 2", physician.page.text)

    await physician.get(address)
    await post(act="close", first=day, last=day, reason="Training day")
    assert "Training day" in physician.page.text
    await physician.get(f"{address}/week?date={day}")
    assert "Training day" in physician.page.text
    await physician.get(f"{CLINIC}/day?date={day}")
    assert physician.answer.status_code == 200


async def test_an_hour_that_is_full_takes_one_more_as_far_as_its_rule_allows(clinic, staffed):
    physician, scheduler = await staffed("physician"), await staffed("scheduler")
    await physician.get(f"{CLINIC}/calendars")
    address = next(link for link in physician.page.links if re.search(r"/calendars/[0-9a-f-]{36}$", link))
    await physician.get(address)
    day = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    form = next(one for one in physician.page.forms if "day-SA" in one.fields)
    rule = {"every": "1", "starts": "20:15", "ends": "20:45", "minutes": "30", "seats": "1", "overbooked": "1",
            "since": day, "until": day, "act": "rule"}  # fmt: skip
    await physician.arrive(await physician.http.post(form.action, data={
        **form.fields, **{f"day-{one}": "yes" for one in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")}, **rule,
    }))  # fmt: skip
    assert "It is kept" in physician.page.text
    week = f"{address}/week?date={day}"

    def cell(browser):
        return browser.answer.text.partition(">20:15</th>")[2].partition("</tr>")[0]

    async def take(found):
        await scheduler.get(f"{found}?q=obrien+robert")
        await send(scheduler, "/book/", patient=patient(clinic))
        return scheduler.path

    await scheduler.get(week)
    first = await take(re.search(r'href="([^"]+/book/[^"]+)"', cell(scheduler))[1])
    assert re.search(r"/clinic/[0-9a-f-]{36}$", first), scheduler.page.text
    await scheduler.get(week)
    assert "/book/" not in cell(scheduler)
    assert "one more" in cell(scheduler)
    await send(scheduler, "/overbook")
    assert "/clinic/book/" in scheduler.path
    second = await take(scheduler.path)
    assert "/clinic/book/" in second, "one person has one place at one time"
    await scheduler.get(week)
    assert "one more" not in cell(scheduler), "the rule allows one"
    assert "/book/" in cell(scheduler)


async def test_a_clinicians_week_is_whole_however_much_the_rest_of_the_clinic_does(clinic, staffed, monkeypatch):
    scheduler = await staffed("scheduler")
    await scheduler.get(f"{CLINIC}/calendars")
    names = sorted({link for link in scheduler.page.links if re.search(r"/calendars/[0-9a-f-]{36}$", link)})
    monkeypatch.setattr("continuum.apps.appointments.clinic.DAY_APPOINTMENTS_MAX", 2)
    found = {}
    for number, address in enumerate(names[:3]):
        week = f"{address}/week?date={(datetime.now(UTC) + timedelta(days=14)).date().isoformat()}"
        await scheduler.get(week)
        free = re.findall(r'href="([^"]+/book/[^"]+)"', scheduler.answer.text)
        if free:
            await scheduler.get(f"{free[number]}?q=obrien+robert")
            await send(scheduler, "/book/", patient=patient(clinic))
            found[week] = scheduler.path
    assert len(found) > 1, "several clinicians have times"
    for week, made in found.items():
        await scheduler.get(week)
        assert made in scheduler.page.links
        others = set(found.values()) - {made}
        assert not others & set(scheduler.page.links), "and nobody else's stands in it"


async def test_nobody_else_gets_in_and_another_facility_touches_nothing(clinic, staffed, retiree):
    stranger, readiness = await staffed("physician", elsewhere=True), await staffed("readiness-clerk")
    nurse = await staffed("nurse")
    made = await book(retiree, (await times(retiree))[25])
    await nurse.get(f"{CLINIC}/calendars")
    calendar = next(link for link in nurse.page.links if re.search(r"/calendars/[0-9a-f-]{36}$", link))
    for address in (f"{CLINIC}/{made}", f"{CLINIC}/{made}/move", f"{CLINIC}/{made}/cancel", calendar,
                    f"{calendar}/week", f"{calendar}/call-off?date=2027-01-04"):  # fmt: skip
        assert (await stranger.http.get(address)).status_code in {403, 404}, address
        assert (await nurse.http.get(address)).status_code == 200, address
    await nurse.get(calendar)
    csrf = (await readiness.get(calendar)).page.csrf
    answer = await readiness.http.post(calendar, data={"csrf": csrf, "act": "close", "first": "2027-01-04"})
    assert answer.status_code == 403
    for address in (CLINIC, f"{CLINIC}/day", calendar):
        assert (await retiree.http.get(address)).status_code == 403, address
    async with Browser(clinic.hospital.origin) as nobody:
        assert (await nobody.http.get(CLINIC)).headers["location"].startswith("/signon/sign-in")


async def test_a_whole_day_is_called_off_and_everybody_waits_first_in_line(staffed, retiree):
    physician = await staffed("physician")
    free = await times(retiree, words="Internal medicine")
    made = await book(retiree, free[-1])
    starts = re.search(r'datetime="([^"]+)"', retiree.answer.text)[1]
    await physician.get(f"{CLINIC}/{made}")
    clinician = re.search(r"With\s*</dt><dd>([^<]+)", physician.answer.text)[1]
    await physician.get(f"{CLINIC}/calendars")
    calendar = re.search(rf'href="([^"]+/calendars/[0-9a-f-]{{36}})">{re.escape(clinician)}', physician.answer.text)[1]
    day = datetime.fromisoformat(starts).date().isoformat()
    await physician.get(f"{calendar}/call-off?date={day}")
    assert "O'Brien" in physician.page.text
    await send(physician, "/call-off", reason="")
    assert "Say why" in physician.page.text
    await send(physician, "/call-off", reason="The clinician is ill", offer="yes")
    assert "The day is closed" in physician.page.text
    assert re.search(r"[1-9] of them were offered another time", physician.page.text), physician.page.text
    await retiree.get(f"{HOME}/me/{made}")
    assert "The clinician is ill" in retiree.page.text
    await physician.get(f"{CLINIC}/waiting")
    assert "O'Brien" in physician.page.text
    later = await times(retiree, words="Internal medicine")
    assert free[-1] not in later
    await retiree.get(f"{HOME}/me")
    offer = next(link for link in retiree.page.links if "/offer/" in link)
    await retiree.get(offer)
    await send(retiree, "/offer/", answer="leave")
    await retiree.get(f"{HOME}/me")
    while any("/leave" in one.action for one in retiree.page.forms):
        await send(retiree, "/leave")
        await retiree.get(f"{HOME}/me")


def test_rules_are_read_back_as_they_were_typed():
    day = datetime(2026, 11, 23, tzinfo=UTC).date()
    nine = datetime(2026, 1, 1, 9, tzinfo=UTC).time()
    ten = datetime(2026, 1, 1, 10, tzinfo=UTC).time()
    found = in_words(Rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", nine, ten, 30, day))
    assert (found.days, found.every) == (("MO", "FR"), 2)
    assert in_words(Rule("FREQ=MONTHLY;BYDAY=1MO", nine, ten, 30, day)).days == ()


async def test_staff_say_how_long_a_kind_of_visit_is_and_what_to_know_before(staffed):
    nurse = await staffed("nurse")
    await nurse.get(f"{CLINIC}/kinds")
    address = next(link for link in nurse.page.links if "/kinds/" in link)
    await nurse.get(address)
    first = dict(next(form for form in nurse.page.forms if form.action.endswith(address)).fields)
    await send(nurse, address, minutes="25", instructions="Bring the list of your medicines.")
    assert "It is kept" in nurse.page.text
    assert "25" in next(form.fields["minutes"] for form in nurse.page.forms if "minutes" in form.fields)
    await nurse.get(f"{CLINIC}/kinds")
    assert "25 minutes" in nurse.page.text
    for minutes, words in (("soon", "in digits"), ("3", "between 5 minutes and 8 hours"), ("999", "8 hours")):
        await nurse.get(address)
        await send(nurse, address, minutes=minutes)
        assert nurse.answer.status_code == 422
        assert words in nurse.page.text
        assert f'value="{minutes}"' in nurse.answer.text, "what was typed stays"
    answer = await nurse.http.post(address, data={**first, "csrf": nurse.page.csrf, "minutes": "30"})
    assert answer.status_code in (409, 412), "somebody else has changed it since that page was opened"
    stranger = await staffed("nurse", elsewhere=True)
    assert (await stranger.http.get(address)).status_code == 404

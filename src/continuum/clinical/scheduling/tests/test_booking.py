"""A time is booked, moved, given back and offered on; what one person does never touches another's."""

import asyncio
from datetime import UTC, timedelta

import pytest

from continuum.clinical.scheduling import booking, finding, mirror, offers, opening, visit
from continuum.clinical.scheduling.model import MOVED_FROM, Closed, extension_of, flow_of, instant, slots_of, values_of
from continuum.clinical.scheduling.reading import find, read
from continuum.clinical.scheduling.tests.clinic import NOW, RULE, Clinic, schedule
from continuum.kernel.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed


@pytest.fixture
async def clinic(pool):
    return await Clinic(pool).furnish()


async def free(clinic, role="patient", patient_id="ana", days=8):
    session = clinic.session(role, patient_id=patient_id)
    chosen = await finding.offers(session, ["family"])
    return await finding.free_times(session, clinic.claims, chosen, NOW, NOW + timedelta(days=days))


async def book(clinic, slot_id, patient_id="ana", **more):
    wish = booking.Wish(slot_id, patient_id, by_person=True, comment="a cough")
    return await booking.book(clinic.session("patient", patient_id=patient_id), wish, NOW, **more)


async def test_calendars_are_opened_as_far_as_they_say_and_a_second_time_changes_nothing(clinic):
    found = await free(clinic)
    # Monday to Monday, without Thanksgiving; Monday's first three hours begin after one o'clock UTC.
    assert len(found) == 5 * 6
    assert await clinic.open() == (0, 0)
    assert {one.starts.astimezone(one.starts.tzinfo).hour for one in found} == {9, 10, 11}
    assert found[0].offer.clinician == "Ada Okafor"
    assert found[0].offer.languages == ("es", "en")


async def test_a_template_that_changes_closes_what_nobody_has_and_leaves_what_is_booked(clinic):
    first = (await free(clinic))[0]
    await book(clinic, first.slot_id)
    changed = schedule("week", RULE.__class__("FREQ=WEEKLY;BYDAY=FR", RULE.starts, RULE.ends, 30, RULE.first))
    await clinic.system.update(changed)
    opened, closed = await clinic.open()
    assert (opened, closed) == (0, 23)
    assert {one.starts.weekday() for one in await free(clinic)} == {4}
    assert (await read(clinic.system, "Slot", first.slot_id))["status"] != opening.CLOSED_STATUS
    await clinic.system.update(schedule("week", RULE))
    assert await clinic.open() == (23, 0)


async def test_who_is_first_has_the_time_and_the_other_is_told(clinic):
    one = (await free(clinic))[3]
    answers = await asyncio.gather(
        *(book(clinic, one.slot_id, who) for who in ("ana", "ben", "cleo")), return_exceptions=True
    )
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 2
    assert one.slot_id not in {time.slot_id for time in await free(clinic)}, "at once, before any Slot was told"
    assert await mirror.follow(clinic.system, clinic.claims, NOW) == 1
    assert (await read(clinic.system, "Slot", one.slot_id))["status"] == "busy"


async def test_a_person_has_one_appointment_at_a_time_and_moves_it_within_the_rules(clinic):
    times = await free(clinic)
    mine = await book(clinic, times[8].slot_id)
    with pytest.raises(Conflict, match="another appointment of the same person"):
        await book(clinic, times[8].slot_id)
    moved = await book(clinic, times[9].slot_id, moves=mine)
    assert (moved["id"], slots_of(moved)) == (mine["id"], [times[9].slot_id])
    assert times[8].slot_id in {one.slot_id for one in await free(clinic, patient_id="ben")}
    session = clinic.session("patient", patient_id="ana")
    late = instant(moved["start"]) - timedelta(minutes=30)
    with pytest.raises(Invalid, match="too late"):
        await booking.cancel(session, moved, late, by=booking.CANCELLED_BY_PERSON, reason="")
    await booking.cancel(session, moved, NOW, by=booking.CANCELLED_BY_PERSON, reason="better")
    assert await clinic.claims.held([times[9].slot_id]) == set()


async def test_nobody_touches_anothers_appointment(clinic):
    mine = await book(clinic, (await free(clinic))[5].slot_id)
    stranger = clinic.session("patient", patient_id="ben")
    with pytest.raises(NotFound):
        await booking.appointment_of(stranger, mine["id"], "ben")
    with pytest.raises((Forbidden, NotFound, PreconditionFailed)):
        await booking.cancel(stranger, mine, NOW, by=booking.CANCELLED_BY_PERSON, reason="")
    with pytest.raises(Forbidden):
        await booking.book(stranger, booking.Wish((await free(clinic))[6].slot_id, "ana", by_person=True), NOW)


async def test_what_begins_too_soon_is_for_the_clinic_to_book(clinic):
    first = (await free(clinic))[0]
    soon = first.starts - timedelta(minutes=10)
    session = clinic.session("patient", patient_id="ana")
    with pytest.raises(Invalid, match="too soon"):
        await booking.book(session, booking.Wish(first.slot_id, "ana", by_person=True), soon)
    nurse = clinic.session("nurse")
    assert await booking.book(nurse, booking.Wish(first.slot_id, "ana", by_person=False), soon)


async def test_an_hour_is_overbooked_by_staff_as_far_as_its_rule_says(clinic):
    first = (await free(clinic))[0]
    await book(clinic, first.slot_id)
    nurse = clinic.session("nurse")
    (calendar,) = await opening.calendars(nurse, "actor=HealthcareService/family")
    seat = await opening.add_seat(nurse, calendar, first.starts)
    await booking.book(nurse, booking.Wish(seat["id"], "ben", by_person=False), NOW)
    with pytest.raises(Invalid, match="as far as its rule allows"):
        await opening.add_seat(nurse, calendar, first.starts)


async def test_what_comes_free_is_offered_to_one_after_the_other(clinic):
    times = await free(clinic)
    early, late = times[9], times[-1]
    taken = await book(clinic, early.slot_id, "ana")
    later = await book(clinic, late.slot_id, "ben")
    ben, cleo = clinic.session("patient", patient_id="ben"), clinic.session("patient", patient_id="cleo")
    await offers.join(ben, "ben", "family", NOW, instead_of=later["id"])
    again = await offers.join(ben, "ben", "family", NOW)
    assert [one["id"] for one in await offers.waiting_of(ben, "ben")] == [again["id"]], "one place on a list"
    await offers.join(cleo, "cleo", "family", NOW + timedelta(minutes=1))
    await mirror.follow(clinic.system, clinic.claims, NOW)

    ana = clinic.session("patient", patient_id="ana")
    await booking.cancel(ana, taken, NOW, by=booking.CANCELLED_BY_PERSON, reason="")
    await mirror.follow(clinic.system, clinic.claims, NOW)
    (offered,) = (await find(ben, "Appointment", "patient=ben&status=proposed"))[0]
    assert slots_of(offered) == [early.slot_id]
    assert (await find(cleo, "Appointment", "patient=cleo&status=proposed"))[0] == []
    with pytest.raises(Conflict):
        await book(clinic, early.slot_id, "cleo")

    await offers.decline(ben, offered["id"], "ben")
    await mirror.follow(clinic.system, clinic.claims, NOW)
    (next_one,) = (await find(cleo, "Appointment", "patient=cleo&status=proposed"))[0]
    assert await mirror.end_offers(clinic.system, NOW + timedelta(hours=1)) == 0
    assert await mirror.end_offers(clinic.system, NOW + timedelta(hours=5)) == 1
    with pytest.raises(Invalid, match="over"):
        await offers.accept(cleo, next_one["id"], "cleo", NOW + timedelta(hours=5))
    await mirror.follow(clinic.system, clinic.claims, NOW + timedelta(hours=5))
    assert (await find(ben, "Appointment", "patient=ben&status=proposed"))[0] == [], "nobody is asked twice"
    assert early.slot_id in {one.slot_id for one in await free(clinic)}


async def test_who_accepts_an_earlier_time_gives_the_later_one_to_the_next(clinic):
    times = await free(clinic)
    early, late = times[9], times[-1]
    taken = await book(clinic, early.slot_id, "ana")
    later = await book(clinic, late.slot_id, "ben")
    ben = clinic.session("patient", patient_id="ben")
    await offers.join(ben, "ben", "family", NOW, instead_of=later["id"])
    await offers.join(clinic.session("patient", patient_id="cleo"), "cleo", "family", NOW + timedelta(minutes=1))
    nurse = clinic.session("nurse")
    with pytest.raises(Invalid, match="Say why"):
        await booking.cancel(nurse, taken, NOW, by=booking.CANCELLED_BY_CLINIC, reason=" ")
    await booking.cancel(nurse, taken, NOW, by=booking.CANCELLED_BY_CLINIC, reason="Dr. Okafor is ill.")
    await mirror.follow(clinic.system, clinic.claims, NOW)
    (offered,) = (await find(ben, "Appointment", "patient=ben&status=proposed"))[0]
    await offers.accept(ben, offered["id"], "ben", NOW)
    assert (await read(ben, "Appointment", later["id"]))["status"] == "cancelled"
    assert await offers.waiting_of(ben, "ben") == []
    await mirror.follow(clinic.system, clinic.claims, NOW)
    (for_cleo,) = (await find(clinic.system, "Appointment", "patient=cleo&status=proposed"))[0]
    assert slots_of(for_cleo) == [late.slot_id]


async def test_a_visit_goes_through_the_clinic_with_its_times_and_its_encounter(clinic):
    first = (await free(clinic))[0]
    mine = await book(clinic, first.slot_id)
    nurse, start = clinic.session("nurse"), first.starts
    with pytest.raises(Invalid):
        await visit.take(nurse, mine, "started", start, facility_id="f")
    assert visit.stage(mine, start + timedelta(minutes=9)).late
    minute = 0
    for step in ("arrived", "roomed", "started", "finished"):
        mine = await read(nurse, "Appointment", mine["id"])
        minute += 7
        await visit.take(nurse, mine, step, start + timedelta(minutes=minute), facility_id="f", room="Room 4")
    mine = await read(nurse, "Appointment", mine["id"])
    assert mine["status"] == "fulfilled"
    assert list(flow_of(mine)) == ["arrived", "roomed", "started", "finished"]
    assert visit.stage(mine, NOW + timedelta(days=9)).waited == timedelta(minutes=14)
    encounter = await visit.encounter_of(nurse, mine)
    assert encounter["status"] == "finished"
    assert [one["status"] for one in encounter["statusHistory"]] == ["triaged", "in-progress"]
    with pytest.raises(Invalid):
        await visit.take(nurse, mine, "arrived", start, facility_id="f")


async def test_two_who_take_the_same_step_at_once_take_it_once(clinic):
    mine = await book(clinic, (await free(clinic))[0].slot_id)
    answers = await asyncio.gather(
        *(visit.take(clinic.session("nurse"), mine, "arrived", NOW, facility_id="f") for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, dict) for one in answers) == 1


async def test_a_team_asks_for_a_visit_and_the_schedulers_offer_a_time_that_nobody_else_can_have(clinic):
    nurse, ben = clinic.session("nurse"), clinic.session("patient", patient_id="ben")
    own, by = await offers.join(ben, "ben", "family", NOW), {"display": "Ann Baker RN"}
    for words, days in (("Look at the wound", 7), ("Look at the wound, sooner", 3)):
        place = await offers.asking(nurse, "ben", "family", NOW, by=by, note=words, within_days=days)
        await nurse.transaction([place])
    (waiting,) = await offers.waiting_of(nurse, "ben")
    assert waiting["id"] == own["id"], "one place on a list, whoever asked for it"
    assert (offers.asked_by(waiting), waiting["comment"]) == ("Ann Baker RN", "Look at the wound, sooner")
    assert offers.wanted_until(waiting) == NOW + timedelta(days=3)

    times = await free(clinic)
    made = await offers.propose(nurse, waiting, times[9].slot_id, NOW)
    with pytest.raises(Conflict):
        await book(clinic, times[9].slot_id, "ana")
    with pytest.raises(Invalid, match="another offer"):
        await offers.propose(nurse, waiting, times[10].slot_id, NOW)
    assert await offers.instead_of(ben, made, "ben") == ""
    await offers.accept(ben, made["id"], "ben", NOW)
    assert await offers.waiting_of(ben, "ben") == []
    with pytest.raises(Invalid, match="does not wait"):
        await offers.propose(nurse, await read(nurse, "Appointment", waiting["id"]), times[10].slot_id, NOW)


async def test_a_time_that_begins_too_soon_or_is_taken_is_not_offered(clinic):
    nurse = clinic.session("nurse")
    times = await free(clinic)
    await book(clinic, times[9].slot_id, "ana")
    waiting = await offers.join(clinic.session("patient", patient_id="ben"), "ben", "family", NOW)
    with pytest.raises(Conflict):
        await offers.propose(nurse, waiting, times[9].slot_id, NOW)
    with pytest.raises(Invalid, match="too soon"):
        await offers.propose(nurse, waiting, times[8].slot_id, times[8].starts - timedelta(minutes=90))


async def test_who_is_called_off_is_offered_the_first_free_time_that_suits(clinic):
    nurse = clinic.session("nurse")
    times = await free(clinic)
    for one in times[:10]:
        if offers.offer_ends(one.starts, NOW) is not None:
            await booking.book(nurse, booking.Wish(one.slot_id, "ana", by_person=False), NOW)
    waiting = await offers.join(nurse, "ben", "family", NOW)
    calendars = await finding.offers(nurse, ["family"])
    made = await offers.propose_first(nurse, clinic.claims, calendars, waiting, NOW)
    assert slots_of(made) == [times[10].slot_id]
    assert await offers.propose_first(nurse, clinic.claims, calendars, waiting, NOW) is None, "one offer at a time"


async def test_staff_say_why_they_move_an_appointment(clinic):
    nurse, times = clinic.session("nurse"), await free(clinic)
    mine = await book(clinic, times[8].slot_id)
    with pytest.raises(Invalid, match="Say why"):
        await booking.book(nurse, booking.Wish(times[9].slot_id, "ana", by_person=False, why=" "), NOW, moves=mine)
    wish = booking.Wish(times[9].slot_id, "ana", by_person=False, why="The room floods")
    moved = await booking.book(nurse, wish, NOW, moves=mine)
    assert values_of(extension_of(moved, MOVED_FROM))["why"] == "The room floods"


async def test_an_appointment_that_came_without_a_slot_closes_its_hours_and_the_day_shows_it_there(clinic):
    """Half past nine to half past ten is two times of half an hour; other systems know nothing of our Slots."""
    nine_thirty = (await free(clinic))[7]
    assert nine_thirty.starts.strftime("%H:%M") == "09:30"
    until = nine_thirty.starts + timedelta(minutes=60)
    who = ("Patient/cleo", "Practitioner/dr")
    loose = {
        "resourceType": "Appointment", "status": "booked", "start": nine_thirty.starts.isoformat(),
        "end": until.isoformat(),
        "participant": [{"actor": {"reference": one}, "status": "accepted"} for one in who],
    }  # fmt: skip
    written = (await clinic.system.create(loose)).stored
    assert nine_thirty.slot_id in {one.slot_id for one in await free(clinic)}
    await clinic.open()
    taken = {one.starts.strftime("%a %H:%M") for one in await free(clinic)}
    assert not taken & {nine_thirty.starts.strftime("%a 09:30"), nine_thirty.starts.strftime("%a 10:00")}
    assert nine_thirty.starts.strftime("%a 10:30") in taken
    found = await read(clinic.system, "Appointment", written.id)
    assert len(slots_of(found)) == 2
    with pytest.raises(Conflict):
        await book(clinic, nine_thirty.slot_id)
    await clinic.open()
    assert (await read(clinic.system, "Appointment", written.id))["meta"] == found["meta"], "once is enough"


async def test_times_are_told_by_the_clock_of_the_place(clinic):
    """A program may have written a Slot in UTC: half past nine in New York stays half past nine."""
    slot = await read(clinic.system, "Slot", (await free(clinic))[7].slot_id)
    plain = {name: value for name, value in slot.items() if name != "meta"}
    await clinic.system.update(plain | {
        name: instant(slot[name]).astimezone(UTC).isoformat() for name in ("start", "end")
    })  # fmt: skip
    assert (await free(clinic))[7].starts.strftime("%H:%M %Z") == "09:30 EST"


async def test_a_time_of_a_day_that_is_closed_is_offered_to_nobody_though_it_was_taken_until_now(clinic):
    """The clinician is ill: the day closes first, then each is called off, and nobody is offered what they lost."""
    time = (await free(clinic))[9]
    mine = await book(clinic, time.slot_id)
    await mirror.follow(clinic.system, clinic.claims, NOW)
    day = time.starts.date()
    await clinic.system.update(schedule("week", RULE, closed=(Closed(day, day, "ill"),)))
    await clinic.open()
    nurse = clinic.session("nurse")
    await booking.cancel(nurse, mine, NOW, by=booking.CANCELLED_BY_CLINIC, reason="Dr. Okafor is ill.")
    waiting = await offers.join(nurse, "ana", "family", NOW)
    await mirror.follow(clinic.system, clinic.claims, NOW)
    assert (await find(nurse, "Appointment", "patient=ana&status=proposed"))[0] == []
    with pytest.raises(Conflict, match="closed"):
        await book(clinic, time.slot_id, "ben")
    with pytest.raises(Conflict, match="closed"):
        await offers.propose(nurse, waiting, time.slot_id, NOW)
    made = await offers.propose_first(nurse, clinic.claims, await finding.offers(nurse, ["family"]), waiting, NOW)
    assert instant(made["start"]).date() != day


async def test_an_hour_that_is_closed_by_itself_opens_again_with_the_seat_that_staff_added(clinic):
    time = (await free(clinic))[9]
    nurse = clinic.session("nurse")
    mine = await book(clinic, time.slot_id)
    (calendar,) = await opening.calendars(nurse, "actor=HealthcareService/family")
    added = await opening.add_seat(nurse, calendar, time.starts)
    extra = await book(clinic, added["id"], "ben")
    offer = (await free(clinic))[12]
    waiting = await offers.join(nurse, "cleo", "family", NOW)
    offered = await offers.propose(nurse, waiting, offer.slot_id, NOW)
    await mirror.follow(clinic.system, clinic.claims, NOW)
    hours = (time.starts.astimezone(UTC), offer.starts.astimezone(UTC))
    await clinic.system.update(schedule("week", RULE, hours=hours))
    await clinic.open()
    for one in (mine, extra):
        await booking.cancel(nurse, one, NOW, by=booking.CANCELLED_BY_CLINIC, reason="The room floods.")
    with pytest.raises(Invalid, match="closed"):
        await offers.accept(clinic.session("patient", patient_id="cleo"), offered["id"], "cleo", NOW)
    both = {time.slot_id, added["id"]}
    assert not both & {one.slot_id for one in await free(clinic)}
    await mirror.follow(clinic.system, clinic.claims, NOW)
    await clinic.open()
    assert {(await read(nurse, "Slot", one))["status"] for one in both} == {opening.CLOSED_STATUS}
    await offers.withdraw(nurse, await read(nurse, "Appointment", offered["id"]))
    await clinic.system.update(schedule("week", RULE))
    await clinic.open()
    assert {(await read(nurse, "Slot", one))["status"] for one in both} == {"free"}


async def test_who_is_called_off_is_not_offered_the_very_time_that_was_called_off(clinic):
    time = (await free(clinic))[9]
    mine = await book(clinic, time.slot_id)
    nurse = clinic.session("nurse")
    await booking.cancel(nurse, mine, NOW, by=booking.CANCELLED_BY_CLINIC, reason="The room floods.")
    for _ in range(2):
        waiting = await offers.join(nurse, "ana", "family", NOW, but=slots_of(mine))
        assert offers.declined(waiting) == [time.slot_id]
    await mirror.follow(clinic.system, clinic.claims, NOW)
    assert (await find(nurse, "Appointment", "patient=ana&status=proposed"))[0] == []
    assert time.slot_id in {one.slot_id for one in await free(clinic, patient_id="ben")}

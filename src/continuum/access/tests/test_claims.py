"""A slot belongs to one appointment: whoever asks, through whatever door, at the same moment or later."""

import asyncio

import pytest

from continuum.access import Operation
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.claims import TAKEN, Claims
from continuum.access.tests.doors import ACTORS, World, criteria, furnish
from continuum.kernel.errors import Conflict, Forbidden

START, END = "2026-12-01T09:00:00Z", "2026-12-01T09:30:00Z"


def appointment(name, patient_id, *slots, status="booked"):
    return {
        "resourceType": "Appointment", "id": name, "status": status, "start": START, "end": END,
        "slot": [{"reference": f"Slot/{slot}"} for slot in slots],
        "participant": [{"actor": {"reference": f"Patient/{patient_id}"}, "status": "accepted"}],
    }  # fmt: skip


def slot(name):
    return {
        "resourceType": "Slot", "id": name, "status": "free", "start": START, "end": END,
        "schedule": {"reference": "Schedule/day"},
    }  # fmt: skip


SCHEDULE = {"resourceType": "Schedule", "id": "day", "actor": [{"reference": "Location/room"}]}


@pytest.fixture
async def world(pool):
    made = await furnish(World(pool))
    system = made.session("system")
    await system.update({"resourceType": "Location", "id": "room", "name": "Room 4"})
    await system.update(SCHEDULE)
    for name in ("s1", "s2"):
        await system.update(slot(name))
    return made


@pytest.fixture
def claims(world):
    return Claims(world.door)


@pytest.mark.requirement("V2.3.4")
async def test_of_many_who_want_one_slot_at_the_same_moment_one_has_it(world, claims):
    bookings = (
        world.session("system").update(appointment(f"a{number}", ("own", "other")[number % 2], "s1"))
        for number in range(30)
    )
    answers = await asyncio.gather(*bookings, return_exceptions=True)
    refusals = [one for one in answers if isinstance(one, Conflict)]
    assert len(refusals) == 29
    assert {str(one) for one in refusals} == {TAKEN}
    page = await world.session("system").search(criteria("Appointment", "status=booked"))
    assert len(page.matches) == 1
    assert await claims.held(["s1", "s2"]) == {"s1"}


async def test_who_cancels_gives_the_slot_back_and_who_moves_takes_the_other(world, claims):
    system = world.session("system")
    await system.update(appointment("a", "own", "s1"))
    with pytest.raises(Conflict):
        await system.create(appointment("", "other", "s1"))
    await system.update(appointment("a", "own", "s2"))
    assert await claims.held(["s1", "s2"]) == {"s2"}
    await system.update(appointment("b", "other", "s1"))
    with pytest.raises(Conflict):
        await system.update(appointment("a", "own", "s1"))
    assert await claims.held(["s1", "s2"]) == {"s1", "s2"}
    await system.update(appointment("b", "other", "s1", status="cancelled"))
    await system.delete("Appointment", "a")
    assert await claims.held(["s1", "s2"]) == set()


async def test_two_swap_their_slots_in_one_act(world, claims):
    system = world.session("system")
    await system.transaction([
        Operation("PUT", "Appointment", id="a", resource=appointment("a", "own", "s1")),
        Operation("PUT", "Appointment", id="b", resource=appointment("b", "other", "s2")),
    ])  # fmt: skip
    await system.transaction([
        Operation("PUT", "Appointment", id="a", resource=appointment("a", "own", "s2")),
        Operation("PUT", "Appointment", id="b", resource=appointment("b", "other", "s1")),
    ])  # fmt: skip
    assert await claims.held(["s1", "s2"]) == {"s1", "s2"}


@pytest.mark.requirement("V2.3.3")
async def test_nothing_of_an_act_stays_when_one_slot_of_it_was_taken(world, claims):
    system = world.session("system")
    await system.update(appointment("a", "own", "s2"))
    with pytest.raises(Conflict):
        await system.transaction([
            Operation("PUT", "Appointment", id="b", resource=appointment("b", "other", "s1")),
            Operation("PUT", "Appointment", id="c", resource=appointment("c", "other", "s2")),
        ])  # fmt: skip
    assert await claims.held(["s1"]) == set()


async def test_claims_say_what_their_slots_have_not_been_told_yet(world, claims):
    system = world.session("system")
    await system.update(appointment("a", "own", "s1"))
    (first,) = await claims.unmirrored(10)
    assert (first.slot_id, first.held) == ("s1", True)
    await system.update(appointment("a", "own", "s1", status="cancelled"))
    await claims.mirrored(first)
    (again,) = await claims.unmirrored(10)
    assert (again.slot_id, again.held) == ("s1", False), "what changed meanwhile is told again"
    await claims.mirrored(again)
    assert await claims.unmirrored(10) == []


def workflow(world, role, actor=None):
    asking = actor or ACTORS[role]
    return world.door.open(asking, USUAL_PURPOSE[role], source="192.0.2.1", request_id="w", workflow=True)


async def test_patients_book_for_themselves_through_workflows_only(world):
    with pytest.raises(Forbidden):
        await world.session("patient").create(appointment("", "own", "s1"))
    with pytest.raises(Forbidden):
        await workflow(world, "patient").create(appointment("", "other", "s1"))
    with pytest.raises(Forbidden):
        await workflow(world, "patient").update({**slot("s1"), "status": "busy"})
    await workflow(world, "patient").create(appointment("", "own", "s1"))


async def test_staff_change_calendars_through_workflows_only_and_everybody_sees_them(world):
    nurse = Actor("rn", "nurse", facility_id="f-own")
    plain = world.door.open(nurse, "TREAT", source="192.0.2.1", request_id="p")
    with pytest.raises(Forbidden):
        await plain.update({**slot("s1"), "status": "busy"})
    await workflow(world, "nurse", nurse).update({**slot("s1"), "status": "busy"})
    for session in (plain, world.session("patient")):
        assert b"busy" in (await session.read("Slot", "s1")).body
        assert (await session.read("Schedule", "day")).id == "day"


async def test_a_schedule_of_a_patient_is_part_of_that_patients_record(world):
    theirs = {**SCHEDULE, "id": "theirs", "actor": [{"reference": "Patient/other"}]}
    await world.session("system").update(theirs)
    page = await world.session("patient").search(criteria("Schedule", ""))
    assert {one.id for one in page.matches} == {"day"}

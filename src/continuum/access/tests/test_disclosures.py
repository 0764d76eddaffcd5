"""The accounting of disclosures: all that is to be in it, and nothing that is not (45 CFR 164.528)."""

import pytest

from continuum.access import Actor, disclosures
from continuum.access.disclosures import COMMAND
from continuum.access.tests.doors import World, criteria, furnish
from continuum.kernel.clock import now_us
from continuum.kernel.errors import DomainError, Forbidden, NotFound

ANALYST, COMMANDER = Actor("ann", "population-analyst"), Actor("cmd", "commander", facility_id="f-own")
CLERK, OFFICER = Actor("rea", "readiness-clerk", facility_id="f-own"), Actor("priv", "privacy-officer")
DOCTOR, PERSON = Actor("dr", "physician", facility_id="f-own"), Actor("pat", "patient", patient_id="own")
SIX_YEARS_US = 6 * 366 * 86_400_000_000


class Clock:
    def __init__(self):
        self.now_us = now_us()

    def __call__(self):
        return self.now_us


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def world(pool, clock):
    return await furnish(World(pool, clock=clock))


def session(world, actor, purpose):
    return world.door.open(actor, purpose, source="192.0.2.9", request_id="r")


async def accounting(world, actor=OFFICER, purpose="HOPERAT", patient="own"):
    return await session(world, actor, purpose).oversight.disclosures(patient)


async def told(world):
    found, more = await accounting(world)
    assert not more
    return {(one.who, one.deed, one.kind, one.purpose, one.number) for one in found}


async def test_what_is_done_for_care_payment_operations_and_the_person_is_not_in_it(world):
    registrar = Actor("reg", "registrar", facility_id="f-own")
    for actor, purpose in ((DOCTOR, "TREAT"), (DOCTOR, "HOPERAT"), (registrar, "HPAYMT"), (registrar, "HOPERAT"),
                           (PERSON, "PATRQT"), (Actor("sys", "system"), "HOPERAT")):  # fmt: skip
        await session(world, actor, purpose).read("Patient", "own")
    rescuer = session(world, Actor("far", "physician", facility_id="f-other"), "ETREAT")
    await rescuer.oversight.break_glass("own", "found unconscious on the range")
    await rescuer.read("Patient", "own")
    await session(world, PERSON, "PATRQT").shared("a health link", "own", "a clinic")
    await session(world, OFFICER, "HOPERAT").oversight.report("own", cursor="", count=9)
    assert await told(world) == set()


async def test_public_health_research_and_commanders_are_in_it_with_like_ones_together(world, clock):
    for _ in range(3):
        clock.now_us += 60_000_000
        await session(world, ANALYST, "PUBHLTH").read("Patient", "own")
    await session(world, ANALYST, "PUBHLTH").search(criteria("Observation", "_id=o-own"))
    await session(world, ANALYST, "HOPERAT").read("Patient", "own")
    await session(world, COMMANDER, "HOPERAT").read("Patient", "own")
    await session(world, CLERK, "HOPERAT").read("Patient", "own")
    await session(world, ANALYST, "PUBHLTH").read("Patient", "other")
    with pytest.raises(DomainError):
        await session(world, COMMANDER, "HOPERAT").read("Observation", "o-own")
    assert await told(world) == {
        ("ann", "looked at {what}", "Patient", "public health", 3),
        ("ann", "found {what} in a search", "Observation", "public health", 1),
        ("cmd", "looked at {what}", "Patient", COMMAND, 1),
        ("rea", "looked at {what}", "Patient", COMMAND, 1),
    }
    found, _ = await accounting(world)
    often = next(one for one in found if one.number == 3)
    assert often.last_us - often.first_us == 120_000_000
    assert often.source == "192.0.2.9"
    assert [one.last_us for one in found] == sorted((one.last_us for one in found), reverse=True)


async def test_an_act_on_many_is_told_to_each_of_them_and_to_nobody_else(world):
    await session(world, ANALYST, "PUBHLTH").search(criteria("Patient", ""))
    for patient in ("own", "other"):
        found, _ = await accounting(world, patient=patient)
        assert [(one.who, one.kind) for one in found] == [("ann", "Patient")]
    assert (await accounting(world, patient="nobody"))[0] == []


async def test_it_reaches_back_six_years(world, clock):
    await session(world, ANALYST, "PUBHLTH").read("Patient", "own")
    clock.now_us += SIX_YEARS_US - 1_000_000
    assert len(await told(world)) == 1
    clock.now_us += 2_000_000
    assert await told(world) == set()


async def test_it_is_bounded_and_says_so(world, clock, monkeypatch):
    monkeypatch.setattr(disclosures, "DISCLOSURES_MAX", 1)
    for number in range(2):
        clock.now_us += 1_000_000
        await session(world, Actor(f"ann-{number}", "population-analyst"), "PUBHLTH").read("Patient", "own")
    found, more = await accounting(world)
    assert ([one.who for one in found], more) == (["ann-1"], True)


@pytest.mark.requirement("V16.3.2")
async def test_it_is_for_the_person_and_those_who_watch_and_each_look_is_a_row(world):
    assert (await accounting(world, PERSON, "PATRQT"))[0] == []
    with pytest.raises(NotFound):
        await accounting(world, PERSON, "PATRQT", patient="other")
    for actor, purpose in ((DOCTOR, "TREAT"), (COMMANDER, "HOPERAT"), (ANALYST, "PUBHLTH")):
        with pytest.raises(Forbidden):
            await accounting(world, actor, purpose)
    basic = Actor("pat", "patient", patient_id="own", authenticator_level=1)
    with pytest.raises(Forbidden):
        await accounting(world, basic, "PATRQT")
    rows = [row for row in await world.rows() if row["interaction"] == "disclosures"]
    assert [(row["actor"], row["outcome"]) for row in rows] == [
        ("pat", 0), ("pat", 4), ("dr", 4), ("cmd", 4), ("ann", 4), ("pat", 4)
    ]  # fmt: skip
    assert rows[0]["patient_id"] == "own"

"""What patients may write into their own record, and what a door keeps closed by its labels."""

from datetime import date

import pytest

from continuum.access import Actor
from continuum.access.authored import REPORTED, TRUST
from continuum.access.tests.doors import World, criteria, furnish, observation
from continuum.chart.trust import consent
from continuum.kernel.errors import Forbidden, NotFound


@pytest.fixture
async def world(pool):
    return await furnish(World(pool))


def said(name, subject="own", *, by="own", category=REPORTED, **more):
    system, _, code = category.partition("|")
    return observation(name, subject, category=[{"coding": [{"system": system, "code": code}]}],
                       performer=[{"reference": f"Patient/{by}"}], **more)  # fmt: skip


async def test_a_patient_writes_down_own_readings_and_changes_them(world):
    session = world.session("patient")
    mine = (await session.create(said("x"))).stored.id
    await session.update(said(mine, status="entered-in-error"))
    assert b"entered-in-error" in (await session.read("Observation", mine)).body


@pytest.mark.parametrize(
    "resource",
    [
        observation("x", "own"),
        said("x", by="other"),
        said("x", category="http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"),
        said("x", subject="other", by="other"),
        {**said("x"), "performer": [{"reference": "Patient/own"}, {"display": "Dr. Somebody"}]},
    ],
)
@pytest.mark.requirement("V15.3.3")
async def test_a_patient_cannot_write_what_looks_as_if_a_clinician_had(world, resource):
    with pytest.raises(Forbidden):
        await world.session("patient").create(resource)


@pytest.mark.requirement("V15.3.3")
async def test_a_patient_cannot_make_a_clinicians_finding_their_own_nor_delete_anything(world):
    session = world.session("patient")
    with pytest.raises(Forbidden):
        await session.update(said("o-own"))
    mine = (await session.create(said("x"))).stored.id
    with pytest.raises(Forbidden):
        await session.delete("Observation", mine)
    with pytest.raises(Forbidden):
        await session.patch("Observation", "o-own", lambda one: said("o-own") | {"id": one["id"]})


async def test_a_patient_lets_somebody_look_and_nobody_else_does_that_for_them(world):
    made = consent(
        "own", "Somebody", "1234567890", frozenset({"medicines"}), date(2026, 11, 1), "2026-11-01T12:00:00Z", None
    )
    written = await world.session("patient").create(made)
    assert written.stored.patient_id == "own"
    spoilt_ones = ({**made, "performer": [{"reference": "Patient/other"}]}, {**made, "category": [{"text": "other"}]})
    for spoilt in spoilt_ones:
        with pytest.raises(Forbidden):
            await world.session("patient").create(spoilt)
    assert TRUST.rpartition("|")[2] == made["category"][0]["coding"][0]["code"]


async def test_what_is_labelled_does_not_exist_behind_a_door_that_keeps_it_closed(world):
    office = world.session("administrator")
    await office.update(observation("secret", "own", meta={"security": [{"code": "PSY"}]}))
    await office.update(observation("open", "own"))
    actor = Actor("mother", "patient", patient_id="own", scopes="system/*.rs", closed="PSY SEX HIV")
    session = world.door.open(actor, "PATRQT", source="192.0.2.1", request_id="r")
    with pytest.raises(NotFound):
        await session.read("Observation", "secret")
    found = await session.search(criteria("Observation", "patient=own&_count=50"))
    assert "secret" not in {one.id for one in found.matches}
    assert "open" in {one.id for one in found.matches}
    assert (await world.session("patient").read("Observation", "secret")).id == "secret"


async def test_who_looks_at_anothers_record_writes_nothing_into_it(world):
    actor = Actor("mother", "patient", patient_id="own", scopes="system/*.rs")
    session = world.door.open(actor, "PATRQT", source="192.0.2.1", request_id="r")
    for resource in (said("mine"), {"resourceType": "Communication", "status": "completed",
                                    "subject": {"reference": "Patient/own"}}):  # fmt: skip
        with pytest.raises(Forbidden):
            await session.create(resource)


async def test_what_is_handed_out_leaves_its_row(world):
    await world.session("patient", "handed").shared("a health link", "own", "Dr. Viewer")
    (row,) = await world.rows("handed")
    assert (row["interaction"], row["patient_id"], row["query"]) == ("share", "own", "a health link to Dr. Viewer")

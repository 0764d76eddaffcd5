"""What answer times are counted from: the work that one facility owes, as far as it may be seen, and no other."""

from datetime import datetime, timedelta

import pytest

from continuum.clinical.messaging import answering, model, reading, workflows
from continuum.clinical.messaging.rules import team as read_team
from continuum.clinical.messaging.tests.test_keeping import NOW, ROB, TOM, UTC_ZONE, Clinic, team
from continuum.clinical.messaging.workflows import Letter
from continuum.kernel.ids import uuid7

WEEK = timedelta(days=7)
OWN = {
    "resourceType": "CareTeam", "id": "own", "status": "active", "name": "Around Rob",
    "subject": {"reference": "Patient/rob"}, "participant": [{"member": {"reference": "Patient/other"}}],
}  # fmt: skip
"""A patient's own team, which belongs to no facility."""


@pytest.fixture
async def clinic(pool):
    return await Clinic(pool).furnish()


async def counted(clinic, *, facility="f", now=NOW):
    found, more = await reading.work_since(
        clinic.nurse, facility, now - WEEK, now, lambda work: answering.measured(work, ["family", "desk"], now)
    )
    assert not more
    return {one.team_id: one for one in found}


async def write(clinic, *, to="", facility="f", patient="rob", now=NOW):
    """to: a team of a facility; "" for the patient's own."""
    person = clinic.session("patient", patient, workflow=True)
    letter = Letter(uuid7(), patient, ROB, "May I run?", "Knee")
    chosen = read_team(team(to, facility=facility) if to else OWN)
    return await workflows.send(person, letter, chosen, now, UTC_ZONE)


async def trace(clinic):
    async with clinic.door.connect() as conn:
        return await conn.fetch(
            "SELECT interaction, query, patient_id, EXISTS (SELECT 1 FROM record.audit_patient p WHERE p.seq = a.seq)"
            " AS more FROM record.audit a WHERE role = 'nurse' ORDER BY seq"
        )


async def test_what_another_facility_owes_is_not_counted_here(clinic):
    system = clinic.session("system")
    await system.update({"resourceType": "Organization", "id": "g", "name": "The other clinic"})
    await system.update(team("theirs", facility="g"))
    await clinic.send()
    await write(clinic, to="theirs", facility="g")
    found = await counted(clinic)
    assert {name: one.waiting for name, one in found.items()} == {"family": 1, "desk": 0}
    theirs = await counted(clinic, facility="g")
    assert theirs[""].waiting == 1, "the patient is seen here, so the work may be seen as well"


async def test_the_list_of_the_facility_itself_is_counted_whoever_took_it_up_or_answered_it(clinic):
    """Such work names a team no more, and its owner is an account: only its tag says where it belongs."""
    for one in ("family", "desk"):
        await clinic.session("system").update(team(one, status="inactive"))
    said = {
        "resourceType": "Communication", "status": "completed", "subject": {"reference": "Patient/rob"},
        "sender": {"reference": "Patient/rob"}, "recipient": [{"reference": "CareTeam/family"}],
        "category": [{"coding": [{"system": model.KIND, "code": model.MESSAGE}]}],
        "sent": model.stamp(NOW), "payload": [{"contentString": "From my own program"}],
    }  # fmt: skip
    threads = [(await clinic.session("patient", "rob").create(said)).stored.id for _ in range(3)]
    await clinic.keeper.turn(NOW)
    for thread in threads[:2]:
        await workflows.claim(clinic.nurse, "rob", thread, TOM, NOW)
    task = await clinic.work(threads[0])
    await clinic.nurse.transaction([workflows.changed(model.answered(task, TOM, NOW + timedelta(hours=1)))])
    found = (await counted(clinic))[""]
    assert (found.answered, found.waiting) == (1, 2)


async def test_work_that_came_another_way_is_counted_from_the_next_check_on(clinic):
    await clinic.session("system").update(OWN)
    long_ago = await write(clinic, now=NOW - timedelta(days=100))
    thread = await clinic.send()
    task = await clinic.work(thread)
    task["meta"] = {"versionId": task["meta"]["versionId"]}
    await clinic.session("system").transaction([workflows.changed(task)])
    assert (await counted(clinic))["family"].waiting == 0
    assert (await clinic.keeper.turn(NOW)).failed == 0
    assert (await counted(clinic))["family"].waiting == 1
    version = (await clinic.work(thread))["meta"]["versionId"]
    await clinic.keeper.turn(NOW)
    assert (await clinic.work(thread))["meta"]["versionId"] == version, "it is told once"
    assert not model.is_owed(await clinic.work(long_ago)), "what is not measured is left as it is"


async def test_a_patients_own_team_without_a_facility_is_counted_where_the_patient_belongs(clinic):
    await clinic.session("system").update(OWN)
    await write(clinic)
    assert sum(one.waiting for one in (await counted(clinic)).values()) == 0
    await clinic.keeper.turn(NOW)
    assert sum(one.waiting for one in (await counted(clinic)).values()) == 1


async def test_what_may_not_be_seen_is_not_counted(clinic):
    system = clinic.session("system")
    await system.update({"resourceType": "Organization", "id": "g", "name": "The other clinic"})
    elsewhere = {"resourceType": "Patient", "id": "far", "managingOrganization": {"reference": "Organization/g"}}
    await system.update(elsewhere)
    await clinic.send()
    await write(clinic, to="family", patient="far")
    assert (await counted(clinic))["family"].waiting == 1


async def test_only_the_newest_are_counted_and_it_is_said_so_and_the_trace_is_one_row(clinic, monkeypatch):
    monkeypatch.setattr(reading, "MEASURED_MAX", 2)
    for hour in range(3):
        await write(clinic, to="family", now=NOW + timedelta(hours=hour))
    before = len(await trace(clinic))
    found, more = await reading.work_since(clinic.nurse, "f", NOW - WEEK, NOW + WEEK, list)
    assert [one["authoredOn"][11:13] for one in found] == ["17", "16"]
    assert more
    (row,) = (await trace(clinic))[before:]
    assert row["interaction"] == "search"


async def test_who_sees_totals_is_in_the_trace_and_who_sees_names_in_each_patients_trail(clinic):
    await clinic.send()
    await write(clinic, to="family", patient="other")
    before = len(await trace(clinic))
    assert (await counted(clinic))["family"].counted == 2
    (row,) = (await trace(clinic))[before:]
    assert "_tag" in row["query"]
    assert (row["patient_id"], row["more"]) == (None, False), "nobody's record was looked at"
    await reading.pool(clinic.nurse)
    (row,) = (await trace(clinic))[before + 1 :]
    assert row["patient_id"] is not None
    assert row["more"], "a list with names stands in the trail of everybody in it"


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2026-11-01T00:00:00+00:00", "2026-11-30T23:59:59+00:00", ["f.2026-11"]),
        ("2026-11-30T23:30:00-05:00", "2027-01-02T00:00:00+00:00", ["f.2026-12", "f.2027-01"]),
        ("2026-10-31T23:30:00+00:00", "2026-12-01T00:30:00+02:00", ["f.2026-10", "f.2026-11"]),
    ],
)
def test_months_are_those_of_utc(since, until, months):
    instants = [datetime.fromisoformat(one) for one in (since, until)]
    assert model.owed_codes("f", *instants) == months

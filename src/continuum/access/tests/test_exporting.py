"""What an export holds: as of one instant, for one actor, of some or all patients, filtered, with Provenance."""

import asyncio
import json

import pytest

from continuum.access.tests.doors import World, furnish, observation, patient
from continuum.access.tests.exports import EVERYTHING, Exports
from continuum.kernel.clock import now_us
from continuum.kernel.errors import Gone, NotFound, UnknownParameter
from continuum.record import jobs
from continuum.record.export import plan

LATER_US = 3_600_000_000


@pytest.fixture
async def exports(pool, database, tmp_path):
    return Exports(await furnish(World(pool)), database, tmp_path)


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("administrator", EVERYTHING),
        ("system", EVERYTHING),
        ("clinician", ["Observation/o-own", "Organization/f-other", "Organization/f-own", "Patient/own", "Task/t-own"]),
        ("patient", ["Observation/o-own", "Organization/f-other", "Organization/f-own", "Patient/own", "Task/t-own"]),
    ],
)
async def test_an_export_of_the_system_holds_what_the_actor_sees_and_nothing_else(exports, role, seen):
    _, found = await exports.run(role)
    assert found == seen


async def test_the_records_of_patients_come_with_the_directory_but_without_what_belongs_to_nobody(exports):
    session = exports.world.session("administrator")
    await session.update({k: v for k, v in observation("o-nobody", "own").items() if k != "subject"})
    _, found = await exports.run(level="patient")
    assert found == [
        "Observation/o-other", "Observation/o-own", "Organization/f-other", "Organization/f-own", "Patient/other",
        "Patient/own",
    ]  # fmt: skip
    assert "Observation/o-nobody" in (await exports.run())[1]


async def test_a_row_that_changes_while_it_is_exported_is_exported_as_it_was(exports, monkeypatch):
    session = exports.world.session("administrator")
    await exports.start()
    job = await exports.keeping.take()
    before = await session.read("Observation", "o-own")
    monkeypatch.setattr(exports.world.door.performer, "clock", lambda: now_us() + LATER_US)
    await session.update(observation("o-own", "own", valueString="changed since"))
    await session.update(observation("o-late", "own"))
    await session.delete("Observation", "o-other")
    assert await exports.work(job)
    lines = {f"{line['resourceType']}/{line['id']}": line for line in await exports.lines(job)}
    assert lines["Observation/o-own"] == json.loads(before.body)
    assert "Observation/o-late" not in lines
    assert "Observation/o-other" not in lines  # what is deleted by now is handed out to nobody


async def test_who_asks_for_changes_since_the_last_export_misses_nothing_and_gets_nothing_twice(exports):
    first, _ = await exports.run()
    session = exports.world.session("administrator")
    await session.update(observation("o-own", "own", valueString="changed"))
    await session.update(patient("third", "f-own"))
    await session.delete("Device", "d-own")
    second, found = await exports.run(since_us=first.as_of)
    assert found == ["Observation/o-own", "Patient/third"]
    (bundle,) = await exports.lines(second, jobs.DELETED)
    assert bundle["type"] == "transaction"
    assert [entry["request"] for entry in bundle["entry"]] == [{"method": "DELETE", "url": "Device/d-own"}]
    third, found = await exports.run(since_us=second.as_of)
    assert found == []
    assert await exports.lines(third, jobs.DELETED) == []


async def test_a_clinician_hears_of_no_deletion_at_another_facility(exports):
    first, _ = await exports.run()
    session = exports.world.session("administrator")
    await session.delete("Observation", "o-own")
    await session.delete("Observation", "o-other")
    job, _ = await exports.run("clinician", since_us=first.as_of)
    (bundle,) = await exports.lines(job, jobs.DELETED)
    assert [entry["request"]["url"] for entry in bundle["entry"]] == ["Observation/o-own"]


async def test_a_write_that_was_under_way_when_the_export_began_is_in_it(exports):
    async with exports.connection() as conn:
        await conn.execute("SET application_name = 'somebody who writes'")
        transaction = conn.transaction()
        await transaction.start()
        row = await conn.fetchrow("SELECT max(row_id) AS top FROM record.resource")
        async with exports.world.pool.connection() as other:
            source = await other.fetchrow("SELECT * FROM record.resource WHERE id = 'o-own'")
        await conn.execute(
            "INSERT INTO record.resource VALUES ($1, $2, 'o-under-way', 1, $3, false, 0, $4, $5, $6)",
            row["top"] + 1, source["type"], now_us(), source["patient"], source["patient_id"], source["body"],
        )  # fmt: skip
        await exports.start()
        job = await exports.keeping.take()
        working = asyncio.create_task(exports.work(job))
        done, _ = await asyncio.wait({working}, timeout=1.0)
        assert not done, "the export waits for the older transaction"
        await transaction.commit()
        assert await working
    assert "o-under-way" in {line["id"] for line in await exports.lines(job)}


async def test_a_group_is_exported_with_what_its_members_records_name_and_nothing_of_others(exports):
    session = exports.world.session("administrator")
    await session.update(observation("o-third", "own", performer=[{"reference": "Organization/f-other"}]))
    await session.update({
        "resourceType": "Appointment", "id": "both", "status": "booked", "participant": [
            {"actor": {"reference": "Patient/other"}, "status": "accepted"},
            {"actor": {"reference": "Patient/own"}, "status": "accepted"},
        ],
    })  # fmt: skip
    await session.update({
        "resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": [
            {"entity": {"reference": "Patient/own"}},
            {"entity": {"reference": "Patient/other"}, "inactive": True},
        ],
    })  # fmt: skip
    _, found = await exports.run(level="group", group="g")
    assert found == [
        "Appointment/both", "Group/g", "Observation/o-own", "Observation/o-third", "Organization/f-other",
        "Organization/f-own", "Patient/own",
    ]  # fmt: skip
    _, found = await exports.run(level="group", group="g", types=("Patient", "Organization"))
    assert found == ["Organization/f-other", "Organization/f-own", "Patient/own"]
    _, found = await exports.run("patient", level="group", group="g", types=("Patient", "Observation"))
    assert found == ["Observation/o-own", "Observation/o-third", "Patient/own"]


async def test_a_group_that_may_not_be_seen_is_not_there_and_one_that_goes_away_fails_the_export(exports):
    session = exports.world.session("administrator")
    member = [{"entity": {"reference": "Patient/other"}}]
    await session.update({"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": member})
    for group in ("g", "never-there"):
        with pytest.raises(NotFound):
            await exports.start("patient", level="group", group=group)
    await exports.start(level="group", group="g")
    job = await exports.keeping.take()
    await session.delete("Group", "g")
    with pytest.raises(Gone):
        await exports.work(job)


async def test_what_is_tied_to_two_members_is_exported_once_whoever_reads_it(exports, monkeypatch):
    monkeypatch.setattr(plan, "BULK_MEMBERS_IN_PART", 1)
    session = exports.world.session("administrator")
    members = []
    for number in range(6):
        await session.update(patient(f"p{number}", "f-own"))
        members.append({"entity": {"reference": f"Patient/p{number}"}})
    for number in range(6):
        actors = [f"Patient/p{number}", f"Patient/p{(number + 1) % 6}", "Patient/own"]
        await session.update({
            "resourceType": "Appointment", "id": f"a{number}", "status": "booked",
            "participant": [{"actor": {"reference": one}, "status": "accepted"} for one in reversed(actors)],
        })  # fmt: skip
    await session.update({"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": members})
    _, found = await exports.run(level="group", group="g", types=("Appointment", "Patient"), processes=3)
    assert found == [f"Appointment/a{n}" for n in range(6)] + [f"Patient/p{n}" for n in range(6)]


async def test_named_patients_only(exports):
    _, found = await exports.run(level="patient", patients=("other",))
    assert found == ["Observation/o-other", "Organization/f-other", "Patient/other"]
    _, found = await exports.run("clinician", level="patient", patients=("other", "own"))
    assert found == ["Observation/o-own", "Organization/f-own", "Patient/own"]


async def test_a_filter_keeps_what_matches_one_of_its_searches(exports):
    session = exports.world.session("administrator")
    for number, code in enumerate(("8867-4", "8310-5", "9279-1")):
        coding = [{"system": "http://loinc.org", "code": code}]
        await session.update(observation(f"f{number}", "own", code={"coding": coding}, status="final"))
    filters = (("Observation", "code=8867-4"), ("Observation", "code=http://loinc.org%7C8310-5&status=final"))
    for level in ("system", "patient"):
        _, found = await exports.run(level=level, types=("Observation", "Patient"), filters=filters)
        assert found == ["Observation/f0", "Observation/f1", "Patient/other", "Patient/own"]
    _, found = await exports.run(types=("Observation",), filters=(("Observation", "code=8867-4,9279-1"),))
    assert found == ["Observation/f0", "Observation/f2"]
    for wrong in ("_include=Observation:subject", "_sort=date", "_summary=true", "nonsense=1"):
        with pytest.raises(UnknownParameter):
            await exports.start(filters=(("Observation", wrong),))


async def test_provenance_of_what_is_exported_comes_along_all_of_it_or_the_latest(exports):
    session = exports.world.session("administrator")
    for name, target, day in (("old", "o-own", 1), ("new", "o-own", 2), ("other", "o-other", 1)):
        await session.update({
            "resourceType": "Provenance", "id": name, "target": [{"reference": f"Observation/{target}"}],
            "recorded": f"2026-01-0{day}T00:00:00Z", "agent": [{"who": {"display": "a nurse"}}],
        })  # fmt: skip
    filters = (("Observation", "subject=Patient/own"),)
    _, found = await exports.run(types=("Observation",), filters=filters, provenance="relevant")
    assert found == ["Observation/o-own", "Provenance/new", "Provenance/old"]
    _, found = await exports.run(types=("Observation",), filters=filters, provenance="latest")
    assert found == ["Observation/o-own", "Provenance/new"]

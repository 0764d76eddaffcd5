"""Jobs of exports: many pieces and processes, taken over, begun again, failed in words, traced, nobody else's."""

import asyncio
import json
from dataclasses import replace

import asyncpg
import pytest

from continuum.access import exporting
from continuum.access.bulk import Asked, TooManyJobs
from continuum.access.tests.doors import ACTORS, World, criteria, furnish, observation, patients
from continuum.access.tests.exports import EVERYTHING, Exports
from continuum.kernel.clock import now_us
from continuum.kernel.errors import Forbidden, NotFound
from continuum.kernel.limits import BULK_ATTEMPTS_MAX, BULK_JOBS_MAX, BULK_LEASE_S
from continuum.record import jobs
from continuum.record.export import files, plan
from continuum.record.export.files import NoRoom


@pytest.fixture
async def exports(pool, database, tmp_path):
    return Exports(await furnish(World(pool)), database, tmp_path)


async def test_many_pieces_read_by_many_give_each_row_once(exports, monkeypatch):
    monkeypatch.setattr(plan, "BULK_PART_ROWS", 7)
    session = exports.world.session("administrator")
    for number in range(60):
        await session.update(observation(f"n{number:02}", "own"))
    job, found = await exports.run(processes=3)
    assert found == sorted([*EVERYTHING, *(f"Observation/n{number:02}" for number in range(60))])
    async with exports.connection() as conn:
        assert (await jobs.progress(conn, job.id)).total > 10


async def test_a_job_is_held_while_somebody_is_heard_of_who_works_on_it(exports, monkeypatch):
    asked = await exports.start()
    session = exports.world.session("administrator", "bulk")

    async def held():
        return (await session.bulk.status(asked.id)).held

    assert not await held()
    job = await exports.keeping.take()
    assert await held()
    await exports.keeping.leave(job)
    assert not await held(), "its server was stopped"
    await exports.keeping.take()
    assert await held()
    a_lease_later_us = int((BULK_LEASE_S + 1) * 1_000_000)  # the clock shows whole milliseconds: more than a lease
    monkeypatch.setattr(exports.world.door, "clock", lambda: now_us() + a_lease_later_us)
    assert not await held(), "its server was killed, and its lease is over"


async def test_an_export_that_was_left_is_taken_over_and_ends_whole(exports, monkeypatch):
    monkeypatch.setattr(plan, "BULK_PART_ROWS", 16)
    session = exports.world.session("administrator")
    for number in range(60):
        await session.update(observation(f"n{number:02}", "own"))
    await exports.start()
    first = await exports.keeping.take()
    settle = jobs.settle_part
    settled = []

    async def killed(*args, **given):
        if len(settled) == 2:
            raise asyncio.CancelledError
        settled.append(args)
        return await settle(*args, **given)

    monkeypatch.setattr(jobs, "settle_part", killed)
    with pytest.raises(asyncio.CancelledError):
        await exports.work(first, "1-0")
    monkeypatch.setattr(jobs, "settle_part", settle)

    assert await exports.keeping.take() is None, "it is not left before its lease is over"
    monkeypatch.setattr(exports.world.door, "clock", lambda: now_us() + 60_000_000)
    second = await exports.keeping.take()
    assert (second.id, second.attempt) == (first.id, 2)
    await exports.keeping.check_files(second, exports.folder_of(second))
    assert not await exports.work(first, "1-1"), "whoever lost it does nothing more"
    assert not await exports.keeping.beat(first)
    assert not await exports.keeping.finish(first, exports.folder_of(first), "")
    assert await exports.work(second, "2-0")
    assert await exports.keeping.finish(second, exports.folder_of(second), "")
    found = sorted(f"{line['resourceType']}/{line['id']}" for line in await exports.lines(second))
    assert found == sorted([*EVERYTHING, *(f"Observation/n{number:02}" for number in range(60))])


async def test_when_files_of_an_export_are_lost_it_begins_again(exports):
    await exports.start()
    first = await exports.keeping.take()
    assert await exports.work(first, "1-0")
    for path in exports.folder_of(first).glob("Patient.*"):
        path.write_bytes(b"")
    await exports.keeping.leave(first)
    second = await exports.keeping.take()
    await exports.keeping.check_files(second, exports.folder_of(second))
    assert await exports.work(second, "2-0")
    found = sorted(f"{line['resourceType']}/{line['id']}" for line in await exports.lines(second))
    assert found == EVERYTHING


async def test_an_export_stops_in_words_before_the_disk_is_full(exports, monkeypatch):
    monkeypatch.setattr(files, "BULK_DISK_FREE_MIN_BYTES", 2**62)
    started = await exports.start()
    job = await exports.keeping.take()
    with pytest.raises(NoRoom) as refused:
        await exports.work(job)
    await exports.keeping.fail(job, str(refused.value))
    status = await exports.world.session("administrator").bulk.status(started.id)
    assert status.failed
    assert "no room" in status.job.outcome
    (row,) = [row for row in await exports.world.rows("bulk") if row["interaction"] == "exported"]
    assert row["outcome"] == 8


async def test_an_export_that_never_ends_is_called_failed(exports):
    job = await exports.start()
    for _ in range(BULK_ATTEMPTS_MAX):
        taken = await exports.keeping.take()
        await exports.keeping.leave(taken)
    assert await exports.keeping.take() is None
    status = await exports.world.session("administrator").bulk.status(job.id)
    assert status.failed
    assert "begun several times" in status.job.outcome


async def test_an_unreadable_body_is_said_and_the_others_are_exported(exports, database_owner):
    conn = await asyncpg.connect(database_owner)
    await conn.execute("UPDATE record.resource SET body = '\\x00' WHERE id = 'o-own'")
    await conn.close()
    job, found = await exports.run()
    assert found == [one for one in EVERYTHING if one != "Observation/o-own"]
    (outcome,) = await exports.lines(job, jobs.ERROR)
    assert outcome["issue"][0]["diagnostics"].startswith("Observation/o-own/_history/2 could not be read")


async def test_the_trace_of_an_export_says_who_what_why_and_whose_data(exports, monkeypatch):
    monkeypatch.setattr(exporting, "BULK_AUDIT_PATIENTS", 1)
    job, _ = await exports.run("system", url="http://here/fhir/$export?_type=Observation", types=("Observation",))
    asked, *ended = await exports.world.rows("bulk")
    assert (asked["interaction"], asked["actor"], asked["purpose"], asked["query"]) == (
        "export", "sys", "HOPERAT", "_type=Observation",
    )  # fmt: skip
    assert {row["interaction"] for row in ended} == {"exported"}
    assert {row["target"] for row in ended} == {job.id}
    assert {row["detail"] for row in ended} == {"patients=2 resources=2"}
    assert set().union(*(patients(row) for row in ended)) == {"own", "other"}
    events = await exports.world.session("patient").search(criteria("AuditEvent", "agent=sys&subtype=exported"))
    (event,) = [json.loads(one.body) for one in events.matches]
    assert [entity["what"]["reference"] for entity in event["entity"] if "what" in entity] == ["Patient/own"]
    shown = {detail["type"]: detail["valueString"] for entity in event["entity"] for detail in entity.get("detail", ())}
    assert (shown["job"], shown["result"]) == (job.id, "patients=2 resources=2")


@pytest.mark.requirement("V2.4.1")
async def test_nobody_else_hears_of_a_job_and_nobody_has_too_many(exports):
    job = await exports.start("clinician")
    for role in ("patient", "system"):
        with pytest.raises(NotFound):
            await exports.world.session(role).bulk.status(job.id)
        with pytest.raises(NotFound):
            await exports.world.session(role).bulk.cancel(job.id)
    elsewhere = replace(ACTORS["clinician"], facility_id="f-other")
    with pytest.raises(NotFound):
        await exports.world.door.open(elsewhere, "TREAT", source="", request_id="r").bulk.status(job.id)
    assert (await exports.world.session("administrator").bulk.status(job.id)).job.id == job.id
    for _ in range(BULK_JOBS_MAX - 1):
        await exports.start("clinician")
    with pytest.raises(TooManyJobs):
        await exports.start("clinician")


async def test_only_who_may_write_everything_may_import(exports):
    asked = Asked(url="http://here/fhir/$import", inputs=(("Patient", "http://there/p"),))
    for role in ("clinician", "patient"):
        with pytest.raises(Forbidden):
            await exports.world.session(role).bulk.import_(asked)
    scoped = replace(ACTORS["system"], scopes="system/*.rs system/Patient.cud")
    with pytest.raises(Forbidden):
        await exports.world.door.open(scoped, "HOPERAT", source="", request_id="r").bulk.import_(asked)
    assert (await exports.world.session("system").bulk.import_(asked)).kind == "import"

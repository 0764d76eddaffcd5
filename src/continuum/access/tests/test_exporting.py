"""Exports below the interface: as of one instant, in pieces, by several at once, taken over, traced."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from continuum.access import exporting
from continuum.access.bulk import Asked, TooManyJobs
from continuum.access.keeping import Keeping
from continuum.access.tests.doors import ACTORS, World, criteria, furnish, observation, patient, patients
from continuum.kernel.clock import now_us
from continuum.kernel.errors import Forbidden, Gone, NotFound, UnknownParameter
from continuum.kernel.limits import BULK_ATTEMPTS_MAX, BULK_JOBS_MAX
from continuum.record import jobs
from continuum.record.export import plan
from continuum.record.jobs import Job
from continuum.runtime.postgres.address import Address

KEYS, LATER_US = exporting.keys_of(bytes(32)), 3_600_000_000


class Exports:
    """A world, and jobs that are worked on in this process."""

    def __init__(self, world: World, database: str, folder) -> None:
        self.world = world
        self.database = database
        self.folder = folder
        self.keeping = Keeping(world.door, folder)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        conn = await asyncpg.connect(**Address.from_url(self.database).connect)
        try:
            # As the processes of a job call themselves: they do not wait for each other's transactions.
            await conn.execute(f"SET application_name = '{exporting.APPLICATION_NAME}'")
            yield conn
        finally:
            await conn.close()

    async def start(self, role: str = "administrator", **asked) -> Job:
        asked.setdefault("url", "http://here/fhir/$export")
        return await self.world.session(role, "bulk").bulk.export(Asked(**asked))

    async def work(self, job: Job, mark: str = "1") -> bool:
        folder = self.folder_of(job)
        async with self.connection() as conn:
            return await exporting.work(conn, job, keys=KEYS, folder=folder, mark=mark, show=None, clock=now_us)

    def folder_of(self, job: Job):
        (self.folder / job.id).mkdir(exist_ok=True)
        return self.folder / job.id

    async def lines(self, job: Job, category: str = jobs.OUTPUT) -> list[dict]:
        async with self.connection() as conn:
            noted = await jobs.files(conn, job.id)
        found = []
        for file in noted:
            if file.category == category:
                text = (self.folder_of(job) / file.name).read_bytes()[: file.bytes]
                assert text.count(b"\n") == file.lines
                found += [json.loads(line) for line in text.splitlines()]
        return found

    async def run(self, role: str = "administrator", *, processes: int = 2, **asked) -> tuple[Job, list[str]]:
        """A whole export; the addresses of its lines, which are all different."""
        await self.start(role, **asked)
        job = await self.keeping.take()
        assert job is not None
        assert all(await asyncio.gather(*(self.work(job, f"{job.attempt}-{number}") for number in range(processes))))
        assert await self.keeping.finish(job, self.folder_of(job), "")
        found = [f"{line['resourceType']}/{line['id']}" for line in await self.lines(job)]
        assert len(found) == len(set(found))
        return job, sorted(found)


@pytest.fixture
async def exports(pool, database, tmp_path):
    return Exports(await furnish(World(pool)), database, tmp_path)


EVERYTHING = [
    "Device/d-other", "Device/d-own", "Observation/o-other", "Observation/o-own", "Organization/f-other",
    "Organization/f-own", "Patient/other", "Patient/own", "Task/t-other", "Task/t-own",
]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("administrator", EVERYTHING),
        ("system", EVERYTHING),
        ("clinician", ["Observation/o-own", "Organization/f-other", "Organization/f-own", "Patient/own"]),
        ("patient", ["Observation/o-own", "Organization/f-other", "Organization/f-own", "Patient/own"]),
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
        coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
        await session.update(observation(f"f{number}", "own", code=coded, status="final"))
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


async def test_many_pieces_read_by_many_give_each_row_once(exports, monkeypatch):
    monkeypatch.setattr(plan, "BULK_PART_ROWS", 7)
    session = exports.world.session("administrator")
    for number in range(60):
        await session.update(observation(f"n{number:02}", "own"))
    job, found = await exports.run(processes=3)
    assert found == sorted([*EVERYTHING, *(f"Observation/n{number:02}" for number in range(60))])
    async with exports.connection() as conn:
        assert (await jobs.progress(conn, job.id)).total > 10


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
    assert {(row["target"], row["detail"]) for row in ended} == {(job.id, "patients=2 resources=2")}
    assert set().union(*(patients(row) for row in ended)) == {"own", "other"}
    events = await exports.world.session("patient").search(criteria("AuditEvent", "agent=sys&subtype=exported"))
    (event,) = [json.loads(one.body) for one in events.matches]
    assert [entity["what"]["reference"] for entity in event["entity"] if "what" in entity] == ["Patient/own"]
    shown = [detail["valueString"] for entity in event["entity"] for detail in entity.get("detail", ())]
    assert {job.id, "patients=2 resources=2"} <= set(shown)


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

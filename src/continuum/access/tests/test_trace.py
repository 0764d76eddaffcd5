"""The trace: one row for every act, with whom it touched, in the act's own transaction; shown as AuditEvents."""

import asyncio
import base64

import asyncpg
import pytest

from continuum.access import Operation
from continuum.access.actor import USUAL_PURPOSE
from continuum.access.audit import Context, seal
from continuum.access.tests.doors import ACTORS, World, criteria, furnish, observation, patient, patients
from continuum.fhir.grammar import parse as parse_query
from continuum.fhir.json import parse
from continuum.kernel.errors import (
    Busy,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    UnknownParameter,
)


@pytest.fixture
async def world(pool):
    return await furnish(World(pool))


def unchanged(resource):
    return {**resource, "language": "en"}


GET = Operation("GET", "Observation", id="o-other")
NEW = Operation("POST", "Observation", resource=observation("", "own"))

ACTS = [
    # interaction, act of an administrator, outcome, patients
    ("read", lambda s: s.read("Observation", "o-own"), 0, {"own"}),
    ("read", lambda s: s.read("Organization", "f-own"), 0, set()),
    ("read", lambda s: s.read("Observation", "nothing"), 4, set()),
    ("read", lambda s: s.read("Observation", "gone-own"), 4, set()),
    ("vread", lambda s: s.vread("Observation", "o-own", 1), 0, {"own"}),
    ("vread", lambda s: s.vread("Observation", "o-own", 9), 4, set()),
    ("search", lambda s: s.search(criteria("Observation", "")), 0, {"own", "other"}),
    ("search", lambda s: s.search(criteria("Observation", "_id=o-own&_include=Observation:subject")), 0, {"own"}),
    ("search", lambda s: s.search(criteria("Organization", "_id=f-own&_revinclude=Patient:organization")), 0, {"own"}),
    ("search", lambda s: s.search(criteria("Patient", "_id=x")), 0, set()),
    ("search", lambda s: s.search(criteria("Patient", "_summary=count")), 0, set()),
    ("everything", lambda s: s.everything("own"), 0, {"own"}),
    ("everything", lambda s: s.everything("nobody"), 4, set()),
    ("history", lambda s: s.history(resource_type="Observation", resource_id="o-own", count=9), 0, {"own"}),
    ("history", lambda s: s.history(count=50), 0, {"own", "other"}),
    ("history", lambda s: s.history(resource_type="Patient", resource_id="x", count=9), 4, set()),
    ("create", lambda s: s.create(observation("", "own")), 0, {"own"}),
    ("create", lambda s: s.create(observation("", "nobody")), 4, set()),
    ("create", lambda s: s.create(patient("", "f-own"), if_none_exist="_id=own"), 0, {"own"}),
    ("create", lambda s: s.create({"resourceType": "Patient", "gender": 1}), 4, set()),
    ("update", lambda s: s.update(observation("o-own", "own")), 0, {"own"}),
    ("update", lambda s: s.update(observation("o-own", "other")), 0, {"own", "other"}),
    ("update", lambda s: s.update(observation("o-own", "own"), if_match=77), 4, set()),
    ("update", lambda s: s.update_matching(observation("o-own", "own"), "_id=o-own"), 0, {"own", "other"}),
    ("patch", lambda s: s.patch("Observation", "o-own", unchanged), 0, {"own"}),
    ("patch", lambda s: s.patch_matching("Observation", "_id=none", unchanged), 4, set()),
    ("delete", lambda s: s.delete("Observation", "o-own"), 0, {"own"}),
    ("delete", lambda s: s.delete("Observation", "o-own"), 0, set()),
    ("delete", lambda s: s.delete("Patient", "other"), 4, set()),
    ("delete", lambda s: s.delete_matching("Observation", "_id=nothing"), 0, set()),
    ("transaction", lambda s: s.transaction([NEW, NEW]), 0, {"own"}),
    ("transaction", lambda s: s.transaction([NEW, GET]), 0, {"own", "other"}),
    ("transaction", lambda s: s.transaction([GET]), 0, {"other"}),
    ("transaction", lambda s: s.transaction([
        Operation("GET", "Patient", query="_id=other"),
        Operation("PUT", "Patient", id="own", resource=patient("own", "f-own")),
    ]), 0, {"own", "other"}),
    ("transaction", lambda s: s.transaction([
        Operation("POST", "Patient", resource=patient("", "f-own"), if_none_exist="_id=other"), NEW,
    ]), 0, {"own", "other"}),
    ("transaction", lambda s: s.transaction([NEW, Operation("GET", "Patient", id="none")]), 4, set()),
    ("read", lambda s: s.read("AuditEvent", "1"), 0, None),
    ("read", lambda s: s.read("AuditEvent", "999999"), 4, set()),
    ("search", lambda s: s.search(criteria("AuditEvent", "_id=1")), 0, None),
    ("create", lambda s: s.create({"resourceType": "AuditEvent"}), 4, set()),
]  # fmt: skip


@pytest.mark.requirement("V-222477", "V16.2.1")
async def test_every_act_leaves_one_row_with_its_outcome_and_patients(world):
    for number, (interaction, act, outcome, named) in enumerate(ACTS):
        try:
            await act(world.session("administrator", f"act-{number}"))
        except DomainError:
            assert outcome == 4, number
        else:
            assert outcome == 0, number
        (row,) = await world.rows(f"act-{number}")
        assert (row["interaction"], row["outcome"]) == (interaction, outcome), number
        assert named is None or patients(row) == named, (number, interaction, patients(row))
        assert (row["actor"], row["role"], row["purpose"], row["source"]) == (
            "adm", "administrator", "HSYSADMIN", "192.0.2.1",
        )  # fmt: skip


async def test_what_the_server_looks_over_again_and_again_floods_nobodys_trace_but_what_it_changes_is_there(world):
    system, purpose = ACTORS["system"], USUAL_PURPOSE["system"]
    sweep = world.door.open(system, purpose, source="server", request_id="sweep", sweeping=True)
    found = await sweep.search(criteria("Observation", ""))
    assert {one.patient_id for one in found.matches} == {"own", "other"}
    await sweep.read("Observation", "o-own")
    await sweep.update(observation("o-own", "own", note=[{"text": "mended"}]))
    looked, read, changed = await world.rows("sweep")
    assert (looked["interaction"], looked["outcome"], patients(looked)) == ("search", 0, set())
    assert patients(read) == {"own"}
    assert patients(changed) == {"own"}


async def test_many_acts_at_once_leave_a_row_each(world):
    before = len(await world.rows())
    session = world.session("administrator", "many")
    acts = [session.read("Observation", "o-own") for _ in range(80)]
    acts += [session.read("Observation", "none") for _ in range(40)]
    acts += [session.create(observation("", "own" if n % 3 else "nobody")) for n in range(60)]
    results = await asyncio.gather(*acts, return_exceptions=True)
    rows = await world.rows("many")
    assert len(rows) == 180 == len(await world.rows()) - before
    refused = len([one for one in results if isinstance(one, Exception)])
    assert [row["outcome"] for row in rows].count(4) == refused == 60


async def test_a_write_that_fails_leaves_no_row_of_success_and_no_write_is_without_its_row(world, database_owner):
    owner = await asyncpg.connect(database_owner)
    try:
        await owner.execute(
            "CREATE FUNCTION record.never() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF NEW.outcome = 0 THEN RAISE EXCEPTION 'no trace today'; END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER never BEFORE INSERT ON record.audit FOR EACH ROW EXECUTE FUNCTION record.never()"
        )
        before = await world.all()
        acts = [
            lambda s: s.create(observation("", "own")),
            lambda s: s.update(observation("o-own", "own")),
            lambda s: s.delete("Observation", "o-own"),
            lambda s: s.transaction([NEW, GET]),
            lambda s: s.read("Observation", "o-own"),
            lambda s: s.search(criteria("Observation", "")),
            lambda s: s.history(count=5),
            lambda s: s.everything("own"),
            lambda s: s.transaction([GET]),
            lambda s: s.create(patient("", "f-own"), if_none_exist="_id=own"),
        ]
        for number, act in enumerate(acts):
            with pytest.raises(asyncpg.RaiseError, match="no trace today"):
                await act(world.session("administrator", f"never-{number}"))
            assert [row for row in await world.rows(f"never-{number}") if row["outcome"] == 0] == []
        assert await world.all() == before
    finally:
        await owner.execute("DROP TRIGGER never ON record.audit")
        await owner.close()
    await world.session("administrator", "after").read("Observation", "o-own")
    assert len(await world.rows("after")) == 1


async def test_writes_and_their_rows_agree_to_the_last(world):
    session = world.session("administrator", "agree")
    acts = [session.create(observation("", "own" if n % 4 else "nobody")) for n in range(50)]
    acts += [session.update(observation("o-own", "own"), if_match=2) for _ in range(10)]
    results = await asyncio.gather(*acts, return_exceptions=True)
    written = sorted(f"{one.stored.id}/{one.stored.version}" for one in results if not isinstance(one, Exception))
    rows = [row for row in await world.rows("agree") if row["outcome"] == 0]
    assert sorted(row["target"] for row in rows) == written
    assert {type(one) for one in results if isinstance(one, Exception)} <= {Invalid, Conflict} | set(
        DomainError.__subclasses__()
    )


ODD = ["\x00", "a\x00b", "\ud800", "x\udfffy", "\x1f", "é\U0001f600", "'; DROP TABLE record.audit; --", "%00"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.requirement("V-222607", "V1.2.4", "V16.4.1")
async def test_odd_text_breaks_neither_the_search_nor_the_trace(world, odd):
    session = world.session("administrator", "odd")
    queries = [("family", odd), ("family:contains", odd * 3), ("family:exact", odd), ("identifier", odd), ("_id", odd)]
    for number, (name, value) in enumerate(queries, start=1):
        query = None
        try:
            query = criteria_of("Patient", name, value)
        except DomainError as error:
            await session.refused("search", f"Patient?{name}={value}", error)
        if query is not None:
            try:
                assert not (await session.search(query)).matches
            except DomainError as error:
                assert isinstance(error, Malformed | UnknownParameter), error  # noqa: PT017  refusing is right too
        assert len(await world.rows("odd")) == number
    for row in await world.rows("odd"):
        assert "\x00" not in (row["query"] or "") + (row["target"] or "")


def criteria_of(kind, name, value):
    return parse_query(kind, [(name, value)], lenient=False)


async def test_a_row_that_was_changed_no_longer_fits_its_seal(world):
    auditor = world.door.auditor
    context = Context(ACTORS["clinician"], "TREAT", "192.0.2.1", "r")
    row = auditor.row(context, "read", resource_type="Patient", target="own", patients=["own", "other"])
    fields, mac, more = row[:-2], row[-2], row[-1]
    assert seal(bytes(32), fields, more) == mac
    for place in range(len(fields)):
        assert seal(bytes(32), (*fields[:place], "else", *fields[place + 1 :]), more) != mac
    assert seal(bytes(32), fields, []) != mac
    assert seal(bytes(31) + b"\1", fields, more) != mac


@pytest.mark.requirement("V16.4.1")
async def test_what_parts_the_fields_under_a_seal_cannot_be_smuggled_into_one(world):
    auditor = world.door.auditor
    context = Context(ACTORS["clinician"], "TREAT", "192.0.2.1", "r")
    one = auditor.row(context, "search", query="a\x1fb", detail=None)
    assert not any("\x1f" in str(field) for field in one[:-2])
    assert one[-2] != auditor.row(context, "search", query="a", detail="b")[-2]


@pytest.mark.requirement("V16.5.3")
async def test_too_many_waiting_rows_are_refused_and_their_acts_not_answered(world, monkeypatch):
    monkeypatch.setattr("continuum.access.audit.AUDIT_WAITING_MAX", 3)
    session = world.session("administrator", "full")
    results = await asyncio.gather(*(session.read("Observation", "o-own") for _ in range(30)), return_exceptions=True)
    answered = [one for one in results if not isinstance(one, Exception)]
    assert {type(one) for one in results if isinstance(one, Exception)} <= {Busy}
    assert len(await world.rows("full")) >= len(answered) > 0


async def shown(session, text="_count=100"):
    page = await session.search(criteria("AuditEvent", text))
    return [parse(one.body) for one in page.matches]


async def test_administrators_see_every_event_and_patients_those_of_their_own_record(world):
    await world.session("clinician", "look").read("Observation", "o-own")
    await world.session("administrator", "both").search(criteria("Observation", "_id=o-own"))
    await world.session("administrator", "both").search(criteria("Observation", "_count=50"))
    events = await shown(world.session("administrator"))
    assert len(events) == len(await world.rows()) - 1
    own = await shown(world.session("patient"))
    assert own
    text = str(own)
    assert "Patient/own" in text
    assert "other" not in text
    for event in own:
        assert (await world.session("patient").read("AuditEvent", event["id"])).body
        asked = [base64.b64decode(one["query"]) for one in event["entity"] if "query" in one]
        assert not [one for one in asked if b"other" in one]
    theirs = {event["id"] for event in events} - {event["id"] for event in own}
    assert theirs
    for name in sorted(theirs)[:5]:
        with pytest.raises(NotFound):
            await world.session("patient").read("AuditEvent", name)
    assert not await shown(world.session("patient"), "patient=Patient/other")


async def test_an_event_that_touched_others_too_shows_a_patient_the_own_part_only(world):
    transaction = [Operation("PUT", "Patient", id=name, resource=patient(name, "f-own")) for name in ("own", "other")]
    await world.session("administrator", "shared").transaction(transaction)
    (event,) = [one for one in await shown(world.session("patient"), "subtype=transaction") if "shared" in str(one)]
    assert "Patient/own" in str(event)
    assert "other" not in str(event)
    (row,) = await world.rows("shared")
    alone = parse((await world.session("patient").read("AuditEvent", str(row["seq"]))).body)
    assert alone == event
    (whole,) = [one for one in await shown(world.session("administrator")) if one["id"] == event["id"]]
    assert {"Patient/own", "Patient/other"} <= {one["what"]["reference"] for one in whole["entity"] if "what" in one}


@pytest.mark.parametrize("role", ["clinician", "system"])
async def test_others_see_no_events(world, role):
    for act in (
        world.session(role, "closed").read("AuditEvent", "1"),
        world.session(role, "closed").search(criteria("AuditEvent", "")),
        world.session(role, "closed").transaction([Operation("GET", "AuditEvent", id="1")]),
    ):
        with pytest.raises(Forbidden, match="trace"):
            await act
    assert [row["outcome"] for row in await world.rows("closed")] == [4, 4, 4]


@pytest.mark.parametrize("role", sorted(ACTORS))
async def test_nobody_writes_an_event(world, role):
    session, before = world.session(role), await world.all()
    event = parse((await world.session("administrator").read("AuditEvent", "1")).body)
    for act in (
        session.create(event),
        session.update(event),
        session.delete("AuditEvent", "1"),
        session.patch("AuditEvent", "1", lambda resource: resource),
        session.transaction([Operation("POST", "AuditEvent", resource=event)]),
    ):
        with pytest.raises((Forbidden, NotFound)):
            await act
    assert await world.all() == before


async def test_a_transaction_reads_the_trace_too(world):
    found = await world.session("administrator").transaction([
        Operation("GET", "AuditEvent", id="1"), Operation("GET", "AuditEvent", query="patient=own&_count=2"),
    ])  # fmt: skip
    assert parse(found[0].body)["resourceType"] == "AuditEvent"
    assert len(found[1].matches) == 2

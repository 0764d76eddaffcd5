"""Appointments and conversations go to the older portal and come back, and nothing is lost or doubled."""

import asyncio
import json
from base64 import b64encode
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuum.clinical.messaging import workflows
from continuum.clinical.messaging.keeping import Keeper, Roster
from continuum.clinical.messaging.model import Who, owner_of
from continuum.clinical.messaging.reading import box_of, teams_of
from continuum.clinical.messaging.workflows import Letter
from continuum.clinical.scheduling import booking
from continuum.clinical.scheduling.model import slots_of
from continuum.clinical.scheduling.reading import find
from continuum.interop.cutover.report import reports, unmatched
from continuum.interop.cutover.tests.base import AWAY, HOME, NOW, OLDER, ZONE, Base, OlderPortal, rows
from continuum.kernel.errors import Invalid
from continuum.kernel.ids import uuid7

NINE = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo(ZONE))
NURSE = Who("a-tom", "Tom Reyes RN")


@pytest.fixture
async def base(pool):
    return await Base(pool).furnish()


async def appointments(base, patient):
    return (await find(base.session(), "Appointment", f"patient={patient['id']}&_count=100"))[0]


async def threads(base, patient):
    return (await box_of(base.session(), patient["id"]))[1]


async def test_what_was_booked_and_written_there_is_here_with_its_time_and_an_owner(base):
    patient, older = await base.person(AWAY), OlderPortal()
    older.book(patient, NINE)
    note = {"title": "note.txt", "type": "text/plain", "data": b64encode(b"after the run").decode()}
    older.write(patient, files=[note])
    found = await base.take(older.give())
    assert found.clean
    assert (found.counts["people"], found.counts["new"], found.counts["without_time"]) == (1, 2, 0)
    one, *others = await appointments(base, patient)
    assert not others
    assert (one["status"], one["start"], one["comment"]) == ("booked", "2026-11-24T09:00:00-05:00", "a cough")
    assert await base.claims.held(slots_of(one)) == set(slots_of(one)) != set()
    thread, *others = await threads(base, patient)
    assert not others
    assert (thread.subject, thread.last.text, thread.files) == ("Knee", "May I run?", 1)
    assert thread.open
    assert owner_of(thread.task).id == f"{AWAY}-family-health"
    assert rows(await base.give(patient)) == rows(older.give())


async def test_the_same_file_twice_changes_nothing(base):
    patient, older = await base.person(AWAY), OlderPortal()
    older.book(patient, NINE)
    older.answer(older.write(patient))
    await base.take(older.give())
    before = await appointments(base, patient), await threads(base, patient)
    again = await base.take(older.give())
    assert (again.counts["new"], again.counts["changed"], again.counts["equal"]) == (0, 0, 2)
    assert (await appointments(base, patient), await threads(base, patient)) == before


async def test_a_rehearsal_counts_the_same_and_leaves_nothing_but_its_report(base):
    patient, older = await base.person(AWAY), OlderPortal()
    older.book(patient, NINE)
    older.write(patient)
    rehearsed = await base.take(older.give(), write=False)
    assert rehearsed.counts["new"] == 2
    assert await appointments(base, patient) == []
    assert await threads(base, patient) == []
    imported = await base.take(older.give())
    assert imported.counts == rehearsed.counts
    assert [one.kind for one in await reports(base.session("administrator"), AWAY)] == ["import", "rehearsal"]


async def test_what_changed_there_changes_here_and_what_changed_on_both_sides_waits_for_a_person(base):
    patient, older = await base.person(AWAY), OlderPortal()
    first, second = older.book(patient, NINE), older.book(patient, NINE + timedelta(hours=1))
    await base.take(older.give())
    first["status"] = "cancelled"
    assert (await base.take(older.give())).counts["changed"] == 1
    mine = {one["start"]: one for one in await appointments(base, patient)}
    assert mine[NINE.isoformat()]["status"] == "cancelled"
    kept = mine[second["start"]]
    await booking.cancel(base.session("patient", patient_id=patient["id"]), kept, NOW, by="pat", reason="")
    assert (await base.take(older.give())).counts["changed"] == 0, "nothing has happened there since"
    assert {one["status"] for one in await appointments(base, patient)} == {"cancelled"}
    second["start"] = (NINE + timedelta(days=1)).isoformat()
    second["end"] = (NINE + timedelta(days=1, minutes=30)).isoformat()
    found = await base.take(older.give())
    assert (found.counts["clashes"], found.clashes[0][0]) == (1, second["origin"]["key"])
    assert {one["status"] for one in await appointments(base, patient)} == {"cancelled"}


async def test_a_time_that_somebody_else_has_is_named_and_the_appointment_comes_in_without_it(base):
    one, two, older = await base.person(AWAY), await base.person(AWAY), OlderPortal()
    older.book(one, NINE)
    older.book(two, NINE)
    found = await base.take(older.give())
    assert (found.counts["new"], found.counts["clashes"], found.counts["without_time"]) == (2, 1, 1)
    held = [slots_of(await_) for who in (one, two) for await_ in await appointments(base, who)]
    assert sorted(map(len, held)) == [0, 1]


async def test_nobody_is_guessed_and_whoever_is_not_known_waits_with_all_that_is_theirs(base):
    patient, older = await base.person(AWAY), OlderPortal()
    stranger = {"identifier": [{"value": "9999999999"}], "birthDate": "1970-01-01"}
    older.book(stranger, NINE)
    older.write(stranger)
    wrong = {**patient, "birthDate": "1989-09-04"}
    older.book(wrong, NINE + timedelta(hours=1))
    for _ in range(2):
        found = await base.take(older.give())
        assert (found.counts["unmatched"], found.counts["new"]) == (2, 0)
    waiting = {one.person["key"]: one for one in await unmatched(base.session("administrator"), AWAY)}
    assert {key: one.rows for key, one in waiting.items()} == {"9999999999": 2, patient["identifier"][0]["value"]: 1}
    found = await base.take(waiting["9999999999"].data, given={"9999999999": patient["id"]})
    assert found.counts["new"] == 2
    assert len(await appointments(base, patient)) == 1


async def test_rows_that_cannot_be_taken_are_named_by_their_line_and_cost_nobody_else(base):
    patient, older = await base.person(AWAY), OlderPortal()
    older.book(patient, NINE)
    lines = older.give().splitlines()
    broken = [
        b"{", b'{"row":"appointment","person":"nobody"}',
        json.dumps({**json.loads(lines[2]), "start": "tomorrow"}).encode(),
        json.dumps({**json.loads(lines[2]), "status": "lost"}).encode(), lines[2],
    ]  # fmt: skip
    end = json.dumps({"row": "end", "rows": 7}).encode()
    found = await base.take(b"\n".join([lines[0], lines[1], lines[2], *broken, end]))
    assert [one.line for one in found.rejects] == [4, 5, 6, 7, 8]
    assert "offset" in found.rejects[2].reason or "instant" in found.rejects[2].reason
    assert found.counts["new"] == 1


async def test_files_that_are_cut_off_or_for_somewhere_else_are_refused_whole(base):
    patient, older = await base.person(AWAY), OlderPortal()
    older.book(patient, NINE)
    data = older.give()
    with pytest.raises(Invalid, match="too early"):
        await base.take(b"\n".join(data.splitlines()[:-1]))
    with pytest.raises(Invalid, match="not for"):
        await base.take(older.give(to=HOME), to=AWAY)
    with pytest.raises(Invalid, match="not a cutover file"):
        await base.take(b'{"resourceType":"Patient"}\n{}')
    with pytest.raises(Invalid, match="version 2"):
        await base.take(data.replace(b'"version":1', b'"version":2'))
    assert await appointments(base, patient) == []


async def test_a_conversation_goes_on_on_both_sides(base):
    patient, older = await base.person(AWAY), OlderPortal()
    row = older.write(patient)
    older.answer(row)
    await base.take(older.give())
    (thread,) = await threads(base, patient)
    assert not thread.open
    session = base.session("patient", patient_id=patient["id"])
    team = next(one for one in await teams_of(session, AWAY) if one.name == "Family Health")
    letter = Letter(uuid7(), patient["id"], Who("a", "Inés Núñez"), "And swim?")
    await workflows.write_on(session, letter, thread, team, NOW + timedelta(seconds=150), ZoneInfo(ZONE))
    assert (await base.take(older.give())).counts["equal"] == 1
    older.take(await base.give(patient))
    (there,) = older.threads.values()
    assert [one["text"] for one in there["messages"]] == ["May I run?", "Yes, slowly.", "And swim?"]
    older.answer(there, "Yes, swim.")
    assert (await base.take(older.give())).counts["changed"] == 1
    (thread,) = await threads(base, patient)
    assert [one.text for one in thread.messages] == ["May I run?", "Yes, slowly.", "And swim?", "Yes, swim."]
    assert not thread.open


async def test_an_import_that_is_broken_off_anywhere_is_finished_by_the_next(base):
    patient, older = await base.person(AWAY), OlderPortal()
    for number in range(6):
        older.book(patient, NINE + timedelta(days=300 + number))
        older.answer(older.write(patient, f"Question {number}"))
    for number in range(1, 6):
        work = asyncio.create_task(base.take(older.give()))
        async with asyncio.timeout(30):
            while not work.done() and len(await appointments(base, patient)) < number:
                continue
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    await base.take(older.give())
    assert rows(await base.give(patient)) == rows(older.give())
    assert len(await appointments(base, patient)) == len(await threads(base, patient)) == 6


async def test_two_who_bring_in_the_same_file_at_once_make_one_of_everything(base):
    patient, older = await base.person(AWAY), OlderPortal()
    for number in range(4):
        older.book(patient, NINE + timedelta(days=300 + number))
        older.write(patient, f"Question {number}")
    found = await asyncio.gather(*(base.take(older.give()) for _ in range(3)))
    assert sum(one.counts["rejected"] for one in found) == 0
    assert len(await appointments(base, patient)) == len(await threads(base, patient)) == 4
    assert rows(await base.give(patient)) == rows(older.give())


STEPS = st.lists(st.sampled_from(["book", "cancel", "write", "answer", "over", "back", "again", "here", "say"]),
                 min_size=4, max_size=12)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
async def test_moving_there_and_back_again_and_again_loses_and_doubles_nothing(base, steps):
    """Whatever happens on either side between two files, both have all of it in the end, once."""
    patient, older = await base.person(AWAY), OlderPortal()
    own = base.session("patient", patient_id=patient["id"])
    older.knows(patient)
    booked, said = 0, 0
    for number, step in enumerate(steps):
        when = NINE + timedelta(days=200 + number)
        if step == "book":
            older.book(patient, when)
            booked += 1
        elif step == "write":
            older.write(patient, f"Question {number}")
            said += 1
        elif step == "cancel" and (alive := _open(older.appointments, "booked")):
            alive[0]["status"] = "cancelled"
        elif step == "answer" and (alive := _open(older.threads, "open")):
            older.answer(alive[0], f"Answer {number}")
            said += 1
        elif step == "here":
            resource = {
                "resourceType": "Appointment", "status": "booked", "start": when.isoformat(),
                "end": (when + timedelta(minutes=30)).isoformat(),
                "participant": [{"actor": {"reference": f"Patient/{patient['id']}"}, "status": "accepted"}],
            }  # fmt: skip
            await base.session().create(resource)
            booked += 1
        elif step == "say":
            team = next(one for one in await teams_of(own, AWAY) if one.name == "Family Health")
            letter = Letter(uuid7(), patient["id"], Who("a", "Inés Núñez"), f"Word {number}", "A word")
            await workflows.send(own, letter, team, NOW + timedelta(minutes=number), ZoneInfo(ZONE))
            said += 1
        elif step == "over":
            await base.take(older.give())
            older.take(await base.give(patient))
        elif step in {"back", "again"}:
            data = older.give()
            for _ in range(1 if step == "back" else 2):
                found = await base.take(data)
            if step == "again":
                assert (found.counts["new"], found.counts["changed"]) == (0, 0)
    await base.take(older.give())
    older.take(await base.give(patient))
    assert rows(await base.give(patient)) == rows(older.give())
    assert len(await appointments(base, patient)) == booked
    mine = await threads(base, patient)
    assert sum(len(one.messages) for one in mine) == said
    assert all(owner_of(one.task).kind == "team" for one in mine if one.open), "and each has somebody who owes it"


def _open(found, state):
    return [one for one in found.values() if state in (one.get("status"), one.get("state"))]


async def test_the_check_of_messages_finds_nothing_to_mend_in_what_was_brought_in(base):
    patient, older = await base.person(AWAY), OlderPortal()
    older.write(patient)
    older.answer(older.write(patient, "Another one"))
    await base.take(older.give())

    async def there(_facility):
        return Roster()

    async def zone(_session, _facility):
        return ZoneInfo(ZONE)

    found = await Keeper(base.session, there, zone).turn(NOW)
    assert (found.without_work, found.without_owner, found.failed) == (0, 0, 0)
    assert OLDER

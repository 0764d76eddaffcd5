"""The check against a real record: what has no work gets it, whose owner is gone moves on, what is late rises."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from continuum.access import Access
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.clinical.messaging import answering, model, reading, workflows
from continuum.clinical.messaging.keeping import Keeper, Roster
from continuum.clinical.messaging.model import Who, owner_of
from continuum.clinical.messaging.reading import task_of, teams_of, thread_in
from continuum.clinical.messaging.workflows import Letter
from continuum.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from continuum.kernel.ids import uuid7

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
TOM, ANN, ROB = Who("a-tom", "Tom Reyes RN"), Who("a-ann", "Ann Baker RN"), Who("a-rob", "Robert O'Brien")


def team(name, *, status="active", stands_in=False, facility="f"):
    return {
        "resourceType": "CareTeam", "id": name, "status": status, "name": name.title(),
        "extension": [{"url": f"{model.EXTENSION}team-stands-in", "valueBoolean": stands_in}],
        "participant": [{"member": {"reference": f"Organization/{facility}"}}],
        "managingOrganization": [{"reference": f"Organization/{facility}"}],
    }  # fmt: skip


class Clinic:
    """The door to one facility with two teams and a patient, and the check."""

    def __init__(self, pool):
        self.door = Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32))
        self.staff, self.away = {"a-tom", "a-ann"}, set()
        self.answering = {"tom"}
        self.keeper = Keeper(self.sweeping, self.there, self.zone)

    async def there(self, _facility):
        return Roster(frozenset(self.staff), frozenset(self.away), frozenset(self.answering))

    async def zone(self, _session, _facility):
        return UTC_ZONE

    def session(self, role, patient_id=None, *, workflow=False):
        facility = "f" if role == "nurse" else None
        actor = Actor(f"x-{role}", role, facility_id=facility, patient_id=patient_id)
        return self.door.open(actor, USUAL_PURPOSE[role], source="192.0.2.1", request_id="r", workflow=workflow)

    def sweeping(self):
        """As the check of a running server asks."""
        return self.door.open(
            Actor("x-system", "system"), USUAL_PURPOSE["system"], source="server", request_id="r", sweeping=True
        )

    @property
    def person(self):
        return self.session("patient", "rob", workflow=True)

    @property
    def nurse(self):
        return self.session("nurse")

    async def furnish(self):
        for one in (
            {"resourceType": "Organization", "id": "f", "name": "The clinic"}, team("family"),
            team("desk", stands_in=True),
            {"resourceType": "Patient", "id": "rob", "managingOrganization": {"reference": "Organization/f"}},
            {"resourceType": "Patient", "id": "other", "managingOrganization": {"reference": "Organization/f"}},
        ):  # fmt: skip
            await self.session("system").update(one)
        return self

    async def send(self, text="May I run?"):
        chosen = next(one for one in await teams_of(self.person, "f", "rob") if one.id == "family")
        letter = Letter(uuid7(), "rob", ROB, text, "Knee")
        return await workflows.send(self.person, letter, chosen, NOW, UTC_ZONE)

    async def work(self, thread):
        return await task_of(self.session("system"), "rob", thread)


@pytest.fixture
async def clinic(pool):
    return await Clinic(pool).furnish()


async def test_who_left_gives_back_and_a_team_that_closed_gives_on(clinic):
    thread = await clinic.send()
    await workflows.claim(clinic.nurse, "rob", thread, TOM, NOW)
    assert (await clinic.keeper.turn(NOW)).without_owner == 0
    clinic.staff.discard("a-tom")
    assert (await clinic.keeper.turn(NOW)).without_owner == 1
    assert owner_of(await clinic.work(thread)).id == "family"
    await clinic.session("system").update(team("family", status="inactive"))
    assert (await clinic.keeper.turn(NOW)).without_owner == 1
    assert owner_of(await clinic.work(thread)).id == "desk"
    await clinic.session("system").update(team("desk", status="inactive"))
    await clinic.keeper.turn(NOW)
    owner = owner_of(await clinic.work(thread))
    assert (owner.kind, owner.id) == ("facility", "f")
    assert (await clinic.keeper.turn(NOW)).without_owner == 0


def own_team(*members, **more):
    """The care team of one patient, which is no team of the clinic's."""
    return {
        "resourceType": "CareTeam", "id": "robs", "status": "active", "name": "Robert's team",
        "subject": {"reference": "Patient/rob"}, "participant": list(members),
        "managingOrganization": [{"reference": "Organization/f"}], **more,
    }  # fmt: skip


TOM_IN_IT = {"member": {"reference": "Practitioner/tom"}}


@pytest.mark.parametrize(
    ("members", "more", "stays"),
    [
        ([TOM_IN_IT], {}, True),
        ([{"member": {"reference": "PractitionerRole/toms"}}], {}, True),
        ([{"member": {"reference": "Organization/f"}}], {}, True),
        ([{**TOM_IN_IT, "period": {"end": "2026-11-23"}}], {}, True),
        ([{**TOM_IN_IT, "period": {"end": "2026-11-22"}}], {}, False),
        ([{"member": {"reference": "Practitioner/nobody-here"}}], {}, False),
        ([TOM_IN_IT], {"status": "inactive"}, False),
    ],
)
async def test_a_conversation_stays_with_a_patients_own_team_while_somebody_in_it_answers(clinic, members, more, stays):
    system = clinic.session("system")
    await system.update({"resourceType": "Practitioner", "id": "tom", "name": [{"family": "Reyes"}]})
    await system.update({"resourceType": "Practitioner", "id": "nobody-here", "name": [{"family": "Nemo"}]})
    role = {"resourceType": "PractitionerRole", "id": "toms", "practitioner": {"reference": "Practitioner/tom"}}
    await system.update(role)
    await system.update(own_team(*members))
    chosen = next(one for one in await teams_of(clinic.person, "f", "rob") if one.id == "robs")
    thread = await workflows.send(
        clinic.person, Letter(uuid7(), "rob", ROB, "May I run?", "Knee"), chosen, NOW, UTC_ZONE
    )
    if more:
        await system.update(own_team(*members, **more))
    assert (await clinic.keeper.turn(NOW)).without_owner == (not stays)
    assert owner_of(await clinic.work(thread)).id == ("robs" if stays else "desk")


async def test_what_an_own_team_had_goes_on_when_the_last_of_its_people_leaves_and_back_to_it_from_one_of_them(clinic):
    system = clinic.session("system")
    await system.update({"resourceType": "Practitioner", "id": "tom", "name": [{"family": "Reyes"}]})
    await system.update(own_team(TOM_IN_IT))
    chosen = next(one for one in await teams_of(clinic.person, "f", "rob") if one.id == "robs")
    thread = await workflows.send(
        clinic.person, Letter(uuid7(), "rob", ROB, "May I run?", "Knee"), chosen, NOW, UTC_ZONE
    )
    await workflows.claim(clinic.nurse, "rob", thread, ANN, NOW)
    clinic.staff.discard("a-ann")
    assert (await clinic.keeper.turn(NOW)).without_owner == 1
    assert owner_of(await clinic.work(thread)).id == "robs"
    async with clinic.door.connect() as conn:
        before = await conn.fetch("SELECT seq FROM record.audit WHERE patient_id = 'rob'")
        assert (await clinic.keeper.turn(NOW)).without_owner == 0
        after = await conn.fetch("SELECT seq FROM record.audit WHERE patient_id = 'rob'")
    assert len(after) == len(before), "a turn that finds all well stands in nobody's trail"
    clinic.answering.clear()
    assert (await clinic.keeper.turn(NOW)).without_owner == 1
    assert owner_of(await clinic.work(thread)).id == "desk"


async def test_what_came_through_the_api_without_work_gets_it_once(clinic):
    """A person's own program may write a Communication; the portal's workflow is not the only door."""
    said = {
        "resourceType": "Communication", "status": "completed", "subject": {"reference": "Patient/rob"},
        "sender": {"reference": "Patient/rob"}, "recipient": [{"reference": "CareTeam/family"}],
        "category": [{"coding": [{"system": model.KIND, "code": model.MESSAGE}]}],
        "sent": "2026-11-23T14:00:00Z", "payload": [{"contentString": "From my own program"}],
    }  # fmt: skip
    written = await clinic.session("patient", "rob").create(said)
    found = await clinic.keeper.turn(NOW)
    assert (found.without_work, found.failed) == (1, 0)
    task = await clinic.work(written.stored.id)
    assert owner_of(task).id == "family"
    assert model.promised(task) == NOW + timedelta(days=4), "three working days, Thanksgiving left out"
    assert (await clinic.keeper.turn(NOW)).without_work == 0


async def test_a_person_writes_no_work_by_request_and_no_words_of_staff(clinic):
    thread = await clinic.send()
    task = await clinic.work(thread)
    plain = clinic.session("patient", "rob")
    with pytest.raises(Forbidden):
        await plain.update({**task, "status": "completed"})
    with pytest.raises(Forbidden):
        await plain.create({
            "resourceType": "Communication", "status": "completed", "subject": {"reference": "Patient/rob"},
            "sender": {"type": "Practitioner", "display": "Dr. Nobody"}, "payload": [{"contentString": "You are well"}],
        })  # fmt: skip
    await workflows.claim(clinic.nurse, "rob", thread, TOM, NOW)
    _, found = await thread_in(clinic.nurse, "rob", thread)
    await workflows.answer(clinic.nurse, Letter(uuid7(), "rob", TOM, "Yes, slowly."), found, NOW)
    _, found = await thread_in(plain, "rob", thread)
    said = reading.body(await plain.read("Communication", found.last.id))
    for forged in (
        {**said, "payload": [{"contentString": "Run as much as you like"}]},
        {**said, "sender": {"reference": "Patient/rob"}},
    ):
        with pytest.raises(Forbidden):
            await plain.update(forged)


async def test_two_claim_at_once_and_one_has_it(clinic):
    thread = await clinic.send()
    task = await clinic.work(thread)
    await clinic.nurse.transaction([workflows.changed(model.claimed(task, TOM, NOW))])
    with pytest.raises(Conflict):
        await workflows.claim(clinic.nurse, "rob", thread, ANN, NOW)


async def test_what_is_late_becomes_urgent_and_then_goes_to_who_stands_in(clinic):
    thread = await clinic.send()
    until = model.promised(await clinic.work(thread))
    found = await clinic.keeper.turn(until + timedelta(minutes=1))
    assert (found.overdue, found.risen) == (1, 1)
    assert (await clinic.work(thread))["priority"] == "urgent"
    found = await clinic.keeper.turn(until + timedelta(minutes=2))
    assert (found.overdue, found.risen) == (1, 0)
    await clinic.keeper.turn(until + timedelta(days=1, minutes=1))
    assert owner_of(await clinic.work(thread)).id == "desk"


async def test_the_check_comes_to_every_thread_though_a_turn_is_bounded(clinic, monkeypatch):
    monkeypatch.setattr("continuum.clinical.messaging.keeping.SWEEP_BATCH", 3)
    threads = [await clinic.send(f"Question {number}") for number in range(10)]
    for thread in threads:
        await workflows.claim(clinic.nurse, "rob", thread, TOM, NOW)
    clinic.staff.discard("a-tom")
    mended = 0
    for _ in range(5):
        found = await clinic.keeper.turn(NOW)
        assert found.tasks <= 3
        assert found.threads <= 6
        mended += found.without_owner
    assert mended == 10


async def test_nobody_sees_the_messages_of_another(clinic):
    thread = await clinic.send("Only mine")
    other = clinic.session("patient", "other", workflow=True)
    with pytest.raises(NotFound, match=r"no such|not open|no Patient"):
        await thread_in(other, "rob", thread)
    assert await task_of(other, "rob", thread) is None


async def test_a_task_from_a_message_is_done_by_somebody_and_the_conversation_says_so(clinic):
    thread = await clinic.send()
    task = {
        "resourceType": "Task", "status": "requested", "intent": "order", "description": "Check the last HbA1c",
        "code": {"coding": [{"system": model.WORK, "code": model.FOLLOW_UP}]}, "owner": TOM.reference,
        "focus": {"reference": f"Communication/{thread}"}, "for": {"reference": "Patient/rob"},
        "authoredOn": model.stamp(NOW), "lastModified": model.stamp(NOW), "requester": ANN.reference,
        "groupIdentifier": {"system": model.TEAM_OF_TASK, "value": "family"},
    }  # fmt: skip
    written = (await clinic.nurse.create(task)).stored
    rows, _, more = await reading.pool(clinic.nurse, code=model.FOLLOW_UP)
    assert ([one["id"] for one in rows], more) == ([written.id], False)
    clinic.staff.discard("a-tom")
    assert (await clinic.keeper.turn(NOW)).without_owner == 1
    rows, _, _ = await reading.pool(clinic.nurse, code=model.FOLLOW_UP)
    assert owner_of(rows[0]).id == "family", "who leaves takes no task along"
    await workflows.follow_up(clinic.nurse, written.id, ANN, NOW, "It is 6.9")
    assert (await reading.pool(clinic.nurse, code=model.FOLLOW_UP))[0] == []
    told = model.events_of(await clinic.work(thread))[-1]
    assert (told.what, told.by, told.note) == ("done", ANN.name, "Check the last HbA1c: It is 6.9")
    with pytest.raises(Invalid, match="done already"):
        await workflows.follow_up(clinic.nurse, written.id, ANN, NOW, "")
    owed = await clinic.work(thread)
    with pytest.raises(NotFound):
        await workflows.follow_up(clinic.nurse, owed["id"], ANN, NOW, "an answer is no such task")


async def test_answers_are_measured_against_what_was_promised(clinic):
    times = (timedelta(hours=2), timedelta(hours=5), timedelta(days=9))
    for took in times:
        thread = await clinic.send(f"After {took}")
        await workflows.claim(clinic.nurse, "rob", thread, TOM, NOW)
        task = await clinic.work(thread)
        await clinic.nurse.transaction([workflows.changed(model.answered(task, TOM, NOW + took))])
    await clinic.send("Still open")
    found, more = await reading.work_since(clinic.nurse, "f", NOW - timedelta(days=1), NOW, list)
    assert not more
    family, desk = answering.measured(found, ["family", "desk"], NOW + timedelta(days=9))
    assert (family.answered, family.kept, family.kept_percent) == (3, 2, 67)
    assert (family.took, family.longest) == (timedelta(hours=5), timedelta(days=9))
    assert (family.waiting, family.late) == (1, 1)
    assert (desk.answered, desk.kept_percent, desk.took) == (0, None, None)
    assert await reading.work_since(clinic.nurse, "f", NOW + timedelta(days=1), NOW, list) == ([], False)

"""People who move: planned by a registrar, settled on the day of the place they go to, with both sides seeing it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from continuum.clinical.messaging import workflows
from continuum.clinical.messaging.keeping import Keeper, Roster
from continuum.clinical.messaging.model import Who
from continuum.clinical.messaging.reading import task_of, teams_of, thread_in
from continuum.clinical.messaging.workflows import Letter
from continuum.clinical.scheduling.reading import find, read
from continuum.interop.cutover import moves
from continuum.interop.cutover.moves import care_of, facility_of, moves_of
from continuum.interop.cutover.tests.base import AWAY, HOME, NOW, ZONE, Base
from continuum.kernel.errors import DomainError, Invalid, NotFound
from continuum.kernel.ids import uuid7

TODAY = date(2026, 11, 23)


@pytest.fixture
async def base(pool):
    return await Base(pool).furnish()


async def care(base, patient, now=NOW):
    session = base.session("patient", patient_id=patient["id"])
    return await care_of(session, await read(session, "Patient", patient["id"]), now)


async def plan(base, *patients, to=AWAY, day=TODAY + timedelta(days=20), at=HOME):
    await moves.plan(base.session("registrar", facility=at), patients, await base.facility(to), day)


async def test_a_family_moves_together_and_each_is_told_before_and_after(base):
    mother, child = await base.person(), await base.person()
    await plan(base, mother, child)
    for one in (mother, child):
        before = await care(base, one)
        assert (before.here.id, before.moves_to.id, before.day) == (HOME, AWAY, TODAY + timedelta(days=20))
        assert not before.moves_to.live
    day = datetime(2026, 12, 13, 5, 0, tzinfo=UTC)
    assert await moves.settle(base.session(), day - timedelta(minutes=1)) == [], "it is still the day before there"
    assert len(await moves.settle(base.session(), day)) == 2
    assert await moves.settle(base.session(), day) == [], "once"
    for one in (mother, child):
        after = await care(base, one, day)
        assert (after.here.id, after.came_from.id, after.since) == (AWAY, HOME, date(2026, 12, 13))
        assert facility_of(await read(base.session(), "Patient", one["id"])) == AWAY


async def test_a_move_whose_day_has_come_counts_before_the_server_has_settled_it(base):
    patient = await base.person()
    await plan(base, patient)
    after = await care(base, patient, datetime(2026, 12, 14, tzinfo=UTC))
    assert (after.here.id, after.moves_to) == (AWAY, None)


async def test_both_facilities_see_somebody_who_has_moved(base):
    patient = await base.person()
    await plan(base, patient, day=TODAY)
    await moves.settle(base.session(), NOW)
    for name in (HOME, AWAY):
        assert (await read(base.session("nurse", facility=name), "Patient", patient["id"]))["id"] == patient["id"]


async def test_new_orders_replace_the_ones_before_and_orders_that_are_taken_back_end_the_move(base):
    patient = await base.person()
    await plan(base, patient)
    await plan(base, patient, day=TODAY + timedelta(days=40))
    (one,) = await moves_of(base.session(), patient["id"])
    assert one.day == TODAY + timedelta(days=40)
    await moves.call_off(base.session("registrar", facility=HOME), one.id)
    assert (await care(base, patient)).moves_to is None
    assert await moves.settle(base.session(), NOW + timedelta(days=60)) == []


async def test_there_and_back_ends_where_it_began(base):
    patient = await base.person()
    await plan(base, patient, day=TODAY)
    await moves.settle(base.session(), NOW)
    gone = await read(base.session(), "Patient", patient["id"])
    await plan(base, gone, to=HOME, at=AWAY, day=TODAY + timedelta(days=1))
    later = NOW + timedelta(days=1)
    await moves.settle(base.session(), later)
    found = await care(base, patient, later)
    assert (found.here.id, found.came_from.id) == (HOME, AWAY)
    episodes, _ = await find(base.session(), "EpisodeOfCare", f"patient={patient['id']}&status=planned")
    assert episodes == []


async def test_impossible_moves_are_refused_in_words(base):
    patient = await base.person()
    with pytest.raises(Invalid, match="is over"):
        await plan(base, patient, day=TODAY - timedelta(days=1))
    with pytest.raises(Invalid, match="too far"):
        await plan(base, patient, day=TODAY + timedelta(days=1000))
    with pytest.raises(Invalid, match="already"):
        await plan(base, patient, to=HOME)


async def test_a_registrar_elsewhere_and_a_scheduler_plan_no_move(base):
    patient = await base.person()
    for role, facility in (("registrar", AWAY), ("scheduler", HOME), ("readiness-clerk", HOME)):
        with pytest.raises(DomainError) as refused:
            await moves.plan(base.session(role, facility=facility), [patient], await base.facility(AWAY), TODAY)
        assert refused.value.status in {403, 404}
    with pytest.raises(NotFound):
        await moves.call_off(base.session("registrar", facility=HOME), "no-such-move")


async def test_a_conversation_stays_with_the_team_of_before_when_its_person_moves(base):
    patient = await base.person()
    own = base.session("patient", patient_id=patient["id"])
    team = next(one for one in await teams_of(own, HOME) if one.name == "Family Health")
    letter = Letter(uuid7(), patient["id"], Who("a", "Inés Núñez"), "May I run?", "Knee")
    thread = await workflows.send(own, letter, team, NOW, ZoneInfo(ZONE))
    await plan(base, patient, day=TODAY)
    await moves.settle(base.session(), NOW)

    async def there(_facility):
        return Roster(frozenset({"a-tom"}))

    async def zone(_session, _facility):
        return ZoneInfo(ZONE)

    found = await Keeper(base.session, there, zone).turn(NOW)
    assert (found.without_owner, found.failed) == (0, 0)
    nurse = base.session("nurse", facility=HOME)
    await workflows.claim(nurse, patient["id"], thread, Who("a-tom", "Tom Reyes RN"), NOW)
    assert (await Keeper(base.session, there, zone).turn(NOW)).without_owner == 0
    _, talk = await thread_in(nurse, patient["id"], thread)
    await workflows.answer(nurse, Letter(uuid7(), patient["id"], Who("a-tom", "Tom Reyes RN"), "Yes."), talk, NOW)
    assert (await task_of(base.session(), patient["id"], thread))["status"] == "completed"

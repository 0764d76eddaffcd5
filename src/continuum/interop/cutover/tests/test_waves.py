"""The plan: a facility's state follows from its date, changes go together, and only administrators change anything."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.clinical.scheduling.reading import read
from continuum.interop.cutover import waves
from continuum.interop.cutover.status import COMING, HELD, LIVE, OLDER, Portal, facility, portal_of, with_portal
from continuum.interop.cutover.tests.base import AWAY, HOME, NOW, Base, OlderPortal, organization
from continuum.kernel.errors import Conflict, Forbidden, Invalid, NotFound

DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
DAY = date(2027, 1, 4)


@pytest.fixture
async def base(pool):
    return await Base(pool).furnish()


async def planned(base, now=NOW, role="administrator"):
    return await waves.plan(base.session(role), now)


async def state(base, name=AWAY, now=NOW):
    return facility(await read(base.session(), "Organization", name), now).state


@given(st.builds(Portal, st.none() | DAYS, st.sampled_from(["", "w1"]), st.booleans(),
                 st.sampled_from(["", "A reason"]), marked=st.just(value=True)))  # fmt: skip
def test_what_a_facility_says_of_itself_is_read_as_it_was_written(portal):
    assert portal_of(with_portal(organization("x"), portal)) == portal


@given(DAYS, DAYS)
def test_a_facility_is_live_from_its_day_on_and_never_before(live_from, today):
    assert Portal(live_from, marked=True).state(today) == (LIVE if today >= live_from else COMING)
    assert Portal(live_from, held=True, marked=True).state(today) == HELD
    assert Portal(marked=True).state(today) == OLDER
    assert Portal().state(today) == LIVE


def test_the_day_is_that_of_the_facilitys_own_zone():
    there = with_portal(organization("x"), Portal(DAY, marked=True))
    assert facility(there, datetime(2027, 1, 4, 4, 59, tzinfo=UTC)).state == COMING
    assert facility(there, datetime(2027, 1, 4, 5, 0, tzinfo=UTC)).state == LIVE


async def test_facilities_go_with_their_wave_and_nothing_is_switched_on_the_morning(base):
    admin = base.session("administrator")
    wave = await waves.add_wave(admin, await planned(base), "Wave 1", DAY, NOW.date())
    await waves.place(admin, await planned(base), AWAY, wave)
    assert await state(base) == COMING
    later = DAY + timedelta(days=30)
    with pytest.raises(Invalid, match="Say why"):
        await waves.change_wave(admin, await planned(base), wave, "Wave 1", later, " ")
    await waves.change_wave(admin, await planned(base), wave, "Wave 1", later, "The network is late")
    found = (await planned(base)).facility(AWAY)
    assert (found.portal.live_from, found.portal.reason) == (later, "The network is late")
    assert await state(base, now=NOW + timedelta(days=71)) == COMING
    assert await state(base, now=NOW + timedelta(days=73)) == LIVE
    with pytest.raises(Invalid, match="still has facilities"):
        await waves.drop_wave(admin, await planned(base), wave)


async def test_what_is_held_stays_so_past_its_day_and_goes_live_when_somebody_goes_on(base):
    admin = base.session("administrator")
    wave = await waves.add_wave(admin, await planned(base), "Wave 1", DAY, NOW.date())
    await waves.place(admin, await planned(base), AWAY, wave)
    with pytest.raises(Invalid, match="Say why"):
        await waves.hold(admin, (await planned(base)).facility(AWAY), "")
    await waves.hold(admin, (await planned(base)).facility(AWAY), "No network yet")
    after = NOW + timedelta(days=100)
    assert await state(base, now=after) == HELD
    await waves.resume(admin, (await planned(base, after)).facility(AWAY))
    found = (await planned(base, after)).facility(AWAY)
    assert (found.state, found.portal.live_from) == (LIVE, found.today), "from today on, not from a day that is over"
    with pytest.raises(Invalid, match="already"):
        await waves.place(admin, await planned(base, after), AWAY, "")
    await waves.go_back(admin, found, "The network failed")
    assert await state(base, now=after) == OLDER


async def test_a_second_planner_who_saw_the_plan_before_is_told_so(base):
    admin = base.session("administrator")
    before = (await planned(base)).facility(AWAY)
    await waves.go_live(admin, before)
    with pytest.raises(Conflict, match="just changed the plan"):
        await waves.hold(admin, replace(before, state=OLDER), "Not yet")


@pytest.mark.parametrize("name", ["", "  ", "x" * 200])
async def test_a_wave_without_a_usable_name_is_refused(base, name):
    with pytest.raises(Invalid):
        await waves.add_wave(base.session("administrator"), await planned(base), name, DAY, NOW.date())


async def test_a_name_is_used_once_and_no_wave_lies_in_the_past(base):
    admin = base.session("administrator")
    await waves.add_wave(admin, await planned(base), "Wave 1", DAY, NOW.date())
    with pytest.raises(Invalid, match="of this name"):
        await waves.add_wave(admin, await planned(base), " wave  1", DAY, NOW.date())
    with pytest.raises(Invalid, match="is over"):
        await waves.add_wave(admin, await planned(base), "Wave 0", date(2026, 1, 1), NOW.date())


@pytest.mark.parametrize("role", ["nurse", "physician", "registrar", "scheduler", "patient"])
async def test_nobody_but_an_administrator_changes_a_facility_or_a_wave(base, role):
    patient = await base.person()
    session = base.session(role, facility=HOME, patient_id=patient["id"] if role == "patient" else None)
    found = (await planned(base)).facility(AWAY)
    with pytest.raises(Forbidden):
        await waves.go_live(session, found)
    with pytest.raises((Forbidden, NotFound)):
        await waves.add_wave(session, await planned(base), "Mine", DAY, NOW.date())
    assert await state(base) == OLDER


@pytest.mark.parametrize("role", ["nurse", "physician", "registrar", "scheduler", "patient"])
async def test_reports_and_people_who_wait_to_be_matched_are_closed_to_all_but_administrators(base, role):
    patient = await base.person()
    session = base.session(role, facility=HOME, patient_id=patient["id"] if role == "patient" else None)
    older = OlderPortal()
    older.book({"identifier": [{"value": "9999999999"}], "birthDate": "1970-01-01"}, NOW)
    await base.take(older.give())
    admin = base.session("administrator")
    assert len((await admin.search(admin.parse("Bundle", "_count=10"))).matches) == 2
    assert not (await session.search(session.parse("Bundle", "_count=10"))).matches
    with pytest.raises(Forbidden):
        await session.create({"resourceType": "Bundle", "type": "collection"})


async def test_a_person_reads_where_every_facility_stands(base):
    patient = await base.person()
    session = base.session("patient", patient_id=patient["id"])
    assert {one.id: one.state for one in await waves.facilities(session, NOW)} == {AWAY: OLDER, HOME: LIVE}

"""The server on the day: moves happen, people are told once, and letters say nothing of where to or why."""

from datetime import date, timedelta

import pytest

from continuum.access import Access
from continuum.apps.cutover.keeper import Moves
from continuum.apps.cutover.telling import tell_facility, tell_moves
from continuum.clinical.scheduling.reading import read
from continuum.interop.cutover import moves, waves
from continuum.interop.cutover.moves import facility_of, moves_of
from continuum.interop.cutover.tests.base import AWAY, HOME, NOW, Base
from continuum.interop.notices.texts import letter

TODAY = date(2026, 11, 23)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return int(self.now.timestamp() * 1_000_000)


@pytest.fixture
async def base(pool):
    return await Base(pool).furnish()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keeper(pool, clock):
    return Moves(Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32), clock=clock))


async def letters(pool):
    async with pool.connection() as conn:
        rows = await conn.fetch("SELECT kind, about, patient_id, words FROM identity.letter ORDER BY notice_id")
    return [tuple(row) for row in rows]


async def test_a_move_happens_on_its_day_and_its_person_is_told_before_and_then(base, pool, keeper, clock):
    patient = await base.person()
    registrar = base.session("registrar", facility=HOME)
    await moves.plan(registrar, [patient], await base.facility(AWAY), TODAY + timedelta(days=2))
    for _ in range(2):
        assert await tell_moves(base.door, await moves_of(base.session(), patient["id"]), NOW) == 1
    assert [(kind, who) for kind, _, who, _ in await letters(pool)] == [("move-ahead", patient["id"])]
    assert await keeper.turn() == 0
    clock.now = NOW + timedelta(days=2)
    assert await keeper.turn() == 1
    assert await keeper.turn() == 0
    assert facility_of(await read(base.session(), "Patient", patient["id"])) == AWAY
    told = await letters(pool)
    assert len(told) == len({about for _, about, _, _ in told}) == 2


async def test_everybody_of_a_facility_hears_once_that_it_is_live(base, pool, keeper, clock):
    people = [await base.person(AWAY) for _ in range(3)]
    await base.person(HOME)
    admin = base.session("administrator")
    found = (await waves.plan(admin, NOW)).facility(AWAY)
    assert await tell_facility(base.door, admin, found, NOW) == 3
    await waves.go_live(admin, found)
    for _ in range(2):
        await keeper.turn()
    told = await letters(pool)
    assert sorted({who for _, _, who, _ in told}) == sorted(one["id"] for one in people)
    assert len(told) == 6, "one before, one on the day"
    clock.now = NOW + timedelta(days=1)
    await keeper.turn()
    assert len(await letters(pool)) == 6, "on its day alone"


async def test_a_second_worker_tells_nobody_again(base, pool, keeper, clock):
    await base.person(AWAY)
    admin = base.session("administrator")
    await waves.go_live(admin, (await waves.plan(admin, NOW)).facility(AWAY))
    await keeper.turn()
    other = Moves(Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32), clock=clock))
    await other.turn()
    assert len(await letters(pool)) == 1


async def test_letters_name_no_place_and_no_reason(base, pool):
    patient = await base.person()
    registrar = base.session("registrar", facility=HOME)
    await moves.plan(registrar, [patient], await base.facility(AWAY), TODAY)
    await tell_moves(base.door, await moves_of(base.session(), patient["id"]), NOW)
    ((kind, _, _, words),) = await letters(pool)
    subject, text = letter(kind, words=words, address="https://ehr.example/portal")
    for said in (subject, text):
        assert not any(name in said.casefold() for name in ("home-base", "away-base", "núñez", "2026"))

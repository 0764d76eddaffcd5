"""A day's list at some places: found by place and day together, whatever other places and other days there are."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from continuum.fhir.grammar import parse
from continuum.fhir.search_params import MAIN_DATE
from continuum.fhir.structure import elements
from continuum.kernel.clock import now_us
from continuum.record import entry, index_rules, reindexing
from continuum.record.days import DAYED, day_keys
from continuum.record.keys import Keys
from continuum.record.search import search
from continuum.record.search.walk import INSTANTS
from continuum.record.tests.counting import Counting
from continuum.record.tests.desk import SECRET, Desk, put
from continuum.record.visibility import EVERYTHING

KEYS = Keys(SECRET)
PLACES = ("a", "b", "c")
FIRST = datetime(2026, 11, 2, 8, tzinfo=UTC)


def appointment(name, place, start, *, hours=1.0, status="booked"):
    return {
        "resourceType": "Appointment", "id": name, "status": status,
        "participant": [{"actor": {"reference": f"Location/{place}"}, "status": "accepted"}],
        "start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat(),
    }  # fmt: skip


def world():
    """A month of three places, every second hour of eight; one goes on for three days, one ends with a day's end."""
    made = [
        appointment(f"{place}-{day}-{hour}", place, FIRST + timedelta(days=day, hours=hour))
        for place, day, hour in itertools.product(PLACES, range(30), range(0, 8, 2))
    ]
    made.append(appointment("long", "a", datetime(2026, 11, 10, 9, tzinfo=UTC), hours=72))
    made.append(appointment("edge", "a", datetime(2026, 11, 11, 23, 59, 59, 999_000, tzinfo=UTC)))
    return made


@pytest.fixture
async def desk(pool):
    """The record of these places; `settle` says that this release filed all of it."""
    made = Desk(pool)
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
    await made.do(*(put({"resourceType": "Location", "id": one}) for one in PLACES))
    every = world()
    for first in range(0, len(every), 100):
        await made.do(*(put(one) for one in every[first : first + 100]))
    return made


async def ids(desk, criteria):
    return [one.id for one in (await desk.search("Appointment", f"{criteria}&_sort=date&_count=500")).matches]


def days_of(text, kind="Appointment"):
    return day_keys(parse(kind, parse_qsl(text), lenient=False), KEYS)


@pytest.mark.parametrize(
    ("criteria", "number"),
    [
        ("location=Location/a&date=2026-11-10", 1),
        ("location=Location/a,Location/b&date=ge2026-11-10T05:00:00Z&date=lt2026-11-11T05:00:00Z", 4),
        ("location=Location/a&date=ge2026-11-10T00:00:00Z&date=lt2026-11-11T00:00:00Z", 1),
        ("location=Location/a&date=ge2026-11-10", 0),
        ("location=Location/a&date=lt2026-11-10", 0),
        ("location=Location/a", 0),
        ("location=Location/a,b&date=2026-11-10", 2),
        ("location:missing=false&date=2026-11-10", 0),
        ("date=2026-11-10", 0),
        ("location=Location/a&date=2026-11-10,2026-11-12", 0),
        ("location=Location/a&date=ne2026-11-10", 0),
        ("location=Location/a&date=ge1990-01-01&date=lt2026-11-10", 0),
    ],
)
def test_a_search_for_places_and_a_few_days_has_a_key_for_each(criteria, number):
    assert len(days_of(criteria)) == number


def test_a_slot_is_filed_by_its_schedule_and_the_dates_of_other_types_by_none():
    assert len(days_of("schedule=Schedule/a&start=2026-11-10", "Slot")) == 1
    assert days_of("location=Location/a&date=2026-11-10", "Encounter") == []


def test_what_is_taken_for_an_instant_is_one_in_r4():
    """A type whose date may be a period or a month would be missed by a search that looks back a second only."""
    names = {"Appointment": "start", "Bundle": "timestamp", "DocumentReference": "date", "Provenance": "recorded",
             "Slot": "start"}  # fmt: skip
    assert set(names) == INSTANTS
    assert set(DAYED) <= INSTANTS
    for kind, name in names.items():
        assert elements(kind)[name]["types"] == ["instant"]
        assert not elements(kind)[name].get("many")
        assert MAIN_DATE[kind] in {name, "date"}


async def test_what_is_found_by_days_is_what_each_appointment_says(desk):
    """Against the appointments themselves, over random ranges, prefixes and places."""
    rng = random.Random(7)
    every = [(one["id"], one["participant"][0]["actor"]["reference"], datetime.fromisoformat(one["start"]))
             for one in world()]  # fmt: skip
    for _ in range(60):
        since = FIRST.replace(hour=0) + timedelta(hours=rng.randrange(700))
        until = since + timedelta(hours=rng.choice([1, 24, 25, 24 * 7]))
        places = [f"Location/{one}" for one in rng.sample(PLACES, rng.randint(1, 3))]
        found = await ids(desk, f"location={','.join(places)}&date=ge{_text(since)}&date=lt{_text(until)}")
        wanted = [name for name, place, start in every if place in places and since <= start < until]
        assert sorted(found) == sorted(wanted)
    assert await ids(desk, "location=Location/a&date=2026-11-11") == [
        *(f"a-9-{hour}" for hour in range(0, 8, 2)), "edge",
    ]  # fmt: skip
    # R4 searches an appointment by its start: what goes on for days is found on the day on which it begins.
    assert "long" in await ids(desk, "location=Location/a&date=2026-11-10")
    assert "long" not in await ids(desk, "location=Location/a&date=2026-11-12")


def _text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def looked_at(pool, analyse, criteria):
    """How many are found, and how many rows a new process looks at for it."""
    await analyse()
    desk = Desk(pool)
    async with pool.connection() as conn:
        counting = Counting(conn, small=True)
        query = parse("Appointment", parse_qsl(criteria), lenient=False)
        page = await search(counting, query, visibility=EVERYTHING, keys=desk.keys)
    return len(page.matches), sum(counting.looked)


DAY = "location=Location/a&date=ge2026-11-10T00:00:00Z&date=lt2026-11-11T00:00:00Z&_sort=date"


async def crowd(desk, *, days):
    """Two thousand appointments more at the other places, in the first days of the month."""
    others = [
        appointment(f"more-{number}", "bc"[number % 2], FIRST + timedelta(days=number % days, minutes=number))
        for number in range(2_000)
    ]
    for first in range(0, len(others), 500):
        await desk.do(*(put(one) for one in others[first : first + 500]))


async def test_a_day_costs_the_same_when_other_places_have_ten_times_as_many(desk, pool, analyse):
    number, before = await looked_at(pool, analyse, DAY)
    assert number == 5
    await crowd(desk, days=30)
    number, after = await looked_at(pool, analyse, DAY)
    assert number == 5
    assert before == after == 2 * number, "each once in the index and once in the table"


async def test_what_another_release_wrote_is_found_by_its_dates_until_it_is_filed_by_days(pool, analyse, monkeypatch):
    """Nothing is refused or left out meanwhile, and the day before is not read."""
    rules_of = index_rules.rules_of

    def earlier(name):
        return {code: rule for code, rule in rules_of(name).items() if code != index_rules.DAYS}

    for module in (index_rules, reindexing):
        monkeypatch.setattr(module, "rules_of", earlier)
    monkeypatch.setattr(entry, "file_days", lambda *_: set())
    old = Desk(pool)
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
    await old.do(*(put({"resourceType": "Location", "id": one}) for one in PLACES))
    await old.do(*(put(one) for one in world()))
    monkeypatch.undo()
    wanted = sorted((*(f"a-8-{hour}" for hour in range(0, 8, 2)), "long"))
    async with pool.connection() as conn:
        assert await reindexing.settle(conn, now_us()) == ["Appointment"]
    assert sorted(await ids(Desk(pool), DAY.removesuffix("&_sort=date"))) == wanted
    assert (await looked_at(pool, analyse, DAY))[1] > 2 * len(wanted)
    async with pool.connection() as conn:
        while await reindexing.batch(conn, old.keys, now_us()):
            pass
    assert sorted(await ids(Desk(pool), DAY.removesuffix("&_sort=date"))) == wanted
    assert await looked_at(pool, analyse, DAY) == (len(wanted), 2 * len(wanted))


async def test_a_walk_by_dates_does_not_look_back_a_month_for_what_is_an_instant(desk, pool, analyse):
    await crowd(desk, days=20)
    number, looked = await looked_at(
        pool, analyse, "date=ge2026-11-28T00:00:00Z&date=lt2026-11-29T00:00:00Z&_sort=date"
    )
    assert number == 12
    assert looked < 30

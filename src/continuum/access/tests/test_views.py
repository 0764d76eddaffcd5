"""Views of one chart: what is searched only where another search goes on, what is left out, and their one row."""

import pytest

from continuum.access import Actor
from continuum.access.tests.doors import World, furnish, observation, patients
from continuum.kernel.errors import Forbidden

SCHEDULER = Actor("sam", "scheduler", facility_id="f-own")


@pytest.fixture
async def world(pool):
    found = await furnish(World(pool))
    writer = found.session("administrator", "furnish")
    for number in range(3):
        await writer.update(observation(f"more-{number}", "own", code={"text": f"Test {number}"}))
        await writer.update(observation(f"theirs-{number}", "other", code={"text": "Test 0"}))
    return found


@pytest.mark.parametrize(("count", "found"), [(1, ["more-0"]), (50, None)])
async def test_what_is_further_is_searched_only_where_there_is_more(world, count, found):
    session = world.session("clinician", "look")
    view = await session.view(
        "look", "own", {"newest": f"Observation?_count={count}"},
        further={"named": ("newest", "Observation?code:text=test+0")},
    )  # fmt: skip
    assert ("newest" in view.on) is (found is not None)
    assert ([one["id"] for one in view.found["named"]] if "named" in view.found else None) == found
    (row,) = await world.rows("look")
    assert (row["interaction"], row["query"], patients(row)) == ("search", "look", {"own"})


async def test_what_a_sift_leaves_out_is_no_resource_and_stands_in_the_trace(world):
    told = []

    def sift(names, visits):
        told.append((sorted(names), sorted(visits)))
        return lambda read: [b"Test 1" in one.body for one in read]

    session = world.session("clinician", "look")
    view = await session.view("look", "own", {"all": "Observation?_count=50", "one": "Observation?_count=1"}, sift=sift)
    assert [one["id"] for one in view.found["all"]] == ["more-1"]
    assert view.found["one"] == []
    assert "one" in view.on, "there is more than the first, whatever is left out"
    assert told == [(["Organization/f-own"], [])]
    (row,) = await world.rows("look")
    assert patients(row) == {"own"}


async def test_of_what_the_page_has_no_use_for_nobody_is_looked_up_and_the_trace_has_it(world):
    told = []

    def fewer(found):
        told.append({label: len(matches) for label, matches in found.items()})
        return lambda stored: b"Test 1" in stored.body

    async def look(name):
        return await world.session("clinician", name).view(
            "look", "own", {"all": "Observation?_count=50"}, fewer=fewer if name == "few" else None
        )

    writer = world.session("administrator", "write")
    await writer.update(observation("noted", "own", performer=[{"reference": "Organization/f-other"}]))
    few, every = await look("few"), await look("every")
    assert [one["id"] for one in few.found["all"]] == ["more-1"]
    assert told == [{"all": len(every.found["all"])}]
    assert "Organization/f-other" in every.names
    assert "Organization/f-other" not in few.names
    assert [row["detail"] for row in await world.rows("few")] == [row["detail"] for row in await world.rows("every")]


async def test_what_may_not_be_asked_is_refused_though_it_would_not_be_searched(world):
    session = world.door.open(SCHEDULER, "HOPERAT", source="192.0.2.1", request_id="r")
    with pytest.raises(Forbidden):
        await session.view(
            "visits", "own", {"visits": "Encounter?_count=5"}, further={"words": ("visits", "Encounter?_content=cough")}
        )
    (row,) = await world.rows("r")
    assert row["outcome"] == 4

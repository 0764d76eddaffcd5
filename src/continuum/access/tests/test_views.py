"""Views of one chart: what is searched only where another search goes on, its text, and its one row in the trace."""

import pytest

from continuum.access import Actor
from continuum.access.tests.doors import World, furnish, observation, patients
from continuum.fhir.json import parse
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


async def test_the_text_of_everything_that_was_found_goes_with_it(world):
    view = await world.session("clinician").view("look", "own", {"all": "Observation?_count=50"})
    assert len(view.found["all"]) > 3
    assert {name: parse(text) for name, text in view.texts.items()} == {
        f"Observation/{one['id']}": one for one in view.found["all"]
    }


async def test_what_may_not_be_asked_is_refused_though_it_would_not_be_searched(world):
    session = world.door.open(SCHEDULER, "HOPERAT", source="192.0.2.1", request_id="r")
    with pytest.raises(Forbidden):
        await session.view(
            "visits", "own", {"visits": "Encounter?_count=5"}, further={"words": ("visits", "Encounter?_content=cough")}
        )
    (row,) = await world.rows("r")
    assert row["outcome"] == 4

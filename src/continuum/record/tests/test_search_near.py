"""Places near a point: the right ones at a pole, across the antimeridian and at any distance, found by an index."""

import pytest

from continuum.kernel.errors import UnknownParameter, UnusableParameter
from continuum.record.search.plan import GATHER_FEW, Planner
from continuum.record.search.statistics import Statistics
from continuum.record.tests.counting import Counting
from continuum.record.tests.stock import Stock
from continuum.record.visibility import EVERYTHING


@pytest.fixture
def stock(pool):
    return Stock(pool)


def place(name, latitude, longitude):
    return {"resourceType": "Location", "id": name, "position": {"latitude": latitude, "longitude": longitude}}


async def test_near_takes_kilometres_metres_and_miles(stock):
    """Landstuhl and Ramstein lie 6.5 km apart, Wiesbaden 80 km away."""
    await stock.fill(
        place("landstuhl", 49.403, 7.558), place("ramstein", 49.446, 7.600), place("wiesbaden", 50.05, 8.33)
    )
    at = "Location?near=49.403|7.558"
    assert await stock.ids(f"{at}|1") == ["landstuhl"]
    for near in ("|10", "|10|km", "|10000|m", "|5|[mi_i]", "|5|mi", "", "|", "||km"):
        assert await stock.ids(f"{at}{near}") == ["landstuhl", "ramstein"], near
    assert len(await stock.ids(f"{at}|100|km")) == 3
    assert await stock.ids(f"{at}|1,50|8.3|20|km") == ["landstuhl", "wiesbaden"]
    assert (await stock.page(f"{at}|10&_total=accurate")).total == 2


async def test_the_antimeridian_and_the_poles_are_places_like_others(stock):
    await stock.fill(
        place("suva", -18.1, 178.4), place("taveuni", -16.9, -179.95), place("pole", 90, 0), place("beside", 89.9, 170),
        place("around", 10, 190),
    )  # fmt: skip
    assert await stock.ids("Location?near=-17|179.9|250|km") == ["suva", "taveuni"]
    assert await stock.ids("Location?near=-17|-179.9|250|km") == ["suva", "taveuni"]
    assert await stock.ids("Location?near=89.95|-10|20|km") == ["pole", "beside"]
    assert await stock.ids("Location?near=10|-170|1|km") == ["around"]
    assert len(await stock.ids("Location?near=0|0|30000|km")) == 5


async def test_the_nearest_comes_first_page_by_page(stock):
    await stock.fill(
        place("wiesbaden", 50.05, 8.33), place("landstuhl", 49.403, 7.558), place("far", -49.4, -172.4),
        place("ramstein", 49.446, 7.600), {"resourceType": "Location", "id": "nowhere"},
    )  # fmt: skip
    near, rising = "near=49.40|7.55|30000|km", ["landstuhl", "ramstein", "wiesbaden", "far"]
    assert await stock.ids(f"Location?{near}&_sort=near&_count=1") == rising
    assert await stock.ids(f"Location?_sort=-near&{near}&_count=3") == rising[::-1]
    # The nearest of two places counts.
    either = f"{near},-49|-172|30000|km"
    assert (await stock.ids(f"Location?{either}&_sort=near"))[:3] == ["landstuhl", "ramstein", "far"]


@pytest.mark.parametrize("search", ["_sort=near", "_sort=-near&near:missing=false", "_sort=name,near"])
def test_an_order_by_distance_needs_a_place(stock, search):
    with pytest.raises(UnusableParameter, match=r"nearest first; say near what: near=latitude"):
        stock.query(f"Location?{search}")


async def test_encounters_are_found_by_where_they_were(stock):
    await stock.fill(
        place("ship", 36.9, -76.3),
        {
            "resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
            "location": [{"location": {"reference": "Location/ship"}}],
        },
    )  # fmt: skip
    assert await stock.ids("Encounter?location.near=36.95|-76.33|10|km") == ["e"]
    assert await stock.ids("Encounter?location.near=38|-76.33|10|km") == []


@pytest.mark.parametrize(
    "near",
    [
        "", "1", "x|1", "1|2|3|4|5", "91|0", "0|181", "1|2|-3", "1|2|far", "1|2|3|kg", "1|2|3|furlong", "1|2|1e999",
        "NaN|1",
    ],
)  # fmt: skip
async def test_what_is_no_place_is_refused_with_words(stock, near):
    with pytest.raises(UnknownParameter, match="near"):
        stock.query(f"Location?near={near}")


async def test_the_box_is_a_range_of_an_index(stock, pool):
    await stock.fill(*(place(f"l{n}", n / 100 - 50, (n * 37) % 360 - 180) for n in range(5_000)))
    query = stock.query("Location?near=-10|-140|20|km")
    plan = Planner(query, EVERYTHING, stock.keys, Statistics()).page(GATHER_FEW, None, limit=20, with_total=False)
    async with pool.connection() as conn:
        counting = Counting(conn, ("quantity",))
        await counting.fetch(plan.sql, *plan.values)
    assert 0 < sum(counting.looked) < 200

"""An estimated total is near the truth, costs the same at any size, and knows nothing of what may not be seen."""

import asyncpg
import pytest

from continuum.fhir.grammar_across import parse_across
from continuum.fhir.types import TYPE_IDS
from continuum.record.limits import ESTIMATE_ROWS
from continuum.record.search import search_across
from continuum.record.search.estimate import estimate_of
from continuum.record.search.plan import Planner
from continuum.record.search.statistics import Statistics
from continuum.record.tests.counting import Counting
from continuum.record.tests.stock import Stock, coded, observation, patient
from continuum.record.visibility import EVERYTHING, Scope, Visibility
from continuum.runtime.postgres.address import Address

PEOPLE = 6_000
HIDDEN = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
MASKED = Visibility(otherwise=Scope("all", label_mask=1))


@pytest.fixture
async def stock(pool, database_owner):
    """6,000 people: half men, a third hidden, ten named Rare; and a few observations in the same rows."""
    stock = Stock(pool)
    people = [
        patient(
            f"p{n}",
            gender=("male", "female")[n % 2],
            birthDate=f"19{n % 100:02}-01-01",
            name=[{"family": "Rare" if n % 600 == 0 else f"Name{n % 7}"}],
            **({"meta": HIDDEN} if n % 3 == 0 else {}),
        )
        for n in range(PEOPLE)
    ]
    await stock.fill(*people, *(observation(f"o{n}", code=coded("urn:c", "a")) for n in range(10)))
    conn = await asyncpg.connect(**Address.from_url(database_owner).connect)
    await conn.execute("ANALYZE record.search")
    await conn.close()
    return stock


@pytest.mark.parametrize(
    ("criteria", "truth"),
    [
        ("gender=male", 3_000), ("", 6_000), ("gender=female&birthdate=lt1950", 1_500),
        ("gender:not=male", 3_000), ("family=Name", 5_990),
    ],
)  # fmt: skip
async def test_a_large_total_is_about_right(stock, criteria, truth):
    page = await stock.page(f"Patient?{criteria}&_total=estimate&_count=5")
    assert page.estimated
    assert 0.75 * truth < page.total < 1.25 * truth
    counted = await stock.page(f"Patient?{criteria}&_total=estimate&_summary=count")
    assert counted.estimated
    assert 0.75 * truth < counted.total < 1.25 * truth


async def test_a_small_total_is_counted(stock):
    for criteria, truth in (
        ("family=Rare", 10),
        ("family=Nobody", 0),
        ("_id=p1,p2", 2),
        ("family=rare&gender=male", 10),
    ):
        page = await stock.page(f"Patient?{criteria}&_total=estimate&_count=3")
        assert (page.total, page.estimated) == (truth, False), criteria


async def test_the_last_page_is_not_taken_for_all_there_is(stock):
    first = await stock.page("Patient?gender=male&_total=estimate&_count=5")
    second = await stock.page("Patient?gender=male&_total=estimate&_count=1000", cursor=first.next_cursor)
    assert second.total > 2_000


async def test_what_may_not_be_seen_raises_no_estimate(stock):
    hidden = await stock.page("Patient?_security=R&_total=estimate&_summary=count", visibility=MASKED)
    assert hidden.total == 0
    page = await stock.page("Patient?gender=male&_total=estimate&_count=5", visibility=MASKED)
    assert 0.7 * 2_000 < page.total < 1.3 * 2_000
    nobody = await stock.page("Patient?gender=male&_total=estimate&_summary=count", visibility=Visibility())
    assert nobody.total == 0
    own = Visibility({"Patient": Scope("patients", patients=(stock.keys.self_key("Patient", "p1"),))})
    page = await stock.page("Patient?_total=estimate&_summary=count", visibility=own)
    assert (page.total, page.estimated) == (1, False)


async def test_across_types_the_parts_are_added(stock):
    given = [("_type", "Patient,Observation"), ("_total", "estimate"), ("_count", "3")]
    async with stock.pool.connection() as conn:
        page = await search_across(
            conn, parse_across(given, lenient=False), visibility=EVERYTHING, keys=stock.keys
        )  # fmt: skip
    assert page.estimated
    assert 0.75 * 6_010 < page.total < 1.25 * 6_010


async def test_an_estimate_tests_so_many_rows_and_no_more(stock):
    """The rows that the statements look at are counted by PostgreSQL itself."""
    async with stock.pool.connection() as conn:
        counting = Counting(conn)
        for text in ("Patient?gender=male", "Patient?birthdate=lt1990", "Patient?family:contains=ame"):
            statistics = Statistics(rows=PEOPLE + 10.0, types={TYPE_IDS["Patient"]: 1.0}, rarest=0.9)
            planner = Planner(stock.query(text), EVERYTHING, stock.keys, statistics)
            assert (await estimate_of(counting, planner, at_least=0)).number > 2_000
    assert 0 < max(counting.looked) < 5 * ESTIMATE_ROWS

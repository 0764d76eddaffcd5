"""Orders that no index has: matches are read part by part, within a bound that is said when it is passed."""

from typing import Any

import pytest

from continuum.fhir.index import extract
from continuum.kernel.errors import TooCostly
from continuum.record.search import in_order, plan, search
from continuum.record.tests.stock import Stock, coded, observation, patient
from continuum.record.visibility import EVERYTHING, Scope, Visibility


@pytest.fixture
def stock(pool):
    return Stock(pool)


async def test_a_list_sorts_by_a_code_then_by_the_newest(stock):
    await stock.fill(
        observation("a", status="final", effectiveDateTime="2020-01-01"),
        observation("b", status="amended", effectiveDateTime="2019-01-01"),
        observation("c", status="final", effectiveDateTime="2021-01-01"),
        observation("d", status="amended", effectiveDateTime="2022-01-01"),
    )
    assert await stock.ids("Observation?_sort=status,-date&_count=3") == ["d", "b", "c", "a"]
    assert await stock.ids("Observation?_sort=-status,date&_count=1") == ["a", "c", "b", "d"]


async def test_a_list_sorts_by_whom_a_reference_names_and_those_without_come_last(stock):
    await stock.fill(
        *(patient(one) for one in "xyz"), observation("a", performer=[{"reference": "Patient/z"}]), observation("b"),
        observation("c", performer=[{"reference": "Patient/x"}]),
    )  # fmt: skip
    assert await stock.ids("Observation?_sort=performer&_count=2") == ["c", "a", "b"]
    assert await stock.ids("Observation?_sort=-performer&_count=2") == ["a", "c", "b"]


async def test_a_union_sorts_by_the_least_of_either(stock):
    part = {"code": coded("urn:c", "a")}
    await stock.fill(
        observation("m", code=coded("urn:c", "m")),
        observation("z", code=coded("urn:c", "z"), component=[part]),
    )
    assert await stock.ids("Observation?_sort=combo-code") == ["z", "m"]
    assert await stock.ids("Observation?_sort=code") == ["m", "z"]


def result(name, code, **value):
    return observation(name, code=coded("urn:c", code), **value)


def amount(value):
    return {"valueQuantity": {"value": value, "unit": "mg"}}


async def test_a_pair_sorts_by_its_code_then_by_its_value_below_zero_too(stock):
    await stock.fill(
        result("none", "a"), result("ten", "b", **amount(10)), result("minus", "b", **amount(-0.5)),
        result("small", "b", **amount(-12)), result("nine", "b", **amount(9.5)), result("other", "a", **amount(99)),
        result("zero", "b", **amount(0)),
    )  # fmt: skip
    rising = ["other", "small", "minus", "zero", "nine", "ten"]
    assert await stock.ids("Observation?_sort=code-value-quantity&_count=2") == [*rising, "none"]
    assert await stock.ids("Observation?_sort=-code-value-quantity&_count=2") == [*rising[::-1], "none"]


async def test_pairs_sort_by_dates_words_and_codes(stock):
    await stock.fill(
        result("d2", "d", valueDateTime="2021-03-01"), result("d1", "d", valueDateTime="1950-01-01"),
        result("s2", "s", valueString="Öl"), result("s1", "s", valueString="oats"),
        result("c2", "c", valueCodeableConcept=coded("urn:v", "y")),
        result("c1", "c", valueCodeableConcept=coded("urn:v", "x")),
    )  # fmt: skip
    assert (await stock.ids("Observation?_sort=code-value-date"))[:2] == ["d1", "d2"]
    assert await stock.ids("Observation?code-value-date:missing=false") == ["d2", "d1"]
    assert (await stock.ids("Observation?_sort=code-value-string"))[:2] == ["s1", "s2"]
    assert (await stock.ids("Observation?_sort=code-value-concept"))[:2] == ["c1", "c2"]


async def test_uris_sort_by_an_index_of_their_own(stock, monkeypatch):
    monkeypatch.setattr(in_order, "SORT_READ_MAX", 0)
    sets = {"a": "http://x.org/z", "b": "http://x.org/a", "c": "http://x.org/m"}
    await stock.fill(*({"resourceType": "ValueSet", "id": n, "status": "draft", "url": u} for n, u in sets.items()))
    assert await stock.ids("ValueSet?_sort=url&_count=1") == ["b", "c", "a"]


async def test_too_many_to_read_is_said_with_what_to_do(stock, monkeypatch):
    monkeypatch.setattr(in_order, "SORT_READ_AT_ONCE", 2)
    monkeypatch.setattr(in_order, "SORT_READ_MAX", 4)
    await stock.fill(*(patient(f"p{n}", gender="male", birthDate=f"199{n}") for n in range(5)))
    with pytest.raises(TooCostly, match="to sort them by gender, birthdate; add criteria"):
        await stock.ids("Patient?_sort=gender,birthdate")
    assert await stock.ids("Patient?birthdate=ge1997&_sort=gender") == []
    assert await stock.ids("Patient?birthdate=ge1993&_sort=gender") == ["p3", "p4"]


async def test_of_matches_by_a_code_only_those_of_a_page_are_kept_and_every_one_is_read(stock, monkeypatch):
    monkeypatch.setattr(in_order, "SORT_READ_AT_ONCE", 7)
    genders = ("male", "female", "other", "unknown")
    await stock.fill(*(patient(f"p{n:02}", gender=genders[n % 4]) for n in range(40)), patient("none"))
    women = [f"p{n:02}" for n in range(1, 40, 4)]
    men = [f"p{n:02}" for n in range(0, 40, 4)]
    found = await stock.ids("Patient?_sort=gender&_count=3")
    assert (found[:20], found[-1], len(found)) == (women + men, "none", 41)


async def test_where_an_index_has_the_first_key_no_more_is_read_than_the_page_needs(stock, monkeypatch):
    read = []
    monkeypatch.setattr(in_order, "extract", lambda resource: read.append(resource["id"]) or extract(resource))
    await stock.fill(
        *(patient(f"p{n:03}", gender="female" if n % 2 else "male", birthDate=f"{1850 + n // 3}") for n in range(300))
    )
    page = await stock.page("Patient?_sort=birthdate,gender&_count=4")
    assert [one.id for one in page.matches] == ["p001", "p000", "p002", "p003"]
    page = await stock.page("Patient?_sort=birthdate,gender&_count=4", cursor=page.next_cursor)
    assert [one.id for one in page.matches] == ["p005", "p004", "p007", "p006"]
    assert len(read) < 30
    monkeypatch.setattr(in_order, "SORT_READ_MAX", 8)
    monkeypatch.setattr(in_order, "SORT_READ_AT_ONCE", 8)  # nobody may read twice
    assert (await stock.page("Patient?_sort=birthdate,gender&_count=4")).next_cursor
    with pytest.raises(TooCostly):
        await stock.page("Patient?_sort=gender,birthdate&_count=4")


async def test_an_order_that_reads_much_does_not_make_the_plain_search_dearer(stock, analyse, monkeypatch):
    monkeypatch.setattr(plan, "WALK_TRIED", 20)
    monkeypatch.setattr(plan, "GATHER_MIN", 1)
    monkeypatch.setattr(in_order, "SORT_READ_AT_ONCE", 50)
    await stock.fill(*(patient(f"p{n:03}", active=True, gender="male") for n in range(200)))
    await analyse()
    asked = []
    for _ in range(2):
        async with stock.pool.connection() as conn:
            counted = Counted(conn)
            query = stock.query("Patient?active=true&_count=2")
            await search(counted, query, visibility=EVERYTHING, keys=stock.keys)
        asked.append(counted.asked)
        await stock.page("Patient?active=true&_sort=gender&_count=2")
    assert asked[0] == asked[1]


async def test_several_keys_that_an_index_has_one_by_one_are_answered_beyond_what_is_gathered(stock, monkeypatch):
    monkeypatch.setattr(plan, "GATHER_MAX", 5)
    monkeypatch.setattr(in_order, "SORT_READ_AT_ONCE", 4)
    await stock.fill(
        *(patient(f"p{n:02}", birthDate=f"19{70 - n % 5}", name=[{"family": f"f{n:02}"}]) for n in range(20))
    )
    by_year = sorted(range(20), key=lambda n: (70 - n % 5, -n))
    assert await stock.ids("Patient?_sort=birthdate,-family&_count=3") == [f"p{n:02}" for n in by_year]


async def test_what_lies_under_two_codes_is_sorted_beyond_what_is_gathered(stock, analyse, monkeypatch):
    monkeypatch.setattr(plan, "GATHER_MAX", 5)
    monkeypatch.setattr(in_order, "SORT_READ_AT_ONCE", 4)
    await stock.fill(
        *(result(f"o{n:02}", "a", **amount(n)) for n in range(0, 20, 2)),
        *(observation(f"o{n:02}", component=[{"code": coded("urn:c", "b"), **amount(n)}]) for n in range(1, 20, 2)),
    )
    await analyse()
    falling = [f"o{n:02}" for n in range(19, -1, -1)]
    assert await stock.ids("Observation?_sort=-combo-value-quantity&_count=3") == falling


async def test_a_total_beside_such_an_order_counts_what_may_be_seen(stock):
    await stock.fill(*(patient(f"p{n}", gender="female" if n % 2 else "male") for n in range(6)))
    some = Visibility({"Patient": Scope("patients", tuple(stock.keys.self_key("Patient", f"p{n}") for n in (1, 2, 3)))})
    page = await stock.page("Patient?_sort=gender&_total=accurate&_count=2", visibility=some)
    assert ([one.id for one in page.matches], page.total) == (["p1", "p3"], 3)
    assert await stock.ids("Patient?_sort=gender&_count=2", visibility=some) == ["p1", "p3", "p2"]


async def test_where_a_resource_came_from_is_found_below_an_address(stock):
    await stock.fill(patient("a", meta={"source": "http://lab.org/sink#1"}), patient("b", meta={"source": "urn:x"}))
    assert await stock.ids("Patient?_source:below=http://lab.org/") == ["a"]
    assert await stock.ids("Patient?_source:above=http://lab.org/sink%231/x") == ["a"]
    assert await stock.ids("Patient?_sort=-_source") == ["b", "a"]


def named(name: str, *families: str, **more: Any) -> dict[str, Any]:
    return patient(name, name=[{"family": one, "given": ["Ana"]} for one in families], **more)


async def test_names_come_as_their_index_has_them_each_person_once_at_the_first_that_matches(stock):
    await stock.fill(
        named("a", "Smithson", "Abel"), named("b", "Smith"), named("c", "Smythe"),
        named("d", "Smith", "Smithers"), named("e", "Aaron", "Smitt"),
    )  # fmt: skip
    for count in (1, 2, 20):
        assert await stock.ids(f"Patient?family=smit&_count={count}") == ["b", "d", "a", "e"]
        assert await stock.ids(f"Patient?family:exact=Smith&_count={count}") == ["b", "d"]
    assert await stock.ids("Patient?name=ana&family=smith&_count=1") == ["a", "b", "d"]


async def test_a_common_name_is_walked_not_gathered(stock, monkeypatch):
    await stock.fill(*(named(f"p{n:03}", "Lee", gender="male" if n % 40 else "female") for n in range(120)))
    monkeypatch.setattr(plan, "GATHER_MAX", 10)
    monkeypatch.setattr(plan, "GATHER_TRIED", 10)
    assert len(await stock.ids("Patient?family=lee&_count=7")) == 120
    assert await stock.ids("Patient?family=lee&gender:not=male&_count=2") == ["p000", "p040", "p080"]


async def test_people_who_may_not_be_seen_are_passed_over_among_a_name(stock, monkeypatch):
    await stock.fill(*(named(f"p{n:03}", "Lee") for n in range(60)))
    monkeypatch.setattr(plan, "WALK_TRIED", 5)
    own = Scope("patients", tuple(stock.keys.self_key("Patient", f"p{n:03}") for n in (50, 58)))
    assert await stock.ids("Patient?family=lee&_count=1", visibility=Visibility({"Patient": own})) == ["p050", "p058"]


async def test_who_is_named_while_pages_are_read_neither_repeats_nor_hides_others(stock):
    await stock.fill(*(named(f"p{n}", f"Lee{n}") for n in range(6)))
    first = await stock.page("Patient?family=lee&_count=2")
    assert [one.id for one in first.matches] == ["p0", "p1"]
    await stock.fill(named("early", "Lee0"), named("late", "Lee9"))
    rest = await stock.page("Patient?family=lee&_count=20", cursor=first.next_cursor)
    assert [one.id for one in rest.matches] == ["p2", "p3", "p4", "p5", "late"]


class Counted:
    """A connection that keeps the statements of searches."""

    def __init__(self, conn):
        self._conn = conn
        self.asked = []

    async def fetchrow(self, sql, *values):
        return await self._conn.fetchrow(sql, *values)

    async def fetch(self, sql, *values):
        if "FROM record.search" in sql:
            self.asked.append(sql)
        return await self._conn.fetch(sql, *values)


async def test_a_short_walk_that_was_cut_is_not_tried_again_whichever_effort_leads_to_it(stock, analyse, monkeypatch):
    """What many have is walked at once: the first effort already, and not only the second, is that walk."""
    monkeypatch.setattr(plan, "WALK_TRIED", 5)
    monkeypatch.setattr(plan, "GATHER_MIN", 1)
    rare = {"category": [{"coding": [{"code": "rare"}]}]}
    await stock.fill(
        *(observation(f"o{n:03}", status="final", category=[{"coding": [{"code": "usual"}]}]) for n in range(200)),
        *(observation(f"r{n}", status="final", **rare) for n in range(3)),
    )
    await analyse()
    query = stock.query("Observation?status=final&category:not=usual&_count=2")
    statements = []
    for _ in range(3):
        async with stock.pool.connection() as conn:
            counted = Counted(conn)
            page = await search(counted, query, visibility=EVERYTHING, keys=stock.keys)
        assert [one.id for one in page.matches] == ["r0", "r1"]
        statements.append(len(counted.asked))
    assert statements == [2, 1, 1]

"""The registry: three facts find a person, a rule says whether they are eligible, and in which words not."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.identity import registry
from continuum.identity.registry import Eligibility, Entry, Person, Sponsorship, judge, name_key

TODAY = date(2026, 11, 23)
SPONSOR = Person(
    "p-1", "9900000001", "Robert James", "O'Brien", "male", date(1958, 11, 30), "88 Juniper Circle", "San Antonio",
    "TX", "78236", "US", email="robert@mail.example", phone="555-0117", patient_id="pat-1",
)  # fmt: skip
CHILD = replace(
    SPONSOR, person_id="p-2", dod_id="9900000002", given_names="Ann", born=date(2012, 2, 29), patient_id="pat-2"
)
RETIRED = (Eligibility("active", date(1977, 6, 13), date(2001, 6, 30)), Eligibility("retired", date(2001, 7, 1)))
FAMILY = (
    Entry(SPONSOR, RETIRED),
    Entry(CHILD, (Eligibility("child", CHILD.born, date(2033, 2, 27)),), (Sponsorship("p-1", "child", CHILD.born),)),
)


async def store(pool, *entries):
    async with pool.connection() as conn, conn.transaction():
        await registry.store(conn, entries)


async def find(pool, **facts):
    async with pool.connection() as conn:
        return await registry.find(conn, **facts)


@pytest.mark.parametrize("written", ["O'Brien", "O\u2019BRIEN", "obrien", " O' Brien ", "Ó Brien"])
async def test_a_name_is_found_however_it_is_written(pool, written):
    await store(pool, *FAMILY)
    found = await find(pool, dod_id="9900000001", family_name=written, born=SPONSOR.born)
    assert found is not None
    assert found.person == SPONSOR
    assert set(found.eligibility) == set(RETIRED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dod_id": "9900000002"}, {"dod_id": "990000000"}, {"dod_id": "' OR 1=1 --"}, {"family_name": "Brien"},
        {"family_name": ""}, {"family_name": "%"}, {"born": date(1958, 11, 29)}, {"dod_id": "٩900000001"},
    ],
)  # fmt: skip
async def test_one_wrong_fact_finds_nobody(pool, wrong):
    await store(pool, *FAMILY)
    facts = {"dod_id": "9900000001", "family_name": "O'Brien", "born": SPONSOR.born}
    assert await find(pool, **facts) is not None
    assert await find(pool, **{**facts, **wrong}) is None


async def test_what_the_registry_says_anew_replaces_what_it_said(pool):
    await store(pool, *FAMILY)
    moved = replace(SPONSOR, street="1 New Road", died=date(2026, 1, 2))
    await store(pool, Entry(moved, RETIRED[:1]))
    found = await find(pool, dod_id="9900000001", family_name="O'Brien", born=SPONSOR.born)
    assert found == Entry(moved, RETIRED[:1])


async def test_a_sponsor_has_their_dependents_of_the_day(pool):
    later = replace(CHILD, person_id="p-3", dod_id="9900000003", given_names="Bo", patient_id=None)
    ended = Sponsorship("p-1", "ward", date(2015, 1, 1), date(2020, 1, 1))
    await store(pool, *FAMILY, Entry(later, (), (ended,)))
    async with pool.connection() as conn:
        assert await registry.dependents(conn, "p-1", TODAY) == [(CHILD, "child")]
        of_then = await registry.dependents(conn, "p-1", date(2019, 5, 5))
        assert [(person.given_names, relation) for person, relation in of_then] == [("Ann", "child"), ("Bo", "ward")]
        assert await registry.dependents(conn, "p-2", TODAY) == []


def test_whoever_is_covered_today_is_eligible_by_the_newest_reason():
    verdict = judge(Entry(SPONSOR, tuple(reversed(RETIRED))), TODAY)
    assert (verdict.eligible, verdict.category, verdict.reason) == (True, "retired", "")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry(replace(SPONSOR, died=date(2026, 1, 2)), RETIRED), "has died"),
        (FAMILY[1], "from 18 years on"),
        (Entry(SPONSOR, (Eligibility("spouse", date(1990, 1, 1), date(2012, 3, 1)),)), "ended on 1 March 2012"),
        (Entry(SPONSOR, (Eligibility("active", date(2027, 1, 4)),)), "begins on 4 January 2027"),
        (Entry(SPONSOR, ()), "lists no eligibility"),
    ],
)
def test_who_is_not_eligible_is_told_why(entry, words):
    verdict = judge(entry, TODAY)
    assert not verdict.eligible
    assert words in verdict.reason


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.integers(0, 9000))
def test_a_period_covers_its_first_and_its_last_day_and_nothing_beyond(today, starts, length):
    period = Eligibility("active", starts, starts + timedelta(days=length))
    adult = replace(SPONSOR, born=date(1950, 1, 1))
    assert judge(Entry(adult, (period,)), today).eligible == (0 <= (today - starts).days <= length)


@given(st.text())
def test_a_compared_name_is_letters_only_and_stable(text):
    key = name_key(text)
    assert key == "" or key.isalpha()
    assert name_key(key) == key

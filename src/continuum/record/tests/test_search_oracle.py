"""Random searches over random worlds find what the plain-Python oracle finds: match, count, page by page, per scope."""

import dataclasses
import random
from typing import Any

import pytest

from continuum.fhir.grammar import parse
from continuum.fhir.grammar_across import parse_across
from continuum.fhir.index import extract
from continuum.fhir.query import Criterion, Query
from continuum.kernel.errors import UnknownParameter
from continuum.record.entry import prepare
from continuum.record.keys import Keys
from continuum.record.search import in_order as ordering
from continuum.record.search import plan, search, search_across
from continuum.record.tests import searches, worlds
from continuum.record.tests.oracle import Row, World, in_order, matches
from continuum.record.visibility import EVERYTHING, Scope, Visibility
from continuum.record.write import Change, RowIds, write

SECRET = b"the secret of a test database ..."


async def fill(conn: Any, keys: Keys, resources: list[dict[str, Any]]) -> tuple[Row, ...]:
    """Writes a world, one instant apart, and says what lies there."""
    row_ids = RowIds()
    rows = []
    for number, resource in enumerate(resources):
        at_us = 1_700_000_000_000_000 + number * 1_000
        change = Change(prepared=prepare(resource, keys), present=None, now_us=at_us)
        await write(conn, [change], row_ids=row_ids)
        facility = resource.get("managingOrganization", {}).get("reference", "").partition("/")[2]
        texts, narrative = tuple(worlds.texts(resource)), worlds.narrative(resource)
        kind, name = resource["resourceType"], resource["id"]
        rows.append(Row(number, kind, name, extract(resource), at_us, facility, texts, narrative))
    return tuple(rows)


def scopes(
    rows: tuple[Row, ...], resources: list[dict[str, Any]], keys: Keys
) -> list[tuple[Visibility, frozenset[str]]]:
    """Several visibilities and, said independently, what each shows."""
    restricted = {f"{one['resourceType']}/{one['id']}" for one in resources if one.get("meta", {}).get("security")}
    everything = frozenset(row.address for row in rows)
    cared = {row.id for row in rows if row.kind == "Patient" and row.facility == "org-1"}
    outside = frozenset(row.address for row in rows if row.index.patient_id is None and row.kind != "Observation")
    clinical = ("Patient", "Observation", "Encounter")
    at_facility = Scope("facility", facility=keys.self_key("Organization", "org-1"))
    two = ("pat-1", "pat-2")
    own = Scope("patients", patients=tuple(keys.self_key("Patient", one) for one in two))
    masked = Scope("all", label_mask=1)
    return [
        (EVERYTHING, everything),
        (
            Visibility(dict.fromkeys(clinical, at_facility), otherwise=Scope("all")),
            outside | frozenset(row.address for row in rows if row.index.patient_id in cared),
        ),
        (
            Visibility(dict.fromkeys(clinical, own)),
            frozenset(row.address for row in rows if row.index.patient_id in two),
        ),
        (Visibility(otherwise=masked), everything - restricted),
    ]


async def all_pages(conn: Any, query: Query, visibility: Visibility, keys: Keys) -> list[str]:
    found = []
    cursor = ""
    for _ in range(100):
        page = await search(conn, dataclasses.replace(query, cursor=cursor), visibility=visibility, keys=keys)
        assert len(page.matches) <= query.count
        found += [f"{one.resource_type}/{one.id}" for one in page.matches]
        cursor = page.next_cursor
        if not cursor:
            return found
    raise AssertionError("the pages do not end")


async def compare(pool: Any, seed: int, rounds: int, *, analyse: Any = None, make: Any = searches.search) -> int:
    rng = random.Random(seed)
    keys = Keys(SECRET + bytes([seed % 250]))
    resources = worlds.make(rng)
    compared = 0
    async with pool.connection() as conn:
        rows = await fill(conn, keys, resources)
        if analyse is not None:
            await analyse()
        views = scopes(rows, resources, keys)
        for number in range(rounds):
            kind, given = make(rng)
            try:
                query = parse(kind, given, lenient=False)
            except UnknownParameter:
                continue
            visibility, visible = rng.choice(views)
            expected = matches(query, World(rows, visible))
            query = dataclasses.replace(query, count=rng.choice((1, 3, 20)), total="accurate")
            sorting = parse(kind, searches.order(rng, kind), lenient=False).sort
            what = f"seed {seed} search {number}: {kind}?{given} by {sorting}"
            page = await search(conn, query, visibility=visibility, keys=keys)
            assert page.total == len(expected), what
            page = await search(conn, dataclasses.replace(query, total="estimate"), visibility=visibility, keys=keys)
            assert (page.total, page.estimated) == (len(expected), False), what  # of so few, all are counted
            found = await all_pages(conn, dataclasses.replace(query, total=""), visibility, keys)
            assert len(found) == len(set(found)), what
            assert set(found) == {row.address for row in expected}, what
            asked = [clause.param.code for clause in query.where if isinstance(clause, Criterion)]
            for code in asked:  # with whatever a caller says to begin
                begun = await all_pages(conn, dataclasses.replace(query, total="", begin=code), visibility, keys)
                assert sorted(begun) == sorted(found), (what, code)
            if sorting:
                query = dataclasses.replace(query, sort=sorting, total="")
                found = await all_pages(conn, query, visibility, keys)
                assert found == [row.address for row in in_order(query, expected)], what
            compared += bool(expected)  # searches that find nothing prove little
    return compared


async def compare_across(pool: Any, seed: int, rounds: int) -> int:
    rng = random.Random(seed)
    keys = Keys(SECRET + bytes([seed % 250]))
    resources = worlds.make(rng)
    compared = 0
    async with pool.connection() as conn:
        rows = await fill(conn, keys, resources)
        views = scopes(rows, resources, keys)
        for number in range(rounds):
            given = searches.across(rng)
            queries = parse_across(given, lenient=False)
            visibility, visible = rng.choice(views)
            world = World(rows, visible)
            expected = in_order(queries[0], [row for query in queries for row in matches(query, world)])
            what = f"seed {seed} search {number}: {given}"
            count = rng.choice((1, 4, 50))
            found: list[str] = []
            cursor = ""
            for _ in range(200):
                queries = tuple(dataclasses.replace(q, count=count, cursor=cursor, total="accurate") for q in queries)
                page = await search_across(conn, queries, visibility=visibility, keys=keys)
                assert page.total == len(expected), what
                found += [f"{one.resource_type}/{one.id}" for one in page.matches]
                cursor = page.next_cursor
                if not cursor:
                    break
            assert found == [row.address for row in expected], what
            compared += bool(expected)
    return compared


@pytest.mark.parametrize(("seed", "at_once"), [(0, 5_000), (1, 5_000), (2, 3)])
async def test_random_searches_across_types_find_what_the_oracle_finds_in_one_order(pool, monkeypatch, seed, at_once):
    monkeypatch.setattr(ordering, "SORT_READ_AT_ONCE", at_once)
    assert await compare_across(pool, seed, 60) > 20


WAYS = pytest.mark.parametrize(
    ("gather_min", "analysed"), [(1_000, False), (0, False), (1_000, True)], ids=["tried", "walked", "known"]
)


@WAYS
@pytest.mark.parametrize("seed", range(2))
async def test_random_searches_find_what_the_oracle_finds(pool, monkeypatch, analyse, seed, gather_min, analysed):
    monkeypatch.setattr(plan, "GATHER_MIN", gather_min)  # with 0, whatever can be walked is walked
    assert await compare(pool, seed, 150, analyse=analyse if analysed else None) > 60


@pytest.mark.parametrize("at_once", [2, 5])
async def test_orders_that_are_read_part_by_part_are_those_of_the_oracle(pool, monkeypatch, at_once):
    monkeypatch.setattr(ordering, "SORT_READ_AT_ONCE", at_once)
    monkeypatch.setattr(plan, "GATHER_MAX", 6)  # several keys of more matches than that are read part by part too
    assert await compare(pool, 11 + at_once, 150) > 60


@WAYS
async def test_random_filters_find_what_the_oracle_finds(pool, monkeypatch, analyse, gather_min, analysed):
    monkeypatch.setattr(plan, "GATHER_MIN", gather_min)
    made = searches.filtered
    assert await compare(pool, 7, 150, analyse=analyse if analysed else None, make=made) > 60


@pytest.mark.proof
@WAYS
@pytest.mark.parametrize("seed", range(100, 107))
async def test_many_random_searches_find_what_the_oracle_finds(pool, monkeypatch, analyse, seed, gather_min, analysed):
    monkeypatch.setattr(plan, "GATHER_MIN", gather_min)
    assert await compare(pool, seed, 1_000, analyse=analyse if analysed else None) > 400

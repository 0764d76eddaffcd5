"""Profiles, security labels and tags that are in use: what is told follows what is there, at the cost of the marks."""

import asyncio

import pytest

from continuum.fhir.types import TYPES
from continuum.kernel.clock import now_us
from continuum.kernel.errors import NotYetIndexed, TooCostly
from continuum.record import index_rules, reindexing
from continuum.record.entry import prepare
from continuum.record.keys import Keys
from continuum.record.marks import file_marks
from continuum.record.search import in_use, marks_in_use
from continuum.record.tests.counting import Counting
from continuum.record.tests.desk import SECRET, Desk, patient, put
from continuum.record.visibility import EVERYTHING


async def told(desk, *kinds):
    async with desk.connect() as conn:
        found = await marks_in_use(conn, kinds, visibility=EVERYTHING, keys=desk.keys)
    return [(one.element, one.system, one.code) for one in found]


def marked(name, **meta):
    return patient(id=name, meta=meta)


def tag(code, system="urn:s"):
    return {"code": code, **({"system": system} if system else {})}


async def test_what_present_resources_have_is_told_once_and_what_is_gone_is_not(pool):
    desk = Desk(pool)
    await desk.update(marked("a", profile=["urn:p|1", "urn:q"], tag=[tag("x"), tag("x", "")], security=[tag("R")]))
    await desk.update(marked("b", tag=[tag("x"), tag("y"), {"system": "urn:s"}, {"display": "nothing"}]))
    await desk.update({"resourceType": "Basic", "id": "c", "code": {"text": "x"}, "meta": {"tag": [tag("z")]}})
    assert await told(desk, "Patient") == [
        ("profile", "", "urn:p|1"), ("profile", "", "urn:q"), ("security", "urn:s", "R"),
        ("tag", "", "x"), ("tag", "urn:s", "x"), ("tag", "urn:s", "y"),
    ]  # fmt: skip
    await desk.update(marked("b", tag=[tag("y")]))
    await desk.delete("Patient", "a")
    assert await told(desk, "Patient") == [("tag", "urn:s", "y")]
    assert await told(desk, *TYPES) == [("tag", "urn:s", "y"), ("tag", "urn:s", "z")]
    await desk.delete("Patient", "b")
    assert await told(desk, "Patient") == []
    await desk.update(marked("a", tag=[tag("x")]))  # what the process knew to be filed is still filed
    assert await told(desk, "Patient") == [("tag", "urn:s", "x")]


async def test_a_write_that_is_undone_leaves_nothing_that_later_ones_rely_on(pool):
    keys, settled = Keys(SECRET), set()
    prepared = [prepare(marked("a", tag=[tag("x")]), keys)]
    async with pool.connection() as conn:
        undone = conn.transaction()
        await undone.start()
        await file_marks(conn, prepared, settled)
        await undone.rollback()
        assert settled == set()
        await file_marks(conn, prepared, settled)
        assert settled == set(prepared[0].marks)


async def test_two_writers_of_the_same_marks_in_another_order_both_go_through(pool):
    desks = [Desk(pool) for _ in range(4)]
    tags = [tag(f"{number}") for number in range(20)]

    async def write(number):
        mine = tags[:: 1 if number % 2 else -1]
        await desks[number].do(*(put(marked(f"{number}-{one['code']}", tag=[one])) for one in mine))

    await asyncio.gather(*(write(number) for number in range(4)))
    assert len(await told(desks[0], "Patient")) == 20


async def test_too_many_marks_are_refused_in_words_and_a_type_alone_is_told(pool, monkeypatch):
    monkeypatch.setattr(in_use, "MARKS_MAX", 3)
    desk = Desk(pool)
    await desk.update(marked("a", tag=[tag(one) for one in "xyz"]))
    await desk.update({"resourceType": "Basic", "id": "c", "code": {"text": "x"}, "meta": {"tag": [tag("z")]}})
    assert len(await told(desk, "Patient")) == 3
    with pytest.raises(TooCostly, match="More than 3 different"):
        await told(desk, *TYPES)


async def test_what_was_there_before_this_release_is_told_when_all_of_it_was_looked_through(pool, monkeypatch):
    desk = Desk(pool)
    rules_of = index_rules.rules_of

    def earlier(name):
        return {code: rule for code, rule in rules_of(name).items() if code != index_rules.MARKS}

    for module in (index_rules, reindexing):
        monkeypatch.setattr(module, "rules_of", earlier)
    async with pool.connection() as conn:
        await reindexing.settle(conn, now_us())
        await desk.update(marked("a", tag=[tag("x")]))
        await conn.execute("DELETE FROM record.mark")
        monkeypatch.undo()
        assert await reindexing.settle(conn, now_us()) == ["Patient"]
        desk = Desk(pool)
        with pytest.raises(NotYetIndexed, match="Patient"):
            await told(desk, "Patient")
        with pytest.raises(NotYetIndexed, match="Patient"):
            await desk.search("Observation", "subject:Patient._profile:below=urn:")
        assert [one.id for one in (await desk.search("Patient", "_tag=x")).matches] == ["a"]
        while await reindexing.batch(conn, desk.keys, now_us()):
            pass
    assert await told(Desk(pool), "Patient") == [("tag", "urn:s", "x")]


async def test_what_many_have_costs_no_more_than_what_few_have(pool, analyse):
    """5,000 resources with a tag that all have and one that each fifth has, and one with a tag of its own."""
    desk = Desk(pool)
    await desk.update(marked("p", tag=[tag("rare")]))
    for first in range(0, 5_000, 250):
        some = range(first, first + 250)
        await desk.do(*(put(marked(f"p{n}", tag=[tag("all"), tag(f"{n % 5}")])) for n in some))
    await analyse()
    async with pool.connection() as conn:
        counting = Counting(conn, ("mark", "search", "resource"))
        found = await marks_in_use(counting, ["Patient"], visibility=EVERYTHING, keys=Keys(SECRET))
    assert len(found) == 7
    assert 0 < sum(counting.looked) < 500

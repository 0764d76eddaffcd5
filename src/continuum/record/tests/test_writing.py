"""Single writes: versions without holes, If-Match, conditions, deletions, and races of all of them."""

import asyncio

import pytest

from continuum.fhir.json import parse
from continuum.kernel.errors import (
    Conflict,
    Gone,
    Invalid,
    Malformed,
    MultipleMatches,
    NotFound,
    PreconditionFailed,
)
from continuum.record.tests.desk import Desk, patient


@pytest.fixture
def desk(pool):
    return Desk(pool)


def renamed(family):
    return lambda resource: {**resource, "name": [{"family": family}]}


async def test_fifty_updates_at_once_leave_versions_without_holes(desk):
    await desk.update(patient(id="p"))
    results = await asyncio.gather(*(desk.patch(renamed(f"n{n}"), "Patient", "p") for n in range(50)))
    assert sorted(result.stored.version for result in results) == list(range(2, 52))
    assert await desk.versions("Patient", "p") == list(range(51, 0, -1))
    for result in results:
        kept = await desk.vread("Patient", "p", result.stored.version)
        assert kept == parse(result.stored.body)


async def test_fifty_first_writes_of_one_id_make_one_resource(desk):
    results = await asyncio.gather(
        *(desk.update(patient(id="p", birthDate=f"19{n:02}")) for n in range(50)), return_exceptions=True
    )
    done = [result for result in results if not isinstance(result, Exception)]
    assert all(isinstance(result, Conflict) for result in results if isinstance(result, Exception))
    assert sorted(result.stored.version for result in done) == list(range(1, len(done) + 1))
    assert [result.status for result in done].count(201) == 1
    assert (await desk.count(), await desk.count("search")) == (1, 1)


@pytest.mark.parametrize("rivals", [2, 10, 30])
async def test_of_updates_with_the_same_if_match_exactly_one_wins(desk, rivals):
    await desk.update(patient(id="p"))
    for version in range(1, 6):
        results = await asyncio.gather(
            *(desk.update(patient(id="p", gender="female"), if_match=version) for _ in range(rivals)),
            return_exceptions=True,
        )
        won = [result for result in results if not isinstance(result, Exception)]
        assert [result.stored.version for result in won] == [version + 1]
        assert all(isinstance(result, PreconditionFailed) for result in results if isinstance(result, Exception))


async def test_if_match_that_does_not_hold_changes_nothing(desk):
    await desk.update(patient(id="p"))
    for wrong in (0, 2, 99):
        with pytest.raises(PreconditionFailed, match="version 1"):
            await desk.update(patient(id="p", active=True), if_match=wrong)
        with pytest.raises(PreconditionFailed):
            await desk.delete("Patient", "p", if_match=wrong)
        with pytest.raises(PreconditionFailed):
            await desk.patch(renamed("x"), "Patient", "p", if_match=wrong)
    with pytest.raises(PreconditionFailed, match="not there"):
        await desk.update(patient(id="absent"), if_match=1)
    assert await desk.versions("Patient", "p") == [1]
    assert await desk.count() == 1


async def test_two_hundred_conditional_creates_at_once_make_one(desk):
    one = patient(identifier=[{"system": "urn:x", "value": "1"}])
    results = await asyncio.gather(*(desk.create(one, if_none_exist="identifier=urn:x|1") for _ in range(200)))
    assert sorted(result.status for result in results) == [200] * 199 + [201]
    assert len({result.stored.id for result in results}) == 1
    assert await desk.count() == 1


async def test_conditional_writes_refuse_more_than_one_match(desk):
    for name in ("a", "b"):
        await desk.update(patient(id=name, gender="male"))
    one = patient(gender="male")
    for act in (
        desk.create(one, if_none_exist="gender=male"),
        desk.update(one, query="gender=male"),
        desk.patch(renamed("x"), "Patient", query="gender=male"),
        desk.delete("Patient", query="gender=male"),
    ):
        with pytest.raises(MultipleMatches):
            await act
    assert await desk.count() == 2
    assert await desk.count("history") == 0


async def test_a_conditional_update_writes_the_match_or_creates(desk):
    one = patient(identifier=[{"system": "urn:x", "value": "1"}])
    first = await desk.update(one, query="identifier=urn:x|1")
    second = await desk.update({**one, "gender": "other"}, query="identifier=urn:x|1")
    assert (first.status, second.status, second.stored.version) == (201, 200, 2)
    assert first.stored.id == second.stored.id
    named = await desk.update(patient(id="mine", active=True), query="identifier=urn:x|2")
    assert (named.status, named.stored.id) == (201, "mine")
    with pytest.raises(Invalid, match="id"):
        await desk.update({**one, "id": "another"}, query="identifier=urn:x|1")


async def test_a_conditional_patch_and_delete_need_a_match(desk):
    await desk.update(patient(id="p", gender="male"))
    assert (await desk.patch(renamed("x"), "Patient", query="gender=male")).stored.version == 2
    with pytest.raises(NotFound):
        await desk.patch(renamed("x"), "Patient", query="gender=female")
    nothing = await desk.delete("Patient", query="gender=female")
    assert (nothing.status, nothing.changed) == (204, False)
    assert (await desk.delete("Patient", query="gender=male")).stored.deleted
    assert await desk.count("search") == 0


async def test_what_was_deleted_is_gone_and_can_be_written_again(desk):
    await desk.update(patient(id="p", gender="male"))
    assert (await desk.delete("Patient", "p")).stored.version == 2
    again = await desk.delete("Patient", "p")
    assert (again.status, again.changed) == (204, False)
    with pytest.raises(Gone):
        await desk.read("Patient", "p")
    with pytest.raises(Gone):
        await desk.patch(renamed("x"), "Patient", "p")
    with pytest.raises(Gone):
        await desk.vread("Patient", "p", 2)
    with pytest.raises(PreconditionFailed, match="not there"):
        await desk.update(patient(id="p"), if_match=2)
    assert not (await desk.search("Patient", "gender=male")).matches
    born_again = await desk.update(patient(id="p", gender="female"))
    assert (born_again.status, born_again.stored.version) == (201, 3)
    assert await desk.versions("Patient", "p") == [3, 2, 1]
    assert (await desk.read("Patient", "p"))["gender"] == "female"
    assert len((await desk.search("Patient", "gender=female")).matches) == 1
    with pytest.raises(NotFound):
        await desk.delete("Patient", "never")


async def test_if_none_match_creates_but_never_overwrites(desk):
    assert (await desk.update(patient(id="p"), if_none_match="*")).status == 201
    with pytest.raises(PreconditionFailed, match="exists"):
        await desk.update(patient(id="p"), if_none_match="*")
    results = await asyncio.gather(
        *(desk.update(patient(id="q"), if_none_match="*") for _ in range(20)), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results].count(False) == 1
    assert await desk.versions("Patient", "q") == [1]


async def test_a_patch_cannot_change_what_a_resource_is(desk):
    await desk.update(patient(id="p"))
    for change in ({"id": "q"}, {"resourceType": "Person"}):
        with pytest.raises(Invalid):
            await desk.patch(lambda resource, change=change: {**resource, **change}, "Patient", "p")
    with pytest.raises(Malformed):
        await desk.update({"resourceType": "Nonsense", "id": "p"})


async def test_time_never_runs_backwards_in_a_resource(pool):
    now = 1_800_000_000_000_000
    instants = iter([now, now - 3_600_000_000, now - 7_200_000_000, now, now + 5_000])
    desk = Desk(pool, lambda: next(instants))
    times = [(await desk.update(patient(id="p", birthDate=f"200{n}"))).stored.updated_us for n in range(5)]
    assert times == [now, now + 1_000, now + 2_000, now + 3_000, now + 5_000]
    listed = [stored.updated_us for stored in (await desk.history("Patient", "p")).matches]
    assert listed == times[::-1]

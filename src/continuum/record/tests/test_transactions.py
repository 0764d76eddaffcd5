"""Transactions: references in any order, all or nothing, everything that may stand in one."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuum.kernel.errors import (
    Conflict,
    DomainError,
    Invalid,
    Malformed,
    MultipleMatches,
    NotFound,
    PreconditionFailed,
)
from continuum.record.model import Operation
from continuum.record.tests.desk import Desk, observation, patient, post, put


@pytest.fixture
def desk(pool):
    return Desk(pool)


async def state(desk):
    """All that a write could have changed."""
    tables = ("resource", "history", "search", "string", "date", "quantity", "relation")
    return [await desk.count(table) for table in tables]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_entries_refer_to_each_other_in_any_order(desk, order):
    entries = [
        post(patient(), full_url="urn:uuid:p"),
        post({"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
              "subject": {"reference": "urn:uuid:p"}}, full_url="urn:uuid:e"),
        post(observation("urn:uuid:p", encounter={"reference": "urn:uuid:e"})),
    ]  # fmt: skip
    results = await desk.do(*(entries[n] for n in order))
    names = {result.stored.resource_type: result.stored.id for result in results}
    made = await desk.read("Observation", names["Observation"])
    assert made["subject"]["reference"] == f"Patient/{names['Patient']}"
    assert made["encounter"]["reference"] == f"Encounter/{names['Encounter']}"
    assert not await desk.dangling()
    found = await desk.search("Observation", f"subject=Patient/{names['Patient']}")
    assert [one.id for one in found.matches] == [names["Observation"]]


async def test_references_by_criteria_find_what_is_there(desk):
    await desk.update(patient(id="p", identifier=[{"system": "urn:x", "value": "1"}]))
    results = await desk.do(post(observation("Patient?identifier=urn:x|1")), put(patient(id="q")))
    made = await desk.read("Observation", results[0].stored.id)
    assert made["subject"]["reference"] == "Patient/p"
    before = await state(desk)
    for text in ("Patient?identifier=urn:x|2", "Patient?_id=p,q"):
        with pytest.raises(PreconditionFailed, match="conditional reference"):
            await desk.do(post(patient()), post(observation(text)))
    assert await state(desk) == before


async def test_a_reference_inside_to_an_entry_that_matched_goes_to_the_match(desk):
    one = patient(identifier=[{"system": "urn:x", "value": "1"}])
    await desk.update({**one, "id": "p"})
    results = await desk.do(
        post(one, if_none_exist="identifier=urn:x|1", full_url="urn:uuid:p"), post(observation("urn:uuid:p"))
    )
    assert (results[0].status, results[0].changed) == (200, False)
    assert (await desk.read("Observation", results[1].stored.id))["subject"]["reference"] == "Patient/p"


async def test_two_entries_that_create_under_the_same_criteria_are_refused(desk):
    one = patient(identifier=[{"system": "urn:x", "value": "1"}])
    twice = [
        [post(one, if_none_exist="identifier=urn:x|1") for _ in range(2)],
        [put(one, query="identifier=urn:x|1") for _ in range(2)],
        [post(one, if_none_exist="identifier=urn:x|1"), put(one, query="identifier=urn:x|1")],
    ]
    for entries in twice:
        with pytest.raises(Malformed, match="same criteria"):
            await desk.do(*entries)
    assert await desk.count() == 0
    await desk.create(one)
    results = await desk.do(*twice[0])
    assert [result.status for result in results] == [200, 200]


async def test_if_match_holds_inside_a_transaction(desk):
    await desk.update(patient(id="p"))
    before = await state(desk)
    with pytest.raises(PreconditionFailed):
        await desk.do(post(patient()), put(patient(id="p", active=True), if_match=7))
    assert await state(desk) == before
    results = await desk.do(post(patient()), put(patient(id="p", active=True), if_match=1))
    assert [result.stored.version for result in results] == [1, 2]


async def test_one_address_cannot_be_written_twice(desk):
    await desk.update(patient(id="p", gender="male"))
    before = await state(desk)
    delete = Operation("DELETE", "Patient", id="p")
    pairs = [
        (put(patient(id="p")), put(patient(id="p"))),
        (put(patient(id="new")), put(patient(id="new"))),
        (put(patient(id="p")), delete),
        (put(patient(), query="gender=male"), put(patient(id="p"))),
    ]
    for pair in pairs:
        with pytest.raises(Malformed, match="more than once"):
            await desk.do(*pair)
    assert await state(desk) == before


async def test_what_is_read_inside_is_what_the_transaction_leaves(desk):
    await desk.update(patient(id="p"))
    results = await desk.do(
        Operation("GET", "Patient", id="p"),
        put(patient(id="p", gender="female")),
        Operation("GET", "Patient", query="gender=female"),
    )
    assert results[0].version == 2
    assert [stored.id for stored in results[2].matches] == ["p"]
    with pytest.raises(NotFound):
        await desk.do(post(patient()), Operation("GET", "Patient", id="absent"))
    assert await desk.count() == 1


async def test_a_resource_and_all_that_refer_to_it_can_go_together(desk):
    await desk.do(put(patient(id="p")), put(observation("Patient/p", id="o")))
    with pytest.raises(Conflict, match="Patient/p"):
        await desk.delete("Patient", "p")
    with pytest.raises(Invalid):
        await desk.do(Operation("DELETE", "Patient", id="p"), put(observation("Patient/p", id="o", valueString="x")))
    results = await desk.do(Operation("DELETE", "Patient", id="p"), Operation("DELETE", "Observation", id="o"))
    assert [result.status for result in results] == [204, 204]
    assert await desk.count("search") == 0


BAD = {
    "invalid": (lambda: post({"resourceType": "Patient", "gender": 7}), Invalid),
    "link": (lambda: post(observation("Patient/absent")), Invalid),
    "if-match": (lambda: put(patient(id="there"), if_match=9), PreconditionFailed),
    "exists": (lambda: put(patient(id="there"), if_none_match="*"), PreconditionFailed),
    "many": (lambda: put(patient(), query="_id=there,other"), MultipleMatches),
    "referred": (lambda: Operation("DELETE", "Patient", id="referred"), Conflict),
    "missing": (lambda: Operation("DELETE", "Patient", id="absent"), NotFound),
    "read": (lambda: Operation("GET", "Patient", id="absent"), NotFound),
}
GOOD = (
    lambda _: post(patient(birthDate="1990-01-01")),
    lambda n: put(patient(id=f"new-{n}", name=[{"family": "Ward"}])),
    lambda _: post(observation("Patient/there")),
    lambda n: put(patient(identifier=[{"value": str(n)}]), query=f"identifier={n}"),
    lambda n: post(patient(), if_none_exist=f"identifier=e{n}"),
    lambda _: Operation("GET", "Patient", id="there"),
)


@pytest.fixture
async def furnished(desk):
    await desk.do(
        put(patient(id="there")), put(patient(id="other")), put(patient(id="referred")),
        put(observation("Patient/referred", id="o")),
    )  # fmt: skip
    return desk


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    good=st.lists(st.sampled_from(range(len(GOOD))), min_size=0, max_size=6),
    bad=st.sampled_from(sorted(BAD)),
    place=st.integers(0, 6),
)
async def test_one_entry_that_cannot_be_done_at_any_place_undoes_all(furnished, good, bad, place):
    before = await state(furnished)
    make, refusal = BAD[bad]
    entries = [GOOD[kind](number) for number, kind in enumerate(good)]
    entries.insert(place, make())
    with pytest.raises(DomainError) as caught:
        await furnished.do(*entries)
    assert isinstance(caught.value, refusal)
    assert await state(furnished) == before


async def test_a_refused_reference_says_where_it_stands(desk):
    with pytest.raises(Invalid) as caught:
        await desk.do(
            post(patient()),
            post(observation("Patient/p-absent", performer=[{"display": "x"}, {"reference": "Practitioner/none"}])),
        )
    places = {issue.at[0]: issue.text for issue in caught.value.issues}
    assert set(places) == {"Observation.subject", "Observation.performer[1]"}
    assert "Patient/p-absent" in places["Observation.subject"]


async def test_a_transaction_of_many_hundred_entries_is_one(desk):
    entries = [put(patient(id="p"))]
    entries += [put(observation("Patient/p", id=f"o{n}", valueQuantity={"value": n})) for n in range(700)]
    results = await desk.do(*entries)
    assert {result.status for result in results} == {201}
    assert await desk.count("search") == 701

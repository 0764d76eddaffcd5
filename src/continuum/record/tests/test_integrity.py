"""No reference dangles, whatever races; one mistake among many creates is nobody else's."""

import asyncio
import random

import pytest

from continuum.kernel.errors import Conflict, DomainError, Invalid
from continuum.record.tests.desk import Desk, observation, patient


@pytest.fixture
def desk(pool):
    return Desk(pool)


async def test_a_reference_to_nothing_is_refused_with_its_place(desk):
    for target in ("Patient/absent", "Patient/absent/_history/1", "Group/p"):
        with pytest.raises(Invalid) as caught:
            await desk.create(observation(target))
        assert caught.value.issues[0].at == ("Observation.subject",)
    await desk.update(patient(id="gone"))
    await desk.delete("Patient", "gone")
    with pytest.raises(Invalid):
        await desk.create(observation("Patient/gone"))
    assert await desk.count() == 1


async def test_references_to_elsewhere_and_inside_are_free(desk):
    for target in ("https://elsewhere.example/fhir/Patient/1", "urn:uuid:0190f0c0-0000-7000-8000-000000000000", "#p"):
        contained = [{"resourceType": "Patient", "id": "p"}] if target == "#p" else None
        made = observation(target) | ({"contained": contained} if contained else {})
        assert (await desk.create(made)).status == 201


async def test_a_resource_may_refer_to_itself_and_still_be_deleted(desk):
    await desk.update({"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
                       "hasMember": [{"reference": "Observation/o"}]})  # fmt: skip
    assert (await desk.delete("Observation", "o")).stored.deleted


async def test_what_others_refer_to_stays_until_they_let_go(desk):
    await desk.update(patient(id="p"))
    await desk.update(observation("Patient/p", id="o"))
    with pytest.raises(Conflict, match="Patient/p cannot be deleted"):
        await desk.delete("Patient", "p")
    await desk.update(patient(id="q"))
    await desk.update(observation("Patient/q", id="o"))
    assert (await desk.delete("Patient", "p")).stored.deleted


async def test_the_references_of_a_document_are_its_own(desk):
    document = {
        "resourceType": "Bundle", "type": "document", "identifier": {"system": "urn:x", "value": "1"},
        "timestamp": "2024-01-01T00:00:00Z",
        "entry": [
            {"fullUrl": "https://elsewhere.example/Composition/1", "resource": {
                "resourceType": "Composition", "id": "1", "status": "final", "type": {"text": "letter"},
                "date": "2024-01-01", "title": "Letter", "author": [{"display": "Dr. Who"}],
                "subject": {"reference": "Patient/outside"}}},
            {"fullUrl": "https://elsewhere.example/Patient/outside", "resource": patient(id="outside")},
        ],
    }  # fmt: skip
    assert (await desk.create(document)).status == 201
    await desk.update(patient(id="outside"))
    assert (await desk.delete("Patient", "outside")).stored.deleted


async def test_a_reference_and_the_deletion_of_its_target_never_both_succeed(desk):
    won = {"create": 0, "delete": 0}
    rng = random.Random(7)
    for number in range(200):
        name = f"p{number}"
        await desk.update(patient(id=name))
        acts = [desk.delete("Patient", name), desk.create(observation(f"Patient/{name}"))]
        if rng.random() < 0.5:
            acts.reverse()
        results = await asyncio.gather(*acts, return_exceptions=True)
        for result in results:
            assert not isinstance(result, Exception) or isinstance(result, Conflict | Invalid), result
        done = [result for result in results if not isinstance(result, Exception)]
        assert len(done) == 1
        won["delete" if done[0].stored.deleted else "create"] += 1
    assert not await desk.dangling()
    assert await desk.count("search") == won["create"] * 2


async def test_random_acts_at_once_leave_no_dangling_reference(desk):
    rng = random.Random(11)
    names = [f"p{n}" for n in range(6)]

    def act():
        name, other = rng.choice(names), f"o{rng.randrange(6)}"
        return rng.choice((
            lambda: desk.update(patient(id=name, multipleBirthInteger=rng.randrange(99))),
            lambda: desk.delete("Patient", name),
            lambda: desk.update(observation(f"Patient/{name}", id=other)),
            lambda: desk.create(observation(f"Patient/{name}")),
            lambda: desk.delete("Observation", other),
            lambda: desk.update(patient(id=name, link=[
                {"other": {"reference": f"Patient/{rng.choice(names)}"}, "type": "seealso"}])),
        ))()  # fmt: skip

    done = 0
    for _ in range(30):
        results = await asyncio.gather(*(act() for _ in range(20)), return_exceptions=True)
        unexpected = [one for one in results if isinstance(one, Exception) and not isinstance(one, DomainError)]
        assert not unexpected
        assert not await desk.dangling()
        done += len([one for one in results if not isinstance(one, Exception)])
    assert done > 150
    async with desk.connect() as conn:
        holes = await conn.fetch(
            "SELECT r.row_id FROM record.resource r LEFT JOIN record.history h USING (row_id)"
            " GROUP BY r.row_id, r.version HAVING count(h.version) <> r.version - 1"
        )
    assert not holes


@pytest.mark.parametrize("bad", [1, 10, 40])
async def test_a_refused_create_among_many_refuses_no_other(desk, bad):
    await desk.update(patient(id="p"))
    acts = [observation("Patient/absent" if n < bad else "Patient/p", valueInteger=n) for n in range(150)]
    random.Random(bad).shuffle(acts)
    results = await asyncio.gather(*(desk.create(one) for one in acts), return_exceptions=True)
    for one, result in zip(acts, results, strict=True):
        if one["subject"]["reference"] == "Patient/absent":
            assert isinstance(result, Invalid)
            assert result.issues[0].at == ("Observation.subject",)
            assert len(result.issues) == 1
        else:
            assert (await desk.read("Observation", result.stored.id))["valueInteger"] == one["valueInteger"]
    assert await desk.count("search") == 1 + 150 - bad

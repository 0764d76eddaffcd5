"""Many clients at once: no update lost, no duplicate, no hole, nothing by halves."""

import asyncio

import pytest

from tests.api.conftest import fresh_id, patient

pytestmark = pytest.mark.server


async def test_with_if_match_no_update_is_lost(api):
    name = fresh_id()
    await api.put(f"/Patient/{name}", json=patient(id=name, name=[{"given": []}]) | {"name": [{"given": ["0"]}]})

    async def add(mark):
        while True:
            present = await api.get(f"/Patient/{name}")
            resource = present.json()
            resource["name"][0]["given"].append(mark)
            done = await api.put(f"/Patient/{name}", json=resource, headers={"if-match": present.headers["etag"]})
            if done.status_code == 200:
                return
            assert done.status_code == 412, done.text

    async with asyncio.timeout(60):
        await asyncio.gather(*(add(f"w{number}") for number in range(12)))
    final = (await api.get(f"/Patient/{name}")).json()
    assert sorted(final["name"][0]["given"]) == sorted(["0", *(f"w{number}" for number in range(12))])
    history = (await api.get(f"/Patient/{name}/_history?_count=100")).json()["entry"]
    assert [entry["response"]["etag"] for entry in history] == [f'W/"{number}"' for number in range(13, 0, -1)]


async def race(apis, rounds, rivals):
    """Rounds of conditional creates of the same thing at once, at all servers; returns the statuses and the ids."""
    outcomes = []
    for _ in range(rounds):
        name = fresh_id()
        one = patient(identifier=[{"system": "urn:race", "value": name}])
        headers = {"if-none-exist": f"identifier=urn:race|{name}"}
        answers = await asyncio.gather(
            *(apis[n % len(apis)].post("/Patient", json=one, headers=headers) for n in range(rivals))
        )
        statuses = sorted(answer.status_code for answer in answers)
        ids = {answer.json()["id"] for answer in answers}
        outcomes.append((statuses, len(ids)))
    return outcomes


async def test_conditional_creates_that_race_at_two_servers_make_one(api, another):
    rivals = 4
    with another() as second:
        async with second.client() as other:
            for statuses, distinct in await race([api, other], 50, rivals):  # 200 requests
                assert statuses == [200] * (rivals - 1) + [201]
                assert distinct == 1


@pytest.mark.proof
@pytest.mark.timeout(900)
async def test_ten_thousand_conditional_creates_that_race_at_two_servers_leave_no_duplicate(api, another):
    with another() as second:
        async with second.client() as other:
            for statuses, distinct in await race([api, other], 1_250, 8):
                assert statuses == [200] * 7 + [201]
                assert distinct == 1


async def test_conditional_updates_that_race_make_one(api):
    name = fresh_id()
    one = patient(identifier=[{"system": "urn:race", "value": name}])
    answers = await asyncio.gather(*(api.put(f"/Patient?identifier=urn:race|{name}", json=one) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(int(answer.headers["etag"][3:-1]) for answer in answers) == list(range(1, 9))


async def test_updates_that_race_leave_versions_without_holes(api):
    name = fresh_id()
    answers = await asyncio.gather(*(api.put(f"/Patient/{name}", json=patient(id=name)) for _ in range(20)))
    written = sorted(int(answer.headers["etag"][3:-1]) for answer in answers if answer.status_code in (200, 201))
    assert written == list(range(1, len(written) + 1))
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    history = (await api.get(f"/Patient/{name}/_history?_count=100")).json()["entry"]
    assert [int(entry["response"]["etag"][3:-1]) for entry in history] == written[::-1]


async def test_transactions_that_race_over_the_same_resources_are_done_whole(api):
    names = [fresh_id() for _ in range(3)]

    def whole(mark, order):
        entries = [
            {
                "resource": patient(id=name, name=[{"family": mark}]),
                "request": {"method": "PUT", "url": f"Patient/{name}"},
            }
            for name in order
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    work = [api.post("/", json=whole(f"m{n}", names if n % 2 else names[::-1])) for n in range(12)]
    answers = await asyncio.gather(*work)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert any(answer.status_code == 200 for answer in answers)
    marks = [(await api.get(f"/Patient/{name}")).json()["name"][0]["family"] for name in names]
    assert len(set(marks)) == 1
    done = sum(answer.status_code == 200 for answer in answers)
    for name in names:
        assert (await api.get(f"/Patient/{name}")).headers["etag"] == f'W/"{done}"'


async def test_a_reference_and_the_deletion_of_its_target_never_both_succeed(api):
    for _ in range(15):
        name = fresh_id()
        await api.put(f"/Patient/{name}", json=patient(id=name))
        flag = {
            "resourceType": "Flag", "status": "active", "code": {"text": "x"},
            "subject": {"reference": f"Patient/{name}"},
        }  # fmt: skip
        made, gone = await asyncio.gather(api.post("/Flag", json=flag), api.delete(f"/Patient/{name}"))
        assert (made.status_code == 201) != (gone.status_code == 204), (made.text, gone.text)

"""A subscriber is told what its owner may see, and every telling leaves its trace."""

import uuid

import asyncpg
import pytest

from tests.subscriptions.receivers import active, subscription, until, until_status

pytestmark = pytest.mark.server


async def furnish(api):
    """Two facilities, each with a patient of its own; returns (facility, patient) twice."""
    world = []
    for _ in range(2):
        facility, patient = uuid.uuid4().hex, uuid.uuid4().hex
        await api.put(f"/Organization/{facility}", json={"resourceType": "Organization", "id": facility, "name": "x"})
        made = await api.put(f"/Patient/{patient}", json={
            "resourceType": "Patient", "id": patient,
            "managingOrganization": {"reference": f"Organization/{facility}"}})  # fmt: skip
        assert made.status_code == 201
        world.append((facility, patient))
    return world


def pulse(patient, code):
    return {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "urn:test", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_a_subscriber_is_told_of_its_own_patients_only_and_numbers_do_not_tell_either(
    api, telling, hook, path, role
):
    (facility, patient), (_, other) = await furnish(api)
    code = uuid.uuid4().hex
    who = {"facility": facility} if role == "clinician" else {"patient": patient}
    async with telling.client(role, subject=uuid.uuid4().hex, **who) as client:
        filters = [f"Observation?code={code}"]
        mine = await active(
            client, subscription("observation-new", hook.origin + path, content="full-resource", filters=filters)
        )
        everybody = f"{path}-all"
        await active(api, subscription("observation-new", hook.origin + everybody, filters=filters))
        for one in (other, patient, other, patient):
            assert (await api.post("/Observation", json=pulse(one, code))).status_code == 201
        await until(lambda: len(hook.events(everybody)) == 4)
        events = await until(lambda: len(found := hook.events(path)) == 2 and found)
        assert [event["number"] for event in events] == [1, 2]
        assert {event["resource"]["subject"]["reference"] for event in events} == {f"Patient/{patient}"}
        assert other not in str(hook.taken[path])
        shown = (await client.get(f"/Subscription/{mine}/$events?content=full-resource")).json()
        assert len(shown["entry"]) == 3
        assert other not in str(shown)


async def test_others_do_not_find_a_subscription_and_cannot_take_it(api, telling, hook, path):
    (facility, _), (elsewhere, _) = await furnish(api)
    async with (
        telling.client("clinician", subject="owner-1", facility=facility) as owner,
        telling.client("clinician", subject="other-1", facility=facility) as colleague,
        telling.client("clinician", subject="owner-1", facility=elsewhere) as same_name_elsewhere,
    ):
        wanted = subscription("Basic", channel="websocket")
        mine = await active(owner, wanted)
        for stranger in (colleague, same_name_elsewhere):
            assert (await stranger.get(f"/Subscription/{mine}")).status_code == 404
            assert (await stranger.get(f"/Subscription/{mine}/$status")).status_code == 404
            assert (await stranger.get(f"/Subscription/{mine}/$events")).status_code == 404
            assert (await stranger.get(f"/Subscription/{mine}/$get-ws-binding-token")).status_code == 404
            assert "entry" not in (await stranger.get("/Subscription")).json()
            taken = await stranger.put(f"/Subscription/{mine}", json={**wanted, "id": mine})
            assert taken.status_code == 404, taken.text
            assert (await stranger.delete(f"/Subscription/{mine}")).status_code == 404
        found = [entry["resource"]["id"] for entry in (await owner.get("/Subscription")).json()["entry"]]
        assert found == [mine]
        # An administrator sees it and may end it, but not make it deliver anything else.
        redirected = {**subscription("Patient", hook.origin + path, content="full-resource"), "id": mine}
        assert (await api.put(f"/Subscription/{mine}", json=redirected)).status_code == 403
        ended = await api.put(f"/Subscription/{mine}", json={**wanted, "id": mine, "status": "off"})
        assert ended.status_code == 200
        assert (await owner.put(f"/Subscription/{mine}", json={**wanted, "id": mine})).status_code == 200
        await until_status(owner, mine, "active")


async def test_what_became_invisible_before_it_was_told_is_a_number_only(api, telling, hook, path):
    """The receiver is held up while the patient goes to another facility."""
    import threading

    (facility, patient), _ = await furnish(api)
    code = uuid.uuid4().hex
    async with telling.client("clinician", subject=uuid.uuid4().hex, facility=facility) as client:
        mine = await active(
            client,
            subscription("Observation", hook.origin + path, content="full-resource",
                         filters=[f"Observation?code={code}"], count=1, timeout_s=60),
        )  # fmt: skip
        hook.holds[path] = threading.Event()
        for _ in range(2):
            assert (await api.post("/Observation", json=pulse(patient, code))).status_code == 201

        async def both():
            said = (await api.get(f"/Subscription/{mine}/$status")).json()["entry"][0]["resource"]["parameter"]
            return {"name": "events-since-subscription-start", "valueString": "2"} in said

        await until(both)
        connection = await asyncpg.connect(telling.owner)
        try:
            # A facility's care ends with time, or with a move and time; the relation is what the visibility rests on.
            await connection.execute(
                "DELETE FROM record.relation WHERE basis = 0 AND patient = (SELECT s.patient FROM record.search s"
                " JOIN record.resource r USING (row_id) WHERE r.id = $1)", patient,
            )  # fmt: skip
        finally:
            await connection.close()
        hook.holds[path].set()
        events = await until(lambda: len(found := hook.events(path)) == 2 and found)
    assert events[0]["resource"] is not None, "the first was read before"
    assert events[1] == {"number": 2, "focus": None, "resource": None}


async def test_each_delivery_leaves_a_row_that_names_the_owner_and_the_patient(api, telling, hook, path):
    (facility, patient), _ = await furnish(api)
    code, subject = uuid.uuid4().hex, uuid.uuid4().hex
    async with telling.client("clinician", subject=subject, facility=facility) as client:
        mine = await active(
            client, subscription("Observation", hook.origin + path, filters=[f"Observation?code={code}"])
        )
        assert (await api.post("/Observation", json=pulse(patient, code))).status_code == 201
        await until(lambda: hook.events(path))
    connection = await asyncpg.connect(telling.owner)
    try:
        rows = await connection.fetch("SELECT * FROM record.audit WHERE actor = $1 ORDER BY seq", subject)
        marked = await connection.fetch(
            "SELECT * FROM record.audit WHERE actor = 'continuum-subscriptions' AND target LIKE $1", f"{mine}/%"
        )
    finally:
        await connection.close()
    told = [row for row in rows if row["interaction"] == "notify"]
    assert len(told) == 1
    assert (told[0]["target"], told[0]["patient_id"], told[0]["query"]) == (mine, patient, "events 1 to 1")
    assert (told[0]["source"], told[0]["purpose"], told[0]["role"]) == ("subscription", "TREAT", "clinician")
    assert len(marked) == 1, "the server says by itself that it is active"
    found = (await api.get("/AuditEvent", params={"patient": patient, "subtype": "notify"})).json()["entry"]
    assert found[0]["resource"]["subtype"][0]["code"] == "notify"


async def test_an_owner_who_may_not_any_more_is_told_nothing(api, telling, hook, path):
    subject, code = uuid.uuid4().hex, uuid.uuid4().hex
    kind = {"coding": [{"system": "urn:test", "code": code}]}
    async with telling.client("system", subject=subject) as client:
        mine = await active(client, subscription("Basic", hook.origin + path, filters=[f"Basic?code={code}"]))
        connection = await asyncpg.connect(telling.owner)
        try:
            await connection.execute(
                "UPDATE record.subscription SET owner = replace(owner, 'HOPERAT', 'TREAT') WHERE id = $1", mine
            )
        finally:
            await connection.close()
        await api.post("/Basic", json={"resourceType": "Basic", "code": kind})
        other = f"{path}-other"
        await active(api, subscription("Basic", hook.origin + other, filters=[f"Basic?code={code}"]))
        await api.post("/Basic", json={"resourceType": "Basic", "code": kind})
        await until(lambda: hook.events(other))
    assert hook.events(path) == []

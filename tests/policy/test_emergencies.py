"""Breaking the glass: a reason, one patient, a while; and those who watch see it at once."""

import asyncpg
import pytest

from continuum.access.limits import EMERGENCIES_OPEN_MAX, EMERGENCY_S
from continuum.runtime.postgres.address import Address
from tests.api.conftest import fresh_id, outcome

pytestmark = pytest.mark.server
REASON = "unconscious after a fall"


def asked(reason=REASON, **more):
    """The parameters of $break-the-glass."""
    said = {"reason": reason, **more}
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueString": text} for name, text in said.items() if text is not None],
    }


def values(parts):
    """name → value of the parts of a parameter."""
    return {part["name"]: next(value for name, value in part.items() if name != "name") for part in parts}


@pytest.fixture
async def stranger(running):
    """A patient of another facility with a resource about substance use."""
    name = fresh_id()
    async with running.client("system") as client:
        person = {"resourceType": "Patient", "id": name, "identifier": [{"system": "urn:x", "value": name}],
                  "managingOrganization": {"reference": f"Organization/{name}"}}  # fmt: skip
        place = {"resourceType": "Organization", "id": name, "name": name}
        finding = {"resourceType": "Observation", "id": name, "status": "final", "code": {"text": "x"},
                   "meta": {"security": [{"code": "ETH"}]}, "subject": {"reference": f"Patient/{name}"}}  # fmt: skip
        for resource in (place, person, finding):
            assert (await client.put(f"/{resource['resourceType']}/{name}", json=resource)).status_code == 201
    return name


def rescuer(running, **more):
    return running.client(
        "physician", subject=f"dr-{fresh_id()}", facility="elsewhere", **{"purpose": "ETREAT", **more}
    )


async def test_one_record_opens_to_one_person_and_everybody_who_watches_sees_it_at_once(running, stranger):
    async with rescuer(running) as doctor, rescuer(running) as colleague:
        assert (await doctor.get(f"/Patient/{stranger}")).status_code == 404
        answer = await doctor.post(f"/Patient/{stranger}/$break-the-glass", json=asked())
        assert answer.status_code == 201, answer.text
        opened = values(answer.json()["parameter"])
        assert (opened["reason"], opened["open"]) == (REASON, True)
        for path in (f"/Patient/{stranger}", f"/Observation/{stranger}"):
            assert (await doctor.get(path)).status_code == 200
            assert (await colleague.get(path)).status_code == 404
        usual = {"x-purpose-of-use": "TREAT"}
        assert (await doctor.get(f"/Observation/{stranger}", headers=usual)).status_code == 404
    async with running.client("privacy-officer") as officer, running.client("patient", patient=stranger) as patient:
        latest = (await officer.get("/$emergencies?_count=50")).json()["parameter"]
        mine = [one for one in map(values, (row["part"] for row in latest)) if one["id"] == opened["id"]]
        assert [one["reason"] for one in mine] == [REASON]
        found = (await officer.get(f"/AuditEvent?patient={stranger}&subtype=break-the-glass")).json()["entry"]
        assert REASON in str(found[0]["resource"]["entity"])
        for client in (officer, patient):
            report = (await client.get(f"/Patient/{stranger}/$access-report?_count=100")).json()["parameter"]
            told = [values(one["part"]) for one in report if one["name"] == "act"]
            broken = [one for one in told if "broke the glass" in one["text"]]
            assert len(broken) == 1
            assert REASON in broken[0]["why"]
            assert any(
                one["text"].endswith("looked at a measurement or result, for emergency treatment.") for one in told
            )
        assert any("(privacy officer)" in one["text"] for one in told), "who reads the report is in it too"
        outcome(await patient.get("/$emergencies"), 403)
        outcome(await patient.get(f"/Patient/{fresh_id()}/$access-report"), 404)


async def test_glass_closes_by_itself(running, stranger):
    async with rescuer(running) as doctor:
        await doctor.post(f"/Patient/{stranger}/$break-the-glass", json=asked())
        assert (await doctor.get(f"/Patient/{stranger}")).status_code == 200
        connection = await asyncpg.connect(**Address.from_url(running.owner).connect)
        try:
            moved = "UPDATE record.emergency SET starts = starts - $2, ends = ends - $2 WHERE patient_id = $1"
            await connection.execute(moved, stranger, EMERGENCY_S * 1_000_000)
        finally:
            await connection.close()
        assert (await doctor.get(f"/Patient/{stranger}")).status_code == 404
        assert "entry" not in (await doctor.get("/Patient", params={"_id": stranger})).json()


async def test_a_patient_without_a_known_id_is_found_by_an_identifier(running, stranger):
    async with rescuer(running) as doctor:
        answer = await doctor.post("/Patient/$break-the-glass", json=asked(identifier=f"urn:x|{stranger}"))
        assert values(answer.json()["parameter"])["patient"] == {"reference": f"Patient/{stranger}"}
        outcome(await doctor.post("/Patient/$break-the-glass", json=asked(identifier="urn:x|nobody")), 404)
        outcome(await doctor.post("/Patient/$break-the-glass", json=asked()), 400)


@pytest.mark.parametrize("reason", [None, "", "because", "x" * 501, "rescue\x00rescue"])
async def test_no_reason_no_record(running, stranger, reason):
    async with rescuer(running) as doctor:
        outcome(await doctor.post(f"/Patient/{stranger}/$break-the-glass", json=asked(reason)), 422)
        assert (await doctor.get(f"/Patient/{stranger}")).status_code == 404


@pytest.mark.parametrize(
    ("role", "more"),
    [
        ("physician", {"facility": "f", "purpose": "TREAT"}),
        ("physician", {"facility": "f", "purpose": "ETREAT", "authenticator_level": 1}),
        ("registrar", {"facility": "f"}),
        ("patient", {"patient": "p"}),
        ("administrator", {}),
    ],
)
async def test_who_may_not_break_the_glass_is_told_so_and_traced(running, stranger, role, more):
    actor = fresh_id()
    async with running.client(role, subject=actor, **more) as client:
        outcome(await client.post(f"/Patient/{stranger}/$break-the-glass", json=asked()), 403)
    async with running.client("privacy-officer") as officer:
        entry = (await officer.get(f"/AuditEvent?agent:identifier={actor}")).json()["entry"]
        assert [(one["resource"]["outcome"], one["resource"]["subtype"][0]["code"]) for one in entry] == [
            ("4", "break-the-glass")
        ]


@pytest.mark.requirement("V2.3.2")
async def test_one_person_has_no_more_open_than_one_can_treat(running):
    names = [fresh_id() for _ in range(EMERGENCIES_OPEN_MAX + 1)]
    async with running.client("system") as client:
        for name in names:
            await client.put(f"/Patient/{name}", json={"resourceType": "Patient", "id": name})
    async with rescuer(running) as doctor:
        answers = [await doctor.post(f"/Patient/{name}/$break-the-glass", json=asked()) for name in names]
        assert [answer.status_code for answer in answers] == [201] * EMERGENCIES_OPEN_MAX + [429]
        again = await doctor.post(f"/Patient/{names[0]}/$break-the-glass", json=asked())
        assert again.status_code == 201

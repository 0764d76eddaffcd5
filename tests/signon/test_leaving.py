"""Somebody leaves: what they had to do is somebody else's at once, by the pages that show it."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.messages.letters import send, write
from tests.portal.conftest import clinic
from tests.trail import account_of

__all__ = ["clinic"]
pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


def work_of(leaver, patient, home):
    """An appointment to come and one that was, a calendar and a care team, all with this practitioner."""
    who, mark = {"reference": f"Practitioner/{leaver}", "display": "Leaving"}, uuid.uuid4().hex[:8]
    now = datetime.now(UTC)

    def visit(name, days):
        starts = now + timedelta(days=days)
        return {
            "resourceType": "Appointment", "id": f"{name}-{mark}", "status": "booked", "start": starts.isoformat(),
            "end": (starts + timedelta(minutes=20)).isoformat(), "participant": [
                {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
                {"actor": who, "status": "accepted"}],
        }  # fmt: skip

    return (
        visit("ahead", 9), visit("past", -9),
        {"resourceType": "Schedule", "id": f"times-{mark}", "actor": [who]},
        {"resourceType": "CareTeam", "id": f"team-{mark}", "status": "active", "name": "Team",
         "managingOrganization": [{"reference": f"Organization/{home}"}],
         "subject": {"reference": f"Patient/{patient}"}, "participant": [{"member": who}]},
    )  # fmt: skip


@pytest.mark.requirement("V7.4.2")
async def test_messages_tasks_appointments_and_calendars_go_to_whoever_takes_over(clinic):
    hospital = clinic.hospital
    retiree = hospital.persona("retiree")
    home = hospital.facility_of(retiree.patient_id)
    leaver_id, heir_id = (f"p-{uuid.uuid4().hex[:10]}" for _ in range(2))
    resources = work_of(leaver_id, retiree.patient_id, home)
    async with hospital.client("system") as client:
        for name in (leaver_id, heir_id):
            person = {"resourceType": "Practitioner", "id": name, "name": [{"family": name}]}
            assert (await client.put(f"/Practitioner/{name}", json=person)).is_success
        for one in resources:
            answer = await client.put(f"/{one['resourceType']}/{one['id']}", json=one)
            assert answer.is_success, answer.text
    going = await hospital.member("nurse", home, display="Nan Leaves", practitioner=leaver_id)
    staying = await hospital.member("nurse", home, display="Stan Stays")
    person = await clinic.at("retiree", "Robert")
    nan, stan = await hospital.enter(going), await hospital.enter(staying)
    root = await hospital.enter(await hospital.member("administrator", None, display="Root"))
    thread = await write(person, subject="Who has it now?")
    await nan.get(f"/workspace/messages/{retiree.patient_id}/{thread}")
    await send(nan, "/claim")
    await stan.get("/workspace/messages")
    assert "Who has it now?" not in stan.page.text

    account = await account_of(hospital, going)

    async def left(heir):
        await root.get("/signon/staff")
        said = {"csrf": root.page.csrf, "account": account, "hand_to": heir.name}
        await root.arrive(await root.http.post("/signon/staff/leave", data=said))

    await left(staying)
    assert "The account of Nan Leaves is closed" in root.page.text
    assert "1 piece of work went to Stan Stays." in root.page.text
    assert "3 could not be given to them" in root.page.text, "Stan is nobody in the record yet"
    await nan.get("/workspace")
    assert nan.path == "/signon/sign-in"
    await stan.get("/workspace/messages")
    assert "Who has it now?" in stan.page.text
    await person.get(f"/portal/messages/me/thread/{thread}")
    assert "Stan Stays" in person.page.text

    said = {"csrf": root.page.csrf, "account": await account_of(hospital, staying), "practitioner": heir_id}
    assert (await root.http.post("/signon/staff/practitioner", data=said)).status_code == 303
    await left(staying)
    assert "3 pieces of work went to Stan Stays." in root.page.text
    assert "could not" not in root.page.text
    async with hospital.client("system") as client:
        for one, owner in zip(resources, (heir_id, leaver_id, heir_id, heir_id), strict=True):
            now = (await client.get(f"/{one['resourceType']}/{one['id']}")).text
            assert f"Practitioner/{owner}" in now, one["id"]
    for browser in (nan, stan, root):
        await browser.http.aclose()

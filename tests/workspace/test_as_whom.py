"""As whom staff are in the record: the Practitioner that they are, the one of their roles that they chose."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from continuum.identity import accounts

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture
async def guarded(open_hospital, at_home):
    """A patient of the facility with a problem that is behavioural, and two practitioners: (patient, one, another)."""
    names = [f"who-{uuid.uuid4().hex[:12]}" for _ in range(3)]
    patient, one, another = names
    person = {
        "resourceType": "Patient", "id": patient, "name": [{"family": "Guarded", "given": ["Gwen"]}],
        "birthDate": "1980-02-03", "managingOrganization": {"reference": f"Organization/{at_home}"},
    }  # fmt: skip
    problem = {
        "resourceType": "Condition", "id": patient, "subject": {"reference": f"Patient/{patient}"},
        "clinicalStatus": {"coding": [{"code": "active", "system":
                           "http://terminology.hl7.org/CodeSystem/condition-clinical"}]},
        "code": {"text": "Fear of heights"},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category",
                                  "code": "problem-list-item"}]}],
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]},
    }  # fmt: skip
    doctors = [{"resourceType": "Practitioner", "id": name, "name": [{"family": name}]} for name in (one, another)]
    async with open_hospital.client("system") as client:
        for resource in (person, problem, *doctors):
            answer = await client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
            assert answer.status_code == 201, answer.text
    return patient, one, another


def tie(kind, patient, practitioner, *, over):
    """What makes a practitioner one of those who treat a patient: in force now, or over two months ago."""
    now = datetime.now(UTC)
    begins, ends = (now - timedelta(days=70), now - timedelta(days=60)) if over else (now, now + timedelta(hours=1))
    period = {"start": begins.isoformat(timespec="seconds"), "end": ends.isoformat(timespec="seconds")}
    who, subject = {"reference": f"Practitioner/{practitioner}"}, {"reference": f"Patient/{patient}"}
    return {
        "Encounter": {"status": "finished", "class": {"code": "AMB"}, "subject": subject, "period": period,
                      "participant": [{"individual": who}]},
        "Appointment": {"status": "booked", "start": period["start"], "end": period["end"], "participant": [
            {"actor": subject, "status": "accepted"}, {"actor": who, "status": "accepted"}]},
        "CareTeam": {"status": "active", "subject": subject, "period": period, "participant": [{"member": who}]},
    }[kind] | {"resourceType": kind, "id": f"{kind.lower()}-{patient}"}  # fmt: skip


@pytest.mark.parametrize("kind", ["Encounter", "Appointment", "CareTeam"])
@pytest.mark.requirement("V8.2.1", "V14.2.4")
async def test_what_is_guarded_opens_to_who_treats_as_long_as_they_do(open_hospital, enter, at_home, guarded, kind):
    patient, one, another = guarded
    page = f"/workspace/patients/{patient}/problems"
    ada = await enter(await open_hospital.member("physician", at_home, display="Dr. Ada", practitioner=one))
    ben = await enter(await open_hospital.member("physician", at_home, display="Dr. Ben", practitioner=another))
    nobody = await enter(await open_hospital.member("physician", at_home, display="Dr. Nameless"))

    async def sees(browser):
        await browser.get(page)
        assert browser.answer.status_code == 200
        return "Fear of heights" in browser.page.text

    assert [await sees(one) for one in (ada, ben, nobody)] == [False] * 3
    async with open_hospital.client("system") as client:
        for over, open_to_ada in ((False, True), (True, False)):
            made = tie(kind, patient, one, over=over)
            assert (await client.put(f"/{kind}/{made['id']}", json=made)).is_success
            assert [await sees(one) for one in (ada, ben, nobody)] == [open_to_ada, False, False]


async def test_an_order_opens_the_record_to_whom_it_is_addressed_until_it_is_over(
    open_hospital, enter, at_home, guarded
):
    patient, one, another = guarded
    page = f"/workspace/patients/{patient}"
    ada = await enter(await open_hospital.member("laboratory", at_home, display="Lab Ada", practitioner=one))
    ben = await enter(await open_hospital.member("laboratory", at_home, display="Lab Ben", practitioner=another))
    order = {
        "resourceType": "ServiceRequest", "id": f"order-{patient}", "status": "active", "intent": "order",
        "code": {"text": "Blood count"}, "subject": {"reference": f"Patient/{patient}"},
        "performer": [{"reference": f"Practitioner/{one}"}],
    }  # fmt: skip
    async with open_hospital.client("system") as client:
        for status, opened in (("active", 200), ("revoked", 404)):
            given = await client.put(f"/ServiceRequest/{order['id']}", json={**order, "status": status})
            assert given.is_success, given.text
            assert (await ada.http.get(page)).status_code == opened
            assert (await ben.http.get(page)).status_code == 404


async def test_whoever_has_several_roles_chooses_and_is_that_and_no_more(open_hospital, enter, at_home, guarded):
    who = await open_hospital.member("nurse", at_home, display="Nora Two Roles")
    await open_hospital.also(who, "scheduler", at_home)
    nora = await enter(who)
    page = f"/workspace/patients/{guarded[0]}/vitals/new"
    assert (await nora.http.get(page)).status_code == 200
    assert "as whom you work now" in nora.page.text
    await nora.submit("/account/role")
    await nora.get("/workspace")
    assert nora.answer.status_code == 200
    assert (await nora.http.get("/workspace/messages")).status_code == 403, "schedulers answer no messages"
    stolen = next(one for one in (await nora.get("/signon/account")).page.forms if one.action.endswith("/role"))
    other = await enter(await open_hospital.member("scheduler", at_home, display="Otto One Role"))
    answer = await other.http.post(
        "/signon/account/role", data={"csrf": other.page.csrf, "privilege": stolen.fields["privilege"]}
    )
    assert answer.status_code == 404
    assert (await other.http.get("/workspace/messages")).status_code == 403


async def named(hospital, root, who, practitioner):
    """An administrator says on the page who somebody is in the record; the answer's status."""
    async with hospital.desk() as desk, desk.sign_on.connect() as conn:
        account = await accounts.by_name(conn, who.name)
    await root.get("/signon/staff")
    fields = {"csrf": root.page.csrf, "account": account.account_id, "practitioner": practitioner}
    return (await root.http.post("/signon/staff/practitioner", data=fields)).status_code


async def test_an_administrator_says_who_somebody_is_in_the_record(open_hospital, enter, at_home, guarded):
    patient, one, _ = guarded
    root = await enter(await open_hospital.member("administrator", None, display="Root"))
    who = await open_hospital.member("physician", at_home, display="Dr. Newly Named")
    impostor = await open_hospital.member("physician", at_home, display="Dr. Impostor")
    assert await named(open_hospital, root, who, "nobody-of-ours") == 404
    assert await named(open_hospital, root, who, f"Practitioner/{one}") == 303
    assert await named(open_hospital, root, impostor, one) == 409
    ada = await enter(who)
    assert f"Practitioner/{one}" in ada.page.text
    assert await named(open_hospital, ada, who, "") == 403
    made = tie("CareTeam", patient, one, over=False)
    async with open_hospital.client("system") as client:
        assert (await client.put(f"/CareTeam/{made['id']}", json=made)).is_success
    await ada.get(f"/workspace/patients/{patient}/problems")
    assert "Fear of heights" in ada.page.text

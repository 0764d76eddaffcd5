"""A result that waits for a talk is shown by the clinician who has had it, and only by those who may."""

import base64

import pytest

from continuum.kernel.clock import instant, now_us
from tests.live import Running

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
LABORATORY = {"coding": [{
    "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}  # fmt: skip


async def test_a_clinician_shows_a_report_and_its_values_at_once(open_hospital, enter, retiree, at_home):
    who = {"reference": f"Patient/{retiree.patient_id}"}
    now = instant(now_us())
    value = {
        "resourceType": "Observation", "status": "final", "category": [LABORATORY], "subject": who,
        "code": {"coding": [{"system": "http://loinc.org", "code": "7917-8"}], "text": "Screening of antibodies"},
        "effectiveDateTime": now, "issued": now, "valueString": "told-in-person",
    }  # fmt: skip
    hospital = open_hospital
    async with Running(hospital.origin, None, hospital.orders, hospital.owner).client("administrator") as office:
        made = (await office.post("/Observation", json=value)).json()
        report = {
            "resourceType": "DiagnosticReport", "status": "final", "subject": who, "effectiveDateTime": now,
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "SP"}]}],
            "code": {"text": "Biopsy of the skin"}, "issued": now,
            "result": [{"reference": f"Observation/{made['id']}"}],
            "presentedForm": [{"contentType": "text/plain", "data": base64.b64encode(b"Harmless.").decode()}],
        }  # fmt: skip
        report_id = (await office.post("/DiagnosticReport", json=report)).json()["id"]

    robert = await enter(await hospital.person(retiree, premium=True))
    ada = await enter(await hospital.member("physician", at_home, display="Dr. Ada Okoye"))
    chart = f"/workspace/patients/{retiree.patient_id}"
    await robert.get("/portal/record/me/reports")
    assert "Biopsy of the skin" not in robert.page.text
    await ada.get(f"{chart}/reports")
    assert "Biopsy of the skin" in ada.page.text, "the clinician sees it at once"
    assert "The person sees this from" in ada.page.text
    mother = hospital.persona("mother").patient_id
    wrong = f"/workspace/patients/{mother}/reports/{report_id}/release"
    assert (await ada.http.post(wrong, data={"csrf": ada.page.csrf})).status_code == 404

    await ada.submit(f"/reports/{report_id}/release")
    assert "sees it in the portal from now on" in ada.page.text
    assert "The person sees this from" not in ada.page.text
    for part, words in (("reports", "Biopsy of the skin"), ("labs", "told-in-person")):
        await robert.get(f"/portal/record/me/{part}")
        assert words in robert.page.text, part

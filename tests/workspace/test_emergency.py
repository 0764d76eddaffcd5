"""Breaking the glass on the pages: two clicks, a reason, one patient; who watches and the patient see it at once."""

import pytest

from continuum.chart.reading import DOD_ID

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]
REASON = "unconscious after a fall in the gym"


@pytest.fixture(scope="session")
def elsewhere(open_hospital, at_home):
    found = open_hospital.facility_of(open_hospital.persona("mother").patient_id)
    assert found != at_home
    return found


@pytest.fixture(scope="session")
async def dod_id(open_hospital, retiree):
    async with open_hospital.client("system") as client:
        person = (await client.get(f"/Patient/{retiree.patient_id}")).json()
    return next(one["value"] for one in person["identifier"] if one["system"] == DOD_ID)


async def break_glass(browser, **fields):
    """Sends the form of the page, with a reason."""
    form = next(one for one in browser.page.forms if "/emergency" in one.action)
    return await browser.arrive(await browser.http.post(form.action, data={**form.fields, **fields}))


@pytest.mark.requirement("V8.2.1")
async def test_two_clicks_and_a_reason_open_one_record_to_one_person_and_all_who_watch_see_it_at_once(
    open_hospital, enter, retiree, elsewhere, dod_id
):
    doctor = await enter(await open_hospital.member("physician", elsewhere, display="Dr. Rescue"))
    colleague = await enter(await open_hospital.member("physician", elsewhere, display="Dr. Bystander"))
    officer = await enter(await open_hospital.member("privacy-officer", None, display="Olga Officer"))
    patient = await enter(await open_hospital.person(retiree, premium=True))
    chart = f"/workspace/patients/{retiree.patient_id}"
    await doctor.get(f"/workspace/find?q={dod_id}")
    assert "Nobody was found" in doctor.page.text
    assert (await doctor.http.get(chart)).status_code == 404

    await doctor.get(next(link for link in doctor.page.links if link.endswith("/emergency")))
    await break_glass(doctor, identifier=dod_id, reason=REASON)
    assert doctor.path == chart
    assert doctor.answer.status_code == 200
    # The row of it was committed before the answer: whoever asks from now on is told.
    await officer.get("/signon/emergencies")
    await patient.get("/signon/who-looked")
    assert REASON in officer.page.text
    assert "Dr. Rescue" in officer.page.text
    assert REASON in patient.page.text
    assert "Dr. Rescue" in patient.page.text

    assert f"because: {REASON}" in doctor.page.text, "every page of the chart says why it is open"
    assert (await doctor.http.get(f"{chart}/problems")).status_code == 200
    assert (await colleague.http.get(chart)).status_code == 404
    other = open_hospital.persona("captain").patient_id  # who was never at the doctor's facility
    assert (await doctor.http.get(f"/workspace/patients/{other}")).status_code == 404


async def test_without_a_reason_or_a_patient_nothing_opens_and_words_are_kept(
    open_hospital, enter, retiree, elsewhere, dod_id
):
    doctor = await enter(await open_hospital.member("nurse", elsewhere, display="Nurse Hasty"))
    for identifier, reason, words in (
        ("", REASON, "Write the DoD ID"), ("0000000000", REASON, "names no patient"), (dod_id, "urgent", "Say why in"),
    ):  # fmt: skip
        await doctor.get("/workspace/emergency")
        await break_glass(doctor, identifier=identifier, reason=reason)
        assert doctor.answer.status_code == 422
        assert words in doctor.page.text
        assert reason in doctor.answer.text
    assert (await doctor.http.get(f"/workspace/patients/{retiree.patient_id}")).status_code == 404


async def test_in_an_open_chart_the_shielded_parts_are_one_click_and_a_reason_away(
    open_hospital, enter, retiree, at_home
):
    nurse = await enter(await open_hospital.member("nurse", at_home, display="Nurse Near"))
    await nurse.get(f"/workspace/patients/{retiree.patient_id}")
    await nurse.get(next(link for link in nurse.page.links if "/emergency?" in link))
    await break_glass(nurse, reason=REASON)
    assert nurse.path == f"/workspace/patients/{retiree.patient_id}"
    assert f"because: {REASON}" in nurse.page.text


@pytest.mark.parametrize("role", ["registrar", "laboratory", "privacy-officer"])
async def test_who_does_not_treat_breaks_nothing(open_hospital, enter, retiree, at_home, role):
    place = None if role == "privacy-officer" else at_home
    who = await enter(await open_hospital.member(role, place, display="Rita Register"))
    await who.get("/workspace/find?q=zzzz")
    assert not [link for link in who.page.links if "/emergency" in link]
    answer = await who.http.post(
        f"/workspace/emergency?patient={retiree.patient_id}", data={"csrf": who.page.csrf, "reason": REASON}
    )
    assert answer.status_code == 403

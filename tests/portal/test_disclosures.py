"""The accounting of disclosures as the person reads it in the portal, and as a privacy officer hands it out."""

import pytest

from continuum.identity import registry
from tests.trail import account_of, rows_of

pytestmark = pytest.mark.server


async def shown_to_others(hospital, patient_id):
    """An analyst and a commander read the record, and a doctor does."""
    home = hospital.facility_of(patient_id)
    for role, more in (
        ("population-analyst", {}),
        ("commander", {"facility": home}),
        ("physician", {"facility": home}),
    ):
        async with hospital.client(role, **more) as client:
            assert (await client.get(f"/Patient/{patient_id}")).status_code == 200


async def test_a_person_reads_what_went_to_others_and_takes_it_along(clinic):
    hospital = clinic.hospital
    retiree = hospital.persona("retiree")
    await shown_to_others(hospital, retiree.patient_id)
    robert = await clinic.at("retiree", retiree.name.split()[0])
    await robert.get("/portal/record/me/who-looked")
    assert "/portal/record/me/disclosures" in robert.page.links
    await robert.get("/portal/record/me/disclosures")
    assert robert.answer.status_code == 200
    text = robert.page.text
    assert "tests-population-analyst (population analyst)" in text
    assert "tests-commander (commander)" in text
    assert "fitness for duty (military command" in text
    assert "physician" not in text, "who treats is not in it"
    answer = await robert.http.get("/portal/record/me/disclosures/file", headers={"accept-language": "es"})
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.text.startswith("Relación de divulgaciones\n")
    assert "tests-commander (commander), 127.0.0.1" in answer.text
    assert "aptitud para el servicio" in answer.text
    other = hospital.persona("mother").patient_id
    assert (await robert.http.get(f"/portal/record/{other}/disclosures")).status_code == 404


@pytest.mark.requirement("V8.2.1")
async def test_a_privacy_officer_accounts_for_whoever_asked_and_that_is_in_the_trail(clinic):
    hospital = clinic.hospital
    retiree = hospital.persona("retiree")
    await shown_to_others(hospital, retiree.patient_id)
    async with hospital.desk() as desk, desk.sign_on.connect() as conn:
        person = await registry.of_patient(conn, retiree.patient_id)
    officer = await hospital.member("privacy-officer", None, display="Priya Officer")
    browser = await hospital.enter(officer)
    try:
        await browser.get("/signon/account")
        assert "/signon/disclosures" in browser.page.links
        await browser.get("/signon/disclosures")
        for said in (person.dod_id, retiree.patient_id):
            await browser.submit("/disclosures", said=said)
            assert person.name in browser.page.text
            assert "tests-population-analyst (population analyst)" in browser.page.text
        form = next(one for one in browser.page.forms if one.action.endswith("/disclosures/file"))
        answer = await browser.http.post(form.action, data=form.fields)
        assert f"{person.name} (Patient/{retiree.patient_id})" in answer.text
        assert "Why: public health" in answer.text
        await browser.submit("/disclosures", said="nobody at all")
        assert "There were no such disclosures" in browser.page.text
        rows = await rows_of(hospital, actor=await account_of(hospital, officer), interaction="disclosures")
        assert [one["patient_id"] for one in rows] == [retiree.patient_id] * 3 + ["nobody at all"]
    finally:
        await browser.http.aclose()


async def test_nobody_else_reads_it(clinic):
    hospital = clinic.hospital
    retiree = hospital.persona("retiree")
    robert = await clinic.at("retiree", retiree.name.split()[0])
    nurse = await hospital.enter(
        await hospital.member("nurse", hospital.facility_of(retiree.patient_id), display="Nora Nurse")
    )
    try:
        for browser in (robert, nurse):
            await browser.get("/signon/disclosures")
            await browser.submit("/disclosures", said=retiree.patient_id)
            assert browser.answer.status_code in (403, 404)
            assert "population analyst" not in browser.page.text
    finally:
        await nurse.http.aclose()

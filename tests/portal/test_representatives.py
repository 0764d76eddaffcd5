"""Caregivers and those who act by law, recorded by a clerk from a paper: what opens, for how long, and who ends it."""

import pytest

from continuum.identity import registry

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


async def person(clinic, patient_id):
    """Somebody as the registry knows them."""
    async with clinic.hospital.desk() as desk, desk.sign_on.connect() as conn:
        return await registry.of_patient(conn, patient_id)


@pytest.fixture
async def registrar(clinic):
    """A registrar where somebody is cared for: `await registrar(patient_id)`."""
    opened = []

    async def sign_in(patient_id):
        home = clinic.hospital.facility_of(patient_id)
        opened.append(await clinic.hospital.enter(await clinic.hospital.member("registrar", home, display="Regina")))
        return opened[-1]

    yield sign_in
    for browser in opened:
        await browser.http.aclose()


async def recorded(browser, patient_id, who, **fields):
    """What a clerk's form says; the answer."""
    address = f"/workspace/representatives/{patient_id}"
    await browser.get(address)
    said = {
        "csrf": browser.page.csrf, "paper": "power-of-attorney", "issuer": "Bexar County", "issued": "2026-01-05",
        "dod_id": who.dod_id, "family_name": who.family_name, "born": who.born.isoformat(), "part-medicines": "yes",
        **fields,
    }  # fmt: skip
    return await browser.arrive(await browser.http.post(address, data=said))


@pytest.mark.requirement("V8.2.1")
async def test_a_power_of_attorney_opens_what_it_names_until_a_desk_ends_it(clinic, registrar):
    robert, marcus = clinic.member("retiree", "Robert"), clinic.member("sergeant", "Marcus")
    regina, them = await registrar(robert), await person(clinic, marcus)
    owner, attorney = await clinic.at("retiree", "Robert"), await clinic.at("sergeant", "Marcus")
    assert (await attorney.http.get(f"/portal/record/{robert}/medicines")).status_code == 404
    await recorded(regina, robert, them)
    assert "It is recorded" in regina.page.text
    assert "Power of attorney for health care · Bexar County" in regina.page.text
    assert (await attorney.http.get(f"/portal/record/{robert}/medicines")).status_code == 200
    assert (await attorney.http.get(f"/portal/record/{robert}/problems")).status_code == 404

    await owner.get("/portal/family")
    assert them.name in owner.page.text
    assert "A registration desk recorded it" in owner.page.text
    end = next(form.action for form in regina.page.forms if form.action.endswith("/end"))
    back = f"/portal/family/grant/{end.split('/')[-2]}/back"
    assert (await owner.http.post(back, data={"csrf": owner.page.csrf})).status_code == 403
    assert (await attorney.http.post(back, data={"csrf": attorney.page.csrf})).status_code == 404
    await regina.arrive(await regina.http.post(end, data={"csrf": regina.page.csrf}))
    assert "It is ended" in regina.page.text
    assert (await attorney.http.get(f"/portal/record/{robert}/medicines")).status_code == 404


async def test_custody_of_a_teenager_never_opens_what_is_protected_and_ends_with_the_18th_birthday(clinic, registrar):
    lucia, linda = clinic.member("mother", "Lucía"), clinic.member("retiree", "Linda")
    regina, them = await registrar(lucia), await person(clinic, linda)
    await recorded(regina, lucia, them, paper="custody", **{
        "part-conditions": "yes", "part-visits": "yes", "part-protected": "yes"})  # fmt: skip
    assert "It is recorded" in regina.page.text
    teen = await person(clinic, lucia)
    async with clinic.hospital.client("system") as client:
        found = (await client.get(f"/Consent?patient={lucia}&status=active")).json()["entry"]
    period = found[0]["resource"]["provision"]["period"]
    assert period["end"] < teen.born.replace(year=teen.born.year + 18).isoformat()
    guardian = await clinic.at("retiree", "Linda")
    assert (await guardian.http.get(f"/portal/record/{lucia}/problems")).status_code == 200
    assert (await guardian.http.get(f"/portal/record/{lucia}/notes")).status_code == 404, "free text may say it"
    assert (await guardian.http.get(f"/portal/record/{lucia}/links")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"paper": ""}, "Choose what the paper is"), ({"paper": "custody"}, "Custody is of a child"),
        ({"issuer": " "}, "Say who issued"), ({"issued": "2099-01-01"}, "it cannot be ahead"),
        ({"dod_id": "0000000000"}, "Nobody else is known"), ({"part-medicines": ""}, "at least one part"),
        ({"until": "2020-01-01"}, "This day is over"), ({"born": "x"}, "Write the date"),
    ],
)  # fmt: skip
async def test_what_is_missing_on_the_paper_is_said_and_nothing_opens(clinic, registrar, fields, words):
    robert, marcus = clinic.member("retiree", "Robert"), clinic.member("sergeant", "Marcus")
    regina = await registrar(robert)
    await recorded(regina, robert, await person(clinic, marcus), **fields)
    assert regina.answer.status_code == 422
    assert words in regina.page.text
    attorney = await clinic.at("sergeant", "Marcus")
    assert (await attorney.http.get(f"/portal/record/{robert}/medicines")).status_code == 404


async def test_only_registrars_of_the_facility_record_papers(clinic, registrar):
    robert, lucia = clinic.member("retiree", "Robert"), clinic.member("mother", "Lucía")
    elsewhere = await registrar(lucia)
    hospital = clinic.hospital
    nurse = await hospital.enter(
        await hospital.member("nurse", hospital.facility_of(robert), display="Nurse")
    )  # fmt: skip
    for browser, status in ((elsewhere, 404), (nurse, 403)):
        for method in ("GET", "POST"):
            answer = await browser.http.request(
                method, f"/workspace/representatives/{robert}", data={"csrf": browser.page.csrf}
            )
            assert answer.status_code == status
            assert "Brien" not in answer.text
    await nurse.http.aclose()

"""One's own record and that of others, as the pages show it: what is open, what is closed, who may write."""

import json
import re
from urllib.parse import quote

import pytest

from continuum.apps.frame.part import parts
from continuum.apps.portal.app import RECORD
from continuum.apps.portal.area import BASE
from continuum.chart.limits import SEARCH_LOOK_COUNT
from continuum.chart.sections.amendments import CATEGORY
from continuum.kernel.clock import instant, now_us
from tests.live import Running

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


@pytest.fixture
async def robert(clinic):
    return await clinic.at("retiree", "Robert")


@pytest.fixture
async def ines(clinic):
    return await clinic.at("mother", "Inés")


def api(clinic, role="administrator", **more):
    """A program at the API of the hospital."""
    hospital = clinic.hospital
    return Running(hospital.origin, None, hospital.orders, hospital.owner).client(role, **more)


async def send(browser, path, **fields):
    """Opens a page and sends its form, with a text area filled in too."""
    await browser.get(path)
    answer = await browser.http.post(path, data={"csrf": browser.page.csrf, **fields})
    return await browser.arrive(answer)


async def test_every_part_of_ones_own_record_has_a_page_in_plain_words(robert):
    await robert.get("/portal/record/me")
    parts = [link for link in robert.page.links if link.startswith("/portal/record/me/")]
    assert len(parts) > 15
    for part in dict.fromkeys(one.partition("#")[0] for one in parts):
        await robert.get(part)
        assert robert.answer.status_code == 200, part
        assert "988" in robert.page.text
        assert "You are looking at the record of" not in robert.page.text
    await robert.get("/portal/record/me/labs")
    assert "expected" in robert.page.text
    assert "the time before" in robert.page.text


async def test_a_search_finds_what_stands_in_the_record_whatever_the_case(robert):
    await robert.get("/portal/record/me/search?q=DIABETES")
    assert "Diabetes mellitus type 2" in robert.page.text
    await robert.get("/portal/record/me/search?q=zzzz")
    assert "0 entries found" in robert.page.text


async def test_a_whole_word_is_found_however_old_and_part_of_one_among_the_newest(clinic):
    home = clinic.hospital.facility_of(clinic.member("retiree", "Robert"))
    who = await clinic.hospital.newcomer("Searchwell", home)
    async with api(clinic) as office:
        found = (await office.get("/Patient", params={"family": "Searchwell"})).json()
        patient = found["entry"][0]["resource"]["id"]
        shots = [
            {"resourceType": "Immunization", "status": "completed", "patient": {"reference": f"Patient/{patient}"},
             "vaccineCode": {"text": "Wartime serum of Überlingen" if not number else "Influenza vaccine"},
             "occurrenceDateTime": f"{1950 + number}-10-01"}
            for number in range(SEARCH_LOOK_COUNT + 10)
        ]  # fmt: skip
        entry = [{"resource": one, "request": {"method": "POST", "url": "Immunization"}} for one in shots]
        answer = await office.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": entry})
        assert answer.status_code == 200, answer.text
    async with await clinic.hospital.enter(who) as browser:
        for words, number in (("uberlingen", 1), ("serum wartime", 1), ("überling", 0), ("influ", SEARCH_LOOK_COUNT)):
            await browser.get(f"/portal/record/me/search?q={quote(words)}")
            assert f"{number} entr" in browser.page.text, (words, browser.page.text)


async def test_the_person_sees_who_looked_by_name_and_why(clinic, robert):
    facility = clinic.hospital.facility_of(clinic.member("retiree", "Robert"))
    async with api(clinic, "clinician", facility=facility) as doctor:
        assert (await doctor.get(f"/Patient/{clinic.member('retiree', 'Robert')}")).status_code == 200
    await robert.get("/portal/record/me/who-looked")
    assert "tester (care team)" in robert.page.text
    assert "to treat you" in robert.page.text
    assert "You" in robert.page.words


async def test_own_readings_and_notes_stand_apart_and_can_be_taken_back(robert):
    bad = await send(robert, "/portal/record/me/own/new/reading", systolic="700", diastolic="80")
    assert "This cannot be" in bad.page.text
    await send(robert, "/portal/record/me/own/new/reading", systolic="133.7", diastolic="84")
    assert "It is in your record now" in robert.page.text
    await send(robert, "/portal/record/me/own/new/note", text="Dizzy in the morning, better after breakfast.")
    text = robert.answer.text
    assert "Dizzy in the morning" in text
    assert "own entry" in text
    await robert.get("/portal/record/me/vitals?as=list")
    assert "133.7" not in robert.page.text, "what clinicians measured stays apart"
    note = re.search(r'action="(/portal/record/me/own/[^"]+/back)"', text)[1]
    await robert.get("/portal/record/me/own")
    await robert.http.post(note, data={"csrf": robert.page.csrf})
    await robert.get("/portal/record/me/own")
    assert "entered in error" in robert.page.text


async def test_a_correction_is_asked_for_and_reaches_staff(clinic, robert):
    await robert.get("/portal/record/me/problems")
    asked = next(link for link in robert.page.links if link.endswith("/correct"))
    empty = await send(robert, asked, text=" ")
    assert "Say what is wrong" in empty.page.text
    await send(robert, asked, text="I never had this.")
    assert robert.path == "/portal/record/me/amendments"
    assert "waiting for an answer" in robert.page.text
    facility = clinic.hospital.facility_of(clinic.member("retiree", "Robert"))
    async with api(clinic, "clinician", facility=facility) as doctor:
        found = (await doctor.get("/Communication", params={"category": CATEGORY})).json()
    assert "I never had this." in json.dumps(found)


async def test_a_weighty_result_waits_and_the_page_says_so(clinic, robert):
    patient = clinic.member("retiree", "Robert")
    result = {
        "resourceType": "Observation", "status": "final",
        "category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "7917-8"}], "text": "Antibody screening, kind 7917"},
        "subject": {"reference": f"Patient/{patient}"}, "effectiveDateTime": instant(now_us()),
        "issued": instant(now_us()), "valueString": "outcome-of-the-test",
    }  # fmt: skip
    async with api(clinic) as office:
        made = (await office.post("/Observation", json=result)).json()
        for page in ("labs", "labs?as=list", "search?q=outcome-of-the-test", "timeline"):
            await robert.get(f"/portal/record/me/{page}")
            assert "outcome-of-the-test<" not in robert.answer.text, page
            assert "kind 7917" not in robert.page.text, page
        await robert.get("/portal/record/me/labs")
        assert "1 result is waiting" in robert.page.text
        for kind in ("text", "fhir", "pdf"):
            answer = await robert.http.get(f"/portal/record/me/take-along/file?as={kind}&part-labs=yes")
            assert answer.status_code == 200
            assert b"kind 7917" not in answer.content
        system, _, code = "https://continuum.example/fhir/CodeSystem/release|released".partition("|")
        made["meta"] = {"tag": [{"system": system, "code": code}]}
        assert (await office.put(f"/Observation/{made['id']}", json=made)).status_code == 200
    await robert.get("/portal/record/me/labs")
    assert "kind 7917" in robert.page.text
    assert "is waiting" not in robert.page.text


async def test_a_mother_sees_all_of_her_toddler_and_of_her_teenager_what_is_not_protected(clinic, ines):
    toddler, teenager = clinic.member("mother", "Mateo"), clinic.member("mother", "Lucía")
    closed = {
        "resourceType": "Condition", "subject": {"reference": f"Patient/{teenager}"},
        "clinicalStatus": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "problem-list-item"}]}],
        "code": {"text": "Anxiety disorder of a teenager"}, "recordedDate": "2026-10-01",
    }  # fmt: skip
    labelled = {**closed, "code": {"text": "A matter under a label"}, "meta": {"security": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SEX"}]}}  # fmt: skip
    async with api(clinic) as office:
        for one in (closed, labelled):
            assert (await office.post("/Condition", json=one)).status_code == 201
    await ines.get("/portal/family")
    assert "2 years old" in ines.page.text
    for child, name in ((toddler, "Mateo"), (teenager, "Lucía")):
        for page in ("", "/problems", "/vitals", "/timeline", "/take-along", "/search?q=well"):
            await ines.get(f"/portal/record/{child}{page}")
            assert f"You are looking at the record of {name}" in ines.page.text, page
    await ines.get(f"/portal/record/{teenager}/problems")
    assert "asthma" in ines.page.text.casefold()
    for page in ("problems", "timeline", "search?q=anxiety", "take-along/file?as=text", "take-along/file?as=fhir"):
        answer = await ines.http.get(f"/portal/record/{teenager}/{page}")
        assert answer.status_code == 200
        assert "Anxiety disorder" not in answer.text, page
        assert "under a label" not in answer.text, page
    for shut in ("notes", "who-looked", "links"):
        assert (await ines.http.get(f"/portal/record/{teenager}/{shut}")).status_code == 404, shut
    assert (await ines.http.get(f"/portal/record/{toddler}/notes")).status_code == 200
    assert (await ines.http.get(f"/portal/record/{toddler}/own/new/note")).status_code == 403, "for reading only"


async def test_whose_record_it_is_stands_on_every_page_of_somebody_elses(clinic, ines):
    toddler = clinic.member("mother", "Mateo")
    pages = [path for path, _, methods in RECORD if "{who}" in path and "GET" in methods]
    seen = 0
    for path in pages:
        address = path.replace("{who}", toddler).replace("{section}", "labs").replace("{entry_id}", "none")
        answer = await ines.http.get(BASE + address.replace("{kind}", "note"))
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            assert "You are looking at the record of Mateo" in answer.text, path
            seen += 1
    assert seen >= 6
    of_parts = [
        path for part in parts("portal") for path, _, methods in part.pages if "{who}" in path and "GET" in methods
    ]
    assert of_parts
    for path in of_parts:
        answer = await ines.http.get(BASE + path.replace("{who}", toddler).replace("{entry_id}", "none"))
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            assert "of Mateo" in answer.text.partition('class="whose"')[2].partition("</section>")[0], path


async def test_nobody_opens_the_record_of_an_adult_or_of_strangers_by_its_address(clinic, ines, robert):
    for whose in (("mother", "Daniel"), ("retiree", "Linda"), ("sergeant", "Marcus")):
        for page in ("", "/labs", "/take-along/file?as=fhir", "/who-looked", "/links"):
            answer = await ines.http.get(f"/portal/record/{clinic.member(*whose)}{page}")
            assert answer.status_code == 404, (whose, page)
    assert (await robert.http.get(f"/portal/record/{clinic.member('mother', 'Mateo')}")).status_code == 404


async def test_a_permission_opens_what_it_names_until_it_is_taken_back(clinic, robert):
    linda = await clinic.at("retiree", "Linda")
    roberts = clinic.member("retiree", "Robert")
    await robert.get("/portal/family/grant")
    assert "Linda O'Brien" in robert.page.text
    person = next(form.fields["who"] for form in robert.page.forms if "who" in form.fields)
    assert person == "else"
    who = re.search(r'value="([^"]+)"[^>]*><label[^>]*>Linda', robert.answer.text)[1]
    nothing = await send(robert, "/portal/family/grant", who=who)
    assert "Choose at least one part" in nothing.page.text
    await send(robert, "/portal/family/grant", who=who, **{"part-medicines": "yes", "until": "2099-01-01"})
    assert robert.path == "/portal/family"
    await linda.get("/portal/family")
    assert "Robert James O'Brien" in linda.page.text
    await linda.get(f"/portal/record/{roberts}/medicines")
    assert "You are looking at the record of Robert James O'Brien" in linda.page.text
    assert "metformin" in linda.page.text
    for page in ("labs", "problems", "notes", "who-looked", "links"):
        assert (await linda.http.get(f"/portal/record/{roberts}/{page}")).status_code == 404, page
    bundle = (await linda.http.get(f"/portal/record/{roberts}/take-along/file?as=fhir")).json()
    kinds = {one["resource"]["resourceType"] for one in bundle["entry"]}
    assert kinds <= {"Patient", "MedicationRequest", "AllergyIntolerance"}
    await robert.get("/portal/record/me/who-looked")
    assert "Linda O'Brien" in robert.page.text, "whose record it is sees that she looked"
    await robert.get("/portal/family")
    back = next(form.action for form in robert.page.forms if form.action.endswith("/back"))
    await robert.http.post(back, data={"csrf": robert.page.csrf})
    assert (await linda.http.get(f"/portal/record/{roberts}/medicines")).status_code == 404
    await robert.get("/portal/family")
    assert "Earlier permissions" in robert.page.text

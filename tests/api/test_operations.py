"""$meta, $validate, Observation/$lastn and Encounter/$everything, as a client sees them."""

import pytest

from tests.api.conftest import fresh_id, outcome, patient

pytestmark = pytest.mark.server
TAG = {"system": "urn:tags", "code": "blue"}
OTHER = {"system": "urn:tags", "code": "red", "display": "Red"}


def with_meta(**meta):
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def shown(response):
    assert response.status_code == 200, response.text
    (parameter,) = response.json()["parameter"]
    assert parameter["name"] == "return"
    return parameter["valueMeta"]


async def put(api, **resource):
    response = await api.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
    assert response.status_code in (200, 201), response.text
    return response.json()


async def test_tags_are_added_once_and_removed_again(api):
    name = fresh_id()
    await put(api, **patient(id=name, meta={"tag": [TAG], "profile": ["urn:p"]}))
    meta = shown(await api.get(f"/Patient/{name}/$meta"))
    assert (meta["tag"], meta["profile"], meta["versionId"]) == ([TAG], ["urn:p"], "1")
    meta = shown(await api.post(f"/Patient/{name}/$meta-add", json=with_meta(tag=[OTHER, {**TAG, "display": "Blue"}])))
    assert meta["tag"] == [TAG, OTHER]
    found = (await api.get("/Patient?_tag=urn:tags|red&_id=" + name)).json()
    assert found["entry"][0]["resource"]["meta"]["versionId"] == "2"
    meta = shown(
        await api.post(f"/Patient/{name}/$meta-delete", json=with_meta(tag=[TAG, OTHER], profile=["urn:other"]))
    )
    assert "tag" not in meta
    assert meta["profile"] == ["urn:p"]


async def test_what_a_type_and_the_whole_record_have_in_use_is_told_and_what_is_deleted_is_not(api):
    name, code = fresh_id(), fresh_id()
    mine, theirs = ({"system": "urn:tags", "code": f"{code}-{one}"} for one in ("mine", "theirs"))
    await put(api, **patient(id=name, meta={"tag": [{**mine, "display": "Mine"}], "profile": [f"urn:p:{code}"]}))
    basic = {"resourceType": "Basic", "id": name, "code": {"text": "x"}}
    await put(api, **basic, meta={"tag": [mine, theirs], "security": [theirs]})
    meta = shown(await api.get("/Basic/$meta"))
    assert mine in meta["tag"]
    assert theirs in meta["tag"]
    assert theirs in meta["security"]
    assert "profile" not in meta
    for response in (await api.get("/$meta"), await api.post("/$meta", json={"resourceType": "Parameters"})):
        meta = shown(response)
        assert meta["tag"].count(mine) == 1
        assert f"urn:p:{code}" in meta["profile"]
    assert (await api.delete(f"/Basic/{name}")).status_code == 204
    meta = shown(await api.post("/$meta", json={"resourceType": "Parameters"}))
    assert mine in meta["tag"]
    assert theirs not in meta["tag"]
    assert theirs not in meta.get("security", ())


async def test_where_nothing_has_a_tag_there_is_nothing_to_tell(api):
    response = await api.get("/VisionPrescription/$meta")
    assert (response.status_code, response.json()) == (200, {"resourceType": "Parameters"})


async def test_what_is_in_use_is_told_only_to_who_may_see_all_of_it(running, api):
    async with running.client("clinician", facility="here") as doctor:
        for path in ("/$meta", "/Patient/$meta", "/Observation/$meta"):
            assert "those who may see every" in outcome(await doctor.get(path), 403)["diagnostics"]
        assert (await doctor.get("/Organization/$meta")).status_code == 200
    async with running.client("commander", facility="here") as commander:
        outcome(await commander.get("/Patient/$meta"), 403)
    outcome(await api.get("/AuditEvent/$meta"), 405)


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Parameters"},
        with_meta(versionId="7"),
        with_meta(tag=[]),
        with_meta(tag={"code": "blue"}),
        {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueString": "blue"}]},
    ],
)
async def test_what_is_no_set_of_tags_is_refused(api, body):
    name = fresh_id()
    await put(api, **patient(id=name))
    outcome(await api.post(f"/Patient/{name}/$meta-add", json=body), 400)
    assert (await api.get(f"/Patient/{name}")).json()["meta"]["versionId"] == "1"


async def test_a_tag_that_is_none_is_refused_by_the_rules_of_r4(api):
    name = fresh_id()
    await put(api, **patient(id=name))
    outcome(await api.post(f"/Patient/{name}/$meta-add", json=with_meta(tag=[{"colour": "blue"}])), 422)


async def test_the_meta_of_what_is_not_there_is_not_found(api):
    outcome(await api.get(f"/Patient/{fresh_id()}/$meta"), 404)
    outcome(await api.post(f"/Patient/{fresh_id()}/$meta-add", json=with_meta(tag=[TAG])), 404)


def issues(response):
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    return [(one["severity"], one["code"]) for one in body["issue"]]


RIGHT = [("information", "informational")]


async def test_what_is_right_is_called_right_and_what_is_wrong_is_named_with_its_place(api):
    assert issues(await api.post("/Patient/$validate", json=patient())) == RIGHT
    response = await api.post("/Patient/$validate", json=patient(gender="blue", birthDate="yesterday"))
    assert {severity for severity, _ in issues(response)} == {"error"}
    assert {one["expression"][0] for one in response.json()["issue"]} == {"Patient.gender", "Patient.birthDate"}
    response = await api.post("/Observation/$validate", json={"resourceType": "Observation", "status": "final"})
    assert "Observation.code" in str(response.json())


@pytest.mark.requirement("V2.2.3")
async def test_invariants_are_held_to(api):
    period = {"start": "2026-02-01", "end": "2026-01-01"}
    named = patient(name=[{"family": "x", "period": period}], contact=[{"gender": "male"}])
    response = await api.post("/Patient/$validate", json=named)
    told = {one["expression"][0]: one["diagnostics"] for one in response.json()["issue"]}
    assert told.keys() == {"Patient.name[0].period", "Patient.contact[0]"}
    assert "(per-1)" in told["Patient.name[0].period"]


async def test_references_matter_when_it_is_to_be_written(api):
    entry = {
        "resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{fresh_id()}"},
    }  # fmt: skip
    assert issues(await api.post("/Observation/$validate", json=entry)) == RIGHT
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "mode", "valueCode": "create"}, {"name": "resource", "resource": entry}]}  # fmt: skip
    assert issues(await api.post("/Observation/$validate", json=body)) == [("error", "not-found")]
    assert (await api.get(f"/Observation?subject={entry['subject']['reference']}")).json().get("entry") is None


async def test_a_stored_resource_its_next_version_and_its_deletion_can_be_asked_about(api):
    name = fresh_id()
    await put(api, **patient(id=name))
    assert issues(await api.get(f"/Patient/{name}/$validate")) == RIGHT
    assert issues(await api.post(f"/Patient/{name}/$validate?mode=update", json=patient(id=name))) == RIGHT
    assert issues(await api.post(f"/Patient/{name}/$validate?mode=update", json=patient(id="x"))) == [
        ("error", "invalid")
    ]
    delete = {"resourceType": "Parameters", "parameter": [{"name": "mode", "valueCode": "delete"}]}
    assert issues(await api.post(f"/Patient/{name}/$validate", json=delete)) == RIGHT
    await put(
        api, resourceType="Observation", id=fresh_id(), status="final", code={"text": "x"},
        subject={"reference": f"Patient/{name}"},
    )  # fmt: skip
    assert issues(await api.post(f"/Patient/{name}/$validate", json=delete)) == [("error", "conflict")]
    outcome(await api.get(f"/Patient/{fresh_id()}/$validate"), 404)


async def test_a_profile_that_is_not_known_is_said_to_be_not_known(api):
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    assert issues(await api.post(f"/Patient/$validate?profile={base}", json=patient())) == RIGHT
    assert issues(await api.post(f"/Patient/$validate?mode=profile&profile={base}", json=patient())) == RIGHT
    for mode in ("", "mode=profile&"):
        response = await api.post(f"/Patient/$validate?{mode}profile=urn:mine", json=patient())
        assert issues(response) == [("error", "not-supported")]


async def test_a_patient_hears_that_something_is_not_theirs_to_write(running):
    async with running.client("patient", patient="p") as herself:
        body = {"resourceType": "Parameters", "parameter": [
            {"name": "mode", "valueCode": "create"}, {"name": "resource", "resource": patient()}]}  # fmt: skip
        assert issues(await herself.post("/Patient/$validate", json=body)) == [("error", "forbidden")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/Patient/$validate", {"resourceType": "Observation"}),
        ("/Patient/$validate", {"resourceType": "Parameters"}),
        ("/Patient/$validate?mode=profile", patient()),
        ("/Patient/$validate?mode=transform", patient()),
        ("/Patient/$validate?mode=delete", patient()),
        ("/Patient/$validate?nonsense=1", patient()),
    ],
)
async def test_questions_that_make_no_sense_are_refused(api, path, body):
    outcome(await api.post(path, json=body), 400)


@pytest.fixture
async def observing(api):
    """A patient, and what notes an observation of theirs: the id of it."""
    name = fresh_id()
    await put(api, **patient(id=name))

    async def observe(day, *codes, text="", category="vital-signs"):
        code = {"coding": [{"system": "urn:c", "code": one} for one in codes]} if codes else {"text": text}
        response = await api.post("/Observation", json={
            "resourceType": "Observation", "status": "final", "code": code, "effectiveDateTime": f"2026-01-{day:02}",
            "category": [{"coding": [{"code": category}]}], "subject": {"reference": f"Patient/{name}"},
        })  # fmt: skip
        assert response.status_code == 201
        return response.json()["id"]

    return name, observe


@pytest.fixture
async def measured(observing):
    """A patient with pulses, weights (one under two codes) and a remark without a code."""
    name, observe = observing
    found = {}
    for day in range(1, 6):
        found[f"pulse {day}"] = await observe(day, "pulse")
        found[f"remark {day}"] = await observe(day, text="Remark", category="survey")
    found["weight 1"] = await observe(1, "weight")
    found["weight 2"] = await observe(2, "mass")
    found["weight 3"] = await observe(3, "mass", "weight")
    return name, found


async def last(api, query):
    response = await api.get(f"/Observation/$lastn?{query}")
    assert response.status_code == 200, response.text
    return [entry["resource"]["id"] for entry in response.json().get("entry", ())]


async def test_the_latest_of_each_kind_are_shown(api, measured):
    name, found = measured
    assert await last(api, f"patient={name}&category=vital-signs") == [found["pulse 5"], found["weight 3"]]
    assert await last(api, f"patient={name}&code=pulse&max=2") == [found["pulse 5"], found["pulse 4"]]
    both = await last(api, f"subject=Patient/{name}&category=vital-signs,survey&max=3")
    assert len(both) == 9
    assert set(both) == {
        found[f"{kind} {day}"] for kind, days in (("pulse", (5, 4, 3)), ("remark", (5, 4, 3)), ("weight", (3, 2, 1)))
        for day in days
    }  # fmt: skip


async def test_an_old_observation_that_joins_two_codes_hides_none_of_the_new_ones(api, observing):
    name, observe = observing
    newest, second = await observe(5, "weight"), await observe(4, "mass")
    third = await observe(3, "mass", "weight")
    await observe(2, "weight")
    asked = f"patient={name}&category=vital-signs"
    assert await last(api, asked) == [newest]
    assert await last(api, f"{asked}&max=2") == [newest, second]
    assert await last(api, f"{asked}&max=3") == [newest, second, third]


async def test_those_of_one_instant_at_the_last_place_are_all_shown(api, observing):
    name, observe = observing
    same = {await observe(5, "pulse"), await observe(5, "pulse")}
    await observe(4, "pulse")
    assert set(await last(api, f"patient={name}&category=vital-signs")) == same


async def test_the_parameters_may_come_in_a_body(api, measured):
    name, found = measured
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "patient", "valueString": name}, {"name": "code", "valueString": "pulse"},
        {"name": "max", "valueInteger": 1}]}  # fmt: skip
    response = await api.post("/Observation/$lastn", json=body)
    assert [entry["resource"]["id"] for entry in response.json()["entry"]] == [found["pulse 5"]]


@pytest.mark.parametrize(
    "query",
    ["code=x", "patient=p", "patient=p&code=x&max=0", "patient=p&code=x&max=1&max=2", "patient=p&code=x&_sort=date"],
)
async def test_lastn_without_a_patient_or_a_kind_is_refused(api, query):
    outcome(await api.get(f"/Observation/$lastn?{query}"), 400)


async def test_everything_of_an_encounter_is_what_belongs_to_it_and_what_that_names(api):
    name, visit, other, ward = (fresh_id() for _ in range(4))
    await put(api, **patient(id=name))
    await put(api, resourceType="Location", id=ward, name="Ward")
    for one in (visit, other):
        await put(
            api, resourceType="Encounter", id=one, status="finished", **{"class": {"code": "AMB"}},
            subject={"reference": f"Patient/{name}"}, location=[{"location": {"reference": f"Location/{ward}"}}],
        )  # fmt: skip
    for number in range(3):
        await put(
            api, resourceType="Observation", id=f"{visit[:20]}-{number}", status="final", code={"text": "x"},
            subject={"reference": f"Patient/{name}"}, encounter={"reference": f"Encounter/{visit}"},
        )  # fmt: skip
    await put(
        api, resourceType="Observation", id=f"{other[:20]}-0", status="final", code={"text": "x"},
        subject={"reference": f"Patient/{name}"}, encounter={"reference": f"Encounter/{other}"},
    )  # fmt: skip
    body = (await api.get(f"/Encounter/{visit}/$everything")).json()
    modes = {
        (entry["resource"]["resourceType"], entry["resource"]["id"]): entry["search"]["mode"] for entry in body["entry"]
    }
    assert modes == {
        ("Encounter", visit): "match", ("Patient", name): "include", ("Location", ward): "include",
        **{("Observation", f"{visit[:20]}-{number}"): "match" for number in range(3)},
    }  # fmt: skip
    seen = []
    url = f"/Encounter/{visit}/$everything?_count=2"
    for _ in range(3):
        page = (await api.get(url)).json()
        seen += [entry["resource"]["id"] for entry in page["entry"] if entry["search"]["mode"] == "match"]
        following = [one["url"] for one in page["link"] if one["relation"] == "next"]
        if not following:
            break
        (url,) = following
    assert seen == [visit, *(f"{visit[:20]}-{number}" for number in range(3))]
    only = (await api.get(f"/Encounter/{visit}/$everything?_type=Observation")).json()
    assert {entry["resource"]["resourceType"] for entry in only["entry"]} == {"Observation"}
    outcome(await api.get(f"/Encounter/{fresh_id()}/$everything"), 404)
    outcome(await api.get(f"/Encounter/{visit}/$everything?start=2026"), 400)


async def test_who_may_not_see_the_encounter_sees_nothing_of_it(running, api):
    name, visit = fresh_id(), fresh_id()
    await put(api, **patient(id=name))
    await put(
        api, resourceType="Encounter", id=visit, status="finished", **{"class": {"code": "AMB"}},
        subject={"reference": f"Patient/{name}"},
    )  # fmt: skip
    async with running.client("clinician", facility="elsewhere") as doctor:
        outcome(await doctor.get(f"/Encounter/{visit}/$everything"), 404)
        outcome(await doctor.get(f"/Encounter/{visit}/$meta"), 404)
        outcome(await doctor.get(f"/Encounter/{visit}/$validate"), 404)
        response = await doctor.get(f"/Observation/$lastn?patient={name}&code=x")
        assert response.json().get("entry") is None

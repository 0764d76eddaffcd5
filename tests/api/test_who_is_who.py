"""Duplicates and wrong-patient entries, as a client sees them."""

import asyncpg
import pytest

from tests.api.conftest import fresh_id, outcome

pytestmark = pytest.mark.server
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


def typed(value):
    """A value under the name of its type."""
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int):
        return {"valueInteger": value}
    if isinstance(value, dict):
        return {"resource" if "resourceType" in value else "valueIdentifier": value}
    return {"valueReference": {"reference": value}} if "/" in value else {"valueString": value}


def parameters(**values):
    """A Parameters resource: strings that look like references are; lists repeat."""
    found = []
    for name, given in values.items():
        found += [{"name": name, **typed(value)} for value in (given if isinstance(given, list) else [given])]
    return {"resourceType": "Parameters", "parameter": found}


def person(name, **more):
    return {
        "resourceType": "Patient", "id": name, "name": [{"family": f"Ri{name[:10]}", "given": ["Anna"]}],
        "birthDate": "1984-03-09", "gender": "female", "identifier": [{"system": "urn:mrn", "value": name}], **more,
    }  # fmt: skip


@pytest.fixture
async def twice(api):
    """One person, registered twice, with an entry in each chart: the two ids."""
    first, second = fresh_id(), fresh_id()
    await put(api, person(first, telecom=[{"system": "phone", "value": "5550102000"}]))
    await put(api, {**person(second), "name": person(first)["name"], "telecom": person(first)["name"] and [
        {"system": "phone", "value": "(555) 010-2000"}]})  # fmt: skip
    for name in (first, second):
        await put(api, {
            "resourceType": "Observation", "id": f"o-{name[:20]}", "status": "final", "code": {"text": "pulse"},
            "subject": {"reference": f"Patient/{name}"},
        })  # fmt: skip
    return first, second


async def put(api, resource):
    response = await api.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
    assert response.status_code in (200, 201), response.text
    return response.json()


def told(response):
    """The parameters of an answer, by name."""
    assert response.status_code == 200, response.text
    found = {}
    for one in response.json()["parameter"]:
        kind = next(name for name in one if name != "name")
        found.setdefault(one["name"], []).append(one[kind])
    return found


async def trace(running, **wanted):
    connection = await asyncpg.connect(running.owner)
    try:
        rows = await connection.fetch(
            "SELECT a.*, ARRAY(SELECT p.patient_id FROM record.audit_patient p WHERE p.seq = a.seq) AS more"
            " FROM record.audit a ORDER BY seq"
        )
    finally:
        await connection.close()
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


async def test_a_duplicate_is_found_with_its_score_its_grade_and_the_reasons(api, twice):
    first, second = twice
    asked = {name: value for name, value in person(first).items() if name not in ("id", "identifier")}
    response = await api.post("/Patient/$match", json=parameters(resource=asked, count=10))
    assert response.status_code == 200
    body = response.json()
    assert body["type"] == "searchset"
    assert {entry["resource"]["id"] for entry in body["entry"]} == {first, second}
    for entry in body["entry"]:
        assert 0.9 < entry["search"]["score"] <= 1
        assert entry["search"]["extension"][0] == {"url": GRADE, "valueCode": "probable"}
        reasons = [one["valueString"] for one in entry["search"]["extension"][1:]]
        assert any("The birth date is the same: 1984-03-09." in one for one in reasons)


async def test_only_certain_matches_are_shown_when_asked_and_only_a_single_one(api, twice):
    first, second = twice
    known = {**person(first), "telecom": [{"system": "phone", "value": "555-010-2000"}]}
    sure = await api.post("/Patient/$match", json=parameters(resource=known, onlyCertainMatches=True))
    assert sure.json()["total"] == 0, "two charts are certainly hers, so neither is told as the one"
    await api.post("/Patient/$merge", json=parameters(**sides(first, second), reason="twice"))
    sure = await api.post("/Patient/$match", json=parameters(resource=known, onlyCertainMatches=True))
    (entry,) = sure.json()["entry"]
    assert entry["resource"]["id"] == second
    assert any(f"Patient/{first}" in one.get("valueString", "") for one in entry["search"]["extension"])
    plain = await api.post("/Patient/$match", json=known)
    shown = [entry["resource"]["id"] for entry in plain.json()["entry"]]
    assert second in shown
    assert first not in shown, "a chart that was merged away is told by the one that it went into"
    single = await api.post("/Patient/$match", json=parameters(resource=known, onlySingleMatch=True))
    assert len(single.json()["entry"]) == 1


@pytest.mark.usefixtures("twice")
async def test_who_shares_nothing_is_not_found(api):
    asked = {"resourceType": "Patient", "name": [{"family": "Nobody", "given": ["Whoever"]}], "birthDate": "1901-01-01"}
    response = await api.post("/Patient/$match", json=parameters(resource=asked))
    assert response.json()["total"] == 0
    assert "entry" not in response.json()


def sides(source, target):
    return {"source-patient": f"Patient/{source}", "target-patient": f"Patient/{target}"}


async def test_a_merge_is_previewed_done_and_undone(api, twice):
    first, second = twice
    planned = told(
        await api.post("/Patient/$merge", json=parameters(**sides(first, second), reason="twice", preview=True))
    )
    assert "id" not in planned
    assert "would be done" in planned["outcome"][0]["issue"][0]["diagnostics"]
    assert any("same" in part.get("valueString", "") for part in planned["likeness"][0])
    assert (await api.get(f"/Patient/{first}")).json()["meta"]["versionId"] == "1"

    before = [(await api.get(f"/Patient/{name}")).json() for name in twice]
    done = told(await api.post("/Patient/$merge", json=parameters(**sides(first, second), reason="twice")))
    assert done["result"][0]["id"] == second
    assert done["moved"] == [[{"name": "type", "valueCode": "Observation"}, {"name": "count", "valueInteger": 1}]]
    found = (await api.get(f"/Observation?patient={second}")).json()
    assert {entry["resource"]["id"] for entry in found["entry"]} == {f"o-{first[:20]}", f"o-{second[:20]}"}

    gone = await api.get(f"/Patient/{first}")
    assert gone.json()["link"] == [{"other": {"reference": f"Patient/{second}"}, "type": "replaced-by"}]
    assert gone.headers["link"].endswith(f'/Patient/{second}>; rel="canonical"')
    assert f"was merged into Patient/{second}" in gone.headers["warning"]

    traces = (await api.get(f"/Provenance?patient={first}")).json()["entry"]
    assert [one["resource"]["reason"] for one in traces] == [[{"text": "twice"}]]

    back = told(
        await api.post("/Patient/$unmerge", json=parameters(**{"source-patient": f"Patient/{first}"}, reason="no"))
    )
    assert back["target"] == [{"reference": f"Patient/{second}"}]
    after = [(await api.get(f"/Patient/{name}")).json() for name in twice]
    for one in (*before, *after):
        del one["meta"]["versionId"], one["meta"]["lastUpdated"]
    assert after == before
    assert "warning" not in (await api.get(f"/Patient/{first}")).headers


async def test_patients_are_named_by_their_identifiers_too(api, twice):
    first, second = twice
    named = parameters(**{
        "source-patient-identifier": {"system": "urn:mrn", "value": first},
        "target-patient-identifier": {"system": "urn:mrn", "value": second}, "reason": "twice", "preview": True,
    })  # fmt: skip
    planned = told(await api.post("/Patient/$merge", json=named))
    assert planned["source"] == [{"reference": f"Patient/{first}"}]
    unknown = parameters(**{"source-patient-identifier": {"value": "nothing at all"}}, reason="x")
    outcome(await api.post("/Patient/$unmerge", json=unknown), 404)


async def test_a_new_entry_for_the_merged_chart_is_refused_and_told_where_to_go(api, twice):
    first, second = twice
    await api.post("/Patient/$merge", json=parameters(**sides(first, second), reason="twice"))
    entry = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{first}"},
    }
    issue = outcome(await api.post("/Observation", json=entry), 409)
    assert f"Patient/{first} was merged into Patient/{second}" in issue["diagnostics"]
    entry["subject"] = {"reference": f"Patient/{second}"}
    assert (await api.post("/Observation", json=entry)).status_code == 201


async def test_a_wrong_patient_entry_is_moved_and_brought_back(api, twice):
    first, second = twice
    entry = f"Observation/o-{first[:20]}"
    done = told(
        await api.post("/Patient/$correct-patient", json=parameters(**sides(first, second), entry=entry, reason="hers"))
    )
    assert (await api.get(f"/{entry}")).json()["subject"] == {"reference": f"Patient/{second}"}
    assert (await api.get(f"/{entry}/_history/1")).json()["subject"] == {"reference": f"Patient/{first}"}
    for name in twice:
        assert len((await api.get(f"/Provenance?patient={name}")).json()["entry"]) == 1
    told(await api.post("/Patient/$revert-correction", json=parameters(correction=done["id"][0], reason="was right")))
    assert (await api.get(f"/{entry}")).json()["subject"] == {"reference": f"Patient/{first}"}


async def test_every_act_is_traced_on_both_charts_whatever_becomes_of_it(api, running, twice):
    first, second = twice
    await api.post("/Patient/$merge", json=parameters(**sides(first, second), reason="twice", preview=True))
    await api.post("/Patient/$merge", json=parameters(**sides(first, second), reason="twice"))
    await api.post("/Patient/$merge", json=parameters(**sides(first, second), reason="twice"))
    await api.post("/Patient/$unmerge", json=parameters(**{"source-patient": f"Patient/{first}"}, reason="no"))
    rows = [
        (row["interaction"], row["outcome"], sorted({row["patient_id"], *row["more"]}))
        for row in await trace(running)
        if first in {row["patient_id"], *row["more"]} and row["interaction"] in ("merge", "preview", "unmerge")
    ]
    both = sorted(twice)
    assert rows == [("preview", 0, both), ("merge", 0, both), ("merge", 4, both), ("unmerge", 0, both)]


async def test_who_may_do_what(running, api, twice):
    first, second = twice
    merge_ = parameters(**sides(first, second), reason="twice")
    async with running.client("clinician", facility="elsewhere") as doctor:
        outcome(await doctor.post("/Patient/$merge", json=merge_), 403)
        outcome(
            await doctor.post(
                "/Patient/$unmerge", json=parameters(**{"source-patient": f"Patient/{first}"}, reason="x")
            ),
            403,
        )
        moved = parameters(**sides(first, second), entry=f"Observation/o-{first[:20]}", reason="x")
        outcome(await doctor.post("/Patient/$correct-patient", json=moved), 404)
        found = await doctor.post("/Patient/$match", json=person(first))
        assert found.json()["total"] == 0, "who is not cared for here is not there"
    async with running.client("patient", patient=first) as herself:
        for operation in ("$merge", "$match"):
            body = merge_ if operation == "$merge" else person(first)
            outcome(await herself.post(f"/Patient/{operation}", json=body), 403)
    assert (await api.get(f"/Patient/{first}")).json()["meta"]["versionId"] == "1"


async def test_a_clinician_puts_right_what_was_written_at_their_facility(running, api):
    facility, right, wrong = fresh_id(), fresh_id(), fresh_id()
    await put(api, {"resourceType": "Organization", "id": facility, "name": "Clinic"})
    here = {"managingOrganization": {"reference": f"Organization/{facility}"}}
    for name in (right, wrong):
        await put(api, person(name, **here))
    async with running.client("clinician", facility=facility) as doctor:
        made = await doctor.post("/Observation", json={
            "resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": f"Patient/{wrong}"},
        })  # fmt: skip
        entry = f"Observation/{made.json()['id']}"
        body = parameters(**sides(wrong, right), entry=entry, reason="written in the wrong window")
        assert told(await doctor.post("/Patient/$correct-patient", json=body))["id"]
        assert (await doctor.get(f"/{entry}")).json()["subject"] == {"reference": f"Patient/{right}"}


@pytest.mark.parametrize(
    ("operation", "body", "words"),
    [
        ("$match", parameters(count=0), "one resource"),
        ("$match", parameters(resource={"resourceType": "Person"}), "the resource is another"),
        ("$match", parameters(resource={"resourceType": "Patient"}, count=0), "whole number"),
        ("$match", parameters(resource={"resourceType": "Patient"}, onlyCertainMatches="perhaps"), "true or false"),
        ("$merge", parameters(reason="x"), "Name the source patient"),
        ("$merge", parameters(**sides("a", "b")), "Say why"),
        ("$merge", parameters(reason="x", nonsense="y"), "not a parameter"),
        ("$merge", {"resourceType": "Patient"}, "Parameters resource"),
        ("$merge", parameters(**{"source-patient": "Person/a"}, reason="x"), "Reference to Patient"),
        ("$unmerge", parameters(**{"source-patient": ["Patient/a", "Patient/b"]}, reason="x"), "source patient once"),
        ("$correct-patient", parameters(**sides("a", "b"), reason="x"), "needs the entries"),
        ("$correct-patient", parameters(**sides("a", "b"), entry="Nothing/1", reason="x"), "no resource type"),
        ("$revert-correction", parameters(reason="x"), "needs the id"),
        ("$merge", {"resourceType": "Parameters", "parameter": [{"name": "reason"}]}, "one value"),
        ("$merge", {"resourceType": "Parameters", "parameter": {"name": "reason"}}, "list of objects"),
    ],
)
async def test_requests_that_cannot_be_read_are_refused_in_words(api, operation, body, words):
    assert words in outcome(await api.post(f"/Patient/{operation}", json=body), 400)["diagnostics"]

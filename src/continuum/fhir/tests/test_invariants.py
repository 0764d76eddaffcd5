"""The invariants of R4: what obeys passes, what breaks one is named by its key and its place."""

import pytest

from continuum.fhir.invariants import INVARIANTS, broken
from continuum.fhir.structure import facts

CODE = {"coding": [{"system": "urn:c", "code": "x"}]}
IN_ERROR = {"coding": [{"code": "entered-in-error"}]}


def of(kind, **more):
    return {"resourceType": kind, **more}


def told(resource):
    return {(issue.text.rpartition("(")[2].rstrip(")"), issue.at[0]) for issue in broken(resource)}


BREAKS = [
    ("per-1", of("Encounter", period={"start": "2026-01-02", "end": "2026-01-01"}), "Encounter.period"),
    ("qty-3", of("Observation", code=CODE, valueQuantity={"value": 1, "code": "mg"}), "Observation.valueQuantity"),
    ("rng-2",
     of("Observation", code=CODE, valueRange={"low": {"value": 2}, "high": {"value": 1}}),
     "Observation.valueRange"),
    ("rat-1", of("Observation", code=CODE, valueRatio={"numerator": {"value": 2}}), "Observation.valueRatio"),
    ("cpt-2", of("Patient", telecom=[{"value": "1"}]), "Patient.telecom[0]"),
    ("att-1", of("Patient", photo=[{"data": "AAAA"}]), "Patient.photo[0]"),
    ("tim-1",
     of("ServiceRequest", occurrenceTiming={"repeat": {"duration": 1}}),
     "ServiceRequest.occurrenceTiming.repeat"),
    ("tim-2",
     of("ServiceRequest", occurrenceTiming={"repeat": {"period": 1}}),
     "ServiceRequest.occurrenceTiming.repeat"),
    ("tim-9",
     of("ServiceRequest", occurrenceTiming={"repeat": {"offset": 1, "when": ["C"]}}),
     "ServiceRequest.occurrenceTiming.repeat"),
    ("obs-6", of("Observation", code=CODE, valueString="x", dataAbsentReason=CODE), "Observation"),
    ("obs-7", of("Observation", code=CODE, valueString="x", component=[{"code": CODE}]), "Observation"),
    ("con-4", of("Condition", abatementString="x", clinicalStatus={"coding": [{"code": "active"}]}), "Condition"),
    ("con-5", of("Condition", clinicalStatus=CODE, verificationStatus=IN_ERROR), "Condition"),
    ("ait-1", of("AllergyIntolerance"), "AllergyIntolerance"),
    ("ait-2", of("AllergyIntolerance", clinicalStatus=CODE, verificationStatus=IN_ERROR), "AllergyIntolerance"),
    ("pat-1", of("Patient", contact=[{"gender": "male"}]), "Patient.contact[0]"),
    ("org-1", of("Organization"), "Organization"),
    ("org-2", of("Organization", name="x", address=[{"use": "home"}]), "Organization"),
    ("org-3", of("Organization", name="x", telecom=[{"use": "home"}]), "Organization"),
    ("mad-1", of("MedicationAdministration", dosage={"text": "x"}), "MedicationAdministration.dosage"),
    ("cpl-3", of("CarePlan", activity=[{"detail": {}, "reference": {}}]), "CarePlan.activity[0]"),
    ("gol-1", of("Goal", target=[{"detailString": "x"}]), "Goal.target[0]"),
    ("cmp-1", of("Composition", section=[{"title": "x"}]), "Composition.section[0]"),
    ("cmp-2", of("Composition", section=[{"entry": [{}], "emptyReason": CODE}]), "Composition.section[0]"),
    ("lst-1", of("List", entry=[{}], emptyReason=CODE), "List"),
    ("lst-2", of("List", mode="working", entry=[{"deleted": True}]), "List"),
    ("grp-1", of("Group", actual=False, member=[{}]), "Group"),
    ("lnk-1", of("Linkage", item=[{}]), "Linkage"),
    ("fhs-1", of("FamilyMemberHistory", ageString="x", bornString="y"), "FamilyMemberHistory"),
    ("fhs-2", of("FamilyMemberHistory", estimatedAge=True), "FamilyMemberHistory"),
    ("app-1", of("Appointment", status="proposed", participant=[{"status": "accepted"}]), "Appointment.participant[0]"),
    ("app-2", of("Appointment", status="proposed", start="2026-01-01T00:00:00Z"), "Appointment"),
    ("app-3", of("Appointment", status="booked"), "Appointment"),
    ("app-4", of("Appointment", status="proposed", cancelationReason=CODE), "Appointment"),
    ("inv-1", of("Parameters", parameter=[{"name": "x"}]), "Parameters.parameter[0]"),
    ("bdl-1", of("Bundle", type="batch", total=1), "Bundle"),
    ("bdl-2", of("Bundle", type="collection", entry=[{"search": {}}]), "Bundle"),
    ("bdl-3", of("Bundle", type="batch", entry=[{"resource": of("Patient")}]), "Bundle"),
    ("bdl-4", of("Bundle", type="collection", entry=[{"response": {}}]), "Bundle"),
    ("bdl-7", of("Bundle", type="collection", entry=[{"fullUrl": "urn:a"}, {"fullUrl": "urn:a"}]), "Bundle"),
    ("dom-3", of("Patient", contained=[of("Organization", id="o", name="x")]), "Patient.contained[0]"),
    ("dom-4",
     of("Patient", managingOrganization={"reference": "#o"},
        contained=[of("Organization", id="o", name="x", meta={"versionId": "1"})]),
     "Patient.contained[0]"),
    ("dom-5",
     of("Patient", managingOrganization={"reference": "#o"},
        contained=[of("Organization", id="o", name="x", meta={"security": []})]),
     "Patient.contained[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "resource", "place"), BREAKS, ids=[one[0] for one in BREAKS])
def test_what_breaks_an_invariant_is_named_with_its_place(key, resource, place):
    assert (key, place) in told(resource)


OBEYS = [
    of("Encounter", period={"start": "2026-01-01", "end": "2026-01"}),
    of("Observation", code=CODE, valueQuantity={"value": 1, "unit": "mg"}),
    of("Observation", code=CODE, valueRange={"low": {"value": 2, "unit": "g"}, "high": {"value": 1, "unit": "kg"}}),
    of("Observation", code=CODE, component=[{"code": CODE}], dataAbsentReason=CODE),
    of("Condition", abatementString="x", clinicalStatus={"coding": [{"code": "resolved"}]}),
    of("AllergyIntolerance", verificationStatus=IN_ERROR),
    of("Appointment", status="cancelled", cancelationReason=CODE),
    of("Parameters", parameter=[{"name": "x", "part": [{"name": "y", "valueString": "z"}]}]),
    of("Bundle", type="history", total=1, entry=[{"request": {}, "response": {}}]),
    of("Bundle", type="transaction", entry=[{"fullUrl": "urn:a", "request": {}}, {"request": {}}]),
    of("Patient", managingOrganization={"reference": "#o"}, contained=[of("Organization", id="o", name="x")]),
    of("Provenance", contained=[of("Observation", id="o", code=CODE, subject={"reference": "#"})]),
]


@pytest.mark.parametrize("resource", OBEYS, ids=[one["resourceType"] for one in OBEYS])
def test_what_obeys_passes(resource):
    assert broken(resource) == []


def test_every_rule_is_about_a_type_that_r4_has():
    assert {rule.on for rule in INVARIANTS} <= set(facts()["types"])


def test_every_rule_is_broken_by_an_example_or_is_one_of_several_alike():
    alike = {"tim-4", "tim-5", "tim-6", "tim-7", "tim-8", "tim-10", "exp-1"}
    assert {rule.key for rule in INVARIANTS} - {key for key, _, _ in BREAKS} == alike

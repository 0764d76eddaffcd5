"""What is made is valid R4, whole, and ordered in time."""

import base64
import importlib
import json
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from fhirclient.models.fhirabstractbase import FHIRValidationError

from continuum.fhir.json import dump, parse
from continuum.fhir.validate import validate
from continuum.samples import world

AHEAD = {"Appointment", "Schedule"}
"""What lies ahead of the last day of the record."""


@pytest.fixture(scope="module")
def resources():
    return [*world.generate(families=60, seed=3), *world.people()]


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "reference":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def days(node, path=""):
    """(path, day) of every date, dateTime and instant."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from days(value, f"{path}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from days(value, path)
    elif isinstance(node, str) and len(node) >= 10 and node[:4].isdigit() and node[4] == node[7] == "-":
        yield path, date.fromisoformat(node[:10])


def subject(resource):
    if resource["resourceType"] == "Patient":
        return f"Patient/{resource['id']}"
    for key in ("subject", "patient", "beneficiary"):
        if key in resource:
            return resource[key]["reference"]
    return None


def test_every_resource_is_valid(resources):
    issues = Counter(
        (resource["resourceType"], issue.text, issue.at)
        for resource in resources
        for issue in validate(parse(dump(resource)))
    )
    assert issues == Counter()


def test_another_library_finds_every_kind_of_resource_valid_too(resources):
    checked = Counter()
    for resource in resources:
        kind = resource["resourceType"]
        if checked[kind] < 150:
            checked[kind] += 1
            model = getattr(importlib.import_module(f"fhirclient.models.{kind.lower()}"), kind)
            try:
                model(json.loads(dump(resource)), strict=True)
            except FHIRValidationError as error:
                pytest.fail(f"{kind}/{resource['id']}: {error}")
    assert len(checked) >= 24


def test_no_id_is_used_twice_and_every_reference_leads_somewhere(resources):
    known = Counter(f"{resource['resourceType']}/{resource['id']}" for resource in resources)
    assert [address for address, count in known.items() if count > 1] == []
    dangling = {target for resource in resources for target in references(resource) if target not in known}
    assert dangling == set()


def test_every_kind_of_entry_is_there(resources):
    kinds = {resource["resourceType"] for resource in resources}
    assert kinds >= {
        "Patient", "RelatedPerson", "Coverage", "Encounter", "Condition", "Observation", "DiagnosticReport",
        "MedicationRequest", "AllergyIntolerance", "Immunization", "Procedure", "ServiceRequest", "DocumentReference",
        "CarePlan", "Appointment", "FamilyMemberHistory", "Organization", "Location", "Practitioner",
        "PractitionerRole", "HealthcareService", "CareTeam", "Schedule", "Questionnaire",
    }  # fmt: skip


def test_nothing_happens_before_birth_after_death_or_after_today(resources):
    patients = {f"Patient/{r['id']}": r for r in resources if r["resourceType"] == "Patient"}
    checked = 0
    for resource in resources:
        whose = subject(resource)
        if whose is None or resource["resourceType"] in AHEAD | {"RelatedPerson"}:
            continue
        patient = patients[whose]
        born = date.fromisoformat(patient["birthDate"])
        last = min(world.TODAY, date.fromisoformat(patient.get("deceasedDateTime", "9999-12-31")))
        expected_delivery = resource.get("code", {}).get("text") == "Delivery date Estimated"
        for path, day in days(resource):
            if path == ".valueDateTime" and expected_delivery:
                continue
            assert born <= day <= last, (resource["resourceType"], path, day, born, last)
            checked += 1
    assert checked > 50_000


def test_appointments_lie_ahead_and_belong_to_the_living(resources):
    dead = {f"Patient/{r['id']}" for r in resources if r["resourceType"] == "Patient" and "deceasedDateTime" in r}
    ahead = [r for r in resources if r["resourceType"] == "Appointment"]
    assert len(ahead) > 20
    for appointment in ahead:
        assert world.TODAY < date.fromisoformat(appointment["start"][:10]) <= world.TODAY + timedelta(days=95)
        assert appointment["participant"][0]["actor"]["reference"] not in dead


def test_what_belongs_to_a_visit_happened_during_it(resources):
    visits = {f"Encounter/{r['id']}": r for r in resources if r["resourceType"] == "Encounter"}
    checked = 0
    for resource in resources:
        at = resource.get("encounter", {}).get("reference")
        when = resource.get("effectiveDateTime") or resource.get("performedDateTime")
        if at is None or when is None:
            continue
        period = visits[at]["period"]
        assert period["start"][:10] <= when[:10] <= period["end"][:10]
        assert visits[at]["subject"]["reference"] == subject(resource)
        checked += 1
    assert checked > 20_000


def test_visits_are_written_in_the_time_of_their_place(resources):
    zones = {
        f"Organization/{r['id']}": r["extension"][0]["valueCode"]
        for r in resources
        if r["resourceType"] == "Organization" and "extension" in r
    }
    offsets = defaultdict(set)
    for resource in resources:
        if resource["resourceType"] == "Encounter":
            offsets[zones[resource["serviceProvider"]["reference"]]].add(resource["period"]["start"][19:])
    assert offsets["America/New_York"] == {"-05:00", "-04:00"}
    assert offsets["Pacific/Honolulu"] == {"-10:00"}
    assert offsets["Asia/Tokyo"] == {"+09:00"}


def test_no_address_leads_to_a_real_person(resources):
    for resource in resources:
        for contact in resource.get("telecom", ()):
            if contact["system"] == "phone":
                assert contact["value"].startswith("555-0")
            else:
                assert contact["value"].endswith((".example", "@example.mil", ".example.mil"))


def test_patients_say_what_us_core_wants_of_them(resources):
    for patient in (r for r in resources if r["resourceType"] == "Patient"):
        extensions = {one["url"].rpartition("/")[2] for one in patient["extension"]}
        assert extensions == {"us-core-race", "us-core-ethnicity", "us-core-birthsex"}
        [dod, mrn] = patient["identifier"]
        assert dod["system"] == "urn:oid:2.16.840.1.113883.3.42.10001.100001.12"
        assert [one["type"]["coding"][0]["code"] for one in (dod, mrn)] == ["NI", "MR"]


def test_every_dependent_names_the_sponsor(resources):
    sponsors = defaultdict(set)
    for related in (r for r in resources if r["resourceType"] == "RelatedPerson"):
        if any(one.get("text") == "Sponsor" for one in related["relationship"]):
            sponsors[related["patient"]["reference"]].add(related["identifier"][0]["value"])
    ids = {f"Patient/{r['id']}": r["identifier"][0]["value"] for r in resources if r["resourceType"] == "Patient"}
    for coverage in (r for r in resources if r["resourceType"] == "Coverage"):
        if coverage["relationship"]["coding"][0]["code"] != "self":
            assert sponsors[coverage["beneficiary"]["reference"]] == {ids[coverage["subscriber"]["reference"]]}


def test_notes_can_be_read_and_speak_of_their_patient(resources):
    notes = [r for r in resources if r["resourceType"] == "DocumentReference"]
    assert len(notes) > 1_000
    for note in notes:
        text = base64.b64decode(note["content"][0]["attachment"]["data"]).decode()
        assert text.endswith(".")
        assert len(text) > 40


def systems(node):
    if isinstance(node, dict):
        if "code" in node and isinstance(node.get("system"), str):
            yield node["system"]
        for value in node.values():
            yield from systems(value)
    elif isinstance(node, list):
        for value in node:
            yield from systems(value)


def test_codes_come_from_systems_that_may_be_used(resources):
    used = {system for resource in resources for system in systems(resource)}
    licensed = {"http://www.ada.org/cdt", "http://www.ama-assn.org/go/cpt", "http://www.ada.org/snodent"}
    assert not used & licensed
    assert used >= {"http://loinc.org", "http://snomed.info/sct", "http://hl7.org/fhir/sid/cvx"}

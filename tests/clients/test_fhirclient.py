"""`fhirclient` (SMART, from PyPI), unmodified: its strict R4 models read all that the server sends."""

import pytest
import requests
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.condition import Condition
from fhirclient.models.encounter import Encounter
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRUnauthorizedException

from tests.clients.ward import HEART_RATE, LOINC, NUMBERS, Ward, admission

pytestmark = pytest.mark.server


@pytest.fixture
def ward():
    return Ward()


def connect(live_server, token: str | None) -> FHIRClient:
    """A client that goes on with a token it was given before, as an app does after its launch."""
    state = {"app_id": "ward-test", "server": {"base_uri": f"{live_server.base_url}/fhir/", "auth_type": "none"}}
    if token:
        state["server"] |= {"auth_type": "oauth2", "auth": {"app_id": "ward-test", "access_token": token}}
    return FHIRClient(state=state)


@pytest.fixture
def server(live_server):
    made = connect(live_server, live_server.token("system")).server
    yield made
    made.session.close()


def test_the_capability_statement_passes_its_strict_model(live_server):
    stranger = connect(live_server, None)
    assert stranger.prepare()
    statement = stranger.server.capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    assert "Patient" in {resource.type for resource in statement.rest[0].resource}
    stranger.server.session.close()


def test_a_patient_is_created_read_changed_and_deleted(server, ward):
    made = Patient(Patient(ward.patient()).create(server))
    assert made.meta.versionId == "1"

    read = Patient.read(made.id, server)
    assert read.as_json() == made.as_json()

    read.gender = "other"
    changed = Patient(read.update(server))
    assert changed.meta.versionId == "2"
    assert Patient.read(made.id, server).gender == "other"
    assert server.request_json(f"Patient/{made.id}/_history/1")["gender"] == "female"

    changed.delete(server)
    with pytest.raises((FHIRNotFoundException, requests.HTTPError)) as gone:
        Patient.read(made.id, server)
    assert gone.value.response.status_code == 410


def test_a_transaction_admits_a_patient_whose_parts_refer_to_each_other(server, ward):
    answer = Bundle(Bundle(admission(ward, heart_rates=2)).create(server))
    assert answer.type == "transaction-response"
    assert {entry.response.status[:3] for entry in answer.entry} == {"201"}

    [stay] = Encounter.where({"patient.identifier": f"{NUMBERS}|{ward.number(1)}"}).perform_resources_iter(server)
    [problem] = Condition.where({"patient.identifier": f"{NUMBERS}|{ward.number(1)}"}).perform_resources_iter(server)
    assert stay.subject.reference == problem.subject.reference


def test_search_chains_includes_and_finds_by_quantity(server, ward):
    Bundle(admission(ward, heart_rates=5)).create(server)
    chained = Observation.where(
        {
            "subject:Patient.family": ward.family,
            "code": f"{LOINC}|{HEART_RATE}",
            "value-quantity": "gt61|http://unitsofmeasure.org|/min",
        }
    )
    found = list(chained.include("subject").perform_resources_iter(server))
    kinds = [resource.resource_type for resource in found]
    assert kinds == ["Observation"] * 3 + ["Patient"]
    assert {resource.valueQuantity.value for resource in found[:3]} == {62, 63, 64}

    with_rates = Patient.where({"family": ward.family}).include("subject", Observation, reverse=True)
    assert len(list(with_rates.perform_resources_iter(server))) == 6


def test_hundreds_are_paged_through_without_a_gap_or_a_repeat(server, ward):
    Bundle(admission(ward, heart_rates=260)).create(server)
    search = Observation.where({"subject:Patient.family": ward.family, "_count": "50", "_sort": "-date"})
    pages = [[entry.resource for entry in page.entry] for page in search.perform_iter(server)]
    assert [len(page) for page in pages] == [50, 50, 50, 50, 50, 10]
    moments = [rate.effectiveDateTime.isostring for page in pages for rate in page]
    assert moments == sorted(set(moments), reverse=True)


def test_a_stranger_is_told_to_sign_in(live_server):
    stranger = connect(live_server, None)
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("anybody", stranger.server)
    stranger.server.session.close()


def test_what_is_not_there_is_not_found(server):
    with pytest.raises(FHIRNotFoundException):
        Patient.read("nobody-of-this-name", server)

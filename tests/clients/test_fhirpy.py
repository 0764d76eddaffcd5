"""`fhirpy` from PyPI, unmodified, does a ward's work against a real server."""

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, OperationOutcome, ResourceNotFound

from tests.clients.ward import HEART_RATE, NUMBERS, Ward, admission

pytestmark = pytest.mark.server


@pytest.fixture
def ward():
    return Ward()


@pytest.fixture
def client(live_server):
    return SyncFHIRClient(f"{live_server.base_url}/fhir", authorization=f"Bearer {live_server.token('system')}")


@pytest.fixture
def async_client(live_server):
    return AsyncFHIRClient(f"{live_server.base_url}/fhir", authorization=f"Bearer {live_server.token('system')}")


def test_a_patient_is_created_read_changed_and_deleted(client, ward):
    patient = client.resource("Patient", **{k: v for k, v in ward.patient().items() if k != "resourceType"})
    patient.save()
    assert patient["meta"]["versionId"] == "1"

    again = client.reference("Patient", patient.id).to_resource()
    assert again.serialize() == patient.serialize()

    again["gender"] = "other"
    again.save()
    assert again["meta"]["versionId"] == "2"
    patient.refresh()
    assert patient["gender"] == "other"

    history = client.execute(f"Patient/{patient.id}/_history", method="get")
    assert [entry["resource"]["gender"] for entry in history["entry"]] == ["other", "female"]

    patient.delete()
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", patient.id).to_resource()


def test_a_transaction_admits_a_patient_whose_parts_refer_to_each_other(client, ward):
    answer = client.execute("", data=admission(ward, heart_rates=3))
    assert answer["type"] == "transaction-response"
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201"] * 6

    patient = client.resources("Patient").search(identifier=f"{NUMBERS}|{ward.number(1)}").get()
    stays = client.resources("Encounter").search(patient=patient.id).fetch()
    assert [stay["subject"]["reference"] for stay in stays] == [f"Patient/{patient.id}"]


def test_a_transaction_with_one_bad_entry_leaves_nothing_behind(client, ward):
    bundle = admission(ward)
    bundle["entry"][1]["resource"]["subject"] = {"reference": "Patient/nobody-of-this-name"}
    with pytest.raises(OperationOutcome):
        client.execute("", data=bundle)
    assert client.resources("Patient").search(family=ward.family).fetch() == []


def test_search_follows_chains_both_ways_and_brings_what_is_referred_to(client, ward):
    client.execute("", data=admission(ward, beds=2, heart_rates=2))

    rates = client.resources("Observation").search(
        subject__Patient__identifier=f"{NUMBERS}|{ward.number(2)}", code=HEART_RATE
    )
    assert len(rates.fetch()) == 2

    whole = rates.include("Observation", "subject").fetch_raw()
    assert [entry["search"]["mode"] for entry in whole["entry"]] == ["match", "match", "include"]
    assert whole["entry"][2]["resource"]["identifier"][0]["value"] == ward.number(2)

    with_fracture = client.resources("Patient").search(family=ward.family).has("Condition", "patient", code="125605004")
    assert len(with_fracture.fetch()) == 2
    without = client.resources("Patient").search(family=ward.family).has("Condition", "patient", code="0")
    assert without.fetch() == []

    everything = client.resources("Patient").search(family=ward.family).revinclude("Observation", "subject").fetch_raw()
    kinds = sorted(entry["resource"]["resourceType"] for entry in everything["entry"])
    assert kinds == ["Observation"] * 4 + ["Patient"] * 2


def test_search_by_period_sorts_and_counts(client, ward):
    client.execute("", data=admission(ward, heart_rates=10))
    patient = client.resources("Patient").search(family=ward.family).get()
    rates = client.resources("Observation").search(
        patient=patient.id, date__ge="2026-03-01T00:03:00Z", date__lt="2026-03-01T00:08:00Z"
    )
    newest_first = [rate["effectiveDateTime"] for rate in rates.sort("-date").fetch()]
    assert newest_first == [f"2026-03-01T00:0{minute}:00Z" for minute in (7, 6, 5, 4, 3)]
    assert rates.search(_total="accurate").limit(2).fetch_raw()["total"] == 5
    assert rates.count() == 5


async def test_hundreds_are_paged_through_without_a_gap_or_a_repeat(async_client, ward):
    await async_client.execute("", data=admission(ward, heart_rates=330))
    patient = await async_client.resources("Patient").search(family=ward.family).get()
    rates = async_client.resources("Observation").search(patient=patient.id).sort("date").limit(40)
    moments = [rate["effectiveDateTime"] async for rate in rates]
    assert len(moments) == 330
    assert moments == sorted(set(moments))


async def test_a_conditional_update_creates_once_and_then_changes(async_client, ward):
    known = async_client.resources("Patient").search(identifier=f"{NUMBERS}|{ward.number(7)}")
    patient = async_client.resource("Patient", **{k: v for k, v in ward.patient(7).items() if k != "resourceType"})
    first, created = await known.update(patient)
    assert created
    patient["gender"] = "male"
    second, created_again = await known.update(patient)
    assert not created_again
    assert (second.id, second["meta"]["versionId"], second["gender"]) == (first.id, "2", "male")


def test_a_stranger_is_told_to_sign_in(live_server):
    stranger = SyncFHIRClient(f"{live_server.base_url}/fhir")
    with pytest.raises(AuthorizationError):
        stranger.resources("Patient").fetch()
    assert stranger.execute("metadata", method="get")["fhirVersion"] == "4.0.1"


def test_what_is_not_valid_is_refused_with_its_place(client, ward):
    wrong = client.resource("Patient", gender="purple", name=[{"family": ward.family}])
    with pytest.raises(OperationOutcome) as refusal:
        wrong.save()
    [issue] = refusal.value.resource["issue"]
    assert issue["expression"] == ["Patient.gender"]

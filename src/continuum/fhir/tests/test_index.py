"""What a resource says to search: the tricky cases of every kind, pair by pair."""

import zlib
from decimal import Decimal
from typing import Any

import pytest

from continuum.fhir.dates import interval
from continuum.fhir.index import Index, extract
from continuum.fhir.search_params import COMPARTMENTS, MAIN_DATE, PATIENT_IMPLIED, UNIONS, params
from continuum.fhir.structure import elements
from continuum.fhir.types import TYPES
from continuum.fhir.values import address_of, points_to
from continuum.kernel.clock import MAX_US, MIN_US

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CODE = {"coding": [{"system": LOINC, "code": "8480-6"}]}
SPECIAL = "http://terminology.hl7.org/CodeSystem/special-values"
LOW, HIGH = Decimal("-Infinity"), Decimal("Infinity")


def index_of(resource_type: str, **members: Any) -> Index:
    return extract({"resourceType": resource_type, "id": "x", **members})


def said(found: list[Any], code: str) -> list[Any]:
    """What is filed under a parameter, without its name."""
    return [one[1:] if len(one) > 2 else one[1] for one in found if one[0] == code]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"effectiveDateTime": "2020"}, interval("2020")),
        ({"effectiveDateTime": "2020-02"}, interval("2020-02")),
        ({"effectiveDateTime": "2020-02-29T23:00:00-05:00"}, interval("2020-03-01T04:00:00Z")),
        ({"effectiveInstant": "2020-02-29T23:00:00.5Z"}, interval("2020-02-29T23:00:00.5Z")),
        ({"effectivePeriod": {"start": "2020-01-31"}}, (interval("2020-01-31")[0], MAX_US)),
        ({"effectivePeriod": {"end": "2020-01-31"}}, (MIN_US, interval("2020-01-31")[1])),
        ({"effectivePeriod": {"start": "2020-01", "end": "2020-02"}}, (interval("2020-01")[0], interval("2020-02")[1])),
        (
            {"effectiveTiming": {"event": ["2020-03-01", "2020-01-01"]}},
            (interval("2020-01-01")[0], interval("2020-03-01")[1]),
        ),
        (
            {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2020-01-01"}}}},
            (interval("2020-01-01")[0], MAX_US),
        ),
    ],
)
def test_a_date_covers_what_was_written(value, expected):
    assert said(index_of("Observation", **value).dates, "date") == [expected]


@pytest.mark.parametrize(
    "value",
    [
        {"effectivePeriod": {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}},
        {"effectiveTiming": {"code": {"text": "BID"}}},
        {"_effectiveDateTime": {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}},
    ],
)
def test_a_date_that_says_no_time_is_not_filed(value):
    assert said(index_of("Observation", **value).dates, "date") == []


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("Patient/a", "Patient/a"),
        ("Patient/a/_history/3", "Patient/a"),
        ("https://other.org/fhir/Patient/a", "https://other.org/fhir/Patient/a"),
        ("https://other.org/fhir/Patient/a/_history/3", "https://other.org/fhir/Patient/a"),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    ],
)
def test_a_reference_is_filed_under_its_target_without_version(reference, target):
    assert said(index_of("Observation", subject={"reference": reference}).references, "subject") == [target]


def test_a_contained_reference_is_not_filed_and_a_logical_one_under_its_identifier():
    index = index_of("Observation", subject={"reference": "#p", "identifier": {"system": "urn:s", "value": "1"}})
    assert said(index.references, "subject") == []
    assert said(index.tokens, "subject:identifier") == [("urn:s", "1")]
    assert index.patient_id is None


def test_a_canonical_is_filed_as_written_and_one_of_a_contained_resource_is_not():
    assert said(index_of("PlanDefinition", library=["urn:a|1", "#in"]).references, "depends-on") == ["urn:a|1"]
    assert said(index_of("Observation", meta={"profile": ["urn:p|2"]}).uris, "_profile") == ["urn:p|2"]


def test_a_reference_points_to_a_type_by_its_text_or_by_what_it_says():
    assert points_to({"reference": "https://other.org/Patient/a/_history/2"}, "Patient")
    assert points_to({"type": "Patient", "identifier": {"value": "1"}}, "Patient")
    assert not points_to({"reference": "Group/a"}, "Patient")
    assert not points_to({"reference": "#p"}, "Patient")
    assert said(index_of("Observation", subject={"reference": "Group/a"}).references, "patient") == []
    assert address_of("Patient/a/b") is None
    assert address_of("Nothing/a") is None


def test_codes_keep_their_systems_and_a_text_alone_is_no_token():
    concept = {"coding": [{"system": "urn:a", "code": "1"}, {"code": "2"}, {"system": "urn:b"}, {"display": "x"}]}
    tokens = index_of("Observation", status="final", code=concept, category=[{"text": "vital"}]).tokens
    assert said(tokens, "code") == [("urn:a", "1"), ("", "2"), ("urn:b", "")]
    assert said(tokens, "category") == []
    assert said(tokens, "status") == [("http://hl7.org/fhir/observation-status", "final")]


def test_a_patient_says_its_name_address_and_telecom_in_every_part():
    index = index_of(
        "Patient",
        identifier=[{"system": "urn:s", "value": "1"}, {"value": "2"}, {"system": "urn:t"}],
        active=False,
        gender="female",
        name=[{"text": "Dr. Ana Reyes", "family": "Reyes", "given": ["Ana", "María"], "prefix": ["Dr."],
               "suffix": ["Jr"]}],
        telecom=[{"system": "phone", "value": "1"}, {"system": "email", "value": "a@b"}, {"value": "3"}],
        address=[{"line": ["1 Main St", "Apt 2"], "city": "X", "state": "TX", "postalCode": "78201", "country": "US",
                  "use": "home"}],
        deceasedDateTime="2020",
        birthDate="1990-02-28",
    )  # fmt: skip
    assert said(index.tokens, "identifier") == [("urn:s", "1"), ("", "2"), ("urn:t", "")]
    assert said(index.tokens, "active") == [(SPECIAL, "false")]
    assert said(index.tokens, "gender") == [("http://hl7.org/fhir/administrative-gender", "female")]
    assert sorted(said(index.strings, "name")) == ["Ana", "Dr.", "Dr. Ana Reyes", "Jr", "María", "Reyes"]
    assert said(index.strings, "family") == ["Reyes"]
    assert said(index.strings, "given") == ["Ana", "María"]
    assert sorted(said(index.strings, "address")) == ["1 Main St", "78201", "Apt 2", "TX", "US", "X"]
    assert said(index.strings, "address-city") == ["X"]
    assert said(index.tokens, "address-use") == [("http://hl7.org/fhir/address-use", "home")]
    assert said(index.tokens, "phone") == [("phone", "1")]
    assert said(index.tokens, "email") == [("email", "a@b")]
    assert said(index.tokens, "telecom") == [("phone", "1"), ("email", "a@b"), ("", "3")]
    assert said(index.tokens, "deceased") == [(SPECIAL, "true")]
    assert index.patient_id == "x"


@pytest.mark.parametrize(
    ("member", "expected"),
    [({"deceasedBoolean": True}, ["true"]), ({"deceasedBoolean": False}, ["false"]),
     ({"deceasedDateTime": "2020"}, ["true"]), ({}, ["false"])],
)  # fmt: skip
def test_a_patient_is_deceased_when_it_is_said_and_not_denied_and_nobody_else_is(member, expected):
    assert [code for _, code in said(index_of("Patient", **member).tokens, "deceased")] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"value": Decimal("5.40"), "unit": "mg", "system": UCUM, "code": "mg"},
            (Decimal("5.40"),) * 2 + (UCUM, "mg", "mg"),
        ),
        ({"value": 5, "comparator": "<"}, (LOW, Decimal(5), "", "", "")),
        ({"value": 5, "comparator": ">="}, (Decimal(5), HIGH, "", "", "")),
    ],
)
def test_a_quantity_opens_on_the_side_of_its_comparator(value, expected):
    index = index_of("Observation", code=CODE, valueQuantity=value)
    assert said(index.quantities, "value-quantity") == [expected]
    assert said(index.composites, "code-value-quantity") == [(("token", LOINC, "8480-6"), ("quantity", *expected))]


def test_ranges_and_money_are_quantities():
    low, high = {"value": 1, "unit": "a"}, {"value": 3, "unit": "a"}
    ages = [
        said(index_of("ActivityDefinition", useContext=[{"valueRange": one}]).quantities, "context-quantity")
        for one in ({"low": low, "high": high}, {"low": low}, {"high": high}, {})
    ]
    assert ages[:3] == [[(1, 3, "", "", "a")], [(1, HIGH, "", "", "a")], [(LOW, 3, "", "", "a")]]
    assert ages[3] == []
    total = {"value": Decimal("9.50"), "currency": "USD"}
    assert said(index_of("Invoice", totalNet=total).quantities, "totalnet") == [
        (Decimal("9.50"), Decimal("9.50"), "urn:iso:std:iso:4217", "USD", "USD")
    ]


def test_an_answer_that_is_a_date_is_paired_with_its_code():
    """R4 writes the type of the pair's date as none is called."""
    found = index_of("Observation", code=CODE, valueDateTime="2026-11")
    assert said(found.composites, "code-value-date") == [(("token", LOINC, "8480-6"), ("date", *interval("2026-11")))]


def test_a_composite_pairs_only_what_stands_together():
    diastolic = {"coding": [{"system": LOINC, "code": "8462-4"}, {"code": "d"}]}
    parts = [{"code": CODE, "valueQuantity": {"value": 120}}, {"code": diastolic, "valueQuantity": {"value": 80}}]
    index = index_of("Observation", code={"coding": [{"code": "bp"}]}, component=parts)
    pairs = [(code, low) for (_, _, code), (_, low, *_) in said(index.composites, "component-code-value-quantity")]
    assert pairs == [("8480-6", 120), ("8462-4", 80), ("d", 80)]
    assert said(index.composites, "code-value-quantity") == []


def test_a_union_is_filed_once_under_its_parts():
    for code, (own, component) in UNIONS["Observation"].items():
        assert {own, component, code} <= set(params("Observation"))
    index = index_of("Observation", code=CODE, component=[{"code": CODE, "valueQuantity": {"value": 1}}])
    assert not [one for one in index.tokens + index.quantities + index.composites if one[0].startswith("combo-")]
    assert said(index.tokens, "component-code") == [(LOINC, "8480-6")]


def test_a_null_beside_an_extension_is_no_value():
    index = index_of("Patient", name=[{"given": ["Ana", None], "_given": [None, {"id": "a"}]}])
    assert said(index.strings, "given") == said(index.strings, "name") == ["Ana"]


def test_a_place_is_filed_in_degrees():
    place = {"latitude": Decimal("29.5"), "longitude": Decimal("-98.4")}
    assert said(index_of("Location", position=place).positions, "near") == [(29.5, -98.4)]


def test_a_resource_lies_with_the_patient_it_is_about():
    about = {"subject": {"reference": "Patient/a"}, "performer": [{"reference": "Patient/b"}]}
    assert index_of("Observation", **about).patient_id == "a"
    assert index_of("Observation", performer=[{"reference": "Patient/b"}]).patient_id == "b"
    assert index_of("Observation", subject={"reference": "https://other.org/Patient/a"}).patient_id is None
    assert index_of("Organization").patient_id is None


ABOUT = ("subject", "patient", "for", "beneficiary", "individual", "actor", "candidate", "deliverTo")


@pytest.mark.parametrize("name", TYPES)
def test_what_is_said_of_a_parameter_holds_by_the_definitions(name):
    main = MAIN_DATE.get(name)
    assert main is None or params(name)[main].kind == "date"
    for code in PATIENT_IMPLIED.get(name, ()):
        assert params(name)[code].kind == "reference"
        assert code in {"patient", "subject", "beneficiary"} or name in COMPARTMENTS["Patient"]
        single = {"reference": "Patient/a"}
        element = next(one for one in (code, *ABOUT) if one in elements(name))
        assert not elements(name)[element].get("many"), "of a list, the first alone would be implied"
        index = index_of(name, **{element: single})
        if "Patient/a" in said(index.references, code):
            assert index.patient_id == "a"


def test_every_extractor_takes_a_resource_that_says_nothing():
    for name in TYPES:
        index = index_of(name)
        tokens = [one for one in index.tokens if one[0] != "deceased"]
        assert [*tokens, *index.references, *index.strings, *index.dates, *index.quantities, *index.uris] == []


def test_no_two_parameters_have_one_number_in_the_store():
    names = {(name, code) for name in TYPES for code in params(name)}
    names |= {(name, f"{code}:identifier") for name, code in names if params(name)[code].kind == "reference"}
    assert len({zlib.crc32(f"{name}.{code}".encode()) for name, code in names}) == len(names) > 2_000


@pytest.mark.parametrize(
    ("data", "low", "high"),
    [
        ("1 2 3", Decimal(12), Decimal(16)),
        ("-0.5 E 1e1", Decimal(9), Decimal(30)),
        ("1 U", Decimal(12), HIGH),
        ("L 1", LOW, Decimal(12)),
        ("NaN 1 1e99999", Decimal(12), Decimal(12)),
    ],
)
def test_sampled_data_span_from_their_least_to_their_greatest_value(data, low, high):
    origin = {"value": 10, "unit": "mV", "system": UCUM, "code": "mV"}
    sampled = {"origin": origin, "period": 10, "factor": 2, "dimensions": 1, "data": data}
    found = said(index_of("Observation", valueSampledData=sampled).quantities, "value-quantity")
    assert found == [(low, high, UCUM, "mV", "mV")]


@pytest.mark.parametrize("data", ["E", ""])
def test_sampled_data_without_a_value_have_none(data):
    sampled = {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": data}
    assert index_of("Observation", valueSampledData=sampled).quantities == []


def test_a_document_or_message_is_found_by_its_first_entry_only():
    composition = {"resourceType": "Composition", "id": "c"}
    header = {"resourceType": "MessageHeader", "id": "m"}
    document = index_of("Bundle", entry=[{"resource": composition}, {"resource": header}])
    assert (said(document.references, "composition"), said(document.references, "message")) == (["Composition/c"], [])
    message = index_of("Bundle", entry=[{"resource": header}, {"resource": composition}])
    assert (said(message.references, "composition"), said(message.references, "message")) == ([], ["MessageHeader/m"])
    assert index_of("Bundle", entry=[{"fullUrl": "urn:x"}]).references == []


def test_a_composite_that_asks_of_the_whole_resource_takes_its_value_from_there():
    sequence = index_of(
        "MolecularSequence",
        referenceSeq={"chromosome": {"coding": [{"system": "urn:c", "code": "1"}]}},
        variant=[{"start": 5, "end": 9}],
    )
    assert ("chromosome-variant-coordinate", ("token", "urn:c", "1"), ("number", 5, 5), ("number", 9, 9)) in (
        sequence.composites
    )


def test_a_relation_of_documents_is_found_by_its_target_and_its_code():
    related = {"code": "replaces", "target": {"reference": "DocumentReference/old"}}
    found = index_of("DocumentReference", relatesTo=[related]).composites
    relation = ("token", "http://hl7.org/fhir/document-relationship-type", "replaces")
    assert found == [("relationship", ("reference", "DocumentReference/old"), relation)]

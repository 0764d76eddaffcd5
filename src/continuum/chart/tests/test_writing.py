"""Forms become resources that validate; what cannot be is refused, what is unusual is asked about."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.chart.measuring import SIGNS
from continuum.chart.writing import NOTE_TYPES, WRITERS, Author, fields_of, merged, reason, taken_back
from continuum.fhir.json import dump, parse
from continuum.fhir.validate import validate

AUTHOR = Author("Dr. Ada Okoye", "facility-1", "2026-11-23T10:15:00-05:00", date(2026, 11, 23))


def sound(resource):
    """A resource as the record takes it."""
    again = parse(dump({"id": "e1", **resource}))
    validate(again)
    return again


def fields(problems):
    return {one.field for one in problems}


def test_an_allergy_with_all_there_is_to_say_is_coded_where_we_have_a_code():
    form = {
        "substance": "penicillin", "reaction": "Hives", "severity": "severe", "criticality": "high",
        "category": "medication", "since": "1999-4",
    }  # fmt: skip
    checked = WRITERS["allergies"](form, "p1", AUTHOR)
    (made,) = checked.resources
    assert not checked.problems
    assert sound(made)["code"]["coding"][0]["code"] == "764146007"
    assert made["onsetDateTime"] == "1999-04"
    assert made["patient"] == {"reference": "Patient/p1"}
    assert fields_of(made) == {**form, "substance": "Penicillin", "since": "1999-04"}


def test_that_there_is_no_allergy_is_an_assertion_with_a_date():
    (made,) = WRITERS["allergies"]({"none": "yes"}, "p1", AUTHOR).resources
    assert sound(made)["code"]["coding"][0]["code"] == "716186003"
    assert made["recordedDate"] == AUTHOR.now


@pytest.mark.parametrize(
    ("kind", "form", "wrong"),
    [
        ("allergies", {}, {"substance"}),
        ("allergies", {"substance": "Latex", "since": "2027-01-01"}, {"since"}),
        ("allergies", {"substance": "Latex", "since": "soon"}, {"since"}),
        ("problems", {}, {"problem"}),
        ("problems", {"problem": "Gout", "until": "2026-01"}, {"until"}),
        ("problems", {"problem": "Gout", "state": "resolved", "since": "2026-05", "until": "2026-01"}, {"until"}),
        ("notes", {"text": "  "}, {"text"}),
        ("notes", {"text": "x" * 60_001}, {"text"}),
        ("vitals", {}, {"systolic"}),
        ("vitals", {"systolic": "120"}, {"diastolic"}),
        ("vitals", {"systolic": "80", "diastolic": "90"}, {"diastolic"}),
        ("vitals", {"pulse": "seventy"}, {"pulse"}),
        ("vitals", {"pulse": "NaN"}, {"pulse"}),
        ("vitals", {"pulse": "7000"}, {"pulse"}),
        ("vitals", {"pulse": "70", "at": "2027-01-01 10:00"}, {"at"}),
        ("vitals", {"pulse": "70", "at": "noon"}, {"at"}),
    ],
)
def test_what_cannot_be_is_a_problem_of_its_field(kind, form, wrong):
    assert fields(WRITERS[kind](form, "p1", AUTHOR).problems) == wrong


def test_vital_signs_are_stored_in_the_units_of_the_record():
    checked = WRITERS["vitals"](
        {"systolic": "120", "diastolic": "80", "temperature": "98.6", "temperature-unit": "[degF]", "weight": "200",
         "weight-unit": "[lb_av]", "height": "70", "height-unit": "[in_i]", "at": "2026-11-23 09:00"}, "p1", AUTHOR,
    )  # fmt: skip
    assert not checked.problems
    assert not checked.doubts
    made = {one["code"]["coding"][0]["code"]: sound(one) for one in checked.resources}
    assert [part["valueQuantity"]["value"] for part in made["85354-9"]["component"]] == [120, 80]
    assert made["8310-5"]["valueQuantity"] == {
        "value": Decimal("37.0"), "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel",
    }  # fmt: skip
    assert made["29463-7"]["valueQuantity"]["value"] == Decimal("90.7")
    assert made["8302-2"]["valueQuantity"]["value"] == Decimal("177.8")
    assert {one["effectiveDateTime"] for one in made.values()} == {"2026-11-23T09:00:00-05:00"}


@given(st.sampled_from([sign for sign in SIGNS if sign.convert is None]), st.decimals(0, 500, places=1))
def test_a_value_is_refused_asked_about_or_stored_as_it_was_typed(sign, value):
    pair = {"systolic": "diastolic", "diastolic": "systolic"}.get(sign.name)
    form = {sign.name: str(value)}
    if pair:
        form[pair] = "55" if pair == "diastolic" else "175"
    checked = WRITERS["vitals"](form, "p1", AUTHOR)
    low, high = map(Decimal, sign.possible)
    usual_low, usual_high = map(Decimal, sign.usual)
    if not low <= value <= high:
        assert sign.name in fields(checked.problems)
    elif pair is None:
        assert not checked.problems
        assert (sign.name in fields(checked.doubts)) == (not usual_low <= value <= usual_high)
        assert checked.resources[0]["valueQuantity"]["value"] == value


@pytest.mark.parametrize("code", NOTE_TYPES)
def test_a_signed_note_validates_and_keeps_every_line(code):
    form = {"text": "One.\r\n\r\nTwo: ü ☤", "type": code, "title": "Knee", "addend": "n0"}
    (made,) = WRITERS["notes"](form, "p1", AUTHOR).resources
    assert sound(made)["relatesTo"] == [{"code": "appends", "target": {"reference": "DocumentReference/n0"}}]
    assert made["custodian"] == {"reference": "Organization/facility-1"}


def test_a_changed_problem_keeps_what_the_form_cannot_say():
    before = {
        "resourceType": "Condition", "id": "c1", "meta": {"versionId": "3"}, "subject": {"reference": "Patient/p1"},
        "clinicalStatus": {"coding": [{"system": "s", "code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1", "display": "Rare thing"}],
                 "text": "Rare thing"},
        "note": [{"text": "seen by rheumatology"}], "recordedDate": "2020-01-01", "onsetDateTime": "2019",
        "encounter": {"reference": "Encounter/e1"},
    }  # fmt: skip
    form = fields_of(before) | {"state": "resolved", "until": "2026-01", "since": ""}
    (made,) = WRITERS["problems"](form, "p1", AUTHOR).resources
    after = merged(before, made)
    assert after["note"] == before["note"]
    assert after["code"] == before["code"]
    assert after["recordedDate"] == "2020-01-01"
    assert after["encounter"] == before["encounter"]
    assert after["abatementDateTime"] == "2026-01"
    assert "onsetDateTime" not in after, "it was taken out of the form"
    assert after["clinicalStatus"]["coding"][0]["code"] == "resolved"


@pytest.mark.parametrize("kind", WRITERS)
def test_what_was_entered_in_error_still_validates_and_says_why(kind):
    form = {"substance": "Latex", "problem": "Gout", "text": "Note", "pulse": "70"}
    (made, *_) = WRITERS[kind](form, "p1", AUTHOR).resources
    gone = sound(taken_back(made))
    assert "entered-in-error" in str(gone)
    assert "clinicalStatus" not in gone
    told = sound(reason(f"{made['resourceType']}/e1", "p1", "Wrong patient", AUTHOR))
    assert {one["reference"] for one in told["target"]} == {f"{made['resourceType']}/e1", "Patient/p1"}

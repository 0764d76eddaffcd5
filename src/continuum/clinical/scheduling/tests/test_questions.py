"""Questions are asked when their conditions hold, checked in words, and become FHIR that says what was asked."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.clinical.scheduling.questions import answer, questions, response, typed_of
from continuum.fhir.validate import validate

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)
FORM = {
    "resourceType": "Questionnaire", "id": "q", "status": "active", "url": "https://example.org/q",
    "item": [
        {"linkId": "hello", "type": "display", "text": "A few questions."},
        {"linkId": "fever", "type": "boolean", "text": "A fever?", "required": True},
        {"linkId": "about", "type": "group", "text": "About the fever",
         "enableWhen": [{"question": "fever", "operator": "=", "answerBoolean": True}],
         "item": [
             {"linkId": "degrees", "type": "decimal", "text": "How high, in °F?", "required": True},
             {"linkId": "doctor", "type": "text", "text": "What was done?",
              "enableWhen": [{"question": "degrees", "operator": ">=", "answerDecimal": Decimal("103.0")}]},
         ]},
        {"linkId": "signs", "type": "choice", "repeats": True, "text": "Which of these?",
         "answerOption": [{"valueCoding": {"code": "cough", "display": "Cough"}},
                          {"valueCoding": {"code": "rash", "display": "Rash"}}]},
        {"linkId": "where", "type": "string", "text": "Where is the rash?", "maxLength": 20, "enableBehavior": "any",
         "enableWhen": [{"question": "signs", "operator": "=", "answerCoding": {"code": "rash"}},
                        {"question": "children", "operator": "exists", "answerBoolean": True}]},
        {"linkId": "children", "type": "integer", "text": "How many children?"},
    ],
}  # fmt: skip
ASKED = questions(FORM)


def shown(**typed):
    return [one.link_id for one in answer(ASKED, typed).shown]


def test_what_is_asked_follows_the_answers():
    assert shown() == ["hello", "fever", "signs", "children"]
    assert shown(fever=["no"], degrees=["104"]) == ["hello", "fever", "signs", "children"]
    assert "degrees" in shown(fever=["yes"])
    assert "doctor" in shown(fever=["yes"], degrees=["103"])
    assert "doctor" not in shown(fever=["yes"], degrees=["102.9"])
    assert "where" in shown(signs=["cough", "rash"])
    assert "where" not in shown(signs=["cough"])


@pytest.mark.parametrize(
    ("typed", "link_id", "words"),
    [
        ({}, "fever", "Please answer"),
        ({"fever": ["perhaps"]}, "fever", "choose"),
        ({"fever": ["yes"]}, "degrees", "Please answer"),
        ({"fever": ["yes"], "degrees": ["hot"]}, "degrees", "number"),
        ({"fever": ["no"], "children": ["1.5"]}, "children", "whole"),
        ({"fever": ["no"], "children": ["9" * 12]}, "children", "large"),
        ({"fever": ["no"], "signs": ["plague"]}, "signs", "choose"),
        ({"fever": ["no"], "signs": ["rash"], "where": ["x" * 21]}, "where", "long"),
    ],
)
def test_what_is_wrong_is_said_beside_its_question(typed, link_id, words):
    assert words in answer(ASKED, typed).errors[link_id]


def test_answers_become_a_response_that_holds_what_was_asked_and_comes_back_the_same():
    typed = {
        "fever": ["yes"], "degrees": ["103.20"], "doctor": ["Cold drinks"], "signs": ["cough", "rash"],
        "where": ["arm"], "children": ["2"],
    }  # fmt: skip
    made = answer(ASKED, typed)
    assert not made.problems
    resource = response(FORM, made, patient_id="p", appointment_id="a", now=NOW) | {"id": "r"}
    assert [one for one in validate(resource) or () if one.severity in {"error", "fatal"}] == []
    assert typed_of(resource) == typed
    group = next(one for one in resource["item"] if one["linkId"] == "about")
    assert group["item"][0]["answer"] == [{"valueDecimal": Decimal("103.20")}]


@given(st.dictionaries(st.sampled_from([one.link_id for one in ASKED]), st.lists(st.text(max_size=30), max_size=3)))
def test_nothing_that_is_typed_breaks_it_and_nothing_that_is_not_asked_is_kept(typed):
    made = answer(ASKED, typed)
    asked = {one.link_id for one in made.shown}
    assert set(made.answers) <= asked
    resource = response(FORM, made, patient_id="p", appointment_id="a", now=NOW)
    assert set(typed_of(resource)) == set(made.answers)

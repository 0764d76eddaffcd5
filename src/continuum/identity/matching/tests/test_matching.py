"""Who may be the same person, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.grammar import parse
from continuum.identity.matching import blocks, compare, grade
from continuum.identity.matching.person import PERSONAL, person_of, swapped

SSN = "http://hl7.org/fhir/sid/us-ssn"
ANNA = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:mrn", "value": "7"}, {"system": SSN, "value": "999-00-1111"}],
    "name": [{"family": "Rivera", "given": ["Anna", "Maria"]}],
    "birthDate": "1984-03-09",
    "gender": "female",
    "telecom": [{"system": "phone", "value": "+1 (555) 010-2000"}, {"system": "email", "value": "Anna@example.org"}],
    "address": [{"line": ["12 Harbor Road"], "postalCode": "92101"}],
}


def like(**changed):
    made = {**ANNA, **changed}
    return {name: value for name, value in made.items() if value is not None}


BARE = {"identifier": None, "telecom": None, "address": None}


def graded(other, person=ANNA):
    return grade(compare(person, other))


def test_the_same_person_is_certain_and_every_reason_is_said():
    found = graded(ANNA)
    assert found.code == "certain"
    assert found.score == 1.0
    assert {reason.field for reason in found.reasons} >= {"identifier", "family", "given", "birth date", "contact"}
    assert all(reason.words.endswith(".") for reason in found.reasons)
    assert [abs(reason.points) for reason in found.reasons] == sorted(
        (abs(reason.points) for reason in found.reasons), reverse=True
    )


def test_name_and_birth_date_alone_are_probable_because_two_people_can_share_them():
    assert graded(like(**BARE)).code == "probable"


def test_name_birth_date_and_an_address_are_certain():
    assert graded(like(identifier=None, telecom=None)).code == "certain"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": [{"family": "Riviera", "given": ["Anna"]}]}, "alike"),
        ({"name": [{"family": "Anna", "given": ["Rivera"]}]}, "other way round"),
        ({"name": [{"family": "Smith", "given": ["Anna"]}, {"family": "Rivera", "use": "maiden"}]}, "has had"),
        ({"name": [{"family": "Rivera-Smith", "given": ["Anna"]}]}, "Part of the family name"),
        ({"name": [{"family": "Rivera", "given": ["Ana"]}]}, "alike"),
        ({"name": [{"family": "Rivera", "given": ["A"]}]}, "initial"),
        ({"birthDate": "1984-09-03"}, "exchanged"),
        ({"birthDate": "1984-03-19"}, "One part of the birth date"),
        ({"birthDate": "1984-03"}, "as far as they are known"),
    ],
)
def test_the_usual_slips_of_registration_still_find_the_person(changed, words):
    found = graded(like(identifier=None, **changed))
    assert found.code in ("probable", "certain")
    assert any(words in reason.words for reason in found.reasons)


def test_twins_are_never_more_than_possible():
    home = BARE | {"address": ANNA["address"]}
    anna = like(**home, multipleBirthInteger=1)
    ella = like(**home, name=[{"family": "Rivera", "given": ["Ella"]}], multipleBirthInteger=2)
    found = graded(ella, anna)
    assert found.code in ("possible", "certainly-not")
    assert any("multiple birth" in reason.words for reason in found.reasons)


def test_a_brother_with_the_same_telephone_and_address_is_not_taken_for_the_person():
    brother = like(
        identifier=None, name=[{"family": "Rivera", "given": ["Carlos"]}], gender="male", birthDate="1986-01-20"
    )
    assert graded(brother).code in ("possible", "certainly-not")


def test_another_personal_number_speaks_against_it_and_rules_certainty_out():
    other = like(identifier=[{"system": SSN, "value": "999-00-2222"}])
    found = graded(other)
    assert found.code != "certain"
    assert any(reason.contradicts and SSN in reason.words for reason in found.reasons)


def test_another_number_of_the_same_hospital_is_what_a_duplicate_has():
    assert graded(like(identifier=[{"system": "urn:mrn", "value": "8"}])).code == "certain"


def test_a_stranger_is_certainly_not():
    stranger = {"name": [{"family": "Okafor", "given": ["Ben"]}], "birthDate": "1950-01-01", "gender": "male"}
    assert graded(stranger).code == "certainly-not"


def test_what_is_not_told_is_no_reason():
    assert compare({}, ANNA) == []
    assert compare({"gender": "female"}, ANNA)[0].words == "Both are female."


def test_every_search_begins_with_something_that_few_share():
    found = blocks(ANNA)
    assert all({"identifier", "phone", "email"} & set(dict(criteria)) or len(criteria) >= 2 for criteria in found)
    assert [("identifier", f"urn:mrn|7,{SSN}|999-00-1111")] in found
    assert [("birthdate", "1984-09-03"), ("family", "riv")] in found
    for criteria in found:
        assert parse("Patient", criteria, lenient=False).where
    assert blocks({"gender": "female"}) == []
    assert blocks({"name": [{"family": "Rivera"}]}) == [], "half the town may be called that"


def test_a_value_with_the_marks_of_a_search_is_looked_for_as_it_is():
    (found,) = blocks({"identifier": [{"system": "urn:x", "value": "a,b|c$d\\e"}]})
    (criterion,) = parse("Patient", found, lenient=False).where
    assert [(value.system, value.code) for value in criterion.values] == [("urn:x", "a,b|c$d\\e")]


@pytest.mark.parametrize(
    ("date", "other"), [("1984-03-09", "1984-09-03"), ("1984-03-03", ""), ("1984-03-19", ""), ("1984-03", ""), ("", "")]
)
def test_day_and_month_are_exchanged_where_that_is_a_date(date, other):
    assert swapped(date) == other


def test_types_of_personal_numbers_are_known_by_their_code_too():
    typed = {"system": "urn:dod", "value": "1", "type": {"coding": [{"code": min(PERSONAL)}]}}
    assert person_of({"identifier": [typed]}).personal == {"urn:dod": frozenset({"1"})}


texts = st.text(min_size=1, max_size=12)
patients = st.fixed_dictionaries(
    {},
    optional={
        "name": st.lists(
            st.fixed_dictionaries({}, optional={"family": texts, "given": st.lists(texts, max_size=2)}), max_size=2
        ),
        "birthDate": st.dates().map(str) | st.just("1984"),
        "gender": st.sampled_from(["male", "female", "unknown"]),
        "identifier": st.lists(st.fixed_dictionaries({"value": texts}, optional={"system": texts}), max_size=2),
        "telecom": st.lists(st.fixed_dictionaries({"value": texts}, optional={"system": texts}), max_size=2),
        "address": st.lists(
            st.fixed_dictionaries({}, optional={"postalCode": texts, "line": st.lists(texts, min_size=1)}), max_size=2
        ),
    },
)  # fmt: skip


@given(patients, patients)
def test_two_people_are_as_alike_as_the_other_way_round(one, other):
    forth, back = grade(compare(one, other)), grade(compare(other, one))
    assert (forth.score, forth.code) == (back.score, back.code)
    assert 0 <= forth.score <= 1

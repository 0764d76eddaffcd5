"""`_filter`: R4's own examples mean what the same search says without it, and what cannot be read is said where."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuum.fhir.grammar import parse
from continuum.fhir.query import AllOf, AnyOf, Chain, Clause, Criterion, Negation
from continuum.kernel.errors import Malformed, UnknownParameter
from continuum.kernel.limits import FILTER_DEPTH_MAX, FILTER_TESTS_MAX


def where(resource_type: str, *given: tuple[str, str]) -> tuple[Clause, ...]:
    return parse(resource_type, given, lenient=False).where


def read(resource_type: str, text: str) -> tuple[Clause, ...]:
    return where(resource_type, ("_filter", text))


@pytest.mark.parametrize(
    ("kind", "text", "same"),
    [
        ("Patient", 'name co "pet"', [("name:contains", "pet")]),
        ("Patient", "name sw O'Br", [("name", "O'Br")]),
        ("Patient", 'family sw "a,b"', [("family", "a\\,b")]),
        ("Patient", "birthdate ge 2014-10-10 and active eq true", [("birthdate", "ge2014-10-10"), ("active", "true")]),
        ("Patient", "id eq p1", [("_id", "p1")]),
        ("Patient", "gender pr true", [("gender:missing", "false")]),
        ("Patient", "organization re Organization/o", [("organization", "Organization/o")]),
        ("Patient", "_has:Observation:patient:code eq loinc|1234-5",
         [("_has:Observation:patient:code", "http://loinc.org|1234-5")]),
        ("Observation", "code eq http://loinc.org|1234-5", [("code", "http://loinc.org|1234-5")]),
        ("Observation", "code eq loinc|1234-5", [("code", "http://loinc.org|1234-5")]),
        ("Observation", "value-quantity gt 5.4|ucum|mg", [("value-quantity", "gt5.4|http://unitsofmeasure.org|mg")]),
        ("Observation", "code-value-quantity eq 8480-6$gt150", [("code-value-quantity", "8480-6$gt150")]),
        ("Observation", 'subject:Patient.name co "pet"', [("subject:Patient.name:contains", "pet")]),
        ("Observation", "patient.organization.name sw army", [("patient.organization.name", "army")]),
        ("Group", "characteristic[code eq urn:c|h].value eq tall", [("characteristic-value", "urn:c|h$tall")]),
        ("DocumentReference", "relatesTo[code eq replaces].target re DocumentReference/d",
         [("relationship", "DocumentReference/d$replaces")]),
        ("ValueSet", "url sw http://x.org/", [("url:below", "http://x.org/")]),
    ],
)  # fmt: skip
def test_a_test_means_what_its_parameter_means(kind, text, same):
    assert strip(read(kind, text)) == strip(where(kind, *same))


def strip(clauses):
    """Clauses by what they ask: the text of a value is only shown."""
    return [repr(clause) for clause in clauses]


def codes(clause):
    if isinstance(clause, Criterion):
        return clause.param.code
    if isinstance(clause, Negation):
        return ("not", codes(clause.clause))
    return ("and" if isinstance(clause, AllOf) else "or", *map(codes, clause.clauses))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("gender eq a or active eq b and name eq c", ("and", ("or", "gender", "active"), "name")),
        ("gender eq a and active eq b or name eq c", ("or", ("and", "gender", "active"), "name")),
        ("gender eq a or (active eq b and name eq c)", ("or", "gender", ("and", "active", "name"))),
        ("not (gender eq a or active eq b)", ("not", ("or", "gender", "active"))),
        ("not(gender eq a) or active eq b", ("or", ("not", "gender"), "active")),
        ("  ( gender   eq a )  or active eq b or name eq c ", ("or", "gender", "active", "name")),
        ("(gender eq a)or(active eq b)", ("or", "gender", "active")),
    ],
)
def test_logic_goes_from_left_to_right_unless_brackets_say_otherwise(text, meant):
    clauses = read("Patient", text)
    assert codes(AllOf(clauses) if len(clauses) > 1 else clauses[0]) == meant


def test_a_filter_within_a_path_is_asked_of_the_same_resource():
    (chain,) = read("Observation", 'subject:Patient[name co "x" and gender eq male].birthdate ge 1990')
    assert isinstance(chain, Chain)
    ((target, inner),) = chain.inner
    assert target == "Patient"
    assert codes(inner) == ("and", ("and", "name", "gender"), "birthdate")
    (either,) = read("Observation", "patient[gender eq male or gender eq other].birthdate ge 1990 or status eq final")
    assert isinstance(either, AnyOf)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the name of a search parameter"), ("gender", "an operator such as eq"), ("gender eq", "a value"),
        ("gender eq male and", "the name of a search parameter"), ("(gender eq male", "a closing bracket"),
        ("gender eq male)", "`and`, `or` or the end"), ('name eq "ab', "closing quotes"),
        ("shoe eq 1", "no search parameter 'shoe'"),
        ("gender in", "a value"), ("birthdate in http://x.org/vs", "birthdate is a date and does not take in"),
        ("identifier sb urn:x|", "identifier:below is written system|code"),
        ("gender co a", "gender is a token and does not take co; it takes eq, in, ne, ni, pr, sb, ss"),
        ("_text pr true", "_text is searched by words and does not take pr; it takes co, eq"),
        ("name xx a", "it takes co, eq"), ("gender pr maybe", "true or false"), ("name.family eq a", "not a reference"),
        ("organization[name eq a]", "an operator"), ("organization[name eq a] re x", "followed by a dot"),
        ("organization[name eq a.partof re x", "a closing ]"), ("birthdate eq yesterday", "is not a date"),
        ("gender eq male or or active eq true", "`and`, `or` or the end"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(text, words):
    with pytest.raises(UnknownParameter, match=r"_filter|not a date|not a reference|is written") as refused:
        read("Patient", text)
    assert words in str(refused.value)


def test_a_pair_has_both_sides():
    for text in (
        "characteristic[code eq a].code eq b", "characteristic[value eq a].value eq b",
        "characteristic[code eq a or code eq c].value eq b", "characteristic[code eq a].value ne b",
    ):  # fmt: skip
        with pytest.raises(UnknownParameter, match="characteristic is written"):
            read("Group", text)


def test_filters_have_bounds():
    with pytest.raises(Malformed, match="brackets deep"):
        read("Patient", "(" * FILTER_DEPTH_MAX + "gender eq a" + ")" * FILTER_DEPTH_MAX)
    with pytest.raises(Malformed, match="tests"):
        read("Patient", " or ".join(["gender eq a"] * (FILTER_TESTS_MAX + 1)))


WORDS = st.sampled_from(
    ["name", "subject", "code", "eq", "co", "and", "or", "not", "(", ")", "[", "]", ".", '"a b"', "a", "5", "pr",
     "true", "date", "ge", "2020", "patient", " ", "\\", '"', ":", "Patient", "ne", "|", ",", "$"]
)  # fmt: skip


@settings(max_examples=800)
@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=30))
def test_any_text_is_a_filter_or_a_refusal(text):
    if not text.isprintable():
        return
    with contextlib.suppress(UnknownParameter, Malformed):
        assert read("Observation", text)


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1))
@settings(max_examples=300)
def test_what_stands_in_quotes_is_one_value_as_it_is(text):
    (criterion,) = read("Patient", f"identifier eq {json.dumps('urn:f|' + text)}")
    assert isinstance(criterion, Criterion)
    assert [(value.system, value.code) for value in criterion.values] == [("urn:f", text)]
    (criterion,) = read("ValueSet", f"url eq {json.dumps('urn:' + text)}")
    assert [value.text for value in criterion.values] == ["urn:" + text]

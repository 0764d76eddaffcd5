"""Any text gives a query or a refusal in plain words, and every written form means what R4 says it means."""

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from continuum.fhir.dates import interval
from continuum.fhir.grammar import CONTROL_PARAMETERS, MODIFIERS, PRESENTATION, parse
from continuum.fhir.grammar_values import PREFIXES, split, unescape
from continuum.fhir.query import Chain, Criterion, Has, InCompartment, Query, Value
from continuum.fhir.search_params import COMPARTMENTS, params
from continuum.fhir.types import TYPES
from continuum.kernel.errors import DomainError, Malformed, UnknownParameter, UnusableParameter
from continuum.kernel.limits import CHAIN_DEPTH_MAX, PAGE_MAX, SEARCH_PARAMETERS_MAX, SEARCH_VALUES_MAX

BASE = "https://ehr.example.org/fhir"


def read(resource_type: str, *given: tuple[str, str], lenient: bool = False) -> Query:
    return parse(resource_type, given, lenient=lenient, base_url=BASE)


def one(resource_type: str, name: str, text: str) -> Value:
    (clause,) = read(resource_type, (name, text)).where
    assert isinstance(clause, Criterion)
    (value,) = clause.values
    return value


NAMES = st.one_of(
    st.text(max_size=20),
    st.builds(
        lambda code, tail: code + tail,
        st.sampled_from(
            [*CONTROL_PARAMETERS, *PRESENTATION, *params("Observation"), "_has", "_has:Observation:patient:"]
        ),
        st.sampled_from(
            ["", ":", ":exact", ":missing", ":not", ":Patient", ":Patient.name", ".name", ".", ":x.y", "code"]
        )
        | st.text(max_size=6),
    ),
)
TEXTS = st.text(max_size=30) | st.text(alphabet="0123456789.eE+-|$,\\:/ TZgtleq", max_size=24)


@settings(max_examples=1_500, deadline=None)
def read_or_refused(resource_type, given, *, lenient):
    try:
        return parse(resource_type, given, lenient=lenient, base_url=BASE)
    except (UnknownParameter, Malformed) as refused:
        return refused


@given(
    st.sampled_from(["Observation", "Patient", "Location", "MolecularSequence"]),
    st.lists(st.tuples(NAMES, TEXTS), max_size=3),
)
@example("Observation", [("value-quantity", "1e999999999")])
@example("Observation", [("value-quantity", "sNaN")])
@example("Observation", [("_count", "²")])
@example("Observation", [("_count", "٣")])
@example("Observation", [("date", "ap0001")])
@example("Observation", [("code-value-quantity", "\\$$\\")])
@example("Patient", [("birthdate", "2020-01-01T00:00:00+14:01")])
def test_any_text_gives_a_query_or_a_refusal_in_words(resource_type, given):
    query = read_or_refused(resource_type, given, lenient=False)
    if isinstance(query, Query):
        assert query.ignored == ()
        assert len(query.self_params) <= len(given)
    else:
        assert len(str(query)) > 10
        assert query.issues[0].text
    lenient = read_or_refused(resource_type, given, lenient=True)
    if not isinstance(lenient, Query):
        assert isinstance(lenient, Malformed | UnusableParameter)
        assert lenient.issues[0].text
    else:
        understood = [pair for pair in given if pair[0] not in lenient.ignored]
        again = parse(resource_type, understood, lenient=True, base_url=BASE)
        assert again.ignored == ()


@pytest.mark.parametrize("name", TYPES)
def test_every_parameter_of_every_type_reads_its_own_kind_and_refuses_a_modifier_that_it_does_not_take(name):
    samples = {"token": "a|b", "string": "abc", "uri": "urn:x", "date": "2020", "number": "5", "quantity": "5",
               "reference": "Patient/a", "words": "abc"}  # fmt: skip
    for code, found in params(name).items():
        if found.kind == "special":
            with pytest.raises(UnknownParameter, match=code):
                read(name, (code, "x"))
            continue
        text = samples.get(found.kind) or "$".join(samples.get(kind, "x") for _, kind in found.components)
        (clause,) = read(name, (code, text)).where
        assert isinstance(clause, Criterion)
        assert clause.param == found
        if found.kind == "words":
            with pytest.raises(UnknownParameter, match=f"{code} does not take :missing"):
                read(name, (f"{code}:missing", "true"))
        else:
            (missing,) = read(name, (f"{code}:missing", "true")).where
            assert isinstance(missing, Criterion)
            assert missing.modifier == "missing"
        with pytest.raises(UnknownParameter) as refused:
            read(name, (f"{code}:nonsense", text))
        assert code in str(refused.value)
        assert all(f":{valid}" in str(refused.value) for valid in MODIFIERS[found.kind])


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_escaped_values_come_back_as_they_were(values):
    def escape(text: str) -> str:
        return "".join(f"\\{char}" if char in ",|$\\" else char for char in text)

    for mark in ",|$":
        assert [unescape(part) for part in split(mark.join(map(escape, values)), mark)] == values


def test_an_escaped_comma_is_part_of_a_value_and_a_plain_one_is_or():
    (clause,) = read("Patient", ("family", r"Reyes\, Jr,Cruz")).where
    assert [value.text for value in clause.values] == ["Reyes, Jr", "Cruz"]
    token = one("Observation", "code", r"http://a\|b|c\$d")
    assert (token.system, token.code) == ("http://a|b", "c$d")


@pytest.mark.parametrize(
    ("text", "system", "code"),
    [("a", None, "a"), ("s|a", "s", "a"), ("|a", "", "a"), ("s|", "s", None)],
)
def test_a_token_has_four_forms(text, system, code):
    value = one("Observation", "code", text)
    assert (value.system, value.code) == (system, code)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_is_read_on_dates_numbers_and_quantities(prefix):
    for resource_type, name in (
        ("Observation", "date"),
        ("RiskAssessment", "probability"),
        ("Observation", "value-quantity"),
    ):
        assert one(resource_type, name, f"{prefix}2020").prefix == prefix
        assert one(resource_type, name, "2020").prefix == "eq"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("100", "99.5", "100.5"), ("100.00", "99.995", "100.005"), ("1e2", "95", "105"), ("-5", "-5.5", "-4.5"),
     ("0", "-0.5", "0.5"), ("0.1", "0.05", "0.15")],
)  # fmt: skip
def test_a_number_means_what_its_digits_leave_open(text, low, high):
    value = one("RiskAssessment", "probability", text)
    assert (value.low, value.high) == (Decimal(low), Decimal(high))


def test_about_means_a_tenth():
    value = one("RiskAssessment", "probability", "ap100")
    assert (value.low, value.high) == (90, 110)
    about = one("Observation", "date", "ap2000")
    assert about.low_us < interval("2000")[0]
    assert about.high_us > interval("2000")[1]


def test_a_quantity_has_a_unit_by_system_and_code_or_by_code_alone():
    value = one("Observation", "value-quantity", "gt5.4|http://unitsofmeasure.org|mg")
    assert (value.prefix, value.number, value.system, value.code) == (
        "gt",
        Decimal("5.4"),
        "http://unitsofmeasure.org",
        "mg",
    )
    assert dataclasses.replace(one("Observation", "value-quantity", "5.4||mg"), text="").system is None
    with pytest.raises(UnknownParameter, match=r"5.4\|\|mg"):
        read("Observation", ("value-quantity", "5.4|mg"))


@pytest.mark.parametrize(
    ("name", "text", "targets"),
    [
        ("patient", "a", ("Patient/a",)),
        ("subject:Patient", "a", ("Patient/a",)),
        ("subject", "Patient/a", ("Patient/a",)),
        ("subject", f"{BASE}/Patient/a", ("Patient/a",)),
        ("subject", f"{BASE}/Patient/a/_history/2", ("Patient/a",)),
        ("subject", "https://other.org/Patient/a", ("https://other.org/Patient/a",)),
        ("subject", f"{BASE}x/Patient/a", (f"{BASE}x/Patient/a",)),
    ],
)
def test_a_reference_to_ourselves_is_relative_however_it_is_written(name, text, targets):
    assert one("Observation", name, text).targets == targets


def test_a_bare_id_is_tried_for_each_type_that_the_reference_may_have():
    targets = one("Observation", "subject", "a").targets
    assert {"Patient/a", "Group/a", "Device/a", "Location/a"} == set(targets)
    with pytest.raises(UnknownParameter, match="does not go with"):
        read("Observation", ("subject:Patient", "Group/a"))


def test_chains_and_reverse_chains_nest_to_their_limit():
    (clause,) = read("Observation", ("subject:Patient.general-practitioner:Practitioner.name", "Ana")).where
    assert isinstance(clause, Chain)
    ((target, inner),) = clause.inner
    assert (target, inner.target_types) == ("Patient", ("Practitioner",))
    (clause,) = read("Patient", ("_has:Observation:patient:_has:AuditEvent:entity:agent", "Practitioner/a")).where
    assert isinstance(clause, Has)
    assert isinstance(clause.inner, Has)
    (clause,) = read("Encounter", ("patient._has:Group:member:_id", "g")).where
    assert isinstance(clause, Chain)
    links = "part-of.".join([""] * (CHAIN_DEPTH_MAX + 1))
    with pytest.raises(Malformed, match=str(CHAIN_DEPTH_MAX)):
        read("Procedure", (f"{links}part-of:Procedure.status", "completed"))
    with pytest.raises(Malformed, match=str(CHAIN_DEPTH_MAX)):
        read("Patient", ("_has:Observation:patient:" * (CHAIN_DEPTH_MAX + 1) + "status", "final"))


def test_a_chain_through_any_type_costs_no_more_than_its_limit():
    """A reference without stated targets, chained again and again, could branch 146 times at each link."""
    with pytest.raises(DomainError):
        read("Provenance", ("target." * CHAIN_DEPTH_MAX + "nonsense", "x"))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("colour", "red", "no search parameter 'colour'.*birthdate.*gender"),
        ("birthdate", "yesterday", "birthdate: 'yesterday' is not a date.*2026-11-23"),
        ("birthdate", "2021-02-30", "birthdate.*2021-02-30.*is not a date"),
        ("name:near", "x", "name does not take :near.*:exact, :contains"),
        ("name", "", "name has no value"),
        ("name", "-", "letter or digit"),
        ("active:missing", "perhaps", "active:missing is true or false"),
        ("gender.x", "y", "gender is a token, not a reference"),
        ("general-practitioner:Nothing.name", "x", "Nothing is not a resource type"),
        ("_has:Observation", "x", "_has:Type:reference-parameter:parameter"),
        ("_has:Observation:code:status", "x", "Observation.code is a token"),
        ("_count", "many", f"_count.*0 to {PAGE_MAX}"),
        ("_count", "-1", f"_count.*0 to {PAGE_MAX}"),
        ("_total", "all", "_total is one of none, estimate, accurate"),
        ("_totalMethod", "accurate", "_totalMethod is one of count, estimate, none, not 'accurate'"),
        ("_summary", "yes", "_summary is one of true, text, data, count, false"),
        ("_sort", "colour", "no search parameter 'colour'"),
        ("_include", "Patient", "Type:parameter|has no search parameter ''"),
        ("_include", "Patient:gender", "Patient.gender is a token"),
        ("_include:x", "Patient:link", ":iterate"),
        ("_revinclude", "Nothing:patient", "Type:parameter:TargetType"),
    ],
)
def test_a_refusal_names_the_parameter_and_says_what_would_be_valid(name, text, words):
    with pytest.raises(UnknownParameter, match=words):
        read("Patient", (name, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("colour", "red"),
        ("colour:not", "red"),
        ("general-practitioner.colour", "red"),
        ("_has:Observation:patient:colour", "red"),
        ("_sort", "colour"),
        ("_sort", "_content"),
        ("name", ""),
        ("_include", "Patient:colour"),
        ("_revinclude", "Observation:colour"),
    ],
)
def test_leniently_a_parameter_that_is_not_known_is_left_out_and_named(name, text):
    lenient = read("Patient", (name, text), ("gender", "female"), lenient=True)
    assert lenient.ignored == (name,)
    assert lenient.self_params == (("gender", "female"),)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("name:near", "x"),
        ("gender:below", "x|"),
        ("birthdate", "yesterday"),
        ("birthdate:missing", "perhaps"),
        ("identifier", "a|b|c"),
        ("gender.x", "y"),
        ("general-practitioner:Nothing.name", "x"),
        ("general-practitioner:Practitioner.name:near", "x"),
        ("_has:Observation", "x"),
        ("_has:Observation:patient:date", "yesterday"),
        ("_list", "$current-problems"),
        ("_list", "$current-mistakes"),
        ("_list", "42,$current-problems"),
        ("_filter", "gender eq"),
        ("_filter", "colour eq red"),
        ("_count", "many"),
        ("_total", "all"),
        ("_include", "Patient"),
        ("_include:x", "Patient:link"),
    ],
)
def test_a_modifier_or_value_that_cannot_be_used_is_refused_however_lenient_the_request(name, text):
    """Left out, it would find people who were not asked for."""
    with pytest.raises(UnusableParameter):
        read("Patient", (name, text), ("gender", "female"), lenient=True)


def test_too_many_parameters_or_values_are_refused_even_when_lenient():
    for lenient in (True, False):
        with pytest.raises(Malformed, match=str(SEARCH_PARAMETERS_MAX)):
            read("Patient", *[("gender", "female")] * (SEARCH_PARAMETERS_MAX + 1), lenient=lenient)
        with pytest.raises(Malformed, match=str(SEARCH_VALUES_MAX)):
            read("Patient", ("gender", ",".join(["a"] * (SEARCH_VALUES_MAX + 1))), lenient=lenient)
        with pytest.raises(Malformed, match="may not stand in FHIR text"):
            read("Patient", ("name", "a\x00"), lenient=lenient)
    assert len(read("Patient", ("gender", ",".join(["a"] * SEARCH_VALUES_MAX))).where) == 1


def test_a_page_is_cut_to_its_largest_and_a_count_of_nothing_counts():
    assert read("Patient", ("_count", str(PAGE_MAX + 1))).count == PAGE_MAX
    assert read("Patient", ("_count", "0")).summary == "count"


def test_a_compartment_knows_its_members():
    query = parse("Observation", [], lenient=False, compartment=("Patient", "a"))
    (clause,) = query.where
    assert isinstance(clause, InCompartment)
    assert {found.code for found in clause.params} == set(COMPARTMENTS["Patient"]["Observation"])
    with pytest.raises(UnknownParameter, match="not part of the Patient compartment"):
        parse("Organization", [], lenient=False, compartment=("Patient", "a"))
    with pytest.raises(UnknownParameter, match=r"there are: .*Encounter"):
        parse("Observation", [], lenient=False, compartment=("Nothing", "a"))


def test_words_are_read_without_case_and_marks_and_one_is_needed():
    assert one("Observation", "code:text", "Körper-Gewicht").text == "korper gewicht"
    assert one("Patient", "_content", "O'Brien obrien").text == "obrien"
    for name in ("_text", "_content", "code:text", "subject:text"):
        with pytest.raises(UnknownParameter, match="words of letters or digits"):
            read("Observation", (name, "---"))


def test_an_identifier_of_a_type_needs_all_three_parts_and_an_identifier():
    value = one("Patient", "identifier:of-type", "urn:t|MR|1\\|2")
    assert (value.system, value.code, value.text) == ("urn:t", "MR", "1|2")
    assert one("Patient", "identifier:of-type", "|MR|12").system == ""
    for text in ("MR|12", "urn:t||12", "urn:t|MR|", "a|b|c|d"):
        with pytest.raises(UnknownParameter, match="is written system-of-the-type"):
            read("Patient", ("identifier:of-type", text))
    with pytest.raises(UnknownParameter, match="only identifiers"):
        read("Observation", ("code:of-type", "a|b|c"))

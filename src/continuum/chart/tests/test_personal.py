"""What is shown, what waits, what is closed, and what is said about a value: the rules, without a database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.access import Stored
from continuum.chart import trust
from continuum.chart.carrying import Taken, bundle, document, plain_text
from continuum.chart.entry import Entry, Fact, Mark
from continuum.chart.limits import RELEASE_DAYS
from continuum.chart.paper import pdf
from continuum.chart.plainly import CRITICAL, movement, standing
from continuum.chart.release import held, may_wait
from continuum.chart.section import section, sections
from continuum.chart.sensitivity import KINDS, PROTECTED, kinds
from continuum.chart.trends import Course
from continuum.chart.within import matches, words_of
from continuum.fhir.invariants import broken
from continuum.fhir.json import dump
from continuum.fhir.validate import validate
from continuum.ui.view import View, showing

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LOINC = "http://loinc.org"


def observation(code="", text="", *, issued=NOW, system=LOINC, **more):
    coding = [{"system": system, "code": code}] if code else []
    return {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"coding": coding, "text": text},
        "issued": issued.isoformat(), **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (observation("7917-8"), "hiv"),
        (observation(text="HIV 1 RNA viral load"), "hiv"),
        (observation("21636-6"), "genetics"),
        (observation(text="Surgical pathology study"), "pathology"),
        ({"resourceType": "Condition", "code": {"text": "Major depressive disorder"}}, "behavioral"),
        ({"resourceType": "Condition", "code": {"coding": [{
            "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F10.20"}]}}, "substance"),
        ({"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Etonogestrel implant"}},
         "sexual"),
        ({"resourceType": "Condition", "meta": {"security": [{"code": "ETH"}]}, "code": {"text": "X"}}, "substance"),
    ],
)  # fmt: skip
def test_what_is_sensitive_is_told_by_label_code_or_words(resource, kind):
    assert kind in kinds(resource)
    assert kind in KINDS


@pytest.mark.parametrize("text", ["Glucose", "Asthma", "Sprain of ankle", "Hemoglobin A1c", "Lipid panel"])
def test_what_is_not_sensitive_stays_open(text):
    assert kinds({"resourceType": "Condition", "code": {"text": text}}) == frozenset()


@pytest.mark.parametrize(("texts", "kind"), [
    (("Pap", "Smear"), "pathology"), (("Gene", "Analysis"), "genetics"), (("immunodeficiency", "virus"), "hiv"),
    (("Drug", "Screen panel"), "substance"), (("Eating", "Disorder"), "behavioral"),
])  # fmt: skip
def test_words_that_stand_in_texts_side_by_side_count_as_if_they_stood_in_one(texts, kind):
    coding = [{"display": one} for one in texts]
    assert kind in kinds({"resourceType": "Observation", "code": {"coding": coding}})


def test_a_result_of_a_day_that_cannot_be_is_judged_all_the_same():
    resource = observation("2345-7", "Glucose") | {"issued": "9999-12-31T00:00:00Z"}
    assert held(resource, NOW) is None


def test_a_vaccine_says_nothing_of_the_person():
    assert kinds({"resourceType": "Immunization", "vaccineCode": {"text": "HPV, nonavalent"}}) == frozenset()


@given(st.integers(min_value=0, max_value=20))
def test_a_weighty_result_waits_for_the_days_of_the_rule_and_no_longer(days):
    resource = observation("7917-8", issued=NOW - timedelta(days=days))
    wait = held(resource, NOW)
    assert (wait is not None) == (days < RELEASE_DAYS)
    if wait is not None:
        assert wait.until - (NOW - timedelta(days=days)) == timedelta(days=RELEASE_DAYS)


def test_a_result_that_a_clinician_released_or_that_is_ordinary_does_not_wait():
    tag = {"system": "https://continuum.example/fhir/CodeSystem/release", "code": "released"}
    assert held(observation("7917-8", meta={"tag": [tag]}), NOW) is None
    assert held(observation("2345-7", "Glucose"), NOW) is None
    assert held({"resourceType": "Condition", "id": "c", "code": {"text": "HIV"}}, NOW) is None


TIMES = st.sampled_from(
    ["2026-10-31T23:30:00-11:00", "2026-10-24T01:00:00+14:00", "2026-10-25", "2026-10-20", "2020-01"]
)
_OPTIONAL = {
    "issued": TIMES, "date": TIMES, "effectiveDateTime": TIMES,
    "category": st.sampled_from([[{"coding": [{"code": "vital-signs", "display": "x"}]}], [{"text": "vital-signs"}],
                                 [{"coding": [{"code": "laboratory"}, {"code": "vital-signs"}]}]]),
    "contained": st.just([{"resourceType": "Observation", "issued": "2020-01-01T00:00:00Z"}]),
    "note": st.just([{"text": '"issued":"2020-01-01"'}]),
}  # fmt: skip


@given(
    st.sampled_from(["Observation", "DiagnosticReport", "Media", "Condition"]),
    st.fixed_dictionaries({}, optional=_OPTIONAL),
    st.integers(0, 20),
)
def test_what_is_left_unread_because_it_cannot_wait_does_not_wait(kind, more, days):
    written = NOW - timedelta(days=days)
    meta = {"versionId": "1", "lastUpdated": written.isoformat()}
    resource = {"resourceType": kind, "id": "o", "meta": meta, "code": {"text": "HIV"}, **more}
    stored = Stored(kind, "o", 1, int(written.timestamp() * 1e6), False, "p", dump(resource))
    if not may_wait(stored, NOW):
        assert held(resource, NOW) is None


def test_what_is_old_or_a_vital_sign_is_left_unread():
    def waits(**more):
        resource = {"resourceType": "Observation", "id": "o", "code": {"text": "HIV"}, **more}
        return may_wait(Stored("Observation", "o", 1, 0, False, "p", dump(resource)), NOW)

    assert waits()
    assert waits(issued=NOW.isoformat())
    assert not waits(issued="2020-01-01T00:00:00Z")
    assert not waits(category=[{"coding": [{"system": "urn:x", "code": "vital-signs"}]}])


def test_without_any_time_a_weighty_result_waits():
    resource = observation("7917-8")
    del resource["issued"]
    assert held(resource, NOW) is not None


def result(value, low=None, high=None, *marks):
    facts = [("value", Fact("quantity", number=Decimal(value), unit="mg/dL"))]
    if low or high:
        bounds = Fact("bounds", low=Decimal(low) if low else None, high=Decimal(high) if high else None, unit="mg/dL")
        facts.append(("normal", bounds))
    return Entry("Observation", "o", 1, "Test", "2026-01-01", tuple(Mark(one, "warning") for one in marks),
                 tuple(facts))  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (result("90", "70", "99"), "As expected."),
        (result("99", "70", "99"), "As expected."),
        (result("105", "70", "99"), "A little above what is expected."),
        (result("180", "70", "99"), "Clearly above what is expected."),
        (result("66", "70", "99"), "A little below what is expected."),
        (result("30", "70", "99"), "Clearly below what is expected."),
        (result("500", "70", "99", "critically high"), CRITICAL),
        (result("5", None, None, "high"), "Above what is expected."),
        (result("5"), ""),
    ],
)
def test_where_a_value_stands_is_said_in_plain_words(entry, words):
    assert standing(entry) == words


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        ("100", "101", "About the same as the time before."),
        ("150", "100", "Higher than the time before."),
        ("120", "160", "Lower than the time before, and nearer to what is expected."),
        ("60", "40", "Higher than the time before, and nearer to what is expected."),
        ("80", "95", "Lower than the time before."),
    ],
)
def test_how_a_value_moved_is_said_in_plain_words(new, old, words):
    course = Course("x", "Test", own_title=False, entries=(result(new, "70", "99"), result(old, "70", "99")))
    assert movement(course) == words


def test_a_search_takes_words_in_any_case_and_without_accents():
    entry = Entry("Condition", "c", 1, "Síndrome de Raynaud", "2020-01-01", note="cold fingers in winter")
    assert matches(entry, words_of("RAYNAUD sindrome"))
    assert matches(entry, words_of("winter"))
    assert not matches(entry, words_of("raynaud summer"))


def test_children_are_open_teenagers_partly_and_adults_not_at_all():
    assert trust.by_age(11).closed == frozenset()
    assert trust.by_age(11).sections is None
    for age in (12, 17):
        limits = trust.by_age(age)
        assert limits.closed == PROTECTED
        assert not limits.opens("notes")
        assert limits.opens("immunizations")
    assert trust.by_age(18) is None


def test_a_permission_opens_its_parts_and_the_protected_only_by_name():
    limits = trust.by_parts(frozenset({"medicines"}))
    assert limits.sections == {"medicines", "allergies"}
    assert limits.closed == PROTECTED
    assert "system/MedicationRequest.rs" in trust.scopes(limits).split()
    assert "DocumentReference" not in trust.scopes(limits)
    whole = trust.by_parts(frozenset({"visits", "protected"}))
    assert whole.closed == frozenset()
    assert whole.opens("notes")
    assert not trust.by_parts(frozenset({"visits"})).opens("notes")


def test_every_section_that_a_permission_names_is_there():
    named = {key for _, keys in trust.PARTS.values() for key in keys}
    assert named <= set(sections())


@given(
    st.frozensets(st.sampled_from(sorted(trust.PARTS)), min_size=1),
    st.one_of(st.none(), st.dates(date(2026, 11, 1), date(2030, 1, 1))),
)
def test_a_permission_is_a_valid_consent_and_comes_back_as_it_was_given(parts, ends):
    resource = trust.consent("p-1", "Linda O'Brien", "1234567890", parts, NOW.date(), NOW.isoformat(), ends)
    assert [issue.text for issue in (*validate(resource), *broken(resource)) if issue.severity == "error"] == []
    grant = trust.grant_of({**resource, "id": "c-1"})
    assert (grant.parts, grant.ends, grant.grantee_dod_id) == (parts, ends, "1234567890")
    assert grant.holds("1234567890", NOW.date())
    assert not grant.holds("1234567891", NOW.date())
    assert not grant.holds("1234567890", NOW.date() - timedelta(days=1))
    if ends is not None:
        assert not grant.holds("1234567890", ends + timedelta(days=1))
    assert not trust.grant_of({**resource, "id": "c-1", "status": "inactive"}).holds("1234567890", NOW.date())


PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"given": ["Inés"], "family": "Núñez #1"}],
           "birthDate": "1989-09-03"}  # fmt: skip


def taken(*entries):
    resources = tuple({"resourceType": "Condition", "id": one.id, "code": {"text": one.title},
                       "subject": {"reference": "Patient/p"}} for one in entries)  # fmt: skip
    return Taken(PATIENT, ((section("problems"), entries), (section("labs"), ())), resources, {}, frozenset({"labs"}))


def made(language="en"):
    one = Entry("Condition", "c", 1, "Migraine *with* #aura", "2020-05", note="First line\nSecond \\line")
    with showing(View(date(2026, 11, 1), language)):
        return document(taken(one), NOW, waiting=2, closed=True)


def test_a_record_as_plain_text_has_everything_and_says_what_is_missing():
    text = plain_text(made())
    for words in ("Inés Núñez #1", "Migraine *with* #aura", "May 2020", "| Second \\line", "still waiting",
                  "closed to the one who made this", "the oldest are left out"):  # fmt: skip
        assert words in text, words


async def test_a_record_as_pdf_is_tagged_names_its_language_and_takes_no_mark_up_from_the_record():
    with showing(View(date(2026, 11, 1), "es")):
        content = await pdf(made("es"))
    assert content.startswith(b"%PDF-")
    for part in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang"):
        assert part in content
    assert b"pdfuaid" in content


def test_a_record_as_fhir_is_a_valid_bundle():
    one = Entry("Condition", "c", 1, "Migraine", "2020-05")
    found = bundle(taken(one), "https://ehr.example/fhir", NOW.isoformat())
    assert [issue.text for issue in (*validate(found), *broken(found)) if issue.severity == "error"] == []
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["p", "c"]

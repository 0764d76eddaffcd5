"""Sections: found by themselves, and every sample resource becomes an entry that says what it is and when."""

import pytest

from continuum.access.views import View
from continuum.chart.banner import banner
from continuum.chart.entry import Entry
from continuum.chart.reading import attached_text, plain, source_of, test_name, words
from continuum.chart.section import Shown, entries, section, sections
from continuum.chart.summary import _influenza
from continuum.chart.trends import courses, drawn, moment
from continuum.kernel.errors import NotFound
from continuum.samples.world import TODAY, personas
from continuum.ui.view import View as Reader
from continuum.ui.view import showing

test_name.__test__ = False  # type: ignore[attr-defined]  a function of ours, not a test


def test_sections_are_found_in_their_folder_in_order_with_keys_of_their_own():
    found = sections()
    assert list(found) == [one.key for one in sorted(found.values(), key=lambda one: one.order)]
    assert {"problems", "allergies", "medicines", "vitals", "labs", "notes", "dental", "deployments"} <= set(found)
    assert len({one.order for one in found.values()}) == len(found)
    with pytest.raises(NotFound):
        section("nonsense")


@pytest.mark.parametrize(
    "key", [key for key in sections() if key not in {"consents", "care-team", "amendments", "answers"}]
)
def test_every_sample_resource_becomes_an_entry_that_says_what_and_when(sampled, key):
    wanted = section(key)
    made = [wanted.make(one, {}) for one in sampled[wanted.search.partition("?")[0]]]
    assert made
    for entry in made:
        assert isinstance(entry, Entry)
        assert entry.title
        assert entry.when, entry
        assert not entry.wrong


def test_where_something_was_done_is_told_by_its_visit_if_by_nothing_else():
    place = {"Organization/o": {"name": "Naval Hospital Pine Sound"}, "Organization/p": {"name": "Elsewhere"}}
    names = place | {"Encounter/e": {"serviceProvider": {"reference": "Organization/o"}}}
    at = {"encounter": {"reference": "Encounter/e"}}
    for resource in ({"resourceType": "Procedure", **at}, {"resourceType": "DocumentReference", "context": {
            "encounter": [{"reference": "Encounter/e"}]}}):  # fmt: skip
        assert source_of(resource, names).place == "Naval Hospital Pine Sound"
    own = {"resourceType": "DocumentReference", "custodian": {"reference": "Organization/p"}, **at}
    assert source_of(own, names).place == "Elsewhere", "what an entry says itself comes first"
    assert source_of({"resourceType": "Procedure", **at}, place).place == ""


def test_silence_about_allergies_is_not_the_same_as_none():
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Doe"}], "birthDate": "1990-01-01"}
    none = {
        "resourceType": "AllergyIntolerance", "id": "a1", "recordedDate": "2024-03-02",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]},
    }  # fmt: skip
    cat = {"resourceType": "AllergyIntolerance", "id": "a2", "criticality": "high", "code": {"text": "Cat dander"}}
    wrong = cat | {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}

    def shown(*allergies):
        with showing(Reader(TODAY)):
            return banner(View(patient, {"banner.allergies": allergies}, {}, {}))

    assert shown().allergy_state == "not_recorded"
    assert shown(wrong).allergy_state == "not_recorded"
    assert (shown(none).allergy_state, shown(none).asserted) == ("none_known", "2024-03-02")
    assert shown(none, cat).allergy_state == "present"
    assert [(one.name, one.severe) for one in shown(cat).allergies] == [("Cat dander", True)]


@pytest.mark.parametrize(
    ("key", "category"),
    [("retiree", "Retiree, Air Force"), ("sergeant", "Active duty, Army"), ("veteran", "Veteran, Marine Corps"),
     ("mother", "Dependent")],
)  # fmt: skip
def test_the_banner_says_what_somebody_is_to_the_services(sampled, key, category):
    patient_id = next(one.patient_id for one in personas() if one.key == key)
    mine = f"Patient/{patient_id}"
    episodes = [
        one for one in sampled["Observation"]
        if one["subject"]["reference"] == mine and words(one["code"]) == "Military service episode"
    ]  # fmt: skip
    covers = [one for one in sampled["Coverage"] if one["beneficiary"]["reference"] == mine]
    patient = next(one for one in sampled["Patient"] if one["id"] == patient_id)
    with showing(Reader(TODAY)):
        found = banner(View(patient, {"banner.service": episodes, "banner.coverage": covers}, {}, {}))
    assert found.category == category


def test_courses_are_by_code_newest_first_with_a_chart_and_a_band(sampled):
    retiree = next(one.patient_id for one in personas() if one.key == "retiree")
    mine = [one for one in sampled["Observation"] if one["subject"]["reference"] == f"Patient/{retiree}"]
    vitals = [one for one in mine if words(one["category"][0]) == "Vital Signs"]
    vitals.sort(key=lambda one: one["effectiveDateTime"], reverse=True)
    view = View({"id": retiree}, {"vitals": vitals}, {}, {})
    found = {one.code: one for one in courses(entries(section("vitals"), view, "vitals"))}
    pressure = found["85354-9"]
    assert len(pressure.values) == 2
    reader = Reader(TODAY)
    with showing(reader):
        chart = drawn(pressure, reader, adult=True)
        assert chart is not None
        assert [line.name for line in chart.lines] == ["Upper", "Lower"]
        assert len(chart.bands) == 1
        assert drawn(pressure, reader, adult=False).bands == ()
    assert len(pressure.newest(3).entries) == 3


def test_times_are_read_as_far_as_they_are_known():
    assert moment("2026-03-01").hour == 12
    assert moment("2026-03-01T10:00:00-05:00").utcoffset().total_seconds() == -18_000
    assert moment("2026") is None
    assert moment("") is None


def test_what_others_wrote_as_html_reaches_us_as_text_only():
    assert plain("<div><p>Take <b>one</b></p><script>alert(1)</script><ul><li>rest</li></ul></div>") == (
        "Take one\nrest"
    )
    html = {"content": [{"attachment": {"contentType": "text/html", "data": "PHA+SGk8L3A+"}}]}
    assert attached_text(html) == "Hi"
    assert attached_text({"content": [{"attachment": {"contentType": "text/plain", "data": "%%%"}}]}) == ""


def test_laboratory_tests_are_called_as_clinicians_call_them():
    assert test_name({"text": "Triglyceride [Mass/volume] in Serum or Plasma"}) == "Triglyceride"
    assert test_name({"text": "Glucose [Mass/volume] in Urine"}) == "Glucose in Urine"


def test_influenza_is_due_by_season():
    def dose(day):
        return Entry("Immunization", "i1", 1, "Influenza, injectable", day)

    assert _influenza([dose("2026-10-02")], TODAY)
    assert not _influenza([dose("2026-03-02")], TODAY)


def test_groups_and_columns_are_those_that_something_is_in():
    shown = Shown(section("problems"), (Entry("Condition", "1", 1, "A", "2026", group="Now"),))
    assert [group for group, _ in shown.groups] == ["Now"]
    assert shown.used == ()

"""People, illnesses, medicines and results fit each other; and the many look like those of the cited figures."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import mean

import pytest

from continuum.samples import corpus
from continuum.samples.careers import grade
from continuum.samples.events.hearing import AUDIOGRAM
from continuum.samples.world import TODAY


def code(resource, key="code"):
    return resource[key]["coding"][0]["code"]


def share(items, wanted):
    items = list(items)
    return sum(1 for item in items if wanted(item)) / len(items)


# Who they are


def test_services_have_the_shares_of_the_active_force(households):
    active = Counter(h.service.branch for h in households if h.service.status == "active")
    total = active.total()
    assert total > 1_000
    assert active["army"] / total == pytest.approx(0.343, abs=0.045)
    assert active["navy"] / total == pytest.approx(0.253, abs=0.04)
    assert active["air_force"] / total == pytest.approx(0.238, abs=0.04)
    assert active["marines"] / total == pytest.approx(0.130, abs=0.03)
    assert active["space_force"] > 0
    assert active["coast_guard"] > 0


def test_the_active_force_has_the_published_ages_women_and_officers(households):
    active = [h for h in households if h.service.status == "active"]
    assert mean(h.sponsor.age(TODAY) for h in active) == pytest.approx(28.5, abs=1.3)
    assert share(active, lambda h: h.sponsor.sex == "female") == pytest.approx(0.175, abs=0.035)
    assert share(active, lambda h: h.service.officer) == pytest.approx(0.182, abs=0.035)


def test_the_active_force_has_the_published_marriages_and_children(households):
    active = [h for h in households if h.service.status == "active"]
    assert share(active, lambda h: h.spouse is not None) == pytest.approx(0.461, abs=0.06)
    assert share(active, lambda h: bool(h.children)) == pytest.approx(0.359, abs=0.06)
    children = [child for h in active for child in h.children]
    assert share(children, lambda child: child.age(TODAY) < 6) == pytest.approx(0.42, abs=0.10)


def test_all_statuses_are_there(households):
    assert set(Counter(h.service.status for h in households)) == {"active", "reserve", "guard", "retired", "veteran"}


def test_ages_of_a_family_fit_each_other(households):
    for household in households:
        service, sponsor = household.service, household.sponsor
        assert 17.9 <= sponsor.age(service.entered) <= 33
        assert service.left is None or service.left > service.entered
        if household.spouse is not None:
            assert household.married is not None
            assert min(sponsor.age(household.married), household.spouse.age(household.married)) >= 18
        for child in household.children:
            assert child.born <= TODAY
            assert child.age(TODAY) < 21.1
            for parent in (sponsor, household.spouse):
                assert parent is None or parent.died is None or parent.died > child.born
        births = [birth.born for birth in household.births]
        assert births == sorted(births)
        gaps = [later - earlier for earlier, later in pairwise(births)]
        assert all(gap >= timedelta(days=400) for gap in gaps)
        assert household.mother is None or all(household.mother.age(day) >= 18 for day in births)


def test_only_women_of_age_are_pregnant_and_none_while_deployed(lives):
    pregnant = [life for life in lives if life.births]
    assert len(pregnant) > 300
    for life in pregnant:
        assert life.person.sex == "female"
        assert life.person.part != "child"
        for birth in life.births:
            assert 17.5 < life.person.age(birth.conceived) < 45
            for deployment in life.deployments:
                assert not (deployment.start <= birth.born and birth.conceived <= deployment.end)


def test_grades_only_rise(households):
    for household in households[:400]:
        service = household.service
        steps = [grade(service, service.entered + timedelta(days=180 * half)) for half in range(60)]
        of_one_ladder = [int(pay[2:]) for pay, _ in steps if pay[0] == steps[-1][0][0]]
        assert of_one_ladder == sorted(of_one_ladder)
        assert (steps[0][0] == "O-1") == service.officer


def test_families_live_somewhere_on_every_day(households):
    for household in households[:600]:
        homes = household.postings
        assert homes[0].start == household.service.entered
        assert homes[-1].end is None
        for earlier, later in pairwise(homes):
            assert earlier.end == later.start - timedelta(days=1)


def test_deployments_follow_each_other_within_the_service(households):
    served = [h for h in households if h.service.deployments]
    assert len(served) > 300
    for household in served:
        service = household.service
        for deployment in service.deployments:
            assert service.entered < deployment.start < deployment.end <= (service.left or TODAY)
        for earlier, later in pairwise(service.deployments):
            assert earlier.end < later.start


# What was done


def test_penicillin_is_not_given_to_those_who_are_allergic(resources):
    allergic = 0
    for chart in resources.values():
        substances = {code(allergy) for allergy in chart["AllergyIntolerance"]}
        if "764146007" in substances:
            allergic += 1
            assert all(code(order, "medicationCodeableConcept") != "308182" for order in chart["MedicationRequest"])
    assert allergic >= 5
    given = [code(order, "medicationCodeableConcept") for c in resources.values() for order in c["MedicationRequest"]]
    assert "308182" in given


def test_nobody_has_both_allergies_and_none(resources):
    for chart in resources.values():
        codes = [code(allergy) for allergy in chart["AllergyIntolerance"]]
        assert "716186003" not in codes or len(codes) == 1


def test_metformin_and_high_a1c_belong_to_people_with_diabetes(resources):
    highs = 0
    for chart in resources.values():
        diabetic = any(code(condition) == "44054006" for condition in chart["Condition"])
        if not diabetic:
            assert all(code(order, "medicationCodeableConcept") != "860975" for order in chart["MedicationRequest"])
        for result in chart["Observation"]:
            if code(result) == "4548-4" and result["valueQuantity"]["value"] >= 6.5:
                assert diabetic
                highs += 1
    assert highs >= 10


def test_a_report_holds_the_results_of_its_day_with_flags_that_fit_their_ranges(resources):
    reports = 0
    for chart in resources.values():
        results = {f"Observation/{one['id']}": one for one in chart["Observation"]}
        for report in chart["DiagnosticReport"]:
            reports += 1
            for link in report["result"]:
                result = results[link["reference"]]
                assert result["effectiveDateTime"] == report["effectiveDateTime"]
                value, bounds = result["valueQuantity"]["value"], result["referenceRange"][0]
                low = bounds.get("low", {}).get("value", float("-inf"))
                high = bounds.get("high", {}).get("value", float("inf"))
                expected = "L" if value < low else "H" if value > high else "N"
                assert code({"code": result["interpretation"][0]}) == expected
    assert reports > 500


def test_results_are_told_hours_after_the_sample_and_on_its_day(resources):
    hours = Counter()
    for chart in resources.values():
        told = {}
        for result in chart["Observation"]:
            if result["category"][0]["coding"][0]["code"] == "laboratory":
                sampled, issued = (datetime.fromisoformat(result[key]) for key in ("effectiveDateTime", "issued"))
                assert issued.utcoffset() is not None
                if sampled.tzinfo is None:
                    assert sampled.date() == issued.date(), "of a blood type only the day is known"
                    continue
                assert timedelta(minutes=30) <= issued - sampled <= timedelta(hours=7)
                assert issued.date() == sampled.date()
                told[f"Observation/{result['id']}"] = result["issued"]
                hours[(issued - sampled).seconds // 3600] += 1
        for report in chart["DiagnosticReport"]:
            if any(one["reference"] in told for one in report.get("result", ())):
                assert {told[one["reference"]] for one in report["result"]} == {report["issued"]}
    assert len(hours) > 4


def test_answers_are_in_the_record_when_the_visit_ends(resources):
    found = 0
    for chart in resources.values():
        ends = {f"Encounter/{one['id']}": one["period"]["end"] for one in chart["Encounter"]}
        for answer in chart["Observation"]:
            if code(answer) in {"72166-2", "55758-7", "44261-6", "72514-3"}:
                assert answer["issued"] == ends[answer["encounter"]["reference"]] > answer["effectiveDateTime"]
                found += 1
    assert found > 300


def test_lipids_add_up(resources):
    checked = 0
    for chart in resources.values():
        results = {f"Observation/{one['id']}": one for one in chart["Observation"]}
        for report in chart["DiagnosticReport"]:
            if code(report) == "24331-1":
                values = {
                    code(one): one["valueQuantity"]["value"]
                    for one in (results[r["reference"]] for r in report["result"])
                }
                friedewald = values["2085-9"] + values["13457-7"] + values["2571-8"] / 5
                assert values["2093-3"] == pytest.approx(friedewald, abs=1)
                checked += 1
    assert checked > 100


def test_vaccines_are_given_at_their_age(resources):
    limits_years = {"119": (0.1, 0.7), "03": (0.95, 60), "165": (10.9, 12.5), "187": (50, 120), "133": (0.1, 1.7)}
    pcv20 = Counter()
    seen = Counter()
    for chart in resources.values():
        born = date.fromisoformat(chart["Patient"][0]["birthDate"])
        doses = defaultdict(list)
        for dose in chart["Immunization"]:
            given = date.fromisoformat(dose["occurrenceDateTime"])
            cvx = code(dose, "vaccineCode")
            doses[cvx].append(given)
            if cvx in limits_years:
                youngest, oldest = limits_years[cvx]
                assert youngest <= (given - born).days / 365.25 <= oldest
                seen[cvx] += 1
            if cvx == "216":
                years = (given - born).days / 365.25
                assert years >= 65 or (0.1 <= years <= 1.7 and given >= date(2023, 10, 1))
                pcv20["old" if years >= 65 else "young"] += 1
        for days in doses.values():
            assert len(days) == len(set(days))
    assert set(seen) == set(limits_years)
    assert set(pcv20) == {"old", "young"}


def test_pregnancy_care_belongs_to_women_and_newborns_weigh_what_newborns_weigh(resources):
    pregnancies, weights = 0, []
    for chart in resources.values():
        sex = chart["Patient"][0]["gender"]
        if any(code(condition) == "72892002" for condition in chart["Condition"]):
            pregnancies += 1
            assert sex == "female"
        weights += [one["valueQuantity"]["value"] for one in chart["Observation"] if code(one) == "8339-4"]
    assert pregnancies > 10
    assert all(2_200 <= grams <= 5_000 for grams in weights)
    assert 3_000 <= mean(weights) <= 3_700


def test_dental_class_and_audiograms_belong_to_those_who_serve(resources):
    classes = audiograms = 0
    for chart in resources.values():
        serves = any(code(one) == "service-episode" for one in chart["Observation"])
        for one in chart["Observation"]:
            if code(one) == "dental-class":
                assert serves
                assert one["valueInteger"] in {1, 2, 3, 4}
                classes += 1
            if one["code"] == AUDIOGRAM:
                assert serves
                assert len(one["component"]) == 12
                audiograms += 1
    assert classes > 100
    assert audiograms > 30


def test_body_mass_index_is_weight_over_height_squared(resources):
    checked = 0
    for chart in resources.values():
        by_visit = defaultdict(dict)
        for one in chart["Observation"]:
            if code(one) in {"8302-2", "29463-7", "39156-5"}:
                by_visit[one["encounter"]["reference"]][code(one)] = one["valueQuantity"]["value"]
        for values in by_visit.values():
            if "39156-5" in values:
                assert values["39156-5"] == pytest.approx(values["29463-7"] / (values["8302-2"] / 100) ** 2, abs=0.06)
                checked += 1
    assert checked > 500


def test_a_smaller_share_of_visits_keeps_people_and_lasting_illnesses_as_they_are():
    whole, part = (
        {r["id"]: r["resourceType"] for r in corpus.Recipe(seed=8, keep=keep).family(5)} for keep in (1.0, 0.3)
    )
    lasting = {"Patient", "Coverage", "RelatedPerson"}
    assert {i for i, kind in part.items() if kind in lasting} == {i for i, kind in whole.items() if kind in lasting}
    assert len(part) < len(whole)

"""What people have is as common as the cited figures say, and what is over is over."""

from datetime import timedelta
from statistics import NormalDist, mean, median

import pytest

from continuum.samples.data.growth import HDL_VARIES
from continuum.samples.data.illnesses import BY_KEY
from continuum.samples.events.hearing import noise_loss_db
from continuum.samples.streams import curve


def code(resource, key="code"):
    return resource[key]["coding"][0]["code"]


def share(items, wanted):
    items = list(items)
    return sum(1 for item in items if wanted(item)) / len(items)


@pytest.mark.parametrize(("key", "ages"), [("hypertension", (45, 60)), ("diabetes2", (55, 75)), ("asthma", (5, 17))])
def test_the_share_of_the_ill_is_that_of_the_table(lives, key, ages):
    kind = BY_KEY[key]
    of_age = [life for life in lives if ages[0] <= life.person.age(life.until) < ages[1] and life.service is None]
    assert len(of_age) > 150
    expected = mean(
        curve(kind.male if life.person.sex == "male" else kind.female, life.person.age(life.until)) for life in of_age
    )
    assert share(of_age, lambda life: life.has(key, life.until)) == pytest.approx(expected, abs=0.075)


def test_illnesses_of_one_sex_stay_with_it(lives):
    for life in lives:
        keys = {illness.kind.key for illness in life.illnesses}
        assert life.person.sex == "male" or "prostate_hyperplasia" not in keys
        assert life.person.sex == "female" or "cystitis" not in keys


def test_noise_costs_hearing(lives):
    served = [life for life in lives if life.service is not None and life.person.age(life.until) >= 35]
    loud = [life for life in served if life.service.occupation.noise == 3]
    quiet = [life for life in served if life.service.occupation.noise == 0]
    ringing = [share(group, lambda life: life.has("tinnitus", life.until)) for group in (loud, quiet)]
    assert ringing[0] > ringing[1] + 0.05
    assert mean(noise_loss_db(life, life.until) for life in loud) > mean(
        noise_loss_db(life, life.until) for life in quiet
    )


def test_ptsd_of_the_deployed_begins_after_their_first_deployment(lives):
    found = [(life, life.illness("ptsd")) for life in lives if life.deployments and life.illness("ptsd")]
    assert len(found) >= 20
    assert all(illness.onset > life.deployments[0].end for life, illness in found)


def test_those_who_are_deployed_are_not_seen_at_home(lives):
    away = 0
    for life in lives:
        for visit in life.visits:
            if any(deployment.covers(visit.day) for deployment in life.deployments):
                assert visit.site.kind in {"ship", "aid_station", "surgical_team"}
                away += 1
            else:
                assert visit.site.kind in {"hospital", "clinic", "dental"}
    assert away > 5


def test_appointments_of_the_plan_are_on_weekdays_and_illnesses_come_before_their_visits(lives):
    for life in lives:
        for visit in life.visits:
            if visit.kind in {"checkup", "well_child", "dental", "follow_up", "prenatal"}:
                assert visit.day.weekday() < 5
            if visit.reason is not None:
                assert visit.reason.onset <= visit.day


def test_the_dead_have_a_last_admission(lives):
    dead = [life for life in lives if life.person.died is not None and life.visits]
    assert len(dead) >= 10
    for life in dead:
        assert all(visit.last_day <= life.person.died for visit in life.visits)
        assert life.person.age(life.person.died) > 40


def test_eczema_of_children_ends_for_most_and_is_not_treated_after_that(lives, resources):
    had = [one for life in lives for one in life.illnesses if one.kind.key == "eczema"]
    assert share(had, lambda one: one.abated is not None) > 0.1
    civilians = [life for life in lives if life.service is None and life.person.age(life.until) >= 20]
    assert share(civilians, lambda life: life.has("eczema", life.until)) == pytest.approx(0.073, abs=0.02)
    over = 0
    for chart in resources.values():
        ended = {f"Condition/{one['id']}": one for one in chart["Condition"] if code(one) in {"24079001", "61582004"}}
        ended = {key: one["abatementDateTime"] for key, one in ended.items() if "abatementDateTime" in one}
        over += len(ended)
        for order in chart["MedicationRequest"]:
            cause = order["reasonReference"][0]["reference"]
            if cause in ended:
                assert order["authoredOn"][:10] <= ended[cause]
                assert order["status"] == "completed"
    assert over > 5


def test_as_many_adults_have_adhd_as_say_so_and_who_outgrew_it_is_not_given_more(lives):
    grown = [life for life in lives if life.service is None and life.person.age(life.until) >= 18]
    assert share(grown, lambda life: life.has("adhd", life.until)) == pytest.approx(0.06, abs=0.015)
    over = [one for life in lives for one in life.illnesses if one.kind.key == "adhd" and one.abated is not None]
    assert over
    assert all(visit.day <= visit.reason.abated + timedelta(days=2) for life in lives for visit in life.visits
               if visit.reason in over)  # fmt: skip


def test_foods_are_as_rarely_borne_as_surveys_say(lives):
    def with_allergy(key, lives):
        return share(lives, lambda life: any(one.allergen.key == key for one in life.allergies))

    children = [life for life in lives if life.person.age(life.until) < 18]
    grown = [life for life in lives if life.service is None and life.person.age(life.until) >= 18]
    assert with_allergy("peanut", children) == pytest.approx(0.022, abs=0.007)
    assert with_allergy("egg", children) == pytest.approx(0.009, abs=0.005)
    assert with_allergy("shellfish", children) == pytest.approx(0.013, abs=0.006)
    assert with_allergy("shellfish", grown) == pytest.approx(0.029, abs=0.009)


@pytest.mark.parametrize(
    ("sex", "medians"), [("male", (97, 116, 122, 112, 112, 87)), ("female", (93, 103, 111, 124, 113, 99))]
)
def test_ldl_rises_to_middle_age_and_falls_with_treatment_in_each_sex_as_surveyed(lives, sex, medians):
    for age, wanted in zip(range(20, 80, 10), medians, strict=True):
        last = 100 if age == 70 else age + 10
        found = [
            life.physiology.ldl_mg_dl(life.until)
            for life in lives
            if life.person.sex == sex and age <= life.person.age(life.until) < last
        ]
        assert median(found) == pytest.approx(wanted, abs=8), age


@pytest.mark.parametrize(("sex", "low"), [("male", 0.215), ("female", 0.066)])
def test_low_hdl_is_as_common_as_surveyed(lives, sex, low):
    found = [
        NormalDist(life.physiology.hdl_mg_dl(), HDL_VARIES).cdf(40)
        for life in lives
        if life.person.sex == sex and life.person.age(life.until) >= 20
    ]
    assert mean(found) == pytest.approx(low, abs=0.02)

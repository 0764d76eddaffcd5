"""What the tables make of people is near the figures that they cite."""

from datetime import date, timedelta
from itertools import pairwise
from math import exp
from statistics import mean

import pytest

from continuum.samples import world
from continuum.samples.body import Physiology
from continuum.samples.data import families, growth, services, vaccines
from continuum.samples.data.acute import ACUTE
from continuum.samples.data.illnesses import BY_KEY
from continuum.samples.persons import Body
from continuum.samples.streams import curve

BORN = date(2000, 1, 1)
MEDIAN = Body(height_z=0, weight_z=0, pressure_z=0, pulse_z=0, lipids_z=0, habit=0.5)


US_ADULTS = ((18, 25, 0.12), (25, 35, 0.18), (35, 45, 0.165), (45, 50, 0.0825), (50, 55, 0.0825), (55, 65, 0.165),
             (65, 75, 0.125), (75, 90, 0.08))  # fmt: skip
"""Ages, and about the share of the adults who are of them."""


def among_adults(knots, youngest=18):
    groups = [group for group in US_ADULTS if group[0] >= youngest]
    ill = sum(share * mean(curve(knots, age + 0.5) for age in range(low, high)) for low, high, share in groups)
    return ill / sum(share for *_, share in groups)


def measured(sex, years):
    return Physiology(sex, BORN, MEDIAN), BORN + timedelta(days=round(years * 365.25))


@pytest.mark.parametrize(
    ("sex", "age", "deaths_a_year"),
    [("male", 50, 0.00668), ("male", 70, 0.02691), ("male", 85, 0.10432),
     ("female", 50, 0.00394), ("female", 70, 0.01748), ("female", 85, 0.07915)],
)  # fmt: skip
def test_deaths_are_those_of_the_life_tables_of_2021(sex, age, deaths_a_year):
    level, slope = families.DEATHS_A_YEAR[sex]
    assert level * exp(slope * (age - families.DEATHS_FROM_YEARS)) == pytest.approx(deaths_a_year, rel=0.2)


@pytest.mark.parametrize(
    ("sex", "age", "systolic", "diastolic"),
    [("male", 1, 86, 41), ("male", 5, 94, 53), ("male", 10, 100, 62), ("male", 17, 117, 68),
     ("female", 1, 86, 43), ("female", 5, 93, 55), ("female", 10, 99, 60), ("female", 17, 110, 66)],
)  # fmt: skip
def test_the_pressure_of_children_is_the_median_of_the_guideline_of_2017(sex, age, systolic, diastolic):
    body, day = measured(sex, age)
    assert body.systolic_mmhg(day) == pytest.approx(systolic, abs=1)
    assert body.diastolic_mmhg(day) == pytest.approx(diastolic, abs=2)


def test_the_pressure_and_pulse_of_adults_are_those_of_the_surveys():
    grown = [measured(sex, age) for sex in ("male", "female") for age in range(20, 70, 2)]
    assert mean(body.systolic_mmhg(day) for body, day in grown) == pytest.approx(116, abs=2)
    assert mean(body.diastolic_mmhg(day) for body, day in grown) == pytest.approx(69, abs=2)
    assert mean(body.pulse_bpm(day) for body, day in grown) == pytest.approx(72, abs=1)
    assert [measured(sex, 40)[0].pulse_bpm(measured(sex, 40)[1]) for sex in ("male", "female")] == [71, 74]


@pytest.mark.parametrize(("ages", "rate"), [((20, 30), 116), ((40, 50), 99), ((60, 70), 85)])
def test_kidneys_filter_what_they_filter_at_that_age(ages, rate):
    found = [measured("female", age + 0.5) for age in range(*ages)]
    assert mean(body.egfr(day) for body, day in found) == pytest.approx(rate, abs=2)


def test_as_many_adults_are_vaccinated_as_in_the_survey_of_2018():
    def share(key: str, years: float) -> float:
        left = 1.0
        for from_years, one, of_those, _ in vaccines.ADULT:
            left *= 1 - of_those if one == key and from_years < years else 1
        return 1 - left

    assert share("zoster", 60) == pytest.approx(0.115, abs=0.01)
    assert share("zoster", 70) == pytest.approx(0.395, abs=0.01)
    assert share("pneumococcal", 70) == pytest.approx(0.69, abs=0.01)


@pytest.mark.parametrize(
    ("key", "ages", "men", "women"),
    [("adhd", (5, 18), 0.145, 0.08), ("depression", (20, 75), 0.07, 0.138), ("copd", (75, 90), 0.10, 0.11),
     ("gout", (20, 85), 0.052, 0.027), ("knee_osteoarthritis", (45, 65), 0.066, 0.077)],
)  # fmt: skip
def test_as_many_are_ill_as_the_surveys_found(key, ages, men, women):
    for knots, share in ((BY_KEY[key].male, men), (BY_KEY[key].female, women)):
        assert mean(curve(knots, age + 0.5) for age in range(*ages)) == pytest.approx(share, abs=0.012)


@pytest.mark.parametrize(
    ("key", "ages", "share"),
    [("gout", (20, 40), 0.007), ("gout", (40, 60), 0.034), ("gout", (60, 80), 0.088), ("gout", (80, 90), 0.087),
     ("knee_osteoarthritis", (18, 45), 0.017), ("knee_osteoarthritis", (65, 85), 0.125),
     ("atrial_fibrillation", (80, 90), 0.09)],
)  # fmt: skip
def test_as_many_of_an_age_are_ill_as_the_surveys_found(key, ages, share):
    kind = BY_KEY[key]
    found = mean(curve(knots, age + 0.5) for knots in (kind.male, kind.female) for age in range(*ages))
    assert found == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(
    ("key", "men", "women"),
    [("anxiety", 0.102, 0.15), ("gerd", 0.087, 0.087), ("kidney_disease3", 0.061, 0.067), ("tinnitus", 0.11, 0.094)],
)
def test_as_many_adults_are_ill_as_the_surveys_found(key, men, women):
    assert among_adults(BY_KEY[key].male) == pytest.approx(men, abs=0.006)
    assert among_adults(BY_KEY[key].female) == pytest.approx(women, abs=0.006)


def test_four_of_five_who_are_treated_for_reflux_are_fifty_or_older():
    knots = BY_KEY["gerd"].male
    older = sum(share for low, _, share in US_ADULTS if low >= 50)
    assert among_adults(knots, 50) * older / among_adults(knots) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("key", "ages", "share"),
    [("hearing_loss", (45, 55), 0.05), ("hearing_loss", (55, 65), 0.10), ("hearing_loss", (65, 75), 0.22),
     ("hearing_loss", (75, 90), 0.55), ("tinnitus", (60, 70), 0.143)],
)  # fmt: skip
def test_as_many_hear_badly_as_the_surveys_found(key, ages, share):
    kind = BY_KEY[key]
    found = mean(curve(knots, age + 0.5) for knots in (kind.male, kind.female) for age in range(*ages))
    assert found == pytest.approx(share, abs=0.012)


ACUTE_BY_KEY = {kind.key: kind for kind in ACUTE}


@pytest.mark.parametrize(
    ("youngest", "oldest", "per_10000"), [(18, 90, 24.8), (65, 80, 63.0), (80, 90, 164.3)]
)  # fmt: skip
def test_as_many_are_in_hospital_for_pneumonia_as_the_surveillance_found(youngest, oldest, per_10000):
    kind = ACUTE_BY_KEY["pneumonia"]
    if (youngest, oldest) == (18, 90):
        episodes = among_adults(kind.rate)
    else:
        episodes = mean(curve(kind.rate, age + 0.5) for age in range(youngest, oldest))
    assert 10_000 * episodes * kind.emergency * kind.admitted == pytest.approx(per_10000, rel=0.12)


def test_appendicitis_is_as_common_as_the_discharge_survey_found():
    rate = ACUTE_BY_KEY["appendicitis"].rate
    assert 10_000 * mean(curve(rate, age + 0.5) for age in range(10, 20)) == pytest.approx(23.3, abs=1.5)
    assert sum(curve(rate, age + 0.5) for age in range(85)) == pytest.approx((0.086 + 0.067) / 2, abs=0.006)


@pytest.mark.parametrize(
    ("key", "ages", "per_100000"),
    [("heart_attack", (45, 55), 160), ("heart_attack", (55, 65), 307), ("heart_attack", (65, 75), 530),
     ("heart_attack", (75, 90), 1_080), ("otitis", (0, 2), 38_700), ("conjunctivitis", (0, 1), 10_422),
     ("influenza", (0, 5), 11_500), ("influenza", (5, 18), 7_000), ("influenza", (18, 50), 3_300),
     ("influenza", (50, 65), 6_100), ("influenza", (65, 85), 3_300)],
)  # fmt: skip
def test_as_many_come_with_it_as_the_surveys_found(key, ages, per_100000):
    rate = ACUTE_BY_KEY[key].rate
    assert 100_000 * mean(curve(rate, age + 0.5) for age in range(*ages)) == pytest.approx(per_100000, rel=0.08)


def test_stones_and_broken_forearms_are_as_common_as_the_surveys_found():
    assert 0.006 <= among_adults(ACUTE_BY_KEY["kidney_stone"].rate) <= 0.009
    # Those who do not serve strain 0.8 times as much as the table's rates are for.
    forearm = [0.8 * curve(ACUTE_BY_KEY["forearm_fracture"].rate, age + 0.5) for age in range(18)]
    assert 1_000 * mean(forearm) == pytest.approx(7.4, abs=1)
    assert 9 <= forearm.index(max(forearm)) + 1 <= 13


def among_all(key):
    """Episodes a year of one of all people, of whom 22 of 100 are below 18 years of age, and of them the children's."""
    rate = ACUTE_BY_KEY[key].rate
    children = 0.22 * mean(curve(rate, age + 0.5) for age in range(18))
    return children + 0.78 * among_adults(rate), children


def test_colds_are_seen_as_often_as_the_surveys_found():
    everybody, children = among_all("cold")
    assert 0.12 <= everybody <= 0.236
    assert children / everybody == pytest.approx(0.45, abs=0.08)


def test_sore_throats_bronchitis_and_gastroenteritis_are_seen_as_often_as_the_surveys_found():
    assert 0.0176 <= among_all("pharyngitis")[0] <= 0.0391
    assert among_all("gastroenteritis")[0] == pytest.approx(0.0546, abs=0.006)
    stomach, chest = ACUTE_BY_KEY["gastroenteritis"].rate, ACUTE_BY_KEY["bronchitis"].rate
    assert mean(curve(stomach, age + 0.5) for age in range(5)) == pytest.approx(0.1269, abs=0.015)
    assert mean(curve(chest, age + 0.5) for age in range(18)) == pytest.approx(0.06, abs=0.006)
    assert among_adults(chest) == pytest.approx(0.05, abs=0.003)


def test_sinusitis_conjunctivitis_and_contact_dermatitis_are_seen_as_often_as_the_surveys_found():
    assert among_all("sinusitis")[0] == pytest.approx(0.056, abs=0.003)
    assert 0.037 <= mean(curve(ACUTE_BY_KEY["sinusitis"].rate, age + 0.5) for age in range(20)) <= 0.060
    assert among_all("conjunctivitis")[0] == pytest.approx(0.022, abs=0.002)
    assert 0.026 <= among_all("dermatitis")[0] <= 0.037


def test_covid_is_seen_as_often_as_was_estimated_and_mostly_among_the_old():
    kind = ACUTE_BY_KEY["covid"]
    everybody, _ = among_all("covid")
    assert 0.023 <= everybody <= 0.030
    older = 0.177 * mean(curve(kind.rate, age + 0.5) for age in range(65, 85))
    assert older / everybody == pytest.approx(0.643, abs=0.06)
    assert kind.emergency * kind.admitted == pytest.approx(1.1 / 10, abs=0.01)


def test_nobody_has_covid_before_it_has_a_code():
    found = [
        one["onsetDateTime"]
        for number in range(80)
        for one in world.family(number, seed=8, years=12)
        if one["resourceType"] == "Condition" and "U07.1" in str(one["code"])
    ]
    assert len(found) > 5
    assert min(found) >= "2020-04-01"


def test_gallstones_are_operated_as_often_as_the_surveys_found():
    women, men = (among_all(f"gallstones_{whose}")[0] for whose in ("women", "men"))
    assert (women + men) / 2 == pytest.approx(0.00285, rel=0.06)
    assert women / men == pytest.approx(2.3, abs=0.3)
    assert {ACUTE_BY_KEY[f"gallstones_{whose}"].sex for whose in ("women", "men")} == {"female", "male"}


def test_cystitis_is_as_common_as_women_told():
    def had_it(ages):
        return mean(1 - exp(-curve(ACUTE_BY_KEY["cystitis"].rate, age + 0.5)) for age in ages)

    assert had_it(range(18, 85)) == pytest.approx(0.108, abs=0.01)
    assert had_it(range(18, 25)) == pytest.approx(0.175, abs=0.02)


IN_SERVICE = [18] * 4 + [19] * 6 + [20] * 7 + list(range(21, 30)) * 6 + list(range(30, 45)) * 3
"""About the ages of the active force."""


def in_service(key):
    return 1_000 * mean(curve(ACUTE_BY_KEY[key].rate, age + 0.5) for age in IN_SERVICE)


def test_those_who_serve_are_hurt_as_often_as_the_surveillance_found():
    # Their work strains 1.15 times as much as the table's rates are for, on average.
    keys = ("heat_stroke", "ankle_sprain", "meniscus_tear", "concussion", "back_strain", "shoulder_injury")
    a_year = {key: 1.15 * in_service(key) for key in keys}
    assert 0.32 <= a_year["heat_stroke"] <= 0.45
    assert 35 <= a_year["ankle_sprain"] <= 103
    assert 6.6 <= a_year["concussion"] <= 17
    assert 95 <= a_year["back_strain"] <= 125
    assert a_year["meniscus_tear"] == pytest.approx(8.27, rel=0.08)
    assert a_year["shoulder_injury"] == pytest.approx(11, rel=0.12)
    women, men = in_service("gallstones_women"), in_service("gallstones_men")
    assert services.WOMEN * women + (1 - services.WOMEN) * men == pytest.approx(1.2, rel=0.15)
    tear = ACUTE_BY_KEY["meniscus_tear"]
    older, young = (mean(curve(tear.rate, age + 0.5) for age in ages) for ages in (range(40, 45), range(18, 20)))
    assert older / young == pytest.approx(4.25, abs=0.3)
    assert tear.at_home * 1_000 * mean(curve(tear.rate, age + 0.5) for age in range(18, 55)) == pytest.approx(2.22, 0.1)


def test_shoulders_and_cut_hands_of_those_who_do_not_serve_are_seen_as_often_as_the_surveys_found():
    shoulder, cut = (ACUTE_BY_KEY[key] for key in ("shoulder_injury", "laceration"))
    assert shoulder.at_home * among_adults(shoulder.rate) == pytest.approx(0.0147, rel=0.08)
    assert shoulder.at_home * mean(curve(shoulder.rate, age + 0.5) for age in range(50, 85)) == pytest.approx(0.02)
    assert 0.0025 <= cut.at_home * among_all("laceration")[0] <= 0.0088
    young = mean(curve(cut.rate, age + 0.5) for age in range(18, 25))
    for ages in (range(18), range(45, 65)):
        assert young / mean(curve(cut.rate, age + 0.5) for age in ages) == pytest.approx(2, abs=0.25)


def with_it_still(kind, knots, age):
    """The share of those of an age who have an illness that some outgrow."""
    ages = [age * step / 400 for step in range(401)]
    begun = [curve(knots, later) - curve(knots, before) for before, later in pairwise(ages)]
    return sum(new * curve(kind.stays, age - at) for new, at in zip(begun, ages[1:], strict=True))


@pytest.mark.parametrize(("sex", "children"), [("male", 0.20), ("female", 0.177)])
def test_as_many_have_hay_fever_as_the_survey_of_2021(sex, children):
    kind = BY_KEY["allergic_rhinitis"]
    knots = kind.male if sex == "male" else kind.female
    assert mean(with_it_still(kind, knots, age + 0.5) for age in range(18)) == pytest.approx(children, abs=0.01)
    assert mean(with_it_still(kind, knots, age + 0.5) for age in range(18, 80)) == pytest.approx(0.257, abs=0.01)


@pytest.mark.parametrize(("days", "systolic", "diastolic"), [(0, 65, 45), (4, 70, 46), (15, 78, 50), (38, 86, 50)])
def test_the_pressure_of_newborns_is_that_of_the_surveys(days, systolic, diastolic):
    body, day = measured("male", days / 365.25)
    assert body.systolic_mmhg(day) == pytest.approx(systolic, abs=1.5)
    assert body.diastolic_mmhg(day) == pytest.approx(diastolic, abs=1.5)


@pytest.mark.parametrize(("ages", "bmi"), [((20, 30), 26.6), ((50, 60), 28.7)])
def test_adults_are_as_heavy_as_the_survey_of_1999_to_2002(ages, bmi):
    found = [curve(growth.BMI, age + 0.5) * exp(curve(growth.BMI_LOG_SD, age + 0.5) ** 2 / 2) for age in range(*ages)]
    assert mean(found) == pytest.approx(bmi, abs=0.4)


def test_the_ldl_cholesterol_of_adolescents_is_that_of_the_survey_of_2015():
    found = [measured(sex, age + 0.5) for sex in ("male", "female") for age in range(12, 20)]
    assert mean(body.ldl_mg_dl(day) for body, day in found) == pytest.approx(86, abs=1)


@pytest.mark.parametrize(
    ("sex", "age", "height_cm"),
    [("male", 1, 75.7), ("male", 3, 94.96), ("male", 7, 121.8), ("male", 12, 149.05),
     ("female", 1, 74.0), ("female", 3, 93.92), ("female", 7, 121.5), ("female", 12, 151.19)],
)  # fmt: skip
def test_children_are_as_tall_as_the_growth_charts_say(sex, age, height_cm):
    body, day = measured(sex, age)
    assert body.height_cm(day) == pytest.approx(height_cm, abs=0.5)


@pytest.mark.parametrize(
    ("ages", "share"), [((18, 25), 0.131), ((25, 45), 0.176), ((45, 65), 0.180), ((65, 90), 0.088)]
)
def test_as_many_smoke_as_in_the_survey_of_2016(ages, share):
    assert mean(curve(families.SMOKES, age + 0.5) for age in range(*ages)) == pytest.approx(share, abs=0.015)


def test_children_get_no_vaccine_that_is_not_recommended_any_more():
    given = {
        (one["occurrenceDateTime"] >= "2023-10-01", one["vaccineCode"]["coding"][0]["code"])
        for number in range(30)
        for one in world.family(number, seed=8, years=8)
        if one["resourceType"] == "Immunization"
    }
    assert (False, "133") in given
    assert (True, "133") not in given
    assert (True, "216") in given


def test_influenza_vaccines_have_three_strains_from_the_season_of_2024():
    codes = {
        (int(one["occurrenceDateTime"][:4]), one["vaccineCode"]["coding"][0]["code"])
        for number in range(12)
        for one in world.family(number, seed=8, years=5)
        if one["resourceType"] == "Immunization"
    }
    influenza = {(year, code) for year, code in codes if code in {"140", "150"}}
    assert {code for year, code in influenza if year < 2024} == {"150"}
    assert {code for year, code in influenza if year >= 2024} == {"140"}

"""Bodies change as bodies do."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from continuum.samples.body import Physiology
from continuum.samples.data.laboratory import TESTS
from continuum.samples.events.labs import creatinine_mg_dl, flag
from continuum.samples.persons import Birth, Body, Person

BORN = date(1960, 3, 2)
z = st.floats(-1.9, 2.4)
bodies = st.builds(Body, height_z=z, weight_z=z, pressure_z=z, pulse_z=z, lipids_z=z, habit=st.floats(0, 1))
sexes = st.sampled_from(["male", "female"])


def at(years):
    return BORN + timedelta(days=round(years * 365.25))


@given(sexes, bodies)
def test_children_never_shrink(sex, body):
    physiology = Physiology(sex, BORN, body)
    heights = [physiology.height_cm(at(months / 12)) for months in range(20 * 12)]
    assert heights == sorted(heights)
    assert 42 <= heights[0] <= 56
    assert 140 <= heights[-1] <= 200


@given(sexes, bodies)
def test_children_gain_weight_year_by_year(sex, body):
    physiology = Physiology(sex, BORN, body)
    weights = [physiology.weight_kg(at(age)) for age in range(19)]
    assert weights == sorted(weights)
    assert 2.2 <= weights[0] <= 5.1


@given(sexes, bodies, st.floats(30, 70), st.floats(0.5, 10))
def test_pressure_rises_with_hypertension_and_falls_with_treatment(sex, body, onset_age, treated_years):
    healthy = Physiology(sex, BORN, body)
    onset = at(onset_age)
    ill = Physiology(sex, BORN, body, onset={"hypertension": onset})
    treated = Physiology(
        sex, BORN, body, onset={"hypertension": onset}, treated={"hypertension": onset + timedelta(days=20)}
    )
    day = onset + timedelta(days=round(treated_years * 365))
    assert ill.systolic_mmhg(onset) >= 140
    assert healthy.systolic_mmhg(onset) <= 131
    assert healthy.systolic_mmhg(day) <= treated.systolic_mmhg(day) < ill.systolic_mmhg(day)
    assert treated.systolic_mmhg(day) < ill.systolic_mmhg(onset) - 8


@given(sexes, bodies, st.floats(30, 70), st.floats(1, 10))
def test_a1c_follows_diabetes_and_its_treatment(sex, body, onset_age, years):
    onset = at(onset_age)
    healthy = Physiology(sex, BORN, body)
    ill = Physiology(sex, BORN, body, onset={"diabetes2": onset})
    treated = Physiology(sex, BORN, body, onset={"diabetes2": onset}, treated={"diabetes2": onset + timedelta(days=5)})
    day = onset + timedelta(days=round(years * 365))
    assert healthy.a1c_percent(day) < 6.0
    assert ill.a1c_percent(onset) >= 6.5
    assert healthy.a1c_percent(day) < treated.a1c_percent(day) < ill.a1c_percent(day)
    assert treated.a1c_percent(day) < 7.6


@given(sexes, bodies, st.floats(30, 60))
def test_a_statin_lowers_ldl_by_nearly_half(sex, body, onset_age):
    onset = at(onset_age)
    ill = Physiology(sex, BORN, body, onset={"hyperlipidemia": onset})
    treated = Physiology(sex, BORN, body, onset={"hyperlipidemia": onset}, treated={"hyperlipidemia": onset})
    day = onset + timedelta(days=200)
    assert ill.ldl_mg_dl(day) >= 160
    assert 0.5 < treated.ldl_mg_dl(day) / ill.ldl_mg_dl(day) < 0.6


@given(st.floats(32, 115), st.floats(18, 90), st.booleans())
def test_creatinine_and_filtration_rate_agree(egfr, age, female):
    creatinine = creatinine_mg_dl(egfr=egfr, age=age, female=female)
    kappa, alpha, factor = (0.7, -0.241, 1.012) if female else (0.9, -0.302, 1.0)
    ratio = creatinine / kappa
    again = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * factor
    assert abs(again - egfr) < 0.01


def test_a_pregnancy_weighs_and_is_over_with_the_birth():
    body = Body(0, 0, 0, 0, 0, 0.5)
    born = at(30)
    child = Person(("x", 2), "i", "child", "female", born, ("A",), "B", ("", ""), hispanic=False, dod_id="", body=body)
    birth = Birth(child, born - timedelta(days=266), born, 40, caesarean=False)
    mother = Physiology("female", BORN, body, births=[birth])
    before, late, after = (mother.weight_kg(born + timedelta(days=days)) for days in (-300, -2, 40))
    assert late - before > 10
    assert abs(after - before) < 1


def test_flags_say_high_and_low_only_beyond_the_bounds():
    low, high = TESTS["potassium"].male
    assert [flag(value, (low, high)) for value in (low, high, low - 0.1, high + 0.1)] == ["N", "N", "L", "H"]
    assert flag(59, TESTS["egfr"].male) == "L"
    assert flag(140, TESTS["egfr"].male) == "N"

"""Nobody gets a vaccine before it was there, and as many adults have theirs as were counted."""

from datetime import date

import pytest

from continuum.samples import families
from continuum.samples.events import immunizations
from continuum.samples.timeline.plan import plan

COUNTED = date(2018, 12, 31)
LIVE_ZOSTER, ZOSTER, POLYSACCHARIDE, PCV20 = "121", "187", "33", "216"


def given(life):
    return {
        (one["vaccineCode"]["coding"][0]["code"], date.fromisoformat(one["occurrenceDateTime"]))
        for one in immunizations.events(life, life.draw("immunizations"))
    }


@pytest.fixture(scope="module")
def elders():
    """People of 2018 from 50 years on, and what they were given in the 40 years before."""
    households = (families.compose(8, number, COUNTED) for number in range(1_500))
    lives = [
        plan(household, person, seed=8, today=COUNTED, years=40, keep=0.01)
        for household in households
        for person in household.members
        if person.died is None and person.age(COUNTED) >= 50
    ]
    return [(life, given(life)) for life in lives]


def share(elders, ages, codes):
    found = [
        codes & {code for code, _ in doses} for life, doses in elders if ages[0] <= life.person.age(COUNTED) < ages[1]
    ]
    return sum(map(bool, found)) / len(found)


def test_nobody_gets_what_was_not_licensed_or_not_made_any_more(elders, lives):
    doses = {(dose, life.person.age(dose[1])) for life, doses in elders for dose in doses}
    doses |= {(dose, life.person.age(dose[1])) for life in lives for dose in given(life)}
    days = {code: sorted(day for (one, day), _ in doses if one == code) for code in (LIVE_ZOSTER, ZOSTER, PCV20)}
    assert days[ZOSTER][0] >= date(2017, 10, 20)
    assert date(2006, 5, 25) <= days[LIVE_ZOSTER][0]
    assert days[LIVE_ZOSTER][-1] <= date(2020, 11, 18)
    assert days[PCV20][0] >= date(2021, 10, 20)
    assert min(age for (code, _), age in doses if code == LIVE_ZOSTER) >= 60


def test_as_many_as_counted_in_2018_had_a_vaccine_of_that_year(elders):
    assert share(elders, (50, 65), {ZOSTER, LIVE_ZOSTER}) == pytest.approx(0.115, abs=0.035)
    assert share(elders, (66, 120), {ZOSTER, LIVE_ZOSTER}) == pytest.approx(0.395, abs=0.06)
    assert share(elders, (66, 120), {POLYSACCHARIDE}) == pytest.approx(0.69, abs=0.06)
    assert share(elders, (50, 120), {PCV20}) == 0


def test_the_live_zoster_vaccine_goes_under_the_skin(elders):
    routes = {
        one["vaccineCode"]["coding"][0]["code"]: one["route"]["coding"][0]["code"]
        for life, _ in elders
        for one in immunizations.events(life, life.draw("immunizations"))
    }
    assert routes[LIVE_ZOSTER] == "SQ"
    assert routes[POLYSACCHARIDE] == "IM"

"""Templates become times by the clinic's clock: on days the clocks change, on holidays, with several seats."""

from datetime import UTC, date, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.clinical.scheduling.model import Calendar, Closed, Rule, calendar_of, with_calendar
from continuum.clinical.scheduling.template import check, days_of, holiday, openings, overbooked, times_on
from continuum.kernel.errors import Invalid

NEW_YORK = ZoneInfo("America/New_York")
EVERY_DAY = "FREQ=DAILY"
ZONES = ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Pacific/Honolulu", "Australia/Lord_Howe"]


def rule(recurrence=EVERY_DAY, starts=time(9), ends=time(12), minutes=30, **more):
    return Rule(recurrence, starts, ends, minutes, date(2026, 1, 1), **more)


def calendar(*rules, closed=()):
    return Calendar("c", True, "dr", "room", "kind", rules, closed, 28)


def test_nine_is_nine_on_both_sides_of_a_change_of_the_clocks():
    spring = date(2026, 3, 8)
    for day in (spring - timedelta(days=1), spring, spring + timedelta(days=1)):
        found = list(times_on(calendar(), rule(), day, NEW_YORK))
        assert [one.starts.time() for one in found][:2] == [time(9), time(9, 30)]
        assert len(found) == 6
    assert found[0].starts.utcoffset() == timedelta(hours=-4)


def test_the_hour_that_is_left_out_is_not_opened_and_the_one_repeated_is_opened_once():
    night = rule(starts=time(0), ends=time(5), minutes=60)
    spring = list(times_on(calendar(), night, date(2026, 3, 8), NEW_YORK))
    assert [one.starts.hour for one in spring] == [0, 1, 3, 4], "two o'clock does not exist"
    autumn = list(times_on(calendar(), night, date(2026, 11, 1), NEW_YORK))
    assert [one.starts.hour for one in autumn] == [0, 1, 2, 3, 4]
    assert len({one.id for one in autumn}) == 5
    real = [one.ends.astimezone(UTC) - one.starts.astimezone(UTC) for one in (*spring, *autumn)]
    assert set(real) == {timedelta(hours=1)}


def test_the_first_monday_of_each_month_and_nothing_else():
    found = list(days_of(rule("FREQ=MONTHLY;BYDAY=1MO"), date(2026, 9, 1), date(2026, 11, 30)))
    assert found == [date(2026, 9, 7), date(2026, 10, 5), date(2026, 11, 2)]


def test_nothing_is_opened_on_holidays_and_closed_days():
    assert holiday(date(2026, 11, 26)) == "Thanksgiving Day"
    assert holiday(date(2026, 7, 3)), "the fourth falls on a Saturday: Friday is off"
    closed = (Closed(date(2026, 11, 24), date(2026, 11, 24), "Training"),)
    found = openings(calendar(rule(), closed=closed), NEW_YORK, date(2026, 11, 24), date(2026, 11, 27))
    assert {one.starts.date() for one in found} == {date(2026, 11, 25), date(2026, 11, 27)}


def test_a_group_has_a_seat_for_each_and_an_hour_can_be_overbooked_to_its_limit():
    made = calendar(rule(seats=3, overbooked_max=2))
    found = openings(made, NEW_YORK, date(2026, 11, 24), date(2026, 11, 24))
    assert len(found) == 18
    first = found[0].starts
    more = [overbooked(made, first, NEW_YORK, number) for number in (0, 1)]
    assert len({one.id for one in (*found, *more)}) == 20
    assert all(one.overbooked for one in more)
    with pytest.raises(Invalid, match="as far as its rule allows"):
        overbooked(made, first, NEW_YORK, 2)
    with pytest.raises(Invalid, match="No rule"):
        overbooked(made, first + timedelta(minutes=7), NEW_YORK, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        rule(ends=time(9)), rule(minutes=4), rule(minutes=600), rule(seats=0), rule("FREQ=SOMETIMES"),
        rule(overbooked_max=9), rule(starts=time(0), ends=time(23), minutes=5, seats=30), rule(minutes=240),
    ],
)  # fmt: skip
def test_rules_that_open_nothing_or_too_much_are_refused_in_words(wrong):
    with pytest.raises(Invalid):
        check(wrong)


def test_a_calendar_survives_its_schedule():
    closed = (Closed(date(2026, 12, 1), date(2026, 12, 2), "x"),)
    made = calendar(rule(last=date(2026, 12, 31), seats=2), closed=closed)
    resource = {
        "resourceType": "Schedule", "id": "c", "comment": "",
        "actor": [{"reference": "Practitioner/dr"}, {"reference": "Location/room"},
                  {"reference": "HealthcareService/kind"}],
        "extension": [{"url": "http://example.org/other", "valueString": "stays"}],
    }  # fmt: skip
    written = with_calendar(with_calendar(resource, made), made)
    assert calendar_of(written, horizon_days=1) == made
    assert written["extension"][0]["valueString"] == "stays"


@given(
    day=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    zone=st.sampled_from(ZONES),
    starts=st.integers(0, 20), hours=st.integers(1, 3), minutes=st.sampled_from([15, 20, 30, 60]),
)  # fmt: skip
def test_times_of_one_rule_never_overlap_and_lie_on_its_day(day, zone, starts, hours, minutes):
    made = rule(starts=time(starts), ends=time(starts + hours), minutes=minutes)
    found = sorted(times_on(calendar(), made, day, ZoneInfo(zone)), key=lambda one: one.starts.astimezone(UTC))
    for one, two in pairwise(found):
        assert one.ends.astimezone(UTC) <= two.starts.astimezone(UTC)
    assert all(one.starts.date() == day and starts <= one.starts.hour < starts + hours for one in found)
    assert len({one.id for one in found}) == len(found)

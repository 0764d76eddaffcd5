"""Promises, windows, names, urgency: what the rules say."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from continuum.clinical.messaging import model, rules
from continuum.clinical.messaging.limits import REPLY_WINDOW_DAYS
from continuum.clinical.messaging.model import Asked, Event, Who
from continuum.clinical.messaging.rules import Standing, Team, answer_until, may_reply
from continuum.kernel.errors import Conflict, Invalid

NORFOLK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TOM, ANN = Who("a-tom", "Tom Reyes RN"), Who("a-ann", "Ann Baker RN")
FAMILY = Team("family", "Family Health", "f1", active=True)
DESK = Team("desk", "All of the clinic", "f1", active=True, stands_in=True)


def asked(team=FAMILY, until=NOW + timedelta(days=3)):
    return model.opened(Asked("Communication/c1", "p1", team.reference, team.name, until), NOW, "Robert O'Brien")


def there(*teams, staff=("a-tom", "a-ann"), away=()):
    return Standing(frozenset(staff), {one.id: one for one in teams}, "f1", "The clinic", frozenset(away))


@pytest.mark.parametrize(
    ("sent", "days", "until"),
    [
        ("2026-11-23T10:00", 2, "2026-11-25T10:00"),  # Monday to Wednesday
        ("2026-11-24T10:00", 2, "2026-11-27T10:00"),  # Thanksgiving between
        ("2026-11-28T22:00", 1, "2026-12-01T08:00"),  # Saturday night counts from Monday at eight
        ("2026-10-30T10:00", 1, "2026-11-02T10:00"),  # the clocks change in between, the hour stays
    ],
)
def test_a_promise_counts_working_days_by_the_clock_of_the_facility(sent, days, until):
    sent_at = datetime.fromisoformat(sent).replace(tzinfo=NORFOLK)
    found = answer_until(sent_at.astimezone(UTC), NORFOLK, days, [date(2026, 11, 26)])
    assert found == datetime.fromisoformat(until).replace(tzinfo=NORFOLK)
    assert found.astimezone(NORFOLK).isoformat()[:16] == until


def test_a_thread_may_be_answered_to_for_45_days_and_not_longer():
    assert may_reply(NOW - timedelta(days=REPLY_WINDOW_DAYS), NOW) == ""
    assert "begin a new one" in may_reply(NOW - timedelta(days=REPLY_WINDOW_DAYS, seconds=1), NOW)


def test_two_cannot_claim_and_only_a_cover_takes_from_another():
    mine = model.claimed(asked(), TOM, NOW)
    assert model.owner_of(mine).name == "Tom Reyes RN"
    assert mine["status"] == "accepted"
    with pytest.raises(Conflict):
        model.claimed(mine, ANN, NOW)
    covered = model.claimed(mine, ANN, NOW, covers=frozenset({"a-tom"}))
    assert model.owner_of(covered).id == "a-ann"
    assert model.events_of(covered)[-1].note == "Tom Reyes RN"
    for act in (model.worked_on, model.answered):
        with pytest.raises(Conflict):
            act(covered, TOM, NOW)


def test_an_answer_ends_the_work_and_a_question_opens_it_again_for_the_team():
    done = model.answered(model.claimed(asked(), TOM, NOW), TOM, NOW)
    assert (done["status"], model.state_of(done)) == ("completed", "answered")
    with pytest.raises(Invalid):
        model.claimed(done, ANN, NOW)
    again = model.asked_again(done, NOW + timedelta(days=1), "Robert", NOW + timedelta(days=4))
    assert (again["status"], model.owner_of(again).id) == ("requested", "family")
    assert model.promised(again) == NOW + timedelta(days=4)
    kept = model.asked_again(model.claimed(asked(), TOM, NOW), NOW, "Robert", NOW + timedelta(days=9))
    assert model.owner_of(kept).id == "a-tom", "who has it keeps it"
    assert model.promised(kept) == NOW + timedelta(days=3), "a further word does not put the promise off"


def test_settling_without_a_letter_needs_words():
    mine = model.claimed(asked(), TOM, NOW)
    with pytest.raises(Invalid):
        model.closed(mine, TOM, NOW, "")
    assert model.state_of(model.closed(mine, TOM, NOW, "Called him")) == "closed"


def test_a_thread_keeps_the_first_of_what_happened_and_the_latest():
    task = asked()
    for number in range(200):
        task = model.noted(task, Event("working", NOW + timedelta(minutes=number), "Tom"))
    told = model.events_of(task)
    assert (told[0].what, told[-1].at) == ("sent", NOW + timedelta(minutes=199))
    assert len(told) == 60


def test_who_is_gone_gives_back_and_a_closed_team_gives_to_who_stands_in():
    mine = model.claimed(asked(), TOM, NOW)
    assert rules.kept_owned(mine, there(FAMILY, DESK), NOW) is None
    back = rules.kept_owned(mine, there(FAMILY, DESK, staff=("a-ann",)), NOW)
    assert model.owner_of(back).id == "family"
    assert model.events_of(back)[-1].what == "left"
    closed = Team("family", "Family Health", "f1", active=False)
    moved = rules.kept_owned(back, there(closed, DESK), NOW)
    assert (model.owner_of(moved).id, model.team_of(moved)) == ("desk", "desk")
    alone = rules.kept_owned(back, there(closed), NOW)
    assert (model.owner_of(alone).kind, model.owner_of(alone).id, model.team_of(alone)) == ("facility", "f1", "")
    away = rules.kept_owned(mine, there(FAMILY, away=("a-tom",)), NOW)
    assert model.owner_of(away).id == "family", "away without a cover: back to the team"


def test_what_is_overdue_rises_once_and_then_once_more():
    task, all_there = asked(), there(FAMILY, DESK)
    late = NOW + timedelta(days=3, minutes=1)
    assert rules.raised(task, all_there, NOW + timedelta(days=3)) is None
    urgent = rules.raised(task, all_there, late)
    assert (urgent["priority"], model.owner_of(urgent).id) == ("urgent", "family")
    assert rules.raised(urgent, all_there, late) is None
    up = rules.raised(urgent, all_there, late + timedelta(days=1))
    assert (model.owner_of(up).id, model.events_of(up)[-1].what) == ("desk", "risen")
    assert rules.raised(up, all_there, late + timedelta(days=9)) is None


def test_triage_never_puts_a_promise_off():
    soon = NOW + timedelta(hours=2)
    task = model.triaged(asked(until=soon), "urgent", NOW + timedelta(days=1), Event("triaged", NOW, "Tom"))
    assert model.promised(task) == soon
    with pytest.raises(Invalid):
        model.triaged(task, "whenever", soon, Event("triaged", NOW, "Tom"))


def test_a_typed_name_is_ones_own():
    assert rules.signature_problem("  robert   o'brien ", "Robert O'Brien") is None
    assert rules.signature_problem("Bob", "Robert O'Brien") is not None


def test_lists_stand_in_the_order_in_which_answers_are_due():
    first = asked(until=NOW + timedelta(days=1))
    second = asked(until=NOW + timedelta(days=2))
    today = model.triaged(asked(), "asap", NOW + timedelta(days=9), Event("triaged", NOW, ""))
    assert rules.by_urgency([second, first, today]) == [today, first, second]


def test_a_team_says_what_it_promises_and_for_whom_it_is():
    found = rules.team({
        "resourceType": "CareTeam", "id": "t", "status": "active", "name": "Pediatrics",
        "managingOrganization": [{"reference": "Organization/f1"}],
        "extension": [{"url": rules.ANSWER_DAYS, "valueInteger": 99}, {"url": rules.AGES_UNTIL, "valueInteger": 18},
                      {"url": rules.SIGNATURE, "valueBoolean": True}],
    })  # fmt: skip
    assert (found.answer_days, found.signs, found.facility_id) == (30, True, "f1")
    assert found.serves(17)
    assert not found.serves(18)
    assert not rules.team({"id": "t", "status": "inactive"}).serves(40)

"""No message is ever without somebody who owes the answer: over random days of a clinic.

Staff come and leave, go away with and without a cover, teams close and open, messages come in and are worked on in
every order, and promises pass. After each turn of the check, every open thread has an owner who is there, and between
turns no act of a person makes a thread that has none.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from continuum.clinical.messaging import model, rules
from continuum.clinical.messaging.model import OPEN, Asked, Event, Who, owner_of
from continuum.clinical.messaging.rules import Standing, Team
from continuum.kernel.errors import DomainError
from tests.faults.figures import Proof, rounds

PEOPLE = [Who(f"a-{name}", name.title()) for name in ("tom", "ann", "eve", "sam")]
TEAMS = ("family", "children", "desk")
OWN = {"toms": ("tom",), "both": ("ann", "eve"), "no-ones": ("gone",), "anothers": ("sam",)}
"""Care teams of single patients, and the Practitioners in them; the last is of another patient."""


class Clinic(RuleBasedStateMachine):
    threads = Bundle("threads")
    counted = {"days": 0, "acts": 0, "messages": 0, "turns": 0}  # noqa: RUF012  of all runs together

    @initialize()
    def opens(self):
        self.now = datetime(2026, 11, 23, 8, tzinfo=UTC)
        self.counted["days"] += 1
        self.staff = {one.account_id for one in PEOPLE}
        self.away = {}
        self.open_teams = {*TEAMS, *OWN}
        self.tasks = {}
        self.refusals = []

    def standing(self):
        teams = {
            name: Team(name, name.title(), "f1", active=name in self.open_teams, stands_in=name == "desk")
            for name in TEAMS
        }
        own = {
            name: Team(
                name, name.title(), "f1", active=name in self.open_teams,
                patient_id="p2" if name == "anothers" else "p1",
                members=tuple((f"Practitioner/{one}", "") for one in people),
            )
            for name, people in OWN.items()
        }  # fmt: skip
        uncovered = {one for one, cover in self.away.items() if cover not in self.staff or cover in self.away}
        answering = frozenset(one.removeprefix("a-") for one in self.staff - uncovered)
        return Standing(frozenset(self.staff), teams | own, "f1", "The clinic", frozenset(uncovered), answering)

    def own_team_answers(self, name):
        """By the people of a care team, said without the rule."""
        there = self.standing()
        return name in self.open_teams and name != "anothers" and bool(there.answering.intersection(OWN[name]))

    def act(self, thread, decide):
        """What people do at once: it is done, or refused in words."""
        try:
            self.tasks[thread] = decide(self.tasks[thread])
        except DomainError as refusal:
            self.refusals.append(str(refusal))

    @rule(target=threads, team=st.sampled_from([*TEAMS, *OWN]), days=st.integers(1, 5))
    def somebody_writes(self, team, days):
        reference, name = f"CareTeam/{team}", team.title()
        if team not in self.open_teams:
            reference, name = self.standing().fallback()
        thread = f"c{len(self.tasks)}"
        self.counted["messages"] += 1
        until = self.now + timedelta(days=days)
        asked = Asked(f"Communication/{thread}", "p1", reference, name, until)
        self.tasks[thread] = model.opened(asked, self.now, "Robert")
        return thread

    @rule(thread=threads, who=st.sampled_from(PEOPLE))
    def somebody_claims(self, thread, who):
        covers = frozenset(one for one, cover in self.away.items() if cover == who.account_id)
        if who.account_id in self.staff:
            self.act(thread, lambda task: model.claimed(task, who, self.now, covers=covers))

    @rule(thread=threads, who=st.sampled_from(PEOPLE))
    def somebody_answers(self, thread, who):
        if who.account_id in self.staff:
            self.act(thread, lambda task: model.answered(task, who, self.now))

    @rule(thread=threads, to=st.sampled_from(PEOPLE))
    def it_is_handed_to_a_person(self, thread, to):
        self.act(thread, lambda task: model.to_person(task, to, Event("handed", self.now, "x", to.name)))

    @rule(thread=threads, team=st.sampled_from([*TEAMS, *OWN]))
    def it_is_handed_to_a_team(self, thread, team):
        event = Event("handed", self.now, "x", team)
        self.act(thread, lambda task: model.to_team(task, f"CareTeam/{team}", team.title(), event))

    @rule(thread=threads)
    def the_person_writes_on(self, thread):
        self.act(thread, lambda task: model.asked_again(task, self.now, "Robert", self.now + timedelta(days=3)))

    @rule(thread=threads, priority=st.sampled_from(sorted(model.PRIORITIES)))
    def it_is_sorted(self, thread, priority):
        event = Event("triaged", self.now, "x", priority)
        self.act(thread, lambda task: model.triaged(task, priority, self.now + timedelta(days=1), event))

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_leaves(self, who):
        self.staff.discard(who.account_id)

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_comes(self, who):
        self.staff.add(who.account_id)

    @rule(who=st.sampled_from(PEOPLE), cover=st.sampled_from([*PEOPLE, None]))
    def somebody_goes_away(self, who, cover):
        self.away[who.account_id] = cover.account_id if cover is not None else ""

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_is_back(self, who):
        self.away.pop(who.account_id, None)

    @rule(team=st.sampled_from([*TEAMS, *OWN]))
    def a_team_closes(self, team):
        self.open_teams.discard(team)

    @rule(team=st.sampled_from([*TEAMS, *OWN]))
    def a_team_opens(self, team):
        self.open_teams.add(team)

    @rule(hours=st.integers(1, 80))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)

    @rule()
    def the_check_turns(self):
        self.counted["turns"] += 1
        there = self.standing()
        for thread, task in self.tasks.items():
            kept = rules.kept_owned(task, there, self.now) or task
            owner = owner_of(task)
            if owner.id in OWN and task["status"] in OPEN:
                assert (owner_of(kept) == owner) is self.own_team_answers(owner.id), "a care team that answers keeps it"
            self.tasks[thread] = rules.raised(kept, there, self.now) or kept
        for task in self.tasks.values():
            if task["status"] in OPEN:
                assert there.holds(owner_of(task), "p1", self.now), task["owner"]
                assert rules.kept_owned(task, there, self.now) is None, "a second turn finds nothing to mend"

    @invariant()
    def every_thread_names_an_owner_and_a_promise(self):
        self.counted["acts"] += 1
        assert all(getattr(self, "refusals", ())), "whoever is refused is told why"
        for task in getattr(self, "tasks", {}).values():
            assert owner_of(task).kind != "none"
            assert model.promised(task) is not None
            assert task["lastModified"] >= task["authoredOn"]
            assert len(model.events_of(task)) >= 1


Clinic.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_over_random_days_no_thread_is_without_an_owner = Clinic.TestCase


@pytest.mark.proof
@pytest.mark.timeout(7_200)
def test_over_many_random_days_no_thread_is_without_an_owner():
    days = rounds("MESSAGE_DAYS", 200)
    proof = Proof(
        "message-days", "No message without an owner, over random days", __doc__ or "",
        "src/continuum/clinical/messaging/tests/test_ownership.py", {"MESSAGE_DAYS": days}, {"MESSAGE_DAYS": 10_000},
    )  # fmt: skip
    before, broken = dict(Clinic.counted), []
    longer = settings(
        max_examples=days, stateful_step_count=60, deadline=None, database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    try:
        run_state_machine_as_test(Clinic, settings=longer)
    except AssertionError as error:
        broken.append(str(error) or repr(error))
    counted = {name: value - before[name] for name, value in Clinic.counted.items()}
    proof.held("Random days of a clinic", counted["days"], f"at least {days:,}", holds=counted["days"] >= days)
    proof.told("Messages", counted["messages"])
    proof.told("Acts of people and of time", counted["acts"])
    proof.told("Turns of the check", counted["turns"])
    proof.zero("Days on which a message was without an owner or a promise after an act or a turn", broken)
    proof.close()

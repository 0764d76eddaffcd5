"""The registry's view of the sample families fits their records."""

from collections import Counter
from datetime import date, timedelta

import pytest

from continuum.identity import registry
from continuum.identity.registry import judge
from continuum.samples import families
from continuum.samples.registry import entries, of_family
from continuum.samples.world import TODAY, people, personas

SEED = 8
FAMILIES = 1_500


@pytest.fixture(scope="module")
def every():
    return list(entries(range(FAMILIES), seed=SEED, today=TODAY))


def test_nobody_is_there_twice(every):
    assert max(Counter(entry.person.dod_id for entry in every).values()) == 1
    assert max(Counter(entry.person.person_id for entry in every).values()) == 1


def test_sponsors_come_before_their_dependents(every):
    known = set()
    for entry in every:
        assert {one.sponsor_id for one in entry.sponsors} <= known
        known.add(entry.person.person_id)


def test_a_story_person_is_in_the_registry_as_in_the_record(every):
    patients = {one["id"]: one for one in people() if one["resourceType"] == "Patient"}
    found = {entry.person.patient_id: entry for entry in every}
    for persona in personas():
        entry, patient = found[persona.patient_id], patients[persona.patient_id]
        assert patient["identifier"][0]["value"] == entry.person.dod_id
        assert patient["birthDate"] == entry.person.born.isoformat()
        assert patient["name"][0]["family"] == entry.person.family_name
        assert patient["address"][0]["line"] == [entry.person.street]


def test_all_kinds_of_eligible_people_and_of_others_are_there(every):
    verdicts = [judge(entry, TODAY) for entry in every]
    kinds = Counter(verdict.category for verdict in verdicts)
    assert set(kinds) == {"active", "reserve", "guard", "retired", "veteran", "spouse", "child", "survivor", None}
    reasons = {verdict.reason.split(" on ")[0] for verdict in verdicts if not verdict.eligible}
    assert "Our registry says that this person has died." in reasons
    assert "Our registry says that your eligibility ended" in reasons


def test_periods_do_not_run_backwards_and_the_dead_are_covered_by_nothing(every):
    for entry in every:
        for period in entry.eligibility:
            assert period.ends is None or period.ends >= period.starts
            assert entry.person.died is None or (period.ends is not None and period.ends <= entry.person.died)


def test_a_child_is_covered_until_the_day_before_turning_21():
    for number in range(300):
        family = families.compose(SEED, number, TODAY)
        if family.children and family.service.status in {"active", "guard", "reserve"}:
            child = family.children[0]
            entry = next(e for e in of_family(family, TODAY) if e.person.patient_id == child.id)
            until = date(child.born.year + 21, child.born.month, min(child.born.day, 28))
            assert timedelta(-1) <= entry.eligibility[-1].ends - until <= timedelta(3)
            return
    pytest.fail("there is a child in 300 families")


async def test_the_database_takes_them_all_twice(pool, every):
    for _ in range(2):
        async with pool.connection() as conn, conn.transaction():
            await registry.store(conn, every)
    async with pool.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM identity.person") == len(every)
        periods = sum(len(entry.eligibility) for entry in every)
        assert await conn.fetchval("SELECT count(*) FROM identity.eligibility") == periods
        somebody = every[700]
        found = await registry.get(conn, somebody.person.person_id)
    assert (found.person, found.sponsors) == (somebody.person, somebody.sponsors)
    assert set(found.eligibility) == set(somebody.eligibility)

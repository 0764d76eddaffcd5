"""Every way out of the record, for somebody who sees less than all: by labels, by relation, or by parts."""

import pytest

from continuum.access import Actor
from continuum.access.tests.doors import World, criteria, furnish, observation
from continuum.fhir.json import parse
from continuum.kernel.errors import Forbidden, NotAllowed, NotFound
from continuum.record.model import Stored

NURSE = Actor("nina", "nurse", facility_id="f-own")
SCHEDULER = Actor("sam", "scheduler", facility_id="f-own")
ANALYST = Actor("ana", "population-analyst")
SECRET = {"security": [{"code": "ETH"}]}


@pytest.fixture
async def world(pool):
    found = await furnish(World(pool))
    session = found.session("administrator", "furnish")
    await session.update({
        "resourceType": "Encounter", "id": "visit", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": "Patient/own"}, "reasonCode": [{"text": "cough"}],
        "serviceProvider": {"reference": "Organization/f-own"},
    })  # fmt: skip
    return found


def opened(world, actor, purpose="TREAT"):
    return world.door.open(actor, purpose, source="192.0.2.1", request_id="r")


async def test_what_was_sensitive_stays_so_when_its_label_goes(world):
    writer = world.session("administrator")
    await writer.update(observation("once", "own", meta=SECRET))
    await writer.update(observation("once", "own"))
    nurse = opened(world, NURSE)
    assert (await nurse.read("Observation", "once")).version == 2
    with pytest.raises(NotFound):
        await nurse.vread("Observation", "once", 1)
    page = await nurse.history(resource_type="Observation", resource_id="once", count=10)
    assert [one.version for one in page.matches] == [2]
    page = await writer.history(resource_type="Observation", resource_id="once", count=10)
    assert [one.version for one in page.matches] == [2, 1]


async def test_what_stood_in_anothers_chart_is_not_shown_to_the_patient_it_was_moved_to(world):
    writer = world.session("administrator")
    await writer.update(observation("moved", "other"))
    await writer.update(observation("moved", "own"))
    patient = world.session("patient")
    assert (await patient.read("Observation", "moved")).version == 2
    with pytest.raises(NotFound):
        await patient.vread("Observation", "moved", 1)
    page = await patient.history(resource_type="Observation", resource_id="moved", count=10)
    assert [one.version for one in page.matches] == [2]


@pytest.mark.requirement("V8.2.3")
async def test_whoever_sees_parts_asks_for_no_likeness_no_whole_visit_and_no_hidden_words(world):
    scheduler = opened(world, SCHEDULER, "HOPERAT")
    with pytest.raises(Forbidden):
        await scheduler.match({"resourceType": "Patient", "name": [{"family": "Family-own"}]}, only_certain=False,
                              count=9)  # fmt: skip
    with pytest.raises(NotAllowed):
        await scheduler.encounter_everything("visit")
    for text in ("_content=cough", "reason-code:text=cough", "_filter=reason-code pr true", "_sort=reason-code"):
        with pytest.raises(Forbidden):
            await scheduler.search(criteria("Encounter", text))
    with pytest.raises(Forbidden):
        await scheduler.search_across([criteria("Patient", "_content=x"), criteria("Encounter", "_content=x")])
    with pytest.raises(Forbidden):
        await opened(world, ANALYST, "PUBHLTH").last_n(criteria("Observation", "_content=pulse&_sort=-date"), 3)
    rows = await world.rows("r")
    assert [row["outcome"] for row in rows] == [4] * 8, "each refusal leaves its row"


@pytest.mark.requirement("V15.3.1", "V8.2.3")
async def test_views_latest_values_and_judgements_are_cut_as_well(world):
    scheduler = opened(world, SCHEDULER, "HOPERAT")
    view = await scheduler.view("visits", "own", {"visits": "Encounter?_count=5"})
    assert [sorted(one) for one in view.found["visits"]] == [
        ["class", "id", "meta", "resourceType", "serviceProvider", "status", "subject"]
    ]
    page = await opened(world, ANALYST, "PUBHLTH").last_n(criteria("Observation", "patient=own&_sort=-date"), 3)
    assert [one.id for one in page.matches] == ["o-own"]
    assert all("note" not in parse(one.body) for one in page.matches if isinstance(one, Stored))


async def test_a_correction_moves_nothing_that_its_author_may_not_see(world):
    writer = world.session("administrator")
    await writer.update({"resourceType": "Patient", "id": "own2", "managingOrganization": {
        "reference": "Organization/f-own"}})  # fmt: skip
    within = {"encounter": {"reference": "Encounter/visit"}}
    await writer.update(observation("hidden", "own", meta=SECRET, **within))
    nurse = opened(world, NURSE)
    with pytest.raises(Forbidden) as refused:
        await nurse.correct("own", "own2", [("Encounter", "visit")], reason="wrong person", preview=True)
    assert "hidden" not in str(refused.value)
    with pytest.raises(NotFound):
        await nurse.correct("own", "own2", [("Observation", "hidden")], reason="wrong person")
    member = [{"reference": "Observation/o-own"}]
    await writer.update(observation("hidden", "own", meta=SECRET, hasMember=member))
    outcome = await nurse.correct("own", "own2", [("Observation", "o-own")], reason="wrong person")
    assert outcome.warnings == [], "what stays and is hidden is not named"
    await writer.update(observation("o-own", "own2", meta=SECRET))
    with pytest.raises(Forbidden):
        await nurse.revert_correction(outcome.id, reason="it was right", preview=True)


@pytest.mark.requirement("V10.3.2")
async def test_a_token_narrowed_to_some_types_moves_no_charts(world):
    scopes = "system/Patient.read system/Patient.write"
    session = opened(world, Actor("sys", "system", scopes=scopes), "HOPERAT")
    with pytest.raises(Forbidden):
        await session.merge("own", "other", reason="the same", preview=True)
    with pytest.raises(Forbidden):
        await session.correct("own", "other", [("Observation", "o-own")], reason="wrong", preview=True)


async def test_nobody_who_is_not_surely_known_looks_for_likeness_or_moves_entries(world):
    basic = Actor("nina", "nurse", facility_id="f-own", identity_level=1)
    session = opened(world, basic)
    with pytest.raises(Forbidden):
        await session.match({"resourceType": "Patient", "name": [{"family": "Family-own"}]}, only_certain=False,
                            count=9)  # fmt: skip
    with pytest.raises(Forbidden):
        await session.correct("own", "other", [("Observation", "o-own")], reason="wrong person", preview=True)

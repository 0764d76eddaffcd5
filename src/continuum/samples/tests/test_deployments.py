"""A deployment and what somebody was exposed to there are recorded with the dates of the deployment."""

from collections import Counter
from datetime import date

import pytest

from continuum.samples import families, world
from continuum.samples.timeline.plan import plan

SEED = 8
YEARS = 10.0


@pytest.fixture(scope="module")
def served():
    """(the sponsor's life, their Observations by code) of families in which somebody was deployed."""
    found = []
    for number in range(120):
        household = families.compose(SEED, number, world.TODAY)
        if household.service.deployments:
            life = plan(household, household.sponsor, seed=SEED, today=world.TODAY, years=YEARS, keep=1.0)
            found.append((life, observations(number, life.subject)))
    return found


def observations(number, subject):
    chart = {"service-episode": [], "deployment": [], "exposure": []}
    for one in world.family(number, seed=SEED, years=YEARS):
        if one["resourceType"] == "Observation" and one["subject"] == subject:
            chart.setdefault(one["code"].get("coding", [{}])[0].get("code"), []).append(one)
    return chart


def days(observation):
    period = observation["effectivePeriod"]
    return date.fromisoformat(period["start"]), date.fromisoformat(period.get("end", "9999-12-31"))


def test_every_deployment_of_the_recorded_years_is_there_with_its_dates_within_the_service(served):
    checked = 0
    for life, chart in served:
        wanted = {one.id: (one.start, one.end) for one in life.deployments if one.end >= life.since}
        assert {one["id"]: days(one) for one in chart["deployment"]} == wanted
        (episode,) = chart["service-episode"]
        first, last = days(episode)
        assert all(first < start < end <= last for start, end in wanted.values())
        assert {one["reference"] for one in episode.get("hasMember", ())} == {f"Observation/{one}" for one in wanted}
        checked += len(wanted)
    assert checked > 20


def test_exposures_lie_within_the_dates_of_the_deployment_that_they_name(served):
    checked = 0
    for life, chart in served:
        planned = {f"Observation/{one.id}": one for one in life.deployments}
        told = {f"Observation/{one['id']}" for one in chart["deployment"]}
        exposed = {address: [] for address in told}
        for exposure in chart["exposure"]:
            (deployment,) = [one["reference"] for one in exposure["derivedFrom"]]
            start, end = days(exposure)
            assert planned[deployment].start <= start < end <= planned[deployment].end
            exposed[deployment].append(exposure["valueCodeableConcept"]["text"].lower())
            checked += 1
        assert exposed == {address: [one.lower() for one in planned[address].exposures] for address in told}
    assert checked > 20


SERVICE_YEARS = {"army": 4.4, "marines": 4.5, "air_force": 4.3, "coast_guard": 5.0}
"""Of active service for each deployment, as cited."""


def test_as_many_deploy_as_is_cited():
    years, times = Counter(), Counter()
    for number in range(4_000):
        service = families.compose(SEED, number, world.TODAY).service
        of = (service.branch, service.status in {"reserve", "guard"})
        years[of] += ((service.left or world.TODAY) - service.entered).days / 365.25
        times[of] += len(service.deployments)
    for branch, cited in SERVICE_YEARS.items():
        assert years[branch, False] / times[branch, False] == pytest.approx(cited, rel=0.1)
    for branch in ("army", "air_force"):
        seldom = years[branch, True] / times[branch, True] * times[branch, False] / years[branch, False]
        assert seldom == pytest.approx(2.2, abs=0.3)
    # A guardian may have served elsewhere before; that is not invented here.
    assert times["space_force", False] == 0

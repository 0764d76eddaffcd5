"""The sample families that the tests of their lives look at."""

from collections import defaultdict

import pytest

from continuum.samples import families, world
from continuum.samples.timeline.plan import plan
from continuum.samples.world import TODAY

FAMILIES = 3_300
SEED = 8


@pytest.fixture(scope="session")
def households():
    return [families.compose(SEED, number, TODAY) for number in range(FAMILIES)]


@pytest.fixture(scope="session")
def lives(households):
    return [
        plan(household, person, seed=SEED, today=TODAY, years=3, keep=0.5)
        for household in households
        for person in household.members
    ]


@pytest.fixture(scope="session")
def resources():
    """Each patient's resources by type."""
    found = defaultdict(lambda: defaultdict(list))
    for number in range(150):
        for resource in world.family(number, seed=SEED, years=10, keep=0.6):
            whose = resource["id"] if resource["resourceType"] == "Patient" else None
            for key in ("subject", "patient", "beneficiary"):
                whose = whose or resource.get(key, {}).get("reference", "").removeprefix("Patient/")
            found[whose][resource["resourceType"]].append(resource)
    found.pop("", None)
    return found

"""What tests of the chart share."""

from collections import defaultdict

import pytest

from continuum.samples.world import people


@pytest.fixture(scope="package")
def sampled():
    """The resources of everybody with a story, by type."""
    found = defaultdict(list)
    for resource in people():
        found[resource["resourceType"]].append(resource)
    return found

"""Every bound is a positive number that fits the others; time and size say their unit."""

import re

import pytest

from continuum.kernel import limits

BOUNDS = {name: value for name, value in vars(limits).items() if name.isupper()}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_bound_is_a_positive_finite_number(name):
    value = BOUNDS[name]
    assert isinstance(value, int | float)
    assert not isinstance(value, bool)
    assert 0 < value < 2**63


def test_time_is_in_seconds_and_size_in_bytes_or_characters():
    for name in BOUNDS:
        if "TIMEOUT" in name or "INTERVAL" in name:
            assert re.search(r"_(S|MS|US|DAYS|HOURS|MINUTES)$", name), name
        if re.search(r"BODY|BINARY|URL", name):
            assert re.search(r"_(BYTES|CHARS)$", name), name


def test_the_bounds_fit_each_other():
    assert limits.PAGE_DEFAULT <= limits.PAGE_MAX <= limits.INCLUDE_MAX <= limits.EVERYTHING_MAX
    assert limits.STATEMENT_TIMEOUT_S < limits.REQUEST_TIMEOUT_S
    assert limits.BODY_MAX_BYTES <= limits.BINARY_MAX_BYTES
    assert limits.CONNECTIONS_MAX < limits.REQUESTS_WAITING_MAX
    assert limits.ID_MAX_CHARS == 64  # R4 §2.24.0.1, datatype id

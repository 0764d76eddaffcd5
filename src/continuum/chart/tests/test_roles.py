"""Whoever may act has a name that people understand."""

from continuum.access.actor import ROLES as KNOWN
from continuum.chart.roles import ROLES
from continuum.identity.staff import ROLES as STAFF


def test_every_role_is_called_something():
    assert set(ROLES) == {*KNOWN, *STAFF}

"""Planners, registrars and people at one hospital."""

from tests.portal.conftest import browser, clinic, database, enlist, here, other_browser, steps

__all__ = ["browser", "clinic", "database", "enlist", "here", "other_browser", "steps"]

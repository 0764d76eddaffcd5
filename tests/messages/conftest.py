"""People who write and staff who answer, at one hospital."""

from tests.portal.conftest import browser, clinic, database, enlist, here, other_browser, steps

__all__ = ["browser", "clinic", "database", "enlist", "here", "other_browser", "steps"]

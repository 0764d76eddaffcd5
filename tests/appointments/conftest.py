"""People who book, at a hospital whose server keeps its calendars open."""

from tests.portal.conftest import browser, clinic, database, enlist, here, other_browser, steps

__all__ = ["browser", "clinic", "database", "enlist", "here", "other_browser", "steps"]

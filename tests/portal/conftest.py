"""People for the portal: those of the stories, with records, in the registry, with accounts."""

from tests.signon.conftest import browser, database, enlist, here, other_browser, steps

__all__ = ["browser", "database", "enlist", "here", "other_browser", "steps"]

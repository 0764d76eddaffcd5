"""PostgreSQL, embedded or given: `async with postgres.open(settings) as server:`."""

from contextlib import AbstractAsyncContextManager

from continuum.runtime.postgres.embedded import open_embedded
from continuum.runtime.postgres.given import open_given
from continuum.runtime.postgres.server import Server
from continuum.runtime.settings import Settings

__all__ = ["Server", "open"]


def open(settings: Settings) -> AbstractAsyncContextManager[Server]:  # noqa: A001  read as `postgres.open`
    """The server that the settings name: CONTINUUM_DATABASE_URL, or an own one in the data folder."""
    return open_given(settings) if settings.database_url else open_embedded(settings)

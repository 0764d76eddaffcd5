"""The only door to the record: policy, visibility, audit. No actor and purpose, no data."""

from continuum.access.actor import Actor
from continuum.access.door import Access, Session

__all__ = ["Access", "Actor", "Session"]

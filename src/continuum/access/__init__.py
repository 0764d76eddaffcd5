"""The only door to the record: policy, visibility, audit. No actor and purpose, no data."""

from continuum.access.actor import Actor
from continuum.access.door import Access
from continuum.access.session import Session
from continuum.record.model import Operation, Page, Stored, Written
from continuum.record.perform import Patch
from continuum.record.relocation import Outcome

__all__ = ["Access", "Actor", "Operation", "Outcome", "Page", "Patch", "Session", "Stored", "Written"]

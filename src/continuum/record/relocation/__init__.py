"""Charts that are merged, and entries that are moved between charts: acts that can be undone.

A merge re-points every entry of one chart to another; a correction moves chosen entries that were written into
the wrong person's chart. Both keep in record.relocation what undoing them needs, and leave a Provenance on both
charts. The original versions stay in the history, as always.
"""

from continuum.record.relocation.act import Author, Outcome, Relocator
from continuum.record.relocation.correct import Correction
from continuum.record.relocation.merge import Merge
from continuum.record.relocation.undo import Undo

__all__ = ["Author", "Correction", "Merge", "Outcome", "Relocator", "Undo"]

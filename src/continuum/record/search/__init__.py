"""Search: parameters to predicates, a plan that leaves no choice, pages, includes; each in its own file."""

from continuum.record.search.across import search_across
from continuum.record.search.encounter_everything import encounter_everything
from continuum.record.search.everything import everything
from continuum.record.search.in_use import marks_in_use
from continuum.record.search.last_n import last_n
from continuum.record.search.run import resolve, search
from continuum.record.search.several import search_several
from continuum.record.search.spelled import spelled

__all__ = [
    "encounter_everything",
    "everything",
    "last_n",
    "marks_in_use",
    "resolve",
    "search",
    "search_across",
    "search_several",
    "spelled",
]

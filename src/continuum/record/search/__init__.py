"""Search: parameters to predicates, a plan that leaves no choice, pages, includes; each in its own file."""

from continuum.record.search.across import search_across
from continuum.record.search.everything import everything
from continuum.record.search.run import resolve, search

__all__ = ["everything", "resolve", "search", "search_across"]

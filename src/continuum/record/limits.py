"""The bounds of the search index and of relations; those of the whole system: kernel/limits.py."""

RELATION_OPEN_DAYS = 365
"""A relation to a patient whose resource names no end ends this long after the resource was last written."""
RELATION_DONE_DAYS = 30
"""An order that is completed stays open this long to whom it was addressed."""
RELATIONS_MAX = 200
"""Relations that one resource can say; a care team is smaller."""

COMMENSURABLE_MAX = 200
"""Different units of one dimension, as of masses, that a search compares with each other."""

ESTIMATE_ROWS = 2_048
"""Rows that an estimated total tests."""
ESTIMATE_PLACES = 32
"""Places of a type, evenly apart, from which they are taken."""
ESTIMATE_ENTRIES_MAX = 20_000
"""Entries of the index of keys that an estimated total may read to count exactly instead."""

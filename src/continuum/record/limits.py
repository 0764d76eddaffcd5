"""The bounds of the record that belong to its search index."""

COMMENSURABLE_MAX = 200
"""Different units of one dimension, as of masses, that a search compares with each other."""

ESTIMATE_ROWS = 2_048
"""Rows that an estimated total tests."""
ESTIMATE_PLACES = 32
"""Places of a type, evenly apart, from which they are taken."""
ESTIMATE_ENTRIES_MAX = 20_000
"""Entries of the index of keys that an estimated total may read to count exactly instead."""

"""The bounds of the record that belong to its search index."""

COMMENSURABLE_MAX = 200
"""Different units of one dimension, as of masses, that a search compares with each other."""

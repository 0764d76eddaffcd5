"""The bounds of relations to patients, by name; those of the whole system are in kernel/limits.py."""

RELATION_OPEN_DAYS = 365
"""A relation to a patient whose resource names no end ends this long after the resource was last written."""
RELATION_DONE_DAYS = 30
"""An order that is completed stays open this long to whom it was addressed."""
RELATIONS_MAX = 200
"""Relations that one resource can say; a care team is smaller."""

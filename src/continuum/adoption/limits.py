"""Bounds of making printed pieces."""

PIECES_AT_ONCE = 2
"""Pieces that one process sets at the same time; others are asked to come back."""
PIECES_KEPT = 64
"""Pieces that a process keeps once they are set."""
FACILITY_NAME_MAX_CHARS = 120
"""The longest name of a facility that is set."""
FACILITIES_SHOWN_MAX = 500
"""Facilities to choose from on the page of printed pieces."""

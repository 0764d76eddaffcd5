"""Bounds of what one act may show."""

VIEW_NAMES_MAX = 200
"""People and places of one type that a page of a chart shows by name."""

"""The bounds of what the command tells."""

IMPORT_OTHERS_SHOWN_MAX = 20
"""Files of kinds that an import does not take that it lists by name."""

"""Bounds of what the server does about messages by itself, and of their pages."""

CHECK_EVERY_S = 20.0
"""How often the check looks for messages without somebody who owes the answer, and for promises not kept."""
CHECK_ERROR_WAIT_S = 30.0
"""How long the check waits after it could not look."""
SCAN_TIMEOUT_S = 20.0
"""How long a virus scanner may look at one file."""
TRANSCRIPT_MAX_CHARS = 30_000
"""Characters of a conversation in a note of the chart; older messages are left out."""

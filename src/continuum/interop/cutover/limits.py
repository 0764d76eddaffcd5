"""Bounds of waves and of the file that goes between portals."""

FILE_MAX_BYTES = 32 * 1024 * 1024
"""A file of the older portal that the command reads."""
UPLOAD_MAX_BYTES = 8 * 1024 * 1024
"""A file of the older portal that the page takes; larger ones go through the command."""
ROWS_MAX = 50_000
"""Rows of one file."""
MESSAGES_MAX = 200
"""Messages of one conversation in a file."""
FILE_TEXT_MAX_CHARS = 20_000
"""Characters of one text in a file."""
NAME_MAX_CHARS = 200
"""Characters of a name, a key or a subject in a file."""
REJECTS_KEPT_MAX = 500
"""Rejected rows and clashes that a report lists; all are counted."""
REPORTS_SHOWN_MAX = 20
"""Rehearsals and imports of a facility on its page."""
UNMATCHED_SHOWN_MAX = 100
"""People whom nobody has matched yet, on one page."""
FACILITIES_MAX = 500
"""Facilities of one plan."""
WAVES_MAX = 50
"""Waves of one plan."""
WAVE_NAME_MAX_CHARS = 80
"""Characters of a wave's name."""
REASON_MAX_CHARS = 300
"""Characters of why something is held or goes back."""
MOVES_SHOWN_MAX = 100
"""Planned moves on one page."""
MOVE_AHEAD_DAYS_MAX = 730
"""How far ahead a move may be planned."""
HOUSEHOLD_MAX = 30
"""People of one family that are offered for the same move."""
PEOPLE_PAGE = 200
"""People of a facility that are read at once for an export or to be told."""
TOLD_AFTER_DAYS = 30
"""How long after a move or a go-live a person's first page still speaks of it."""
ITEMS_PER_PERSON_MAX = 400
"""Appointments of one person that travel."""
SETTLE_BATCH = 100
"""Moves that are settled in one turn."""

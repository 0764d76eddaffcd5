"""Bounds of charts and of the pages that show them."""

SECTION_COUNT = 60
"""Entries on one page of a part of a chart."""

TIMELINE_COUNT = 30
"""Entries on one page of a timeline."""

SERIES_COUNT = 240
"""The newest measurements of one person that a page looks at, of all kinds or of one."""

DRAWN_COUNT = 20
"""The newest points of a course where several are drawn on one page; a course alone shows all that were found."""

SUMMARY_COUNT = 30
"""Entries of one kind that a summary looks at."""

FOUND_MAX = 25
"""Patients on one page of those found."""

DRAFT_MAX_CHARS = 60_000
"""The longest text of a note, and of its draft."""

DRAFTS_MAX = 40
"""Unfinished notes that one member of staff may have."""

DRAFT_SAVE_S = 3
"""Seconds without typing after which a draft is saved."""

RECENT_MAX = 12
"""Charts that are remembered as recently opened."""

REASON_MAX_CHARS = 500
"""The longest reason for taking back an entry."""

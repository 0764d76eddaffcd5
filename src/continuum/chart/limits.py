"""Bounds of charts and of the pages that show them."""

SECTION_COUNT = 60
"""Entries on one page of a part of a chart."""

TIMELINE_COUNT = 30
"""Entries on one page of a timeline."""

DAY_COUNT = 400
"""Entries of one kind that a timeline shows of one day."""

UNDATED_COUNT = 200
"""Entries of one kind without the usual date that a timeline looks at."""

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
"""Seconds of typing that are gathered before a draft is saved, whether or not somebody pauses."""

RECENT_MAX = 12
"""Charts that are remembered as recently opened."""

LISTS_MAX = 20
"""Lists of patients that one member of staff may have besides the usual one."""

LIST_MAX = 200
"""Patients on one list."""

LIST_NAME_MAX_CHARS = 60
"""The longest name of a list of patients."""

REASON_MAX_CHARS = 500
"""The longest reason for taking back an entry."""

RELEASE_DAYS = 7
"""Days after which a result that can weigh heavily is shown, unless a clinician shows it before."""

CLOSED_LOOK_COUNT = 400
"""Conditions that are looked at to close what belongs to them."""

FOUND_IN_RECORD_MAX = 60
"""Entries that a search within one record shows."""

SEARCH_LOOK_COUNT = 60
"""The newest entries of each kind that a search within one record reads; whole words are found in all of them."""

SEARCH_MAX_CHARS = 80
"""The longest text that is searched for within a record."""

LOOKS_COUNT = 50
"""Acts on one page of who looked at a record."""

GRANTS_MAX = 20
"""People whom one person may let look at their record, and records that one person may look at by that."""

OWN_NOTE_MAX_CHARS = 5_000
"""The longest note of a person in their own record, and the longest request for a correction."""

TAKEN_COUNT = 1_000
"""Entries of each part of a record in one file that is taken along."""

PAPERS_AT_ONCE = 2
"""PDF files that one process makes at the same time."""

LINKS_MAX = 20
"""Open health links of one account."""

LINK_ATTEMPTS_MAX = 5
"""Wrong passcodes that a health link takes in its whole life."""

LINK_FILE_S = 600
"""Seconds for which the file of an opened health link can be fetched."""

LINK_LABEL_MAX_CHARS = 80
"""The longest label of a health link (SMART Health Links 1.0)."""

LINK_PASSCODE_MIN_CHARS = 6
"""The shortest passcode of a health link."""

LINK_PASSCODE_MAX_CHARS = 64
"""The longest passcode of a health link."""

LINK_EMBEDDED_MAX_CHARS = 1_000_000
"""The largest content that a manifest carries itself; of larger ones it says where they are."""

LINK_REQUEST_MAX_BYTES = 4_096
"""The largest request of a viewer for a manifest."""

RECIPIENT_MAX_CHARS = 200
"""The longest name under which somebody opens a health link."""

FACILITIES_CHOSEN_MAX = 200
"""Facilities in one list to choose from; where there are more, their ids are written."""

FACILITIES_KNOWN_MAX = 10_000
"""People of whom a process remembers which facility cares for them."""

AMENDMENT_ANSWER_DAYS = 60
"""Days within which a request for correction is answered (45 CFR 164.526(b)(2)(i))."""

AMENDMENTS_COUNT = 50
"""Requests for correction on one page of the list of staff."""
HANDED_ON_MAX = 10_000
"""Messages, tasks, calendars and appointments of one kind that are handed on when somebody leaves."""
HANDED_ON_PAGE = 100
"""How many of them are looked at in one turn."""
PAPER_MAX_CHARS = 100
"""Characters of who issued or signed a paper about who may look at a record."""

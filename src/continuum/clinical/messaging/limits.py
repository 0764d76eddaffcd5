"""Bounds of messaging."""

REPLY_WINDOW_DAYS = 45
"""How long after its last message a thread may be answered to; later a new one is begun."""
ANSWER_WORKING_DAYS = 3
"""Working days in which a team answers where it promises nothing else."""
ANSWER_WORKING_DAYS_MAX = 30
"""The latest answer that a team may promise."""
URGENT_WORKING_DAYS = 1
"""Working days in which an urgent thread is answered, whatever the team promises otherwise."""
RISE_AFTER_HOURS = 24
"""How long after its promise a thread that is urgent already goes to those who stand in for the team."""
FILES_MAX = 4
"""Files with one message."""
FILE_MAX_BYTES = 6 * 1024 * 1024
"""One file of a message."""
FILES_MAX_BYTES = 10 * 1024 * 1024
"""All files of a message together."""
FILE_NAME_MAX_CHARS = 120
"""Characters of a file's name; longer ones are cut."""
SUBJECT_MAX_CHARS = 120
"""Characters of a subject."""
TEXT_MAX_CHARS = 20_000
"""Characters of a message."""
NOTE_MAX_CHARS = 1_000
"""Characters of a reason, a hand-over or a task."""
SIGNATURE_MAX_CHARS = 120
"""Characters of a typed name."""
EVENTS_MAX = 60
"""What happened to a thread that its Task tells; the oldest but the first is forgotten."""
MESSAGES_READ_MAX = 400
"""Messages of one person that folders are made from; what is older is in the record, and found by its thread."""
THREAD_MESSAGES_MAX = 200
"""Messages of one thread on a page."""
POOL_SHOWN_MAX = 100
"""Threads of a list of the staff on one page."""
TEAMS_MAX = 100
"""Teams of one facility."""
TEAM_MEMBERS_MAX = 50
"""Members of a patient's own team among whom somebody who answers is looked for."""
FOLDERS_MAX = 25
"""Folders of somebody's own."""
FOLDER_MAX_CHARS = 40
"""Characters of a folder's name."""
FILED_MAX = 2_000
"""Threads that somebody has put into folders."""
DRAFTS_MAX = 30
"""Drafts of one account."""
DRAFT_MAX_CHARS = 40_000
"""Characters of a draft with all its fields."""
TEMPLATES_MAX = 60
"""Templates for answers of one facility."""
AWAY_MAX = 20
"""Times away that one account may have before it."""
SWEEP_BATCH = 100
"""Threads that are looked at in one act of the continuous check."""
STAFF_MAX = 200
"""Staff of a facility that are offered as cover or for a hand-over."""
MEASURED_DAYS = 90
"""Days back of which answer times are measured."""
MEASURED_MAX = 2_000
"""Conversations that are measured on one page; with more, the newest are."""

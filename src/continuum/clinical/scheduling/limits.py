"""Bounds of scheduling."""

HORIZON_DAYS_MAX = 120
"""How far ahead a schedule's template may open times."""
HORIZON_DAYS = 28
"""How far ahead times are opened where the schedule does not say."""
TIMES_IN_DAY_MAX = 200
"""Times that one schedule opens on one day."""
RULES_MAX = 40
"""Rules in one template, and days closed."""
SCHEDULES_MAX = 200
"""Schedules of one facility that are shown or searched together."""
TIMES_SHOWN_MAX = 200
"""Free times on one page of a search."""
DAY_APPOINTMENTS_MAX = 500
"""Appointments on one page of a clinic's day."""
WEEK_DAYS = 7
"""Days that a week's view shows."""
BOOK_AHEAD_MIN_MINUTES = 30
"""How long before its start a person may still book a time by themselves."""
CANCEL_MINUTES = 60
"""How long before its start a person may still cancel or move by themselves; later the clinic has to be called."""
BOOKED_AHEAD_MAX = 12
"""Appointments ahead that one person may have booked by themselves."""
OFFER_HOURS = 4
"""How long somebody has for a time that was offered."""
OFFER_ENDS_BEFORE_MINUTES = 120
"""How long before its start an offered time must have been accepted; nothing later is offered."""
WAITING_MAX = 500
"""Entries of a waiting list that are looked at for one time that came free."""
WAITING_DAYS = 90
"""How long somebody stays on a waiting list."""
CHECK_IN_OPENS_HOURS = 72
"""How long before its start a person may check in from home."""
MIRROR_BATCH = 100
"""Times that are told at once whether they are taken."""
OPENING_BATCH = 200
"""Times that are opened in one transaction."""
REASON_MAX_CHARS = 500
"""Characters of a reason or a comment."""
REMINDER_BATCH = 200
"""Appointments that are looked at at once for what has to be remembered."""
QUESTIONS_MAX = 200
"""Questions of one questionnaire."""
ANSWER_MAX_CHARS = 2_000
"""Characters of one answer."""
VISIT_MINUTES_MIN = 5
"""The shortest visit."""
VISIT_MINUTES_MAX = 480
"""The longest visit."""
INSTRUCTIONS_MAX_CHARS = 1_000
"""What people are told to know before a kind of visit."""

"""The bounds of who may see what, by name; those of the whole system are in kernel/limits.py."""

EMERGENCY_S = 4 * 3600
"""How long broken glass stays open."""
EMERGENCIES_OPEN_MAX = 10
"""Patients for whom one person may have broken the glass at the same time."""
EMERGENCY_REASON_CHARS = 500
"""The longest reason for breaking the glass."""
EMERGENCY_REASON_MIN_CHARS = 10
"""A shorter reason says nothing."""
STRANGERS_TRACED_MAX = 600
"""Refusals of requests without a name that one worker writes down in a minute; more are logged as one line."""
DISCLOSURES_YEARS = 6
"""Years for which disclosures are accounted for (45 CFR 164.528(a)(1))."""
DISCLOSURES_MAX = 1_000
"""Disclosures in one accounting; like ones to one party are one."""
SHAPES_CACHED_MAX = 1_024
"""Kinds of session (role, purpose, assurance …) whose policies are kept per process."""
NAMES_LOOKED_AT_MAX = 4_000
"""Different names with one beginning among which those are looked for that are nearly as somebody typed."""
NAMES_ALIKE_MAX = 24
"""Names with one beginning, the most alike, whose bearers are looked for."""
VIEW_NAMES_MAX = 200
"""People and places of one type that a page of a chart shows by name."""
VIEW_SEARCHES_CACHED_MAX = 2_048
"""Searches of pages of charts, whoever they are about, that a process has read and keeps."""

"""The bounds of pages, by name."""

LANGUAGES_ACCEPTED_MAX = 16
"""Languages of an Accept-Language header that are looked at."""
CHART_POINTS_MAX = 2_000
"""Points that one line of a chart draws; of more, each stretch keeps its first, last, lowest and highest."""
CHART_TICKS_MAX = 7
"""Labelled places on one axis of a chart."""
PAGE_LINKS_MAX = 7
"""Numbered links of a pagination, gaps included."""
STATIC_CACHE_S = 365 * 24 * 3600
"""How long a browser may keep a style sheet or a script; its address changes with its content."""
PREFERENCES_MAX_BYTES = 4 * 1024
"""The form that says how pages are shown."""
PREFERENCES_KEPT_S = 365 * 24 * 3600
"""How long a browser remembers how pages are shown."""
PAGE_COMPRESS_MIN_BYTES = 1_400
"""A page that fits one packet is sent as it is."""
NUMBERS_CACHED_MAX = 8_192
"""Measured values kept as text, per worker."""
INSTANTS_CACHED_MAX = 8_192
"""Instants kept as text, per worker: what is measured together says the same one in each chart, table and row."""
ZONE_NAMES_CACHED_MAX = 512
"""Names of time zones kept, per worker."""
MESSAGES_KEPT_MAX = 10_000
"""Messages of one language that are kept as they stand in a page; there are fewer."""

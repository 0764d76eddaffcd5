"""The bounds of the search index and of relations; those of the whole system: kernel/limits.py."""

RELATION_OPEN_DAYS = 365
"""A relation to a patient whose resource names no end ends this long after the resource was last written."""
RELATION_DONE_DAYS = 30
"""An order that is completed stays open this long to whom it was addressed."""
FACILITY_CARE_DAYS = 1_096
"""A facility that saw a patient, or where one was enrolled, has to do with them this long afterwards: three years, as
in "established patient"."""
RELATIONS_MAX = 200
"""Relations that one resource can say; a care team is smaller."""

UNITS_SETTLED_MAX = 10_000
"""Units that a process remembers to be filed; UCUM can say more than anybody measures in."""
COMMENSURABLE_MAX = 200
"""Different units of one dimension, as of masses, that a search compares with each other."""

MARKS_MAX = 1_000
"""Profiles, security labels and tags of the types asked for, up to which `$meta` looks which of them are in use."""
MARKS_SETTLED_MAX = 10_000
"""Of these, how many a process remembers to be filed."""
PROFILES_BELOW_MAX = 1_000
"""Profiles of a type that one `_profile:below` may find."""

ESTIMATE_ROWS = 2_048
"""Rows that an estimated total tests."""
ESTIMATE_PLACES = 32
"""Places of a type, evenly apart, from which they are taken."""
ESTIMATE_ENTRIES_MAX = 20_000
"""Entries of the index of keys that an estimated total may read to count exactly instead."""

REINDEX_BATCH = 100
"""Resources that are filed again in one transaction; a write to one of them waits for no more than that."""
REINDEX_REST_RATIO = 1.0
"""Rest after each batch, as a multiple of the time it took."""
REINDEX_POLL_S = 2.0
"""How often a process looks for types that are to be filed again, while another works on them."""
REINDEX_READY_AGE_S = 1.0
"""How long a process believes that a parameter is not ready, before it looks again."""

TOGETHER_MAX = 64
"""Resources of different creates that share one commit."""
TOGETHER_GATHER_S = 0.002
"""How long a commit waits for half of those who write at the same moment; who writes alone never waits."""
TOGETHER_WAITING_MAX = 5_000
"""Creates of one worker that may wait for their commit."""
SORT_READ_MAX = 1_000_000
"""Matches that a search reads to bring them into an order that no index has: by a token, a reference, or by several."""
SORT_READ_AT_ONCE = 5_000
"""Matches that are read together for such an order; of those before them only what may stand on the page is kept."""
VALUE_SET_CODES_MAX = 5_000
"""Codes of a value set, or below a code, that one criterion asks for."""
VALUE_SETS_READ_MAX = 50
"""ValueSet and CodeSystem resources that are read to tell what one value set holds."""
TERMINOLOGY_CACHED_MAX = 64
"""ValueSet and CodeSystem resources whose meaning a process remembers."""
INSTANTS_KNOWN_MAX = 1_024
"""Instants of writing whose text a process remembers."""

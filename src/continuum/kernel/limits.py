"""Every bound of the system, by name. A page, queue, upload, retry or loop takes its limit from here."""

BODY_MAX_BYTES = 16 * 1024 * 1024
"""The largest request body, after decompression."""
BINARY_MAX_BYTES = 64 * 1024 * 1024
"""The largest Binary, which is streamed."""
JSON_MAX_DEPTH = 200
"""How deep a resource may nest; R4's deepest legitimate ones stay below 40."""
URL_MAX_BYTES = 16 * 1024
"""The longest address of a request, its query included; a longer search goes by POST."""
COMPRESSED_INLINE_MAX_BYTES = 256 * 1024
"""A compressed request body is expanded on the event loop up to this; what is larger, or becomes so, in a thread."""
ZSTD_WINDOW_MAX_BYTES = 8 * 1024 * 1024
"""The largest zstd window that a request body may ask for (RFC 9659)."""
COMPRESS_MIN_BYTES = 14 * 1024
"""Answers below this fit one flight of packets, so compressing them saves no time."""
COMPRESS_INLINE_MAX_BYTES = 1024 * 1024
"""Answers up to this are compressed on the event loop; larger ones in a thread."""
HEADERS_MAX_BYTES = 32 * 1024
"""All header names and values of one request."""
HEADERS_BUFFER_BYTES = 256 * 1024
"""What the HTTP parser buffers before it gives up on a request's head."""
HEADERS_TIMEOUT_S = 10.0
"""Time for a client to send the head of a request."""
BINARY_CHUNK_BYTES = 192 * 1024
"""A Binary is decoded and sent in pieces of this size; a multiple of 3, so that base64 splits evenly."""
HOSTS_CACHED_MAX = 64
"""Host names kept per worker, for links."""
READINESS_TIMEOUT_S = 2.0
"""Time for the database to answer `/readyz`."""
PASSWORD_MEMORY_MIB = 64
"""Memory that the hash of a password takes unless the operator says otherwise (RFC 9106 §4, second recommendation)."""
PASSWORD_MEMORY_MIN_MIB = 19
"""The least that the operator may say, that of OWASP's advice on Argon2id; passes stay three, where two are advised."""
PASSWORD_MEMORY_MAX_MIB = 1024
"""The most that the operator may say; a worker hashes PASSWORD_HASHES_AT_ONCE at the same time."""
LISTEN_BACKLOG = 1_024
"""Connections that the kernel keeps until a worker takes them."""
WORKER_RESTART_WAIT_S = 1.0
"""A worker that dies is started again at most this often."""
SHUTDOWN_TIMEOUT_S = 12
"""Time for connections to end when the server stops; a little more than the head of a request may take."""
REQUESTS_END_S = 6
"""Time for requests under way to end when the server stops."""
ORPHAN_END_S = 1
"""The same when the server was killed: until its workers have ended, nobody can start it again at its port."""
CLIENT_CONNECTIONS_MAX = 10_000
"""Connections of one worker, idle and slow ones too, where the machine allows as many open files."""
PATCH_OPERATIONS_MAX = 1_000
"""Operations in one JSON Patch."""
PATCH_COPIED_MAX = 100_000
"""Values that the copy operations of one JSON Patch may add."""
SEARCH_PARAMETERS_MAX = 64
"""Criteria in one search."""
SEARCH_VALUES_MAX = 1_000
"""OR values in one criterion."""
SEARCH_WORDS_MAX = 32
"""Words of one value of `:text`, `_text` or `_content`."""
FILTER_TESTS_MAX = 64
"""Tests in one `_filter`."""
FILTER_DEPTH_MAX = 16
"""Brackets within brackets of one `_filter`."""
CHAIN_DEPTH_MAX = 8
"""Links in one chain or nested `_has`."""
CHAIN_BRANCHES_MAX = 400
"""Types that the links of one search's chains may lead to, all together."""
CHAIN_TARGETS_MAX = 200
"""Rows at the end of a chain up to which a search begins with them; with more it tests each row."""
PAGE_DEFAULT = 20
"""Matches on a page when `_count` does not say."""
PAGE_MAX = 1_000
"""Matches on a page, whatever `_count` says."""
INCLUDE_MAX = 10_000
"""Resources that `_include`/`_revinclude` may add to one page."""
INCLUDE_ITERATIONS_MAX = 8
"""Rounds of `_include:iterate` and `_revinclude:iterate`."""
EVERYTHING_MAX = 50_000
"""Resources in one `$everything`."""
BUNDLE_ENTRIES_MAX = 5_000
"""Entries in one batch or transaction."""
HISTORY_PAGE_MAX = 1_000
"""Versions on a page of history."""
REQUEST_TIMEOUT_S = 60.0
"""Total time of one request, its body included."""
STATEMENT_TIMEOUT_S = 30.0
"""Time of one SQL statement; PostgreSQL ends a longer one."""
CONNECTIONS_MAX = 16
"""PostgreSQL connections of one worker."""
REQUESTS_WAITING_MAX = 2_000
"""Requests that wait for a connection before new ones get 503."""
AUDIT_BATCH_MAX = 256
"""Audit rows of reads that share one commit."""
ID_MAX_CHARS = 64
"""Characters of a resource id (R4, datatype id)."""
RETRIES_MAX = 5
"""How often a transaction that lost a race is tried again."""
STORED_BODY_MAX_BYTES = 96 * 1024 * 1024
"""The largest JSON text that is read back: a full Binary in base64."""
LOCK_BUCKETS = 256
"""Buckets of addresses that keep a reference and the deletion of its target apart."""
ROW_BLOCK = 64
"""Row ids that a writer reserves at once; equal to the increment of record.row_block."""
STRING_INDEX_CHARS = 200
"""Characters of a normalised string that prefix search and sorting see."""
STRING_EXACT_CHARS = 2_000
"""Characters of a string that `:exact` compares."""
GRAMS_MAX = 512
"""Trigrams of one resource that `:contains` may use."""
GRAMS_CACHED_CHARS = 40
"""Characters of a normalised string up to which the keys of its trigrams are remembered: names, not sentences."""
AUDIT_WAITING_MAX = 10_000
"""Audit rows of one worker that may wait for their commit."""
AUDIT_DETAIL_CHARS = 400_000
"""Characters of an audit row's detail: the addresses that a full transaction wrote."""
POLICIES_CACHED_MAX = 10_000
"""Decisions kept per worker, one for each actor and purpose."""
IMPORT_CHUNK_LINES = 500
"""Resources of an import that share one transaction."""
IMPORT_CHUNK_BYTES = 8 * 1024 * 1024
"""JSON text of an import that shares one transaction."""
IMPORT_DOCUMENT_MAX_BYTES = 256 * 1024 * 1024
"""The largest single JSON document (a Bundle) that an import reads."""
IMPORT_CHUNKS_WAITING_MAX = 8
"""Chunks that wait for a worker of an import."""
IMPORT_DANGLING_SHOWN_MAX = 1_000
"""References to nothing that an import lists by name at its end."""
POSTGRES_START_TIMEOUT_S = 600.0
"""How long the embedded PostgreSQL may take to start, its recovery after a crash included."""
POSTGRES_STOP_TIMEOUT_S = 30.0
"""How long a polite stop of the embedded PostgreSQL may take before it is stopped at once."""
POSTGRES_RESTARTS_MAX = 10
"""How often the embedded PostgreSQL is restarted within POSTGRES_RESTARTS_WINDOW_S before it is given up."""
POSTGRES_RESTARTS_WINDOW_S = 60.0
"""The time within which restarts of the embedded PostgreSQL are counted."""
POSTGRES_RESTART_WAIT_MAX_S = 5.0
"""The longest pause between two restarts."""
POSTGRES_LOG_MAX_BYTES = 8 * 1024 * 1024
"""The embedded PostgreSQL's log is cut to its end when it grows over this."""
POSTGRES_PREPARE_TIMEOUT_S = 3_600.0
"""How long one process waits for another that makes or upgrades the embedded data."""
ORPHANS_STOP_TIMEOUT_S = 10.0
"""How long a PostgreSQL process left over from a killed server may take to end by itself."""
SOCKET_PATH_MAX_BYTES = 103
"""The longest path of a unix socket that every system takes."""
CONNECT_TIMEOUT_S = 10.0
"""How long a request waits for a database that is starting."""
CONNECT_RETRY_WAIT_S = 0.1
"""The pause between two attempts to connect."""
MIGRATION_LOCK_TIMEOUT_S = 5.0
"""How long a migration waits for a lock, so that those behind it do not wait longer."""
MIGRATION_RETRIES_MAX = 20
"""How often a migration that did not get its lock is tried again."""
MIGRATION_RETRY_WAIT_S = 0.5
"""The pause before a migration that did not get its lock is tried again."""
DATES_CACHED_MAX = 65_536
"""Dates whose interval a process remembers."""
NUMBER_EXPONENT_MAX = 300
"""The largest power of ten of a number in a search: what a float8 can compare."""
GATHER_MIN = 250
"""Rows that a search may always gather before it sorts them."""
WALK_TRIED = 4_000
"""Rows that a search tests in the order of an index before it gathers what its criteria select instead."""
DAY_KEYS_MAX = 1_000
"""Places times days up to which a search looks each of them up; more are found by their dates."""
GATHER_MAX = 100_000
"""Rows that a search may gather when no index has the order that is asked for."""
OVERFLOWS_REMEMBERED_MAX = 10_000
"""Searches of one worker that are remembered to be too common to gather."""
STATISTICS_AGE_S = 60.0
"""How long a worker steers by the same figures of PostgreSQL."""
PREPARED_MAX = 512
"""Prepared statements that one connection keeps."""
UPGRADE_TIMEOUT_S = 24 * 3_600.0
"""How long the upgrade of the embedded data to another major version of PostgreSQL may take."""
BACKUP_CHUNK_BYTES = 1024 * 1024
"""Backups are encrypted in pieces of this size, so that memory stays flat."""
ARCHIVE_POLL_S = 5.0
"""How often finished WAL files are taken to the archive."""
ARCHIVE_WAIT_S = 120.0
"""How long a backup waits for PostgreSQL to hand over its last WAL file."""
BACKUP_TIMEOUT_S = 24 * 3_600.0
"""How long one backup or restore may take."""
IMPORT_WORKERS_MAX = 64
"""Processes of one import."""
GATHER_TRIED = 200
"""Rows that a search gathers before it walks an index that has them in order."""
STRING_MAX_CHARS = 1024 * 1024
"""Characters of one FHIR string (R4 §2.24.0.1: at most 1 MB)."""
DECIMAL_EXPONENT_MAX = 400
"""Digits and power of ten of a decimal in a resource."""
ISSUES_MAX = 50
"""Issues that one answer lists."""
LOG_TEXT_CHARS = 200
"""Characters of one value in a log line."""
DISK_FREE_MIN_BYTES = 1024 * 1024 * 1024
"""Free space below which `continuum doctor` warns."""
BACKUP_AGE_MAX_S = 36 * 3_600.0
"""The age of the newest backup above which `continuum doctor` warns."""
ARCHIVE_LAG_MAX_S = 600.0
"""How long a finished WAL file may wait for the archive before `continuum doctor` warns."""
SAMPLE_FAMILIES_MAX = 1_000_000
"""Sample families of one run of `continuum populate`."""
SAMPLE_PROCESSES_MAX = 64
"""Processes that make sample families at once."""
SAMPLE_YEARS_MAX = 60
"""How many years the records of sample people go back at most."""
TEXT_CACHED_CHARS = 200
"""Characters of a text up to which its normalised form and its words are remembered."""
WORD_CHARS = 64
"""Characters of a word that `:text`, `_text` and `_content` compare."""
WORDS_MAX = 1_000
"""Different words of one resource, and of its narrative, by which it is found; those beyond are not filed."""
NORMALISED_CACHED_MAX = 32_768
"""Texts whose normalised form a process remembers."""
KEYS_CACHED_MAX = 131_072
"""Sets of search keys that a process remembers, by what they are made of."""
ADDRESSES_CACHED_MAX = 65_536
"""References whose address a process remembers."""
DATE_MAX_CHARS = 64
"""Characters of one date, instant or time of day in a resource."""
OUTBOX_ACTS_MAX = 256
"""Commits that are looked through for subscriptions in one transaction."""
OUTBOX_CHANGES_MAX = 2_000
"""Changed resources after which no further commit joins that transaction."""
OUTBOX_POLL_S = 0.05
"""How often the outbox is looked at while there are subscriptions; commits of the same process are seen at once."""
OUTBOX_IDLE_POLL_S = 1.0
"""How often the outbox is looked at while there are no subscriptions."""
OUTBOX_GATHER_S = 0.005
"""The pause between two looks at the outbox, in which commits gather."""
OUTBOX_REST = 3.0
"""The pause between two looks at the outbox, in multiples of what the last one took."""
OUTBOX_CHECK_S = 1.0
"""How often the leader looks which subscriptions have come to their end."""
OUTBOX_ELECTION_S = 0.25
"""How often a worker asks whether it is to read the outbox."""
OUTBOX_RETRY_S = 1.0
"""The pause after the database failed the reader of the outbox."""
SUBSCRIPTIONS_MAX = 1_000
"""Subscriptions that are served at once; further ones wait in the status requested."""
SUBSCRIPTION_CONNECTIONS = 4
"""PostgreSQL connections of one worker for subscriptions, so that they never take one from a request."""
SUBSCRIPTION_FILTERS_MAX = 16
"""Filters of one subscription."""
SUBSCRIPTION_EVENTS_MAX = 100
"""Events in one notification, whatever its max-count says, and in one page of `$events`."""
SUBSCRIPTION_NOTIFICATION_MAX_BYTES = 16 * 1024 * 1024
"""JSON text of the resources in one notification; a single larger resource still goes alone."""
SUBSCRIPTION_EVENTS_KEPT = 10_000
"""Delivered events that each subscription keeps for `$events`."""
SUBSCRIPTION_WAITING_MAX = 100_000
"""Events that may wait for one subscriber before its subscription is ended."""
SUBSCRIPTION_TIMEOUT_S = 10
"""Time for a subscriber to take a notification, unless its subscription says otherwise."""
SUBSCRIPTION_TIMEOUT_MAX_S = 60
"""The longest such time that a subscription may ask for."""
SUBSCRIPTION_HEARTBEAT_MIN_S = 1
"""The shortest heartbeat period that a subscription may ask for."""
SUBSCRIPTION_ATTEMPTS_MAX = 8
"""Attempts to deliver a notification before its subscription is in error."""
SUBSCRIPTION_RETRY_WAIT_S = 0.5
"""The pause after the first failed delivery; each further one is twice as long."""
SUBSCRIPTION_RETRY_WAIT_MAX_S = 60.0
"""The longest pause between two deliveries."""
SUBSCRIPTION_HEADERS_MAX = 16
"""Headers that a subscription may add to its notifications."""
SUBSCRIPTION_PRUNE_S = 60.0
"""How often delivered events are removed."""
SUBSCRIPTION_STOP_S = 5.0
"""Time for deliveries under way to end when the server stops."""
SOCKETS_MAX = 1_000
"""Websockets of one worker."""
SOCKET_BIND_TIMEOUT_S = 30.0
"""Time for a new websocket to say which subscriptions it is for."""
SOCKET_CLOSE_TIMEOUT_S = 1.0
"""Time for a websocket that is ended to hear why."""
SOCKET_SUBSCRIPTIONS_MAX = 100
"""Subscriptions of one websocket."""
OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Containers that may come to life before a server looks for cycles among the youngest of them."""
SEAL_INTERVAL_S = 10.0
"""How often finished audit rows are sealed under a signed checkpoint."""
SEAL_ROWS_MAX = 10_000
"""Audit rows under one checkpoint."""
SEAL_CHECKPOINTS_MAX = 20
"""Checkpoints that the sealer makes in one go before it rests until its next turn."""
SEAL_LAG_MAX_S = 600.0
"""How long audit rows may wait for their checkpoint before `continuum doctor` says that sealing stands still."""
VERIFY_PAGE_ROWS = 5_000
"""Audit rows that a verification holds in memory at once."""
VERIFY_PROBLEMS_MAX = 100_000
"""Problems that a verification names one by one; further ones are counted."""
DOCTOR_CHECKPOINTS_MAX = 100
"""The newest checkpoints that `continuum doctor` verifies; `continuum audit verify` takes all."""
SPILL_BYTES = 32 * 1024 * 1024
"""The file that each worker keeps ready for audit rows while the database takes none: about 80,000 reads."""
SPILL_REFUSALS_SHARE = 0.5
"""The part of a spill file that the traces of refused and failed requests may fill; the rest is for reads."""
SPILL_FILES_MAX = 256
"""Spill files of one installation; a worker takes the first that no other holds."""
DISK_RESERVE_BYTES = 64 * 1024 * 1024
"""Free space of the embedded PostgreSQL's disk below which writes are refused, so that reads can go on."""
DISK_RESUME_BYTES = 96 * 1024 * 1024
"""Free space of the embedded PostgreSQL's disk from which refused writes are taken again."""
OUTAGE_CHECK_S = 1.0
"""How often a worker looks whether the disk has room, and, while writes are closed, whether they can be opened."""
BULK_PART_ROWS = 20_000
"""Row ids that one piece of an export spans."""
BULK_FETCH_ROWS = 1_000
"""Rows that an export takes from the database at once."""
BULK_INLINE_MAX_BYTES = 64 * 1024
"""Stored bodies up to this come with their rows in an export; larger ones are fetched one by one."""
BULK_BUFFER_BYTES = 1024 * 1024
"""NDJSON that one process of an export gathers before it writes it to a file."""
BULK_FILE_MAX_BYTES = 256 * 1024 * 1024
"""A file of an export that is larger gets no further piece."""
BULK_JOBS_MAX = 20
"""Bulk jobs of one actor that may be under way."""
BULK_RUNNING_MAX = 1
"""Bulk jobs that one worker of the server works on at the same time."""
BULK_KEPT_S = 24 * 3600
"""How long the files of a finished bulk job are kept."""
BULK_LEASE_S = 10.0
"""A bulk job of which nothing was heard for this long is taken over."""
BULK_BEAT_S = 2.0
"""How often whoever works on a bulk job says so."""
BULK_POLL_S = 1.0
"""How often a worker looks for bulk jobs that wait, were left or have expired."""
BULK_WAIT_S = 0.05
"""The pause of a process of an export that waits for the pieces of others."""
BULK_ATTEMPTS_MAX = 5
"""How often a bulk job is begun again before it counts as failed."""
BULK_SETTLE_S = 0.25
"""How long an export waits for writes that were stamped before it began, beyond their transactions."""
BULK_SETTLE_TIMEOUT_S = 60.0
"""How long an export waits for transactions that are older than itself; then it is about the time before them."""
BULK_MEMBERS_IN_PART = 200
"""Patients whose records one piece of an export reads."""
BULK_MEMBERS_MAX = 1_000_000
"""Patients that an export may name."""
BULK_FILTERS_MAX = 64
"""Searches in the `_typeFilter` of one export."""
BULK_DELETED_IN_BUNDLE = 1_000
"""Deletions in one Bundle of an export."""
BULK_AUDIT_PATIENTS = 5_000
"""Patients that one audit row of a finished export names."""
BULK_PROCESSES_MAX = 64
"""Processes of one bulk job."""
BULK_CHUNK_BYTES = 1024 * 1024
"""Files of bulk jobs are read, compressed and sent in pieces of this size."""
BULK_DISK_FREE_MIN_BYTES = 2 * 1024 * 1024 * 1024
"""An export stops with words before its files leave less room than this on their disk."""
BULK_DOWNLOAD_TIMEOUT_S = 6 * 3600.0
"""How long the download of one file may take altogether."""
BULK_INPUTS_MAX = 200
"""Files that one `$import` may name."""
BULK_INPUT_MAX_BYTES = 64 * 1024 * 1024 * 1024
"""The largest file that an `$import` fetches."""
BULK_INPUT_TIMEOUT_S = 60.0
"""How long the source of an `$import` may be silent."""
BULK_INPUT_TOTAL_S = 24 * 3600.0
"""How long fetching one file of an `$import` may take."""
ASSERTION_LIFETIME_MAX_S = 300
"""How long the assertion of a program that signs on may be valid (SMART App Launch 2.2, client assertions)."""
ASSERTION_MAX_BYTES = 16 * 1024
"""The largest form that the token endpoint reads."""
BACKEND_TOKEN_LIFETIME_S = 300
"""The life of a token of a program that signed on by itself (SMART App Launch 2.2: at most 5 minutes)."""
CLIENT_KEYS_MAX = 10
"""Public keys of one registered program."""
DISK_RELEASE_BYTES = 8 * 1024 * 1024
"""Free space below which the embedded PostgreSQL gets the room that was set aside for it."""
WAL_RESERVE_BYTES = 48 * 1024 * 1024
"""Room set aside on the embedded PostgreSQL's disk: three WAL files, without which it cannot even answer reads."""
KEYS_PENDING_KB = 64
"""Keys of new rows that may wait outside the index's tree: each search reads through them."""
KEYS_PENDING_IMPORT_KB = 4_096
"""The same while many rows are loaded: sorted in larger heaps, they cost a quarter less to file."""
MERGE_ENTRIES_MAX = 20_000
"""Entries of a chart that can be merged into another in one transaction."""
CORRECTION_ENTRIES_MAX = 1_000
"""Entries that one wrong-patient correction can move."""
RELOCATION_YIELD = 20
"""After so many entries of a merge or correction the worker's other requests have their turn."""
MATCH_BLOCK_MAX = 50
"""Patients that one of the searches behind `Patient/$match` looks at."""
MATCH_COUNT_MAX = 100
"""Candidates that `Patient/$match` shows."""
MATCH_COUNT_DEFAULT = 20
"""Candidates that `Patient/$match` shows when `count` does not say."""
MATCH_VALUES_MAX = 8
"""Identifiers, telephone numbers and names of one person that `Patient/$match` goes by."""
LASTN_MAX = 100
"""Observations of each kind that `Observation/$lastn` shows."""
LASTN_READ_MAX = 20_000
"""Observations of one patient that `Observation/$lastn` looks through."""

"""The bounds of who is who and of sign-on, by name; those of the whole system are in kernel/limits.py."""

ACCOUNT_AGE_MIN_YEARS = 18
"""The age from which somebody may have an account of their own."""
DEPENDENTS_MAX = 50
"""Dependents of one sponsor that are listed."""
REGISTRY_BATCH_MAX = 1_000
"""People whom one statement takes over into the registry."""
PASSWORD_MIN_CHARS = 15
"""Characters of a password that stands alone (NIST SP 800-63B-4 §3.1.1.2; ASD STIG V-222536)."""
PASSWORD_WITH_FACTOR_MIN_CHARS = 8
"""Characters of a password beside a second factor (NIST SP 800-63B-4 §3.1.1.2)."""
PASSWORD_MAX_CHARS = 256
"""Characters of a password: what one form field may cost to hash."""
PASSWORD_GUESSES_MIN_LOG10 = 10.0
"""Powers of ten of guesses that a password must be expected to withstand."""
PASSWORD_RATED_CHARS = 72
"""Characters of a password that are rated; the rest only makes it stronger."""
BREACHED_PASSWORDS_MAX_BYTES = 8 * 1024 * 1024
"""The operator's file of breached passwords in plain text; a file of digests may have any size."""
PASSWORD_HASHES_AT_ONCE = 3
"""Passwords that one worker hashes at the same time; each takes the memory that the operator chose."""
PASSWORD_HASHES_WAITING_MAX = 100
"""Passwords that may wait for their turn to be hashed before new sign-ins get 503."""
ATTEMPTS_FREE = 3
"""Failed attempts after which the next one has to wait."""
ATTEMPT_WAIT_MAX_S = 900
"""The longest wait between two attempts."""
ATTEMPTS_REMEMBERED_S = 24 * 3600
"""How long a failed attempt is held against the next one."""
ATTEMPTS_OF_STRANGERS_MAX = 100
"""Failed attempts on one account from new browsers, all together, after which they wait ATTEMPT_WAIT_MAX_S each."""
ATTEMPT_PENDING_S = 60
"""How long an attempt whose end is not known counts as under way; after that it counts as failed."""
LOCK_FAILURES = 3
"""Failures within LOCK_WINDOW_S that lock an account under the profile dod-stig (ASD STIG V-222432)."""
LOCK_WINDOW_S = 15 * 60
"""The time within which failures lock an account under the profile dod-stig."""
SESSION_IDLE_S = 15 * 60
"""Idle time after which a session ends (ASD STIG V-222389)."""
SESSION_IDLE_ADMINISTRATOR_S = 10 * 60
"""Idle time after which an administrator's session ends (ASD STIG V-222390)."""
SESSION_LIFETIME_S = 12 * 3600
"""The longest session, however active (NIST SP 800-63B-4: at most 24 hours)."""
SESSIONS_MAX = 5
"""Sessions of one account at the same time; one more ends the oldest (ASD STIG V-222387)."""
SESSION_TOUCH_S = 1
"""How exactly the last activity of a session is kept."""
TICKET_LIFETIME_S = 600
"""Time for the next step of signing in or of setting up a factor."""
REAUTHENTICATED_S = 300
"""How long ago credentials may have been shown for changing a password or a factor."""
FACTORS_MAX = 10
"""Authenticator apps, and passkeys, of one account."""
RECOVERY_CODES = 10
"""Recovery codes of one account."""
LABEL_MAX_CHARS = 60
"""Characters of the name that somebody gives to a factor."""
BROWSER_MARK_S = 180 * 24 * 3600
"""How long a browser that has signed in is known again."""
NOTICES_SHOWN_MAX = 20
"""Notices on an account's page."""
PRIVILEGES_MAX = 200
"""Privileges of one account."""
REGISTRATION_S = 1_800
"""Time between being found in the registry and having chosen a name and a password."""
ACTIVATION_LIFETIME_S = 21 * 24 * 3600
"""How long an activation code that was sent by post holds (NIST SP 800-63A-4: 21 days)."""
ACTIVATION_AGAIN_S = 3 * 24 * 3600
"""How long after a letter with an activation code the next one can be asked for."""
LETTERS_PAGE_MAX = 100
"""Letters with activation codes that a clerk prints at once."""
DOCUMENT_TEXT_CHARS = 100
"""Characters of one fact about an identity document."""
AUTHORIZATION_CODE_S = 60
"""How long an authorization code holds; RFC 6749 §4.1.2 allows 10 minutes."""
ACCESS_TOKEN_S = 300
"""How long an access token holds: what may be done with one after its holder signed out."""
ID_TOKEN_S = 600
"""How long an ID token may be taken as fresh."""
SIGNING_KEY_SIGNS_S = 90 * 24 * 3600
"""How long a signing key of the provider signs."""
SIGNING_KEY_SHOWN_S = 2 * 24 * 3600
"""How long a signing key is published after it has signed for the last time."""
SIGNING_KEYS_CACHED_S = 300
"""How long a worker keeps the provider's keys before it looks again."""
REDIRECT_URIS_MAX = 20
"""Addresses to which one client may have people sent back."""
RESEALED_AT_ONCE = 500
"""Sealed values that are read and written in one statement when their key is replaced."""
ENROLMENT_S = 3 * 24 * 3600
"""How long the link holds with which a member of staff sets up the account."""
RECOVERY_AT_DESK_S = 1_800
"""How long the link holds with which somebody who lost every factor, and was proofed again, begins anew."""
ACCOUNTS_FOUND_MAX = 10
"""Accounts that the help desk is shown for one sign-in name, DoD ID number or e-mail address."""
STAFF_SHOWN_MAX = 500
"""Accounts of staff on one page."""
FORM_MAX_BYTES = 64 * 1024
"""The body of one form at sign-on."""
FORM_FIELDS_MAX = 300
"""Fields of one form of a page; a questionnaire has the most."""
NOTICE_ACCEPTED_S = 3_600
"""How long a browser that has accepted the notice before sign-in is not shown it again."""
SESSION_WARNING_S = 120
"""How long before an idle session ends its holder is asked whether they are still there."""
BANNER_MAX_BYTES = 32 * 1024
"""The operator's notice before sign-in."""
SWEEP_S = 600
"""How often what nobody can use any more is removed from sign-on's tables."""

NOTICE_TRIES_MAX = 8
"""How often a mail is tried before it is given up."""
NOTICE_WAIT_S = 60.0
"""Seconds before a mail that was not taken is tried again; twice as long each time."""
NOTICE_BATCH = 50
"""Mails that are sent in one turn."""
NOTICE_SEND_TIMEOUT_S = 30.0
"""Seconds that the mail server has to take a mail."""
NOTICE_ADDRESSES_MAX = 4
"""Addresses that are told of one thing."""
NOTICE_WORDS_MAX_CHARS = 120
"""Characters of what a mail says beside its usual words: a day and an hour."""
NOTICE_KEPT_DAYS = 30
"""Days for which it is remembered that somebody was told."""

PROVIDERS_MAX = 10
"""Other providers by which people may sign in."""
PROVIDERS_MAX_BYTES = 64 * 1024
"""The operator's file that lists them."""
PROVIDER_TIMEOUT_S = 10.0
"""Seconds that another provider has for an answer."""
PROVIDER_FACTS_S = 3_600
"""How long another provider's document and keys are believed before they are read again."""
PROVIDER_ANSWER_MAX_BYTES = 256 * 1024
"""The document or the keys of another provider."""
LINKS_MAX = 10
"""Accounts of other providers that open one account here."""
TOKEN_MAX_BYTES = 8 * 1024
"""A longer bearer token is not one of ours."""
TOKEN_LIFETIME_MAX_S = 366 * 24 * 3600
"""The longest life of a token made on the command line."""
TOKENS_CACHED_MAX = 10_000
"""Verified tokens kept per worker."""
BINDING_LIFETIME_S = 3_600
"""The life of a token that binds a websocket to subscriptions."""

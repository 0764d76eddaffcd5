-- Who somebody is: the registry of people and what they are entitled to, accounts, credentials, sessions, and the
-- OpenID Connect provider. Instants (`*_us`) are microseconds since 1970 UTC in bigint. Nothing here refers to
-- the schema `record`; `patient_id` is the id of a Patient. Secrets: `*_digest` is SHA-256 of 256 random bits or a
-- keyed digest; `sealed_*` is AES-256-GCM under a key that the database does not hold (identity/vault.py).

CREATE SCHEMA identity;

-- The registry. A person is there once, whatever they are: sponsor, dependent or both.
CREATE TABLE identity.person (
  person_id    text PRIMARY KEY,
  dod_id       text NOT NULL UNIQUE CHECK (dod_id ~ '^[0-9]{10}$'),
  given_names  text NOT NULL,
  family_name  text NOT NULL,
  family_key   text COLLATE "C" NOT NULL,   -- the family name as registry.name_key makes it
  sex          text NOT NULL CHECK (sex IN ('male', 'female', 'other', 'unknown')),
  born         date NOT NULL,
  died         date,
  email        text,
  phone        text,
  street       text NOT NULL,               -- the address of record
  city         text NOT NULL,
  state        text NOT NULL,
  postal_code  text NOT NULL,
  country      text NOT NULL,
  patient_id   text COLLATE "C" UNIQUE,     -- their record, once there is one
  updated_us   bigint NOT NULL
);

-- Why somebody is entitled to care, and from when to when. `ends` is the last day; NULL is open.
CREATE TABLE identity.eligibility (
  person_id  text NOT NULL REFERENCES identity.person ON DELETE CASCADE,
  category   text NOT NULL CHECK (category IN
               ('active', 'reserve', 'guard', 'retired', 'veteran', 'spouse', 'child', 'survivor')),
  starts     date NOT NULL,
  ends       date CHECK (ends >= starts),
  PRIMARY KEY (person_id, category, starts)
);

CREATE TABLE identity.sponsorship (
  sponsor_id    text NOT NULL REFERENCES identity.person ON DELETE CASCADE,
  dependent_id  text NOT NULL REFERENCES identity.person ON DELETE CASCADE,
  relation      text NOT NULL CHECK (relation IN ('spouse', 'child', 'ward', 'parent')),
  starts        date NOT NULL,
  ends          date CHECK (ends >= starts),
  PRIMARY KEY (sponsor_id, dependent_id, starts),
  CHECK (sponsor_id <> dependent_id)
);
CREATE INDEX sponsorship_dependent ON identity.sponsorship (dependent_id);

-- Accounts. `person_id` links to the registry; an account of staff alone has none. One account for each person.
CREATE TABLE identity.account (
  account_id       text PRIMARY KEY,
  sign_in_name     text COLLATE "C" NOT NULL UNIQUE,   -- as accounts.sign_in_key makes it
  display_name     text NOT NULL,
  person_id        text UNIQUE REFERENCES identity.person,
  email            text,
  identity_level   smallint NOT NULL DEFAULT 1 CHECK (identity_level BETWEEN 1 AND 3),
  password_hash    text,
  password_set_us  bigint,
  webauthn_handle  bytea NOT NULL UNIQUE,              -- what authenticators call the account; tells nothing
  created_us       bigint NOT NULL,
  locked_us        bigint,                             -- dod-stig: until an administrator opens it
  closed_us        bigint                              -- for good
);

-- Hashes of former passwords, for the profile that forbids using them again.
CREATE TABLE identity.former_password (
  account_id     text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  replaced_us    bigint NOT NULL,
  password_hash  text NOT NULL,
  PRIMARY KEY (account_id, replaced_us)
);

-- Attempts that failed or have not ended, newest counted. `subject_digest` is of the account's id or of the name
-- that was tried, so that names which exist and names which do not are treated alike; `origin_digest` is of the
-- browser's mark or of the network.
CREATE TABLE identity.attempt (
  attempt_id      text PRIMARY KEY,
  subject_digest  bytea NOT NULL,
  origin_digest   bytea NOT NULL,
  at_us           bigint NOT NULL,
  failed          boolean NOT NULL DEFAULT false
);
CREATE INDEX attempt_subject ON identity.attempt (subject_digest, at_us);
CREATE INDEX attempt_at ON identity.attempt (at_us);

-- Second factors.
CREATE TABLE identity.authenticator_app (
  factor_id    text PRIMARY KEY,
  account_id   text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  label        text NOT NULL,
  sealed_seed  bytea NOT NULL,
  created_us   bigint NOT NULL,
  confirmed_us bigint,                     -- NULL until a first code was right
  last_step    bigint NOT NULL DEFAULT 0   -- the newest 30-second step used; none is taken twice
);
CREATE INDEX authenticator_app_account ON identity.authenticator_app (account_id);

CREATE TABLE identity.passkey (
  credential_id  bytea PRIMARY KEY,
  account_id     text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  label          text NOT NULL,
  public_key     bytea NOT NULL,
  sign_count     bigint NOT NULL,
  backed_up      boolean NOT NULL,
  created_us     bigint NOT NULL,
  used_us        bigint
);
CREATE INDEX passkey_account ON identity.passkey (account_id);

CREATE TABLE identity.recovery_code (
  account_id   text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  code_digest  bytea NOT NULL,
  used_us      bigint,
  PRIMARY KEY (account_id, code_digest)
);

-- Sessions: a browser's cookie is the only copy of the value whose digest is here.
CREATE TABLE identity.session (
  session_id          text PRIMARY KEY,
  token_digest        bytea NOT NULL UNIQUE,
  account_id          text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  identity_level      smallint NOT NULL CHECK (identity_level BETWEEN 1 AND 3),
  authenticator_level smallint NOT NULL CHECK (authenticator_level BETWEEN 1 AND 3),
  methods             text[] NOT NULL,            -- amr, RFC 8176: pwd, otp, hwk, user, kba is never one
  created_us          bigint NOT NULL,
  authenticated_us    bigint NOT NULL,            -- when credentials were last shown
  active_us           bigint NOT NULL,
  idle_s              integer NOT NULL,
  expires_us          bigint NOT NULL,            -- the absolute limit
  ended_us            bigint,
  ended_because       text,
  source              text NOT NULL,
  browser             text NOT NULL
);
CREATE INDEX session_account ON identity.session (account_id, created_us) WHERE ended_us IS NULL;

-- Something that was begun and is to be ended once, soon: a challenge, a second step, an authorization request.
CREATE TABLE identity.ticket (
  ticket_digest  bytea PRIMARY KEY,
  purpose        text NOT NULL,
  account_id     text REFERENCES identity.account ON DELETE CASCADE,
  content        text NOT NULL,                   -- JSON
  expires_us     bigint NOT NULL
);
CREATE INDEX ticket_expires ON identity.ticket (expires_us);

-- How an account came to its identity level. Documents are recorded by kind, issuer and last day, never copied.
CREATE TABLE identity.proofing (
  proofing_id     text PRIMARY KEY,
  account_id      text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  method          text NOT NULL CHECK (method IN ('in_person', 'letter', 'card')),
  identity_level  smallint NOT NULL CHECK (identity_level BETWEEN 2 AND 3),
  at_us           bigint NOT NULL,
  by_account      text REFERENCES identity.account,
  documents       text NOT NULL                   -- JSON list
);
CREATE INDEX proofing_account ON identity.proofing (account_id);

-- A code that is on its way, by post, to the address of record. The sealed letter goes once it is printed.
CREATE TABLE identity.activation (
  activation_id  text PRIMARY KEY,
  account_id     text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  code_digest    bytea NOT NULL,
  sealed_code    bytea,
  asked_us       bigint NOT NULL,
  printed_us     bigint,
  expires_us     bigint NOT NULL,
  used_us        bigint
);
CREATE INDEX activation_account ON identity.activation (account_id, asked_us);

-- What staff may be, where and for how long. `ends` is the last day; NULL is open.
CREATE TABLE identity.privilege (
  privilege_id  text PRIMARY KEY,
  account_id    text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  role          text NOT NULL,
  facility_id   text COLLATE "C",                 -- an Organization; NULL for roles of the whole installation
  starts        date NOT NULL,
  ends          date CHECK (ends >= starts),
  granted_us    bigint NOT NULL,
  granted_by    text REFERENCES identity.account,
  withdrawn_us  bigint
);
CREATE INDEX privilege_account ON identity.privilege (account_id) WHERE withdrawn_us IS NULL;

-- What an account's holder should know: new factors, sign-ins from new browsers, recovery. Shown on their page.
CREATE TABLE identity.notice (
  notice_id   text PRIMARY KEY,
  account_id  text NOT NULL REFERENCES identity.account ON DELETE CASCADE,
  at_us       bigint NOT NULL,
  text        text NOT NULL,
  seen_us     bigint
);
CREATE INDEX notice_account ON identity.notice (account_id, at_us);

-- The OpenID Connect provider.
CREATE TABLE identity.client (
  client_id             text PRIMARY KEY,
  name                  text NOT NULL,
  secret_digest         bytea,                    -- NULL: a public client, held to PKCE alone
  redirect_uris         text[] NOT NULL,
  post_logout_uris      text[] NOT NULL DEFAULT '{}',
  scopes                text[] NOT NULL,
  identity_level        smallint NOT NULL DEFAULT 1 CHECK (identity_level BETWEEN 1 AND 3),
  authenticator_level   smallint NOT NULL DEFAULT 1 CHECK (authenticator_level BETWEEN 1 AND 3),
  created_us            bigint NOT NULL,
  closed_us             bigint
);

CREATE TABLE identity.authorization_code (
  code_digest     bytea PRIMARY KEY,
  client_id       text NOT NULL REFERENCES identity.client ON DELETE CASCADE,
  session_id      text NOT NULL REFERENCES identity.session ON DELETE CASCADE,
  redirect_uri    text NOT NULL,
  scope           text NOT NULL,
  nonce           text,
  code_challenge  text NOT NULL,                  -- S256; a code without one is never issued
  issued_us       bigint NOT NULL,
  expires_us      bigint NOT NULL,
  used_us         bigint
);
CREATE INDEX authorization_code_session ON identity.authorization_code (session_id);

-- Refresh tokens are used once; the next one carries the same family. A second use ends the family.
CREATE TABLE identity.refresh_token (
  token_digest  bytea PRIMARY KEY,
  family_id     text NOT NULL,
  client_id     text NOT NULL REFERENCES identity.client ON DELETE CASCADE,
  session_id    text NOT NULL REFERENCES identity.session ON DELETE CASCADE,
  scope         text NOT NULL,
  issued_us     bigint NOT NULL,
  expires_us    bigint NOT NULL,
  used_us       bigint,
  revoked_us    bigint
);
CREATE INDEX refresh_token_family ON identity.refresh_token (family_id);
CREATE INDEX refresh_token_session ON identity.refresh_token (session_id);

CREATE TABLE identity.signing_key (
  key_id       text PRIMARY KEY,
  algorithm    text NOT NULL,
  public_key   text NOT NULL,                     -- JWK
  sealed_key   bytea NOT NULL,
  created_us   bigint NOT NULL,
  retires_us   bigint NOT NULL                    -- signs nothing from here on; is published for a while longer
);

-- What people and staff have beside the messages themselves, which are in the record: folders, what was read, drafts,
-- who is away and who stands in, templates for answers. Instants (`*_us`) as in schema `identity`.
CREATE SCHEMA messages;

CREATE TABLE messages.folder (
  account_id  text NOT NULL,
  folder      text NOT NULL,
  PRIMARY KEY (account_id, folder)
);

-- Where somebody has put a thread; what has no row lies in the inbox.
CREATE TABLE messages.filed (
  account_id  text   NOT NULL,
  thread_id   text   COLLATE "C" NOT NULL,
  folder      text   NOT NULL,
  filed_us    bigint NOT NULL,
  PRIMARY KEY (account_id, thread_id)
);

CREATE TABLE messages.seen (
  account_id  text   NOT NULL,
  thread_id   text   COLLATE "C" NOT NULL,
  seen_us     bigint NOT NULL,
  PRIMARY KEY (account_id, thread_id)
);

-- What somebody has typed and not sent. `sealed` is AES-256-GCM under a key that the database does not hold.
-- thread_id: the thread that is answered, "" for a new one.
CREATE TABLE messages.draft (
  account_id  text    NOT NULL,
  draft_id    text    COLLATE "C" NOT NULL,
  patient_id  text    COLLATE "C" NOT NULL,
  thread_id   text    COLLATE "C" NOT NULL DEFAULT '',
  sealed      bytea   NOT NULL,
  revision    integer NOT NULL,
  saved_us    bigint  NOT NULL,
  PRIMARY KEY (account_id, draft_id)
);

CREATE TABLE messages.away (
  away_id      text   PRIMARY KEY,
  account_id   text   NOT NULL,
  cover_id     text,                  -- who stands in; without one, threads go back to their teams
  facility_id  text   COLLATE "C" NOT NULL,
  starts_us    bigint NOT NULL,
  ends_us      bigint NOT NULL CHECK (ends_us > starts_us)
);
CREATE INDEX away_account ON messages.away (account_id, ends_us);
CREATE INDEX away_cover ON messages.away (cover_id, ends_us) WHERE cover_id IS NOT NULL;
CREATE INDEX away_facility ON messages.away (facility_id, ends_us);

CREATE TABLE messages.template (
  template_id  text   PRIMARY KEY,
  facility_id  text   COLLATE "C" NOT NULL,
  title        text   NOT NULL,
  text         text   NOT NULL,
  saved_us     bigint NOT NULL
);
CREATE INDEX template_facility ON messages.template (facility_id, title);

-- What the continuous check found last, for `continuum doctor`; one row.
CREATE TABLE messages.checked (
  one            boolean PRIMARY KEY DEFAULT true CHECK (one),
  checked_us     bigint  NOT NULL,
  threads        integer NOT NULL,
  tasks          integer NOT NULL,
  without_work   integer NOT NULL,
  without_owner  integer NOT NULL,
  overdue        integer NOT NULL,
  failed         integer NOT NULL
);

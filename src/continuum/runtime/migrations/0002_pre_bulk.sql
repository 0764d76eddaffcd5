-- More of the record's tables, after those of schema.sql: bulk jobs, and programs that sign on by themselves.

-- Bulk work: exports and imports that outlive their request, and a restart of the server (record/jobs.py).
-- `asked` and `actor` are JSON: what was asked for, and who asked, so that the door can be opened again for them.
CREATE TABLE record.bulk_job (
  id        text     PRIMARY KEY,
  kind      text     NOT NULL,              -- export, import
  state     text     NOT NULL,              -- accepted, running, completed, failed
  asked     text     NOT NULL,
  actor     text     NOT NULL,
  actor_id  text     NOT NULL,
  purpose   text     NOT NULL,
  source    text     NOT NULL,
  request   text     NOT NULL,              -- the id of the request that asked
  created   bigint   NOT NULL,
  as_of     bigint   NOT NULL,              -- what was changed later is not in it
  beat      bigint   NOT NULL DEFAULT 0,    -- when whoever works on it last said so
  attempt   integer  NOT NULL DEFAULT 0,
  planned   boolean  NOT NULL DEFAULT false,
  ended     bigint,
  outcome   text                            -- in words: why it failed, or what an import did
);
CREATE INDEX bulk_job_open ON record.bulk_job (created) WHERE ended IS NULL;
CREATE INDEX bulk_job_ended ON record.bulk_job (ended) WHERE ended IS NOT NULL;

-- The pieces of an export; each is read by one process and is done once. Pieces of a later phase wait.
CREATE TABLE record.bulk_part (
  job       text     NOT NULL REFERENCES record.bulk_job ON DELETE CASCADE,
  number    integer  NOT NULL,
  phase     smallint NOT NULL,
  kind      text     NOT NULL,              -- what record/export/statements.py makes of it
  types     smallint[] NOT NULL,
  low       bigint   NOT NULL,              -- row ids: low < row_id <= high
  high      bigint   NOT NULL,
  state     smallint NOT NULL DEFAULT 0,    -- 0 waits, 1 is taken, 2 is done
  resources bigint   NOT NULL DEFAULT 0,
  PRIMARY KEY (job, number)
);

-- The files of a job. Only their first `bytes` count: what lies behind was not finished.
CREATE TABLE record.bulk_file (
  job       text     NOT NULL REFERENCES record.bulk_job ON DELETE CASCADE,
  name      text     NOT NULL,
  category  text     NOT NULL,              -- output, deleted, error
  type      text     NOT NULL,
  lines     bigint   NOT NULL,
  bytes     bigint   NOT NULL,
  PRIMARY KEY (job, name)
);

-- Whose records an export is about, when it is not everybody's; `part` is where each is read.
CREATE TABLE record.bulk_member (
  job       text     NOT NULL REFERENCES record.bulk_job ON DELETE CASCADE,
  patient   bigint   NOT NULL,
  part      integer  NOT NULL,
  PRIMARY KEY (job, patient)
);
CREATE INDEX bulk_member_part ON record.bulk_member (job, part);

-- What the members' records name outside of themselves.
CREATE TABLE record.bulk_named (
  job       text     NOT NULL REFERENCES record.bulk_job ON DELETE CASCADE,
  row_id    bigint   NOT NULL,
  PRIMARY KEY (job, row_id)
);

-- Whose data an export holds: kept until its trace is written.
CREATE TABLE record.bulk_patient (
  job        text    NOT NULL REFERENCES record.bulk_job ON DELETE CASCADE,
  patient_id text    COLLATE "C" NOT NULL,
  PRIMARY KEY (job, patient_id)
);

-- Programs that may sign on by themselves (identity/clients.py): their public keys as a JWK set, and what they may do.
CREATE TABLE record.backend_client (
  id        text     PRIMARY KEY,
  name      text     NOT NULL,
  keys      text     NOT NULL,
  scopes    text     NOT NULL,              -- SMART scopes, with blanks between
  created   bigint   NOT NULL
);

-- Assertions that were used, so that none is used twice while it is valid.
CREATE TABLE record.backend_assertion (
  client    text     NOT NULL REFERENCES record.backend_client ON DELETE CASCADE,
  jti       text     NOT NULL,
  expires   bigint   NOT NULL,
  PRIMARY KEY (client, jti)
);
CREATE INDEX backend_assertion_expires ON record.backend_assertion (expires);

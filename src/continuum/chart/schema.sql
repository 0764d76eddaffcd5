-- What staff have beside the record: charts they opened lately, their own lists, and what they have not finished.
-- None of it is part of anybody's record, and drafts are not versions. Instants (`*_us`) as in schema `identity`.

CREATE SCHEMA chart;

CREATE TABLE chart.recent (
  account_id text NOT NULL,
  patient_id text COLLATE "C" NOT NULL,
  opened_us  bigint NOT NULL,
  PRIMARY KEY (account_id, patient_id)
);

CREATE TABLE chart.listed (
  account_id text NOT NULL,
  patient_id text COLLATE "C" NOT NULL,
  added_us   bigint NOT NULL,
  list_id    text COLLATE "C" NOT NULL DEFAULT '',   -- '' is the list that everybody has
  PRIMARY KEY (account_id, list_id, patient_id)
);

-- Lists of patients by name. A name may say what nobody else should read, so it is sealed as drafts are.
CREATE TABLE chart.list (
  list_id    text COLLATE "C" PRIMARY KEY,
  account_id text NOT NULL,
  sealed     bytea NOT NULL,
  made_us    bigint NOT NULL
);
CREATE INDEX list_account ON chart.list (account_id);

-- What somebody has typed and not signed. `sealed` is AES-256-GCM under a key that the database does not hold.
-- based_on: the version of the entry that it was begun from, 0 for a new one. revision: counts what was saved.
CREATE TABLE chart.draft (
  account_id  text NOT NULL,
  patient_id  text COLLATE "C" NOT NULL,
  kind        text NOT NULL,
  entry_id    text COLLATE "C" NOT NULL DEFAULT '',
  sealed      bytea NOT NULL,
  based_on    integer NOT NULL DEFAULT 0,
  revision    integer NOT NULL,
  saved_us    bigint NOT NULL,
  PRIMARY KEY (account_id, patient_id, kind, entry_id)
);
CREATE INDEX draft_patient ON chart.draft (patient_id, kind, entry_id);

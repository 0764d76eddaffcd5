-- Lists of patients by name, as many as somebody needs. A name may say what nobody else should read, so it is sealed
-- as drafts are: AES-256-GCM under a key that the database does not hold.

CREATE TABLE chart.list (
  list_id    text COLLATE "C" PRIMARY KEY,
  account_id text NOT NULL,
  sealed     bytea NOT NULL,
  made_us    bigint NOT NULL
);
CREATE INDEX list_account ON chart.list (account_id);

-- '' is the list that everybody has.
ALTER TABLE chart.listed ADD COLUMN list_id text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE chart.listed DROP CONSTRAINT listed_pkey;
ALTER TABLE chart.listed ADD PRIMARY KEY (account_id, list_id, patient_id);

-- What access needs to know of patients, and the second wall around content; see schema.sql.

-- Who has to do with a patient from when to when, as resources say it (record/relations.py): one row for each that
-- a resource says, replaced with it; row_id is 0 for what an act of registration or moving said, and negative for what
-- a merge gave. basis: 0 cares for the patient as a facility, 1 treats, 2 was addressed by an order, 3 may by consent, 4 may not by
-- consent, 5 is shielded. labels: the sensitivity bits that a consent is about.
CREATE TABLE record.relation (
  patient bigint   NOT NULL,
  basis   smallint NOT NULL,
  who     bigint   NOT NULL,                -- Keys.self_key of a person or an organization; 0 for everybody
  row_id  bigint   NOT NULL,                -- of the resource that says so
  labels  integer  NOT NULL,
  starts  bigint   NOT NULL,
  ends    bigint   NOT NULL,
  PRIMARY KEY (patient, basis, who, ends, row_id, labels, starts)
);
CREATE INDEX relation_row ON record.relation (row_id);
CREATE INDEX relation_facility ON record.relation (who, patient) WHERE basis = 0;

-- For whom somebody broke the glass: one patient, a reason, an end (access/emergency.py). Rows stay.
CREATE TABLE record.emergency (
  id         text    COLLATE "C" PRIMARY KEY,
  actor_key  bigint  NOT NULL,
  actor      text    NOT NULL,
  name       text    NOT NULL,
  role       text    NOT NULL,
  facility   text,
  patient    bigint  NOT NULL,
  patient_id text    COLLATE "C" NOT NULL,
  reason     text    NOT NULL,
  starts     bigint  NOT NULL,
  ends       bigint  NOT NULL
);
CREATE INDEX emergency_open ON record.emergency (actor_key, patient, ends);
CREATE INDEX emergency_by_start ON record.emergency (starts, id);
CREATE INDEX emergency_by_patient ON record.emergency (patient_id, starts);

-- The second wall: of patients' rows, a connection sees the content of those only whose sensitivity bits it may see
-- at all (`continuum.wall`, narrowed by access for each session); one that says nothing sees none of them. The owner
-- is not held by it.
ALTER TABLE record.resource ENABLE ROW LEVEL SECURITY;
ALTER TABLE record.history ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON record.resource
  USING (patient IS NULL OR labels & ~(SELECT nullif(current_setting('continuum.wall', true), '')::integer) = 0) WITH CHECK (true);
CREATE POLICY wall ON record.history
  USING (patient IS NULL OR labels & ~(SELECT nullif(current_setting('continuum.wall', true), '')::integer) = 0) WITH CHECK (true);

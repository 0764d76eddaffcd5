-- What one resource alone may hold; see schema.sql.

-- A Slot and the Appointment that has it (record/claims.py). The key is unique: that is what keeps two from having the
-- same. row_id is NULL for a slot that was given back, until its Slot says so.
CREATE TABLE record.claim (
  key      bigint  PRIMARY KEY,
  what     text    COLLATE "C" NOT NULL,    -- Slot.id
  row_id   bigint,                          -- of the resource that holds it
  mirrored boolean NOT NULL                 -- whether the Slot's status says it
);
CREATE INDEX claim_row ON record.claim (row_id) WHERE row_id IS NOT NULL;
CREATE INDEX claim_waiting ON record.claim (key) WHERE NOT mirrored;

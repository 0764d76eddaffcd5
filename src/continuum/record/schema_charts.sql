-- Whose chart is whose; see schema.sql.

-- Charts merged into others, and entries moved between charts: what undoing it needs (record/relocation/). `merge` is a
-- whole chart, else chosen entries.
CREATE TABLE record.relocation (
  id        text PRIMARY KEY COLLATE "C", merge boolean NOT NULL,
  source_id text COLLATE "C" NOT NULL, target_id text COLLATE "C" NOT NULL,  -- Patient.id
  at        bigint NOT NULL, undone bigint                                   -- when, once it was
);
-- A chart is merged away once at most; whoever writes an entry asks this index whether its chart still is one.
CREATE UNIQUE INDEX relocation_retired ON record.relocation (source_id) WHERE merge AND undone IS NULL;

-- Which resources an act changed: from which version to which.
CREATE TABLE record.relocation_entry (
  relocation text COLLATE "C" NOT NULL, row_id bigint NOT NULL, before integer NOT NULL, after integer NOT NULL,
  PRIMARY KEY (relocation, row_id)
);
CREATE INDEX relocation_entry_row ON record.relocation_entry (row_id);

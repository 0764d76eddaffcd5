-- What the search index needs beside the resources' own rows; with schema.sql and schema_bulk.sql all of the record.

-- Every unit that a quantity was ever filed in, by what it measures (fhir/ucum/unit.py): `form` is
-- `dimension factor offset`. A search in one unit reads here what it has to be converted to.
CREATE TABLE record.unit (
  dimension text COLLATE "C" NOT NULL,
  form      text COLLATE "C" NOT NULL,
  PRIMARY KEY (dimension, form)
);

-- By which rules all present resources of a type are filed (record/reindexing.py): parameter → rule as JSON, null for
-- one of which some are filed by an old rule and some by a new one. While `target` is there, they are being filed
-- again, as far as `after`; what is beyond `upto` was written by the target's rules.
CREATE TABLE record.index_state (
  type   smallint PRIMARY KEY,
  digest text     NOT NULL,                 -- of `rules`, so that they are read only when they differ
  rules  text     NOT NULL,
  target text,                              -- the digest of the rules that are being filed by
  after  bigint   NOT NULL DEFAULT 0,       -- the last row_id that was filed again
  upto   bigint   NOT NULL DEFAULT 0,
  done   bigint   NOT NULL DEFAULT 0,       -- rows filed again
  total  bigint   NOT NULL DEFAULT 0,       -- row ids from the first of the type to `upto`
  began  bigint,
  moved  bigint                             -- when a batch was last committed
);

-- Every profile, security label and tag that a resource of a type ever had: keys alone do not say what they are the
-- keys of. It says what there may be; whether a present resource still has it is asked of record.search.
CREATE TABLE record.mark (
  key     bigint   PRIMARY KEY,             -- under which such resources are filed in record.search.keys
  type    smallint NOT NULL,
  element text     NOT NULL,                -- of Meta: profile, security or tag
  system  text     COLLATE "C" NOT NULL,    -- of a Coding, or empty
  code    text     COLLATE "C" NOT NULL     -- of a Coding; a profile's canonical URL
);
CREATE INDEX mark_type ON record.mark (type, element);

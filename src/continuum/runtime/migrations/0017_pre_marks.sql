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

-- What people are to be told by mail: that there is something, never what. Instants (`*_us`) as in schema `identity`.
CREATE TABLE identity.letter (
  notice_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind       text   NOT NULL,
  about      text   COLLATE "C" NOT NULL,   -- whatever the kind speaks of; each is told once
  patient_id text   COLLATE "C" NOT NULL,   -- whom it concerns; who acts for them is told too
  words      text   NOT NULL,               -- a day and an hour, or nothing
  due_us     bigint NOT NULL,
  tries      smallint NOT NULL DEFAULT 0,
  done_us    bigint,                         -- when it was sent, or given up
  UNIQUE (kind, about)
);
CREATE INDEX letter_due ON identity.letter (due_us) WHERE done_us IS NULL;
CREATE INDEX letter_done ON identity.letter (done_us) WHERE done_us IS NOT NULL;

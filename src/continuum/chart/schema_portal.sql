-- What the portal keeps beside the record. Instants (`*_us`) as in schema `identity`.

-- Who let whom look: where to find the Consents that name somebody. The Consent decides; a row only points at it.
CREATE TABLE chart.trust (
  consent_id     text COLLATE "C" PRIMARY KEY,
  grantor_person text NOT NULL,
  grantee_person text NOT NULL,
  created_us     bigint NOT NULL
);
CREATE INDEX trust_grantee ON chart.trust (grantee_person);
CREATE INDEX trust_grantor ON chart.trust (grantor_person);

-- SMART Health Links. content: a JWE that only the link's key opens, which the database does not hold.
-- passcode_hash: as identity hashes passwords. attempts_left: wrong passcodes that it still takes; at 0 it is closed.
CREATE TABLE chart.health_link (
  link_id       text COLLATE "C" PRIMARY KEY,
  address       text COLLATE "C" NOT NULL UNIQUE,
  account_id    text NOT NULL,
  patient_id    text COLLATE "C" NOT NULL,
  label         text NOT NULL,
  passcode_hash text NOT NULL,
  attempts_left smallint NOT NULL,
  content       text NOT NULL,
  created_us    bigint NOT NULL,
  expires_us    bigint NOT NULL,
  revoked_us    bigint,
  opened        integer NOT NULL DEFAULT 0,
  opened_us     bigint
);
CREATE INDEX health_link_account ON chart.health_link (account_id, created_us);

-- A file of a link that was opened with the passcode: for a short while, under an address that cannot be guessed.
CREATE TABLE chart.health_link_file (
  ticket     text COLLATE "C" PRIMARY KEY,
  link_id    text COLLATE "C" NOT NULL REFERENCES chart.health_link ON DELETE CASCADE,
  expires_us bigint NOT NULL
);
CREATE INDEX health_link_file_link ON chart.health_link_file (link_id);

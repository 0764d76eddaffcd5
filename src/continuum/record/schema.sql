-- The record's tables as they stand after every migration; tests hold the two equal.
-- Instants (`*_us`, `updated`) are microseconds since 1970 UTC in bigint. Keys: record/keys.py.

CREATE SCHEMA record;

-- Small facts about this database: schema version, the id of its key secret.
CREATE SEQUENCE record.row_id_seq AS bigint CACHE 1;

-- One row per resource: its present version. Fetched by row_id or by (type, id), never scanned.
-- `body` is the zstd-compressed rest of the JSON text after meta.lastUpdated (record/body.py).
CREATE TABLE record.resource (
  row_id     bigint   PRIMARY KEY,
  type       smallint NOT NULL,             -- fhir.types.TYPE_IDS
  id         text     COLLATE "C" NOT NULL,
  version    integer  NOT NULL,
  updated    bigint   NOT NULL,
  deleted    boolean  NOT NULL DEFAULT false,
  labels     integer  NOT NULL DEFAULT 0,   -- sensitivity bits from meta.security
  patient_id text     COLLATE "C",          -- the patient whose record this is part of
  body       bytea,                         -- NULL when deleted
  CONSTRAINT resource_address UNIQUE (type, id)
) WITH (fillfactor = 90);

-- Versions that are no longer the present one. A row is copied here only when it is replaced.
CREATE TABLE record.history (
  row_id     bigint   NOT NULL,
  version    integer  NOT NULL,
  type       smallint NOT NULL,
  id         text     COLLATE "C" NOT NULL,
  updated    bigint   NOT NULL,
  deleted    boolean  NOT NULL,
  labels     integer  NOT NULL,
  patient_id text     COLLATE "C",
  body       bytea,
  PRIMARY KEY (row_id, version)
);
CREATE INDEX history_type_updated ON record.history (type, updated, row_id);
CREATE INDEX resource_type_updated ON record.resource (type, updated, row_id);

-- One narrow row per present, undeleted resource: everything that a search asks.
CREATE TABLE record.search (
  row_id     bigint   PRIMARY KEY,
  type       smallint NOT NULL,
  self       bigint   NOT NULL,             -- Keys.self_key
  patient    bigint,                        -- Keys.self_key of the patient; a Patient's own row: itself
  date_low   bigint,                        -- the main date of the type, as an interval
  date_high  bigint,
  updated    bigint   NOT NULL,
  labels     integer  NOT NULL DEFAULT 0,
  ref_params integer[] NOT NULL,            -- param_id of each local reference,
  refs       bigint[]  NOT NULL,            -- and beside it Keys.self_key of its target: chains and _has
  keys       bigint[]  NOT NULL             -- tokens, references, uris, presence, trigrams
) WITH (fillfactor = 90);
CREATE INDEX search_self ON record.search (self);
CREATE INDEX search_patient ON record.search (patient, type, date_low, row_id);
CREATE INDEX search_type_row ON record.search (type, row_id);
CREATE INDEX search_type_low ON record.search (type, date_low, row_id);
CREATE INDEX search_type_high ON record.search (type, date_high, row_id);
CREATE INDEX search_type_updated ON record.search (type, updated, row_id);
CREATE INDEX search_keys ON record.search USING gin (keys) WITH (fastupdate = on, gin_pending_list_limit = 256);

-- Normalised strings for prefix search and sorting; `exact` keeps the original for :exact.
CREATE TABLE record.string (
  param   integer NOT NULL,
  value   text COLLATE "C" NOT NULL,
  row_id  bigint NOT NULL,
  exact   text COLLATE "C" NOT NULL
);
CREATE INDEX string_value ON record.string (param, value, row_id);
CREATE INDEX string_row ON record.string (row_id);

-- Every date parameter but the type's main one.
CREATE TABLE record.date (
  param   integer NOT NULL,
  low     bigint NOT NULL,
  high    bigint NOT NULL,
  row_id  bigint NOT NULL
);
CREATE INDEX date_low ON record.date (param, low, row_id);
CREATE INDEX date_high ON record.date (param, high, row_id);
CREATE INDEX date_row ON record.date (row_id);

-- Numbers and quantities as float8 bounds; `key` is Keys.quantity or Keys.quantity_under.
CREATE TABLE record.quantity (
  key     bigint NOT NULL,
  low     double precision NOT NULL,
  high    double precision NOT NULL,
  row_id  bigint NOT NULL,
  unit    bigint,                           -- Keys.unit(None, code)
  system_unit bigint                        -- Keys.unit(system, code)
);
CREATE INDEX quantity_low ON record.quantity (key, low, row_id);
CREATE INDEX quantity_high ON record.quantity (key, high, row_id) WHERE low <> high;
CREATE INDEX quantity_row ON record.quantity (row_id);

-- Which facilities care or cared for a patient: what "my facility's patients" means.
CREATE TABLE record.care (
  patient  bigint NOT NULL,
  facility bigint NOT NULL,
  PRIMARY KEY (patient, facility)
);
CREATE INDEX care_facility ON record.care (facility, patient);

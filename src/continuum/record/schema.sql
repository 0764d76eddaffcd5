-- The record's tables as they stand after every migration, with schema_*.sql; tests hold the two equal.
-- Instants (`*_us`, `updated`) are microseconds since 1970 UTC in bigint. Keys: record/keys.py.

CREATE SCHEMA record;

-- Row ids are handed out in blocks of 64, so that a writer knows them before it writes (record/writer.py).
CREATE SEQUENCE record.row_block AS bigint INCREMENT BY 64 MINVALUE 64 START WITH 64;

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
  patient    bigint,                        -- Keys.self_key of patient_id
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
  patient    bigint,
  patient_id text     COLLATE "C",
  body       bytea,
  PRIMARY KEY (row_id, version)
);
CREATE INDEX history_type_updated ON record.history (type, updated, row_id);
CREATE INDEX resource_type_updated ON record.resource (type, updated, row_id) INCLUDE (deleted);

-- One narrow row per present, undeleted resource: everything that a search asks.
CREATE TABLE record.search (
  row_id     bigint   PRIMARY KEY,
  type       smallint NOT NULL,
  self       bigint   NOT NULL,             -- Keys.self_key
  patient    bigint,                        -- Keys.self_key of the patient; a Patient's own row: itself
  date_low   bigint,                        -- the main date of the type, as an interval
  date_high  bigint,
  updated    bigint   NOT NULL,
  present    bigint   NOT NULL,             -- which parameters it has values for (fhir.search_params.PRESENCE)
  labels     integer  NOT NULL DEFAULT 0,
  ref_params integer[] NOT NULL,            -- param_id of each local reference,
  refs       bigint[]  NOT NULL,            -- and beside it Keys.self_key of its target: chains and _has
  keys       bigint[]  NOT NULL             -- tokens, references, uris, words, trigrams
) WITH (fillfactor = 90);
-- The planner steers by how common each key is (record/search/statistics.py).
ALTER TABLE record.search ALTER COLUMN keys SET STATISTICS 1000;
CREATE INDEX search_self ON record.search (self);
CREATE INDEX search_patient ON record.search (patient, type, date_low, row_id);
CREATE INDEX search_type_row ON record.search (type, row_id);
CREATE INDEX search_type_low ON record.search (type, date_low, row_id);
CREATE INDEX search_type_high ON record.search (type, date_high, row_id);
-- The few that last longer than 31 days: whatever else ended after an instant began at most 31 days before it.
CREATE INDEX search_type_long ON record.search (type, date_low, row_id)
  WHERE date_high > date_low + 2678400000000;
-- How many new keys may wait outside the tree is each connection's to say (gin_pending_list_limit): little while
-- people search, more while many rows are loaded.
CREATE INDEX search_keys ON record.search USING gin (keys) WITH (fastupdate = on);

-- Normalised strings for prefix search and sorting; `exact` keeps the original for :exact.
CREATE TABLE record.string (
  param   integer NOT NULL,
  value   text COLLATE "C" NOT NULL,
  row_id  bigint NOT NULL,
  exact   text COLLATE "C" NOT NULL,
  parts   smallint NOT NULL                 -- which parts of a name or address it is (fhir.search_params.PARTS), alone or not
);
CREATE INDEX string_value ON record.string (param, value, row_id) INCLUDE (parts);
CREATE INDEX string_row ON record.string (row_id);

-- Every date parameter but the type's main one.
CREATE TABLE record.date (
  param integer NOT NULL, low bigint NOT NULL, high bigint NOT NULL, row_id bigint NOT NULL
);
CREATE INDEX date_low ON record.date (param, low, row_id);
CREATE INDEX date_high ON record.date (param, high, row_id);
CREATE INDEX date_row ON record.date (row_id);

-- Numbers and quantities as float8 bounds. `key` is Keys.quantity (every value of a parameter) or
-- Keys.quantity_under (a composite's quantity filed under its code; `under` is then the code's system).
CREATE TABLE record.quantity (
  key     bigint NOT NULL,
  low     double precision NOT NULL,
  high    double precision NOT NULL,
  row_id  bigint NOT NULL,
  unit    bigint,                           -- Keys.unit(None, code)
  system_unit bigint,                       -- Keys.unit(system, code)
  under   bigint,                           -- Keys.of(system) of the code it is filed under
  exact_low  numeric,                       -- a bound to its last digit, when its float8 does not say it
  exact_high numeric
);
CREATE INDEX quantity_low ON record.quantity (key, low, row_id);
CREATE INDEX quantity_high ON record.quantity (key, high, row_id) WHERE low <> high;
CREATE INDEX quantity_order ON record.quantity (key, row_id) INCLUDE (low, high, exact_low, exact_high);
CREATE INDEX quantity_row ON record.quantity (row_id);

-- What was done, by whom, why, to whom: one row per act (access/audit.py). `mac` seals the row under a key
-- that the database does not hold. Nothing here is ever updated or deleted by the product. Rows get their `seq`
-- only after their transaction has its number, so that the sealer knows when no more can come below a `seq`.
CREATE TABLE record.audit (
  seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          bigint   NOT NULL,
  request     text     NOT NULL,
  actor       text     NOT NULL,
  role        text     NOT NULL,
  purpose     text     NOT NULL,
  source      text     NOT NULL,
  interaction text     NOT NULL,             -- read, vread, search, history, create, update, patch, delete …
  outcome     smallint NOT NULL,             -- AuditEvent.outcome: 0 success, 4 refused, 8 failed
  type        smallint,
  target      text,                          -- id, or id/version
  query       text,
  patient_id  text     COLLATE "C",          -- the first patient touched; further ones in audit_patient
  detail      text,
  mac         bytea    NOT NULL CHECK (octet_length(mac) = 16)
);
CREATE INDEX audit_by_patient ON record.audit (patient_id, seq) WHERE patient_id IS NOT NULL;

CREATE TABLE record.audit_patient (
  patient_id text   COLLATE "C" NOT NULL,
  seq        bigint NOT NULL,
  PRIMARY KEY (patient_id, seq)
);
CREATE INDEX audit_patient_seq ON record.audit_patient (seq);

-- Links of the chain over record.audit (access/checkpoint.py): each says which rows there were with
-- first_seq <= seq <= last_seq, holds on to the checkpoint before it, and is signed with a key from outside.
CREATE TABLE record.audit_checkpoint (
  number    bigint  PRIMARY KEY,
  first_seq bigint  NOT NULL,
  last_seq  bigint  NOT NULL,
  at        bigint  NOT NULL,
  entries   bytea   NOT NULL,               -- 12 bytes a row: seq - first_seq, and how its mac begins
  previous  bytea   NOT NULL,               -- digest of the checkpoint before
  digest    bytea   NOT NULL,
  signature bytea   NOT NULL
);
ALTER TABLE record.audit_checkpoint ALTER COLUMN entries SET STORAGE EXTERNAL;

-- Which frames of which spill file (access/spill.py) are in record.audit: each in the transaction of its rows.
CREATE TABLE record.audit_spill (
  spill text    NOT NULL,                   -- the id that a spill file has from its emptying to the next
  frame integer NOT NULL,
  rows  integer NOT NULL,
  PRIMARY KEY (spill, frame)
);

-- Which chunks of which files an import has finished: written in the chunk's own transaction, so that a killed
-- import goes on where it was. `source` is the digest of the file's name and content.
CREATE TABLE record.import_chunk (
  source   text    NOT NULL,
  chunk    integer NOT NULL,
  written  integer NOT NULL,
  updated  integer NOT NULL,
  equal    integer NOT NULL,
  rejected integer NOT NULL,
  PRIMARY KEY (source, chunk)
);

-- References that pointed to nothing when their chunk was written; checked again when the import ends.
CREATE TABLE record.import_link (
  target_type smallint NOT NULL,
  target_id   text     COLLATE "C" NOT NULL,
  source_type smallint NOT NULL,
  source_id   text     COLLATE "C" NOT NULL,
  PRIMARY KEY (target_type, target_id, source_type, source_id)
);

-- What every act changed, until the subscriptions have been told (record/outbox.py). One row per act, not one per
-- resource. `seq` is taken while the act holds its resources' locks, so it orders the versions of one resource.
CREATE TABLE record.outbox (
  seq      bigint     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  types    smallint[] NOT NULL,
  row_ids  bigint[]   NOT NULL,
  versions integer[]  NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- What the server knows of a Subscription resource beside its text: who wrote it, and how far it has come.
-- status: requested, renewed (requested again by the owner of what was live), active, error, off; `deleted` until its events are gone.
CREATE TABLE record.subscription (
  row_id     bigint  PRIMARY KEY,           -- of the resource
  id         text    COLLATE "C" NOT NULL UNIQUE,
  definition integer NOT NULL,              -- the version that its owner wrote last
  version    integer NOT NULL,              -- the present version
  status     text    NOT NULL,
  owner      text    NOT NULL,              -- JSON: the actor and purpose of that writing (access/feed.py)
  owner_key  bigint  NOT NULL,              -- access.policy.owner_key of the actor
  numbered   bigint  NOT NULL DEFAULT 0,    -- events so far
  delivered  bigint  NOT NULL DEFAULT 0,    -- the last event that the subscriber has taken
  failure    text                           -- why it is in error
) WITH (fillfactor = 50);

-- The events of each subscription, numbered without gaps.
CREATE TABLE record.subscription_event (
  subscription bigint NOT NULL,             -- record.subscription.row_id
  number       bigint NOT NULL, row_id bigint NOT NULL, version integer NOT NULL,
  PRIMARY KEY (subscription, number)
);

-- A resource as the writer hands it over; row_id is always known.
CREATE TYPE record.entry AS (
  row_id bigint, type smallint, id text, version integer, updated bigint, deleted boolean, labels integer,
  patient bigint, patient_id text, body bytea, self bigint, date_low bigint, date_high bigint,
  present bigint, ref_params integer[], refs bigint[], keys bigint[]
);

-- An audit row as `access` hands it over; `patients` beyond the first go to audit_patient.
CREATE TYPE record.audit_entry AS (
  at bigint, request text, actor text, role text, purpose text, source text, interaction text,
  outcome smallint, type smallint, target text, query text, patient_id text, detail text, mac bytea,
  patients text[]
);

-- `linked`: whether any row touches more than one patient (most do not, and then one INSERT does).
CREATE FUNCTION record.write_audit(rows record.audit_entry[], linked boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  numbered_before_any_seq CONSTANT xid8 := pg_current_xact_id();  -- access/sealing.py relies on it
BEGIN
  IF NOT linked THEN
    INSERT INTO record.audit (at, request, actor, role, purpose, source, interaction, outcome, type, target,
                              query, patient_id, detail, mac)
    SELECT at, request, actor, role, purpose, source, interaction, outcome, type, target, query,
           patient_id, detail, mac
    FROM unnest(rows);
    RETURN;
  END IF;
  WITH numbered AS (
    SELECT nextval('record.audit_seq_seq') AS seq, given.* FROM unnest(rows) AS given
  ), written AS (
    INSERT INTO record.audit OVERRIDING SYSTEM VALUE
    SELECT seq, at, request, actor, role, purpose, source, interaction, outcome, type, target, query,
           patient_id, detail, mac
    FROM numbered
  )
  INSERT INTO record.audit_patient (patient_id, seq) SELECT p, seq FROM numbered, unnest(patients) p;
END
$$;

-- Writes a batch of resources, all or nothing, with its side rows, its relations and its audit rows.
-- `fresh` are new rows; `changed` are present rows that the caller has locked and whose next version this is.
-- `link_*` are the distinct local references that must exist. Locks on buckets of addresses keep a reference
-- and the deletion of its target apart; they are taken in one order, so they cannot deadlock.
-- care_*: who is registered where: for RELATION_OPEN_DAYS; who leaves a facility is known for FACILITY_CARE_DAYS.
-- Raises CT403 when a patient of an act has none of the relations that the guard lists for it (basis 6: `who` broke
-- the glass, others as in record.relation), CT404 with the missing
-- addresses in DETAIL, CT409 with "source target" in DETAIL when one of `charts` (Patient ids that entries are
-- filed under or name) was merged into another.
CREATE FUNCTION record.write(
  fresh record.entry[], changed record.entry[],
  string_rows bigint[], string_params integer[], string_values text[], string_exacts text[],
  string_parts smallint[],
  date_rows bigint[], date_params integer[], date_lows bigint[], date_highs bigint[],
  quantity_rows bigint[], quantity_keys bigint[], quantity_lows float8[], quantity_highs float8[],
  quantity_units bigint[], quantity_system_units bigint[], quantity_unders bigint[],
  quantity_exact_lows numeric[], quantity_exact_highs numeric[],
  care_patients bigint[], care_facilities bigint[],
  link_types smallint[], link_ids text[], shared_buckets integer[], exclusive_buckets integer[],
  guard_acts integer[], guard_patients bigint[], guard_bases smallint[], guard_whos bigint[],
  relation_rows bigint[], relation_patients bigint[], relation_bases smallint[], relation_whos bigint[],
  relation_labels integer[], relation_starts bigint[], relation_ends bigint[],
  audits record.audit_entry[], audits_linked boolean, charts text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  missing text;
  merged text;
  instant CONSTANT bigint := (extract(epoch FROM now()) * 1000000)::bigint;
  day     CONSTANT bigint := 86400000000;
BEGIN
  IF cardinality(exclusive_buckets) > 0 THEN
    PERFORM CASE WHEN b.alone THEN pg_advisory_xact_lock(7201, b.bucket)
                 ELSE pg_advisory_xact_lock_shared(7201, b.bucket) END
    FROM (SELECT bucket, bool_or(alone) AS alone
          FROM (SELECT unnest(exclusive_buckets) AS bucket, true AS alone
                UNION ALL SELECT unnest(shared_buckets), false) every_bucket
          GROUP BY bucket ORDER BY bucket) b;
  ELSIF cardinality(shared_buckets) > 0 THEN
    PERFORM pg_advisory_xact_lock_shared(7201, b) FROM unnest(shared_buckets) b;
  END IF;

  IF cardinality(guard_patients) > 0 AND EXISTS (
    SELECT 1 FROM unnest(guard_acts, guard_patients, guard_bases, guard_whos) g(act, patient, basis, who)
    GROUP BY g.act, g.patient
    HAVING NOT bool_or(CASE g.basis
      WHEN 6 THEN EXISTS (
        SELECT 1 FROM record.emergency e
        WHERE e.actor_key = g.who AND e.patient = g.patient AND e.starts <= instant AND e.ends > instant)
      ELSE EXISTS (
        SELECT 1 FROM record.relation t WHERE t.patient = g.patient AND t.basis = g.basis AND t.who = g.who
        AND t.starts <= instant AND t.ends > instant) END)
  ) THEN
    RAISE EXCEPTION 'outside the facility''s care' USING ERRCODE = 'CT403';
  END IF;

  IF cardinality(charts) > 0 THEN
    SELECT m.source_id || ' ' || m.target_id INTO merged FROM record.relocation m
    WHERE m.source_id = ANY (charts) AND m.merge AND m.undone IS NULL LIMIT 1;
    IF merged IS NOT NULL THEN
      RAISE EXCEPTION 'a chart that was merged away' USING ERRCODE = 'CT409', DETAIL = merged;
    END IF;
  END IF;

  IF cardinality(changed) > 0 THEN
    INSERT INTO record.history (row_id, version, type, id, updated, deleted, labels, patient, patient_id, body)
    SELECT r.row_id, r.version, r.type, r.id, r.updated, r.deleted, r.labels, r.patient, r.patient_id, r.body
    FROM unnest(changed) c JOIN record.resource r ON r.row_id = c.row_id;
    UPDATE record.resource r
    SET version = c.version, updated = c.updated, deleted = c.deleted, labels = c.labels,
        patient = c.patient, patient_id = c.patient_id, body = c.body
    FROM unnest(changed) c WHERE r.row_id = c.row_id;
    DELETE FROM record.string t USING unnest(changed) c WHERE t.row_id = c.row_id;
    DELETE FROM record.date t USING unnest(changed) c WHERE t.row_id = c.row_id;
    DELETE FROM record.quantity t USING unnest(changed) c WHERE t.row_id = c.row_id;
    IF EXISTS (SELECT FROM unnest(changed) c WHERE c.patient = c.self) THEN
      INSERT INTO record.relation (patient, basis, who, row_id, labels, starts, ends)
      SELECT t.patient, 0, t.who, 0, 0, t.starts, instant + 1096 * day
      FROM unnest(changed) c JOIN record.relation t ON t.row_id = c.row_id AND t.basis = 0
      WHERE (c.row_id, 0, t.who) NOT IN (SELECT * FROM unnest(relation_rows, relation_bases, relation_whos))
      ON CONFLICT DO NOTHING;
    END IF;
    DELETE FROM record.relation t USING unnest(changed) c WHERE t.row_id = c.row_id;
    DELETE FROM record.search t USING unnest(changed) c WHERE t.row_id = c.row_id;
    INSERT INTO record.search
    SELECT c.row_id, c.type, c.self, c.patient, c.date_low, c.date_high, c.updated, c.present, c.labels,
           c.ref_params, c.refs, c.keys
    FROM unnest(changed) c WHERE NOT c.deleted;
  END IF;

  IF cardinality(fresh) > 0 THEN
    INSERT INTO record.resource (row_id, type, id, version, updated, deleted, labels, patient, patient_id, body)
    SELECT f.row_id, f.type, f.id, f.version, f.updated, f.deleted, f.labels, f.patient, f.patient_id, f.body
    FROM unnest(fresh) f;
    INSERT INTO record.search
    SELECT f.row_id, f.type, f.self, f.patient, f.date_low, f.date_high, f.updated, f.present, f.labels,
           f.ref_params, f.refs, f.keys
    FROM unnest(fresh) f;
  END IF;

  IF cardinality(link_ids) > 0 THEN
    SELECT string_agg(l.type || '/' || l.id, ' ') INTO missing
    FROM unnest(link_types, link_ids) AS l(type, id)
    WHERE NOT EXISTS (
      SELECT 1 FROM record.resource r WHERE r.type = l.type AND r.id = l.id AND NOT r.deleted
    );
    IF missing IS NOT NULL THEN
      RAISE EXCEPTION 'references to nothing' USING ERRCODE = 'CT404', DETAIL = missing;
    END IF;
  END IF;

  IF cardinality(string_rows) > 0 THEN
    INSERT INTO record.string (row_id, param, value, exact, parts)
    SELECT * FROM unnest(string_rows, string_params, string_values, string_exacts, string_parts);
  END IF;
  IF cardinality(date_rows) > 0 THEN
    INSERT INTO record.date (row_id, param, low, high)
    SELECT * FROM unnest(date_rows, date_params, date_lows, date_highs);
  END IF;
  IF cardinality(quantity_rows) > 0 THEN
    INSERT INTO record.quantity (row_id, key, low, high, unit, system_unit, under, exact_low, exact_high)
    SELECT * FROM unnest(quantity_rows, quantity_keys, quantity_lows, quantity_highs,
                         quantity_units, quantity_system_units, quantity_unders,
                         quantity_exact_lows, quantity_exact_highs);
  END IF;
  IF cardinality(relation_rows) > 0 THEN
    INSERT INTO record.relation (row_id, patient, basis, who, labels, starts, ends)
    SELECT * FROM unnest(relation_rows, relation_patients, relation_bases, relation_whos, relation_labels,
                         relation_starts, relation_ends)
    ON CONFLICT DO NOTHING;
  END IF;
  IF cardinality(care_patients) > 0 THEN
    INSERT INTO record.relation (patient, basis, who, row_id, labels, starts, ends)
    SELECT patient, 0, facility, 0, 0, instant, instant + 365 * day
    FROM unnest(care_patients, care_facilities) c(patient, facility) ON CONFLICT DO NOTHING;
  END IF;
  IF cardinality(audits) > 0 THEN
    PERFORM record.write_audit(audits, audits_linked);
  END IF;

  IF cardinality(fresh) = 1 AND cardinality(changed) = 0 THEN
    INSERT INTO record.outbox (types, row_ids, versions)
    VALUES (ARRAY[(fresh[1]).type], ARRAY[(fresh[1]).row_id], ARRAY[(fresh[1]).version]);
  ELSIF cardinality(changed) + cardinality(fresh) > 0 THEN
    INSERT INTO record.outbox (types, row_ids, versions)
    SELECT array_agg(c.type), array_agg(c.row_id), array_agg(c.version)
    FROM (SELECT type, row_id, version FROM unnest(changed)
          UNION ALL SELECT type, row_id, version FROM unnest(fresh)) c;
  END IF;
END
$$;

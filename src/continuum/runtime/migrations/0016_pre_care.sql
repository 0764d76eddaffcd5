-- That a facility cares for a patient becomes a relation with an end like the others (record.relation, basis 0).
-- While a server of the release before is still running, it does not show people whom its facility sees for the first
-- time.
ALTER TABLE record.relation DROP CONSTRAINT relation_pkey;
ALTER TABLE record.relation ADD PRIMARY KEY (patient, basis, who, ends, row_id, labels, starts);
ALTER TABLE record.relocation ALTER COLUMN care SET DEFAULT '{}';
CREATE INDEX relation_facility ON record.relation (who, patient) WHERE basis = 0;

-- Types: 103 Patient, 44 Encounter, 48 EpisodeOfCare.
INSERT INTO record.relation (patient, basis, who, row_id, labels, starts, ends)
SELECT c.patient, 0, c.facility, s.row_id, 0, -4611686018427387904,
       CASE WHEN s.type = 103 THEN 4611686018427387904
            ELSE least(coalesce(s.date_high, n.instant), n.instant) + 1096 * 86400000000 END
FROM record.care c
JOIN record.search s ON s.patient = c.patient AND c.facility = ANY (s.refs)
CROSS JOIN (SELECT (extract(epoch FROM now()) * 1000000)::bigint AS instant) n
WHERE s.type IN (103, 44, 48)
ON CONFLICT DO NOTHING;
-- What a merge gave that still stands is taken back with it (given_by in record/relocation/ledger.py); other facilities
-- registered the patient, and no more is known of them.
INSERT INTO record.relation (patient, basis, who, row_id, labels, starts, ends)
SELECT c.patient, 0, c.facility, coalesce((
  SELECT -1 - (source.patient & 4611686018427387903) FROM record.relocation m
  JOIN record.resource source ON source.type = 103 AND source.id = m.source_id
  JOIN record.resource target ON target.type = 103 AND target.id = m.target_id AND target.patient = c.patient
  WHERE m.merge AND m.undone IS NULL AND c.facility = ANY (m.care) LIMIT 1
), 0), 0, n.instant, n.instant + 365 * 86400000000
FROM record.care c CROSS JOIN (SELECT (extract(epoch FROM now()) * 1000000)::bigint AS instant) n
WHERE NOT EXISTS (
  SELECT FROM record.relation t WHERE t.patient = c.patient AND t.basis = 0 AND t.who = c.facility)
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION record.write(
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

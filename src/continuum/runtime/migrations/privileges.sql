-- What the application's role may do. Run again after every migration, and whenever this text changes.
GRANT USAGE ON SCHEMA record, identity, chart, messages, runtime TO continuum_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA record, identity, chart, messages TO continuum_app;
-- What was done stays as it was written: acts and past versions are added, never changed.
REVOKE UPDATE, DELETE ON record.audit, record.audit_patient, record.audit_checkpoint, record.audit_spill, record.history,
  record.emergency
  FROM continuum_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA record TO continuum_app;
GRANT SELECT ON runtime.migration TO continuum_app;
-- How somebody came to their identity level stays as it was recorded.
REVOKE UPDATE, DELETE ON identity.proofing FROM continuum_app;

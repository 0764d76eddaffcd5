-- Who works at a facility: for hand-overs, cover, and the check that nobody owes an answer who is gone (of the migration
-- that brought messages).
CREATE INDEX privilege_facility ON identity.privilege (facility_id) WHERE withdrawn_us IS NULL;

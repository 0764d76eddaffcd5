-- Who a member of staff is in the record (the id of a Practitioner): treatment relationships are theirs. Nobody is two.
ALTER TABLE identity.account ADD COLUMN practitioner_id text COLLATE "C" UNIQUE;
-- As which of several roles a session acts; NULL: as the first.
ALTER TABLE identity.session ADD COLUMN privilege_id text REFERENCES identity.privilege;

-- What record.relation says since 0016.
DROP TABLE record.care;
ALTER TABLE record.relocation DROP COLUMN care;

-- What record.relation says since 0016.
DROP TABLE record.care;

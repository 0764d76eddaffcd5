-- What the search index needs beside the resources' own rows; with schema.sql and schema_bulk.sql all of the record.

-- Every unit that a quantity was ever filed in, by what it measures (fhir/ucum/unit.py): `form` is
-- `dimension factor offset`. A search in one unit reads here what it has to be converted to.
CREATE TABLE record.unit (
  dimension text COLLATE "C" NOT NULL,
  form      text COLLATE "C" NOT NULL,
  PRIMARY KEY (dimension, form)
);

"""The numbered migrations: `NNNN_pre_name.sql` runs before a release serves, `NNNN_post_name.sql` after.

A file is one transaction. One that begins with the line `-- no transaction` is a row of statements, parted by
lines `-- then`, each of which must do no harm when it is run twice (IF NOT EXISTS); for CREATE INDEX CONCURRENTLY.
"""

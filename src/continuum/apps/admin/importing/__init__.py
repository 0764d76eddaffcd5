"""`continuum import`: files of resources into the record, in parallel, resumable, nothing silently skipped."""

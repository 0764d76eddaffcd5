"""Clinical domains: each in one folder, meeting the others only in the record."""

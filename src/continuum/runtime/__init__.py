"""What the record stands on: settings, PostgreSQL (embedded or given), migrations, backups, telemetry."""

"""What people and programs talk to: thin, without clinical logic."""

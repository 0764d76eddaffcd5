"""Backups: encrypted, verified, taken while in use, with every change since archived for point-in-time recovery."""

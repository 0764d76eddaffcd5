"""The contributors that every record has, one module for each kind of entry."""

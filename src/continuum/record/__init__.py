"""Versions, search, transactions, history, bulk: the store. Reached only through `continuum.access`."""

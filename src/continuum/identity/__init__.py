"""Accounts, sign-on, tokens: who somebody is."""

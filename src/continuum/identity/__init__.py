"""Accounts, sign-on, tokens: who somebody is, how surely that is known, and that it is still them."""

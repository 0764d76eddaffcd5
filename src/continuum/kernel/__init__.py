"""Ids, clock, errors and limits: pure, imports nothing of ours."""

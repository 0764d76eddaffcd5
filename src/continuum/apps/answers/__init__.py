"""Answers before a visit, in the workspace."""

"""Scheduling: who has time for whom, when and where; from the template of a week to the chair in the waiting room."""

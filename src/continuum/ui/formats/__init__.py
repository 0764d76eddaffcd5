"""The one place where people, days and measured values become text."""

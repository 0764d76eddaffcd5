"""Messages between people and their care teams: threads, the work on them, and who owes an answer."""

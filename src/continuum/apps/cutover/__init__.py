"""Waves and moves: the plan for staff, what people see of it, and what the server does on the day."""
